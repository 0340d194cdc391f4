"""Order among tasks: cycles, and the waves in which a graph can be worked off.

A task waits for its blockers, and a parent for its children; a cycle of such waits can never end. So a child blocked by
its own ancestor is a cycle, and so are two families that block each other crosswise.

Next in the flow: the facade refuses edges that would close a cycle, `waiting` explains one that was made by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from orange.core.kin import Tasks, children_of
from orange.core.lifecycle import CLOSED, Status
from orange.core.model import Task
from orange.core.problems import DependencyCycle, InvalidInput, Problem

#: Task id -> the ids it waits for.
Waits: TypeAlias = Mapping[str, list[str]]
#: Parent -> its children, in any order.
Families: TypeAlias = Mapping[str, Collection[str]]


def check_edges(tasks: Tasks, task: Task) -> None:
    """Refuse a task whose blockers or parent are missing or close a cycle. Raises InvalidInput, DependencyCycle."""
    for blocker in task.blocked_by:
        if blocker not in tasks and blocker != task.id:
            raise InvalidInput("blocked_by", f"there is no task {blocker} in this project")
    if task.parent and task.parent not in tasks and task.parent != task.id:
        raise InvalidInput("parent", f"there is no task {task.parent} in this project")
    cycle = would_cycle(tasks, task.id, task.blocked_by, task.parent)
    if cycle:
        raise DependencyCycle(cycle)


def would_cycle(
    tasks: Tasks, task_id: str, blocked_by: Iterable[str], parent: str | None, children: Families | None = None
) -> tuple[str, ...] | None:
    """Return the cycle that these edges of one task would close, from the task back to itself, or None.

    The task may be new; for an existing one the given edges replace its present ones.
    """
    kids: Families = children if children is not None else children_of(tasks)
    blockers = tuple(blocked_by)

    def edges(node: str) -> Iterator[str]:
        yield from blockers if node == task_id else tasks[node].blocked_by if node in tasks else ()
        yield from (kid for kid in sorted(kids.get(node, ())) if kid != task_id)
        if node == parent:
            yield task_id

    return _way_back(task_id, edges)


def _way_back(start: str, edges: Callable[[str], Iterable[str]]) -> tuple[str, ...] | None:
    """Find the shortest way from `start` to itself, breadth first."""
    came_from: dict[str, str] = {}
    todo = [start]
    for node in todo:  # grows while it is walked
        for following in edges(node):
            if following == start:
                return _path(start, node, came_from)
            if following not in came_from:
                came_from[following] = node
                todo.append(following)
    return None


def _path(start: str, last: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    path, node = [start], last
    while node != start:
        path.append(node)
        node = came_from[node]
    return (start, *reversed(path))


def cycles(tasks: Tasks) -> tuple[tuple[str, ...], ...]:
    """Name one shortest cycle of every knot of tasks that wait for each other, each from a task back to itself."""
    waits = _knotted(_waits(tasks))
    return tuple(_cycle_of(knot, waits) for knot in sorted(_knots(waits)))


def knotted(tasks: Tasks) -> dict[str, tuple[str, ...]]:
    """Map every task that can never go on because of a cycle through it to a cycle of its knot."""
    waits = _knotted(_waits(tasks))
    found: dict[str, tuple[str, ...]] = {}
    for knot in _knots(waits):
        found |= dict.fromkeys(knot, _cycle_of(knot, waits))
    return found


def cycle_problems(tasks: Tasks) -> tuple[Problem, ...]:
    """Report the cycles that hand edits made, at the file of the first task of each."""
    hint = "take one of the edges out of blocked_by, or change a parent"
    return tuple(
        Problem(tasks[cycle[0]].path, 0, f"tasks wait for each other in a circle: {' -> '.join(cycle)}", hint)
        for cycle in cycles(tasks)
    )


def _cycle_of(knot: list[str], waits: Waits) -> tuple[str, ...]:
    members = set(knot)
    found = _way_back(knot[0], lambda node: (w for w in waits[node] if w in members))
    return found or (knot[0], knot[0])


def _waits(tasks: Tasks) -> dict[str, list[str]]:
    waits = {task.id: [b for b in task.blocked_by if b in tasks] for task in tasks.values() if task.blocked_by}
    for task in tasks.values():
        if task.parent and task.parent in tasks:
            waits.setdefault(task.parent, []).append(task.id)
    return waits


def _knotted(waits: Waits) -> dict[str, list[str]]:
    """Keep the tasks that can reach a cycle: peel off, again and again, what waits for nothing that is left."""
    left = {node: len(following) for node, following in waits.items() if following}
    behind: dict[str, list[str]] = {}
    for node, following in waits.items():
        for other in following:
            behind.setdefault(other, []).append(node)
    free = [node for node in behind if node not in left]
    for node in free:  # grows while it is walked
        for other in behind.get(node, ()):
            left[other] -= 1
            if not left[other]:
                del left[other]
                free.append(other)
    return {node: [other for other in waits[node] if other in left] for node in left}


def _knots(waits: Waits) -> list[list[str]]:
    """Find the strongly connected parts that hold a cycle, each sorted."""
    found = _Tarjan(waits).run()
    return [sorted(part) for part in found if len(part) > 1 or part[0] in waits[part[0]]]


class _Tarjan:
    """Tarjan's strongly connected components with a stack of its own instead of recursion."""

    def __init__(self, waits: Waits) -> None:
        self.waits = waits
        self.number: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.stack: list[str] = []
        self.on_stack: set[str] = set()
        self.parts: list[list[str]] = []

    def run(self) -> list[list[str]]:
        for root in sorted(self.waits):
            if root not in self.number:
                self._walk(root)
        return self.parts

    def _walk(self, root: str) -> None:
        trail = [self._enter(root)]
        while trail:
            node, following = trail[-1]
            step = next(following, None)
            if step is None:
                trail.pop()
                self._leave(node, trail[-1][0] if trail else None)
            elif step not in self.number:
                trail.append(self._enter(step))
            elif step in self.on_stack:
                self.low[node] = min(self.low[node], self.number[step])

    def _enter(self, node: str) -> tuple[str, Iterator[str]]:
        self.number[node] = self.low[node] = len(self.number)
        self.stack.append(node)
        self.on_stack.add(node)
        return node, iter(self.waits[node])

    def _leave(self, node: str, back: str | None) -> None:
        if back is not None:
            self.low[back] = min(self.low[back], self.low[node])
        if self.low[node] != self.number[node]:
            return
        part = [self.stack.pop()]
        while part[-1] != node:
            part.append(self.stack.pop())
        self.on_stack.difference_update(part)
        self.parts.append(part)


def waves(tasks: Tasks, *, cancelled_satisfies: bool = False) -> tuple[tuple[str, ...], ...]:
    """Group the open tasks by when they can be worked on: each wave needs only what the earlier ones finish.

    A delegated parent comes after its children. What waits for a cycle, a missing or a cancelled task is in no wave.
    """
    waits = _open_waits(tasks, cancelled_satisfies=cancelled_satisfies)
    left = {node: len(following) for node, following in waits.items()}
    behind: dict[str, list[str]] = {}
    for node, following in waits.items():
        for other in following:
            behind.setdefault(other, []).append(node)
    found = []
    wave = [node for node, count in left.items() if not count]
    while wave:
        found.append(tuple(sorted(wave, key=lambda node: tasks[node].order)))
        wave = [other for node in wave for other in behind.get(node, ()) if _one_less(left, other)]
    return tuple(found)


def _one_less(left: dict[str, int], node: str) -> bool:
    left[node] -= 1
    return left[node] == 0


def _open_waits(tasks: Tasks, *, cancelled_satisfies: bool) -> dict[str, list[str]]:
    satisfied = CLOSED if cancelled_satisfies else frozenset({Status.DONE})
    waits: dict[str, list[str]] = {}
    for task in tasks.values():
        if task.status in CLOSED:
            continue
        waits[task.id] = [
            b for b in dict.fromkeys(task.blocked_by) if b not in tasks or tasks[b].status not in satisfied
        ]
    for task in tasks.values():
        above = tasks.get(task.parent or "")
        if above and above.status is Status.DELEGATED and task.status is not Status.DONE:
            waits[above.id].append(task.id)
    return waits
