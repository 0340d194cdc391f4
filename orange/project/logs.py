"""Following what a run says, and waiting for what a person answers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from orange.core import body as sections
from orange.core.lifecycle import StuckReason
from orange.core.model import Task
from orange.core.reviews import run_of
from orange.project.parts import Parts

#: Seconds between looks at a growing file.
PACE = 0.2


def latest(parts: Parts, task: Task) -> str | None:
    """Return the path of the latest run's output, if it has any."""
    runs = (name for epoch in range(task.epoch, 0, -1) for name in (f"{task.id}-{epoch}", run_of(task.id, epoch)))
    paths = (f"{parts.runs.folder(run)}/output.log" for run in runs)
    return next((path for path in paths if os.path.isfile(path)), None)


class Screen:
    """What a task's latest run says: a file that grows until the run has ended."""

    def __init__(self, parts: Parts, task: str, path: str) -> None:
        self._parts, self._task, self.path = parts, task, path
        self._run = os.path.basename(os.path.dirname(path))

    def ended(self) -> bool:
        """Whether nothing more will come."""
        record = self._parts.runs.record(self._run)
        return record is None or record.outcome is not None or self._abandoned()

    def _abandoned(self) -> bool:
        """Whether the task is no longer held by this run, so that no end of it will ever be written."""
        task = self._parts.store.look(()).tasks.get(self._task)
        return task is None or task.run != self._run


def screen(parts: Parts, task: Task) -> Screen | None:
    """Return the screen of the latest run, if it has any."""
    path = latest(parts, task)
    return None if path is None else Screen(parts, task.id, path)


def follow(parts: Parts, task: Task) -> Iterator[str]:
    """Yield the latest run's output from its beginning, and as it grows, until the run has ended."""
    shown = screen(parts, task)
    if shown is None:
        return
    with open(shown.path, encoding="utf-8", errors="replace") as file:
        while True:
            ended = shown.ended()
            text = file.read()
            if text:
                yield text
            elif ended:
                return
            else:
                time.sleep(PACE)


def wait_answer(parts: Parts, task_id: str, timeout: float | None) -> str:
    """Wait until the question is answered; return the last answer, or an empty text when the time is over."""
    end = None if timeout is None else time.monotonic() + timeout
    while end is None or time.monotonic() < end:
        task = parts.store.read().tasks.get(task_id)
        if task is None or task.stuck is None or task.stuck.reason is not StuckReason.QUESTION:
            return _last_answer(parts, task_id) if task else ""
        time.sleep(PACE)
    return ""


def _last_answer(parts: Parts, task_id: str) -> str:
    text = sections.section(parts.store.body(task_id), "Answers") or ""
    return text.strip()
