"""Lets webhooks be delivered beside everything else: in threads that nobody waits for, one a receiver.

A receiver that hangs holds up its own deliveries and nothing more. What a kill interrupts goes on from what was kept.
"""

from __future__ import annotations

import logging
import threading

from orange.core.lifecycle import Status
from orange.core.model import Board, Task
from orange.core.problems import OrangeError
from orange.core.service.news import differences
from orange.core.service.webhooks import Hook, hooks_of
from orange.project.parts import Parts
from orange.project.webhooks import Post

log = logging.getLogger("orange.reconciler")

#: Seconds after which every task's trail is looked at, whether the task changed or not.
EVERYTHING = 300.0


class Postman:
    """The deliveries of one project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rounds: dict[Hook, _Round] = {}

    def look(self, board: Board) -> None:
        """See what is to be delivered, and let it be."""
        hooks = hooks_of(self._parts.settings().webhooks)
        self._rounds = {hook: self._rounds.get(hook) or _Round(self._parts, hook) for hook in hooks}
        for found in self._rounds.values():
            found.look(board)


class _Round:
    """The passes of one receiver."""

    def __init__(self, parts: Parts, hook: Hook) -> None:
        self._parts, self._hook = parts, hook
        self._thread: threading.Thread | None = None
        self._board = Board({})
        self._all_at = 0.0
        #: Tasks with lines that may not be delivered yet.
        self._open: dict[str, Task] = {}
        self._complaint: str | None = None

    def look(self, board: Board) -> None:
        """Begin a pass, unless one is under way."""
        if self._thread and self._thread.is_alive():
            return
        now = self._parts.clock.now()
        if now >= self._all_at:
            self._all_at, self._open = now + EVERYTHING, dict(board.tasks)
        else:
            changed = differences(self._board.tasks, board.tasks).changed
            working = (task for task, known in board.tasks.items() if known.status is Status.WORKING)  # a trail grows
            self._open |= {task: board.tasks[task] for task in (*changed, *working)}
        self._board = board
        if self._open:
            name = f"webhook-{self._hook.key}"
            self._thread = threading.Thread(target=self._deliver, args=(self._open,), name=name, daemon=True)
            self._thread.start()

    def _deliver(self, tasks: dict[str, Task]) -> None:
        complaint = None
        try:
            post = Post(self._parts, self._hook)
            post.deliver(sorted(tasks.values(), key=lambda task: task.id))
            left = set(tasks) if post.progress.down.attempts else set(post.progress.waits)
            self._open = {task: known for task, known in tasks.items() if task in left}
        except OrangeError as failed:
            complaint = failed.message
        if complaint and complaint != self._complaint:
            log.warning("%s: webhooks: %s", self._parts.name, complaint)
        self._complaint = complaint
