"""The small shared moves of every write: the event line, the guards' facts, the one way a status is changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orange.core import effective, graph, times
from orange.core.lifecycle import Facts, Status, StuckReason, advance
from orange.core.model import Stuck, Task
from orange.core.problems import TaskNotFound
from orange.core.rules import UNKNOWN, Ruling
from orange.core.settings import Settings
from orange.core.storeports import Event, Transaction
from orange.project import trail
from orange.project.parts import Parts
from orange.project.requests import Speaker


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller has proven about a move, beyond what the files say."""

    claiming: bool = False
    integrated: bool = False
    approved: bool = False
    checked: bool = False
    #: What the rules say of the work, where they were asked.
    ruling: Ruling | None = UNKNOWN


class Pen:
    """Writes as one speaker within one transaction: events and status changes look the same from everywhere."""

    def __init__(self, parts: Parts, speaker: Speaker, tx: Transaction) -> None:
        self.parts, self.speaker, self.tx = parts, speaker, tx
        self.now = times.stamp(parts.clock.now())

    def event(self, task_id: str, kind: str, **data: object) -> None:
        """Append an event to the task's audit trail."""
        self.tx.event(task_id, Event(self.now, kind, self.speaker.label, data))

    def move(self, task: Task, to: Status, known: Known | None = None, **data: object) -> Task:
        """Move a task to a status and record it. Raises IllegalTransition; writes nothing then."""
        moved = advance(task, to, self.speaker.actor, self.facts(task, to, known or Known()))
        self.stages(task)
        self.tx.put(moved)
        self.event(task.id, "task.updated", status=to.value, was=task.status.value, **data)
        return moved

    def stages(self, task: Task) -> None:
        """Take into the trail what the run that holds the task has noted of its stages and steps, each once."""
        for event in trail.noted(self.parts, task):
            self.tx.event(task.id, event)

    def stick(self, task: Task, reason: StuckReason, message: str, evidence: str | None = None) -> Task:
        """Move a task to stuck with its structured reason."""
        moved = self.move(task, Status.STUCK, reason=reason.value, message=message)
        return self.keep(replace(moved, stuck=Stuck(reason, message, evidence, self.now)))

    def keep(self, task: Task) -> Task:
        """Write a task's other keys as they are in `task`."""
        self.tx.put(task)
        return task

    def facts(self, task: Task, to: Status, known: Known) -> Facts:
        """Gather what the guards of this move need, and only that: children cost a look at every task."""
        settings = self.parts.settings()
        parental = Status.DELEGATED in {task.status, to}
        children = self.tx.children(task.id) if parental else ()
        return Facts(
            children=len(children),
            children_done=all(child.status is Status.DONE for child in children),
            open_blockers=self.open_blockers(task, settings) if known.claiming else (),
            review_off=effective.review_off(task, settings, known.ruling if effective.rules_of(settings) else None),
            claiming=known.claiming,
            integrated=known.integrated,
            approved=known.approved,
            checked=known.checked or not settings.checks_required,
        )

    def open_blockers(self, task: Task, settings: Settings) -> tuple[str, ...]:
        """List the blockers that are not satisfied, each read anew."""
        known: dict[str, Task] = {}
        for blocker in task.blocked_by:
            try:
                known[blocker] = self.tx.task(blocker)
            except TaskNotFound:
                continue
        return graph.open_blockers(task, known, settings)
