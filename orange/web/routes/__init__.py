"""Every operation there is, in the order in which the description shows them."""

from __future__ import annotations

from orange.web.operation import Operation
from orange.web.routes import imports, moves, queue, quick, runs, service, tasks, views, webhooks

OPERATIONS: tuple[Operation, ...] = (
    *tasks.OPERATIONS,
    *moves.OPERATIONS,
    *runs.OPERATIONS,
    *queue.OPERATIONS,
    *quick.OPERATIONS,
    *imports.OPERATIONS,
    *views.OPERATIONS,
    *webhooks.OPERATIONS,
    *service.OPERATIONS,
)
