"""Says what came of publishing a task: events in its trail, and files in the folder of its run."""

from __future__ import annotations

from collections.abc import Mapping

from orange.core.artifacts import PUBLISHED
from orange.core.model import Task
from orange.core.publish_result import Outcome, result
from orange.project.launch import last_work
from orange.project.record import Pen

#: What came of publishing -> how the stage `task.publish` went on; what is not here changed nothing of it.
_STAGE: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.MERGED: ("started", "finished"),
    Outcome.CONFLICT: ("started", "failed"),
    Outcome.NO_CHANGES: ("started", "finished"),
    Outcome.DISABLED: ("started", "finished"),
    Outcome.PUSHED: ("started",),
    Outcome.MERGED_ELSEWHERE: ("finished",),
    Outcome.PR_CLOSED: ("failed",),
    Outcome.CHANGES_REQUESTED: ("failed",),
}
_SKIPPED: Mapping[Outcome, str] = {
    Outcome.NO_CHANGES: "nothing was changed: there is nothing to publish",
    Outcome.DISABLED: "it publishes nothing by choice",
}


def note(pen: Pen, task: Task, outcome: Outcome, **details: object) -> None:
    """Note an outcome; details that are None are left out. Work that no run here did has no folder to say it in."""
    told = {key: value for key, value in details.items() if value is not None}
    skipped = {"skipped": _SKIPPED[outcome]} if outcome in _SKIPPED else {}
    for status in _STAGE.get(outcome, ()):
        pen.event(task.id, "task.publish", status=status, **(skipped if status == "finished" else {}))
    pen.event(task.id, "task.publish_result", outcome=outcome.value, **told)
    run = last_work(pen.parts, task)
    pen.parts.runs.keep(run, "publish_result.json", result(task.id, run, outcome, pen.now, told))
    words = " ".join(f"{key}={value}" for key, value in told.items())
    pen.parts.runs.published(run, PUBLISHED.get(outcome), f"{pen.now} {outcome.value} {words}".rstrip())
