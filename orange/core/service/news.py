"""What differs between two looks at a board, and whose view that changes. Pure.

Next in the flow: `daemon.news` tells it to whoever listens.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import NamedTuple

from orange.core.model import ORANGE_ONLY, Task

Tasks = Mapping[str, Task]


class Differences(NamedTuple):
    """What is not as it was."""

    #: Ids of tasks that are new or have other content.
    changed: tuple[str, ...]
    #: Ids of tasks that are there no more.
    gone: tuple[str, ...]


def differences(before: Tasks, after: Tasks) -> Differences:
    """Compare two boards' tasks."""
    if before is after:
        return Differences((), ())
    changed = tuple(id_ for id_, task in after.items() if (old := before.get(id_)) is not task and old != task)
    return Differences(changed, tuple(id_ for id_ in before if id_ not in after))


def said_otherwise(old: Task | None, new: Task) -> bool:
    """Whether a task says something else than before, other than what orange itself notes in it."""
    return old is None or any(getattr(old, key) != getattr(new, key) for key in _SAID)


_SAID = tuple(part.name for part in fields(Task) if part.name not in {*ORANGE_ONLY, "path", "updated_at"})


def touched(found: Differences, before: Tasks, after: Tasks, turned: Collection[str]) -> tuple[str, ...]:
    """List every task whose view may be another now: what changed, its parents, what waits for it, and `turned`.

    `turned` are the tasks that have become ready, or are so no more.
    """
    own = {*found.changed, *found.gone}
    parents = {task.parent for id_ in own for task in (before.get(id_), after.get(id_)) if task and task.parent}
    waiting = {id_ for id_, task in after.items() if not own.isdisjoint(task.blocked_by)} if own else set()
    return tuple(sorted(own | parents | waiting | set(turned)))
