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


def follow(parts: Parts, task: Task) -> Iterator[str]:
    """Yield the latest run's output from its beginning, and as it grows, until the run has ended."""
    path = latest(parts, task)
    if path is None:
        return
    run = os.path.basename(os.path.dirname(path))
    with open(path, encoding="utf-8", errors="replace") as file:
        while True:
            record = parts.runs.record(run)
            ended = record is None or record.outcome is not None or _abandoned(parts, task.id, run)
            text = file.read()
            if text:
                yield text
            elif ended:
                return
            else:
                time.sleep(PACE)


def _abandoned(parts: Parts, task_id: str, run: str) -> bool:
    """Whether the task is no longer held by this run, so that no end of it will ever be written."""
    task = parts.store.read().tasks.get(task_id)
    return task is None or task.run != run


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
