"""Takes what runs noted of their stages and steps into the trails of their tasks, while they are at work."""

from __future__ import annotations

from collections.abc import Iterable

from orange.core.problems import TaskNotFound
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import Speaker


def note_stages(parts: Parts, speaker: Speaker, held: Iterable[tuple[str, str]]) -> None:
    """Write the events of these (task, run) that are new, in one entry; a task held by another by now is left alone."""
    with parts.store.transaction("note the steps of runs") as tx:
        pen = Pen(parts, speaker, tx)
        for task_id, run in held:
            try:
                task = tx.task(task_id)
            except TaskNotFound:
                continue
            if task.claim is not None and task.claim.run == run:
                pen.stages(task)
