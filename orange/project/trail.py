"""A task's trail with what its run has noted since: stages and steps come into the file with the daemon's next look.

Next in the flow: `record` writes them there; who shows a trail shows them already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orange.core import runevents
from orange.core.model import Task
from orange.core.storeports import Event
from orange.project.parts import Parts


def noted(parts: Parts, task: Task) -> Iterator[Event]:
    """Yield what the run that holds the task has noted of its stages and steps and the trail does not have yet."""
    run = task.claim.run if task.claim and not task.claim.by_person else None
    lines = parts.runs.stages(run) if run else ()
    if run is None or not lines:
        return
    record = parts.runs.record(run)
    steps = {step.name for step in record.course.steps} if record and record.course else set()
    yield from runevents.events(run, lines, steps, runevents.noted(parts.store.events(task.id), run))


def whole(parts: Parts, task: Task) -> tuple[Event, ...]:
    """Return all of it, oldest first."""
    there: Iterable[Event] = parts.store.events(task.id)
    return (*there, *noted(parts, task))
