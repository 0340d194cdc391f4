"""A document was changed and decomposed again: what is new, what is different, what is gone, and the plan of both.

What a person wrote into the plan stays: a task they edited keeps their words, and a task they added stays. One they
deleted stays away as long as the document is the same. Next in the flow: `project.planning` writes the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from orange.core.plans import digest
from orange.core.plans.circles import acyclic
from orange.core.plans.model import Doubt, Edge, Plan, PlanTask
from orange.core.plans.targets import tokens

#: How alike two titles are, from 0 to 1, that are the same thing in other words.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    #: added, changed, obsolete, or kept (changed in the document, but edited by a person: theirs stays).
    kind: str
    key: str
    title: str


def renewed(old: Plan, new: Plan) -> tuple[Plan, tuple[Change, ...]]:
    """Bring a plan up to a newly decomposed document. The id, the unknown keys and a person's edits stay."""
    if new.source_digest == old.source_digest and new.parameters == old.parameters:
        return old, ()
    fresh = _rekeyed(new.tasks, _renames(old.tasks, new.tasks))
    had = old.by_key()
    changes: list[Change] = []
    tasks = [_merged(had.get(task.key), task, changes) for task in fresh]
    there = {task.key for task in fresh}
    for task in old.tasks:
        if task.key in there:
            continue
        if task.digest is None:
            tasks.append(task)
        else:
            changes.append(Change("obsolete", task.key, task.title))
    known = {task.key for task in tasks}
    whole, cycles = acyclic(tuple(_within(task, known) for task in tasks))
    plan = replace(new, id=old.id, created_at=old.created_at, imported_at=old.imported_at)
    plan = replace(plan, extra=old.extra, tasks=whole)
    return replace(plan, doubts=_doubts(new.doubts, cycles, known)), tuple(changes)


def _merged(old: PlanTask | None, new: PlanTask, changes: list[Change]) -> PlanTask:
    if old is None:
        changes.append(Change("added", new.key, new.title))
        return new
    if new.digest == old.digest:
        return replace(old, lines=new.lines, pages=new.pages)
    if old.digest is None or digest.of(old) != old.digest:
        changes.append(Change("kept", old.key, old.title))
        return replace(old, lines=new.lines, pages=new.pages, digest=new.digest)
    changes.append(Change("changed", new.key, new.title))
    return new


def _within(task: PlanTask, known: set[str]) -> PlanTask:
    """Leave out what names a task that is gone."""
    edges = tuple(edge for edge in task.edges if edge.blocker in known)
    parent = task.parent if task.parent in known else None
    return task if edges == task.edges and parent == task.parent else replace(task, edges=edges, parent=parent)


def _doubts(new: Iterable[Doubt], cycles: Iterable[Doubt], known: set[str]) -> tuple[Doubt, ...]:
    return (*(doubt for doubt in new if doubt.key is None or doubt.key in known), *cycles)


def _renames(old: Sequence[PlanTask], new: Sequence[PlanTask]) -> dict[str, str]:
    """Find tasks that only got other words: new key -> old key."""
    had, there = {task.key for task in old}, {task.key for task in new}
    gone = [task for task in old if task.key not in there and task.digest is not None]
    found: dict[str, str] = {}
    for task in new:
        if task.key in had or not gone:
            continue
        best = max(gone, key=lambda other: _likeness(task, other))
        if _likeness(task, best) >= _ALIKE:
            found[task.key] = best.key
            gone.remove(best)
    return found


def _likeness(one: PlanTask, other: PlanTask) -> float:
    if one.ref is not None and other.ref is not None and one.ref != other.ref:
        return 0.0
    first, second = tokens(one.title), tokens(other.title)
    shared = 2 * len(first & second) / max(1, len(first) + len(second))
    if not shared:
        return 0.0
    return max(shared, SequenceMatcher(None, one.title.lower(), other.title.lower()).ratio())


def _rekeyed(tasks: Sequence[PlanTask], renames: dict[str, str]) -> list[PlanTask]:
    if not renames:
        return list(tasks)
    return [_with_digest(_renamed(task, renames)) for task in tasks]


def _renamed(task: PlanTask, renames: dict[str, str]) -> PlanTask:
    edges = tuple(Edge(renames.get(edge.blocker, edge.blocker), edge.confidence, edge.reason) for edge in task.edges)
    parent = renames.get(task.parent, task.parent) if task.parent else None
    return replace(task, key=renames.get(task.key, task.key), edges=edges, parent=parent)


def _with_digest(task: PlanTask) -> PlanTask:
    return replace(task, digest=digest.of(task))
