"""Cycles among a plan's tasks lose their least sure edge, each with a warning that says so.

Next in the flow: `schedule` says what follows from the edges that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orange.core.plans import digest
from orange.core.plans.model import Doubt, Edge, PlanTask
from orange.core.plans.schedule import closing, cycle

#: Cycles that are looked at one by one; in what is so tangled, the rest lose the edge that closes them.
_MOST = 25


def acyclic(tasks: tuple[PlanTask, ...]) -> tuple[tuple[PlanTask, ...], list[Doubt]]:
    """Take the least sure edge out of every cycle, and say so."""
    doubts: list[Doubt] = []
    while len(doubts) < _MOST and (edges := cycle(tasks)):
        tasks, doubt = opened(tasks, edges)
        doubts.append(doubt)
    if len(doubts) < _MOST:
        return tasks, doubts
    while rest := closing(tasks):
        doubts += [_doubt(task, edge, f"{task.key} and {edge.blocker} wait for each other") for task, edge in rest]
        tasks = _without(tasks, {(task.key, edge.blocker) for task, edge in rest})
    return tasks, doubts


def opened(tasks: tuple[PlanTask, ...], edges: Sequence[tuple[PlanTask, Edge]]) -> tuple[tuple[PlanTask, ...], Doubt]:
    """Take the least sure edge out of one cycle, and say so."""
    task, weakest = min(edges, key=lambda found: found[1].confidence)
    way = " -> ".join([*(one.key for one, _ in edges), edges[0][0].key])
    return _without(tasks, {(task.key, weakest.blocker)}), _doubt(task, weakest, f"{way} wait for each other")


def _doubt(task: PlanTask, edge: Edge, what: str) -> Doubt:
    why = f" ({edge.reason})" if edge.reason else ""
    said = f"{what}: {task.key} after {edge.blocker} was left out{why}"
    return Doubt("cycle", said, task.key, task.lines.first if task.lines else None)


def _without(tasks: tuple[PlanTask, ...], gone: set[tuple[str, str]]) -> tuple[PlanTask, ...]:
    waiting = {key for key, _ in gone}
    return tuple(_freed(task, gone) if task.key in waiting else task for task in tasks)


def _freed(task: PlanTask, gone: set[tuple[str, str]]) -> PlanTask:
    left = replace(task, edges=tuple(edge for edge in task.edges if (task.key, edge.blocker) not in gone))
    return replace(left, digest=digest.of(left))
