"""Parents and children: who belongs to whom, how deep, how far along. The child's `parent` key rules.

Everything is iterative and linear, for chains and families of any size. Next in the flow: `graph` offers these beside
the blockers, `parents` decides when a parent closes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from orange.core.lifecycle import Status
from orange.core.model import Task
from orange.core.problems import CapReached
from orange.core.settings import Limits

Tasks: TypeAlias = Mapping[str, Task]
Children: TypeAlias = Mapping[str, tuple[str, ...]]


def children_of(tasks: Tasks) -> dict[str, tuple[str, ...]]:
    """Map every parent to its children by the children's own word, oldest first. Includes parents with no file."""
    found: dict[str, list[str]] = {}
    for task in tasks.values():
        if task.parent:
            found.setdefault(task.parent, []).append(task.id)
    return {parent: tuple(sorted(ids, key=lambda i: (tasks[i].created_at, i))) for parent, ids in found.items()}


def progress(task_id: str, tasks: Tasks, children: Children | None = None) -> tuple[int, int]:
    """Count a parent's children: how many are done, how many there are."""
    kids = (children if children is not None else children_of(tasks)).get(task_id, ())
    return sum(tasks[kid].status is Status.DONE for kid in kids), len(kids)


def descendants(tasks: Tasks, task_id: str, children: Children | None = None) -> tuple[str, ...]:
    """List everything below a task, nearest first. A task in a loop of parents is not below itself."""
    kids = children if children is not None else children_of(tasks)
    found: dict[str, None] = {}
    todo = list(kids.get(task_id, ()))
    for kid in todo:  # grows while it is walked
        if kid != task_id and kid not in found:
            found[kid] = None
            todo.extend(kids.get(kid, ()))
    return tuple(found)


def ancestors(tasks: Tasks, task_id: str) -> tuple[str, ...]:
    """List a task's parents upwards, the root last; ends where a parent has no file or the chain loops."""
    found: dict[str, None] = {}
    task = tasks.get(task_id)
    while task and task.parent and task.parent in tasks and task.parent not in found and task.parent != task_id:
        found[task.parent] = None
        task = tasks[task.parent]
    return tuple(found)


def depth(tasks: Tasks, task_id: str) -> int:
    """Count the parents above a task: 0 for a root, 1 for a root's children."""
    return len(ancestors(tasks, task_id))


def check_caps(tasks: Tasks, parent: str, limits: Limits) -> None:
    """Refuse one more agent-made child of `parent` beyond the fan-out caps. Raises CapReached."""
    kids = children_of(tasks)
    above = ancestors(tasks, parent)
    root = above[-1] if above else parent
    if len(kids.get(parent, ())) >= limits.children:
        raise CapReached("limits.children", limits.children, parent)
    if len(above) + 1 > limits.depth:
        raise CapReached("limits.depth", limits.depth, parent)
    if len(descendants(tasks, root, kids)) >= limits.descendants:
        raise CapReached("limits.descendants", limits.descendants, root)


def mended(listed: tuple[str, ...], actual: tuple[str, ...], frozen: frozenset[str]) -> tuple[str, ...] | None:
    """Return a parent's list as its children say, in its own order; None where they agree.

    A listed child whose file cannot be understood at present stays: what cannot be read is not gone.
    """
    known = set(actual)
    if len(listed) == len(known) and known == set(listed):
        return None
    kept = dict.fromkeys(child for child in listed if child in known or child in frozen)
    for child in actual:
        kept.setdefault(child)
    found = tuple(kept)
    return None if found == listed else found


def mended_children(tasks: Tasks, frozen: frozenset[str] = frozenset()) -> dict[str, tuple[str, ...]]:
    """Map every parent whose `children` list disagrees with its children to the list it should have."""
    kids = children_of(tasks)
    found = {}
    for task in tasks.values():
        actual = kids.get(task.id, ())
        if (task.children or actual) and (right := mended(task.children, actual, frozen)) is not None:
            found[task.id] = right
    return found
