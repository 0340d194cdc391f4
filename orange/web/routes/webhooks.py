"""Webhooks: who is told, how far that is, and a test.

Next in the flow: `Project.webhooks` tells and sends; the daemon delivers by itself.
"""

from __future__ import annotations

from orange.core.service.views import COUNT, TEXT, TRUTH, many, maybe, record
from orange.web.operation import Operation, Request

_PATH = "/api/v2/webhooks"


def _list(request: Request) -> object:
    return {"webhooks": request.project.webhooks.list()}


def _test(request: Request) -> object:
    return {"delivery": request.project.webhooks.test(request.places["webhook"])}


_DELIVERY = record(
    {
        "at": TEXT,
        "id": {**TEXT, "description": "The message's: the same at every attempt."},
        "type": TEXT,
        "task": maybe(TEXT),
        "status": maybe({"type": "integer", "description": "Of the answer; null where there was none."}),
        "error": maybe({**TEXT, "description": "Why there was no answer."}),
    },
    more=False,
)
_HOOK = record(
    {
        "id": TEXT,
        "url": {**TEXT, "description": "Without what may be secret in it."},
        "events": many(TEXT),
        "signed": {**TRUTH, "description": "Whether it has a `secret_ref`; else nothing is sent."},
        "waiting_tasks": {**COUNT, "description": "Tasks whose next message was refused and waits."},
        "next_attempt_at": maybe(TEXT),
        "deliveries": many(_DELIVERY),
    },
    more=False,
)

OPERATIONS = (
    Operation(
        "webhooks",
        "GET",
        _PATH,
        "List whom events are delivered to, and the latest deliveries.",
        record({"webhooks": many(_HOOK)}, more=False),
        _list,
    ),
    Operation(
        "test_webhook",
        "POST",
        f"{_PATH}/{{webhook}}/test",
        "Send a test event now, once.",
        record({"delivery": _DELIVERY}, more=False),
        _test,
    ),
)
