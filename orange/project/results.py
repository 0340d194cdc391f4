"""Says what came of publishing a task: an event in its trail, and `publish_result.json` in the folder of its run."""

from __future__ import annotations

from orange.core.model import Task
from orange.core.publish_result import Outcome, result
from orange.project.record import Pen


def note(pen: Pen, task: Task, outcome: Outcome, **details: object) -> None:
    """Note an outcome; details that are None are left out. Work that no run here did has no folder to say it in."""
    told = {key: value for key, value in details.items() if value is not None}
    pen.event(task.id, "task.publish_result", outcome=outcome.value, **told)
    run = f"{task.id}-{task.epoch}"
    pen.parts.runs.keep(run, "publish_result.json", result(task.id, run, outcome, pen.now, told))
