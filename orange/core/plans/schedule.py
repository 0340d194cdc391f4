"""What follows from a plan's edges: cycles, waves for a given parallelism, the longest chain, what can start at once.

A group begins when what it waits for is done, and is done when its parts are; only tasks without parts take time.
Next in the flow: `review` shows it, the import takes the edges from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orange.core.plans.model import Edge, Plan, PlanTask

#: Before the key of a group: its beginning. The key itself is its end.
_START = "^"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The order of a plan."""

    #: Keys by when they can be worked on, at most so many at once as the plan says.
    waves: tuple[tuple[str, ...], ...]
    #: The longest chain of tasks.
    critical_path: tuple[str, ...]
    #: What can start at once.
    roots: tuple[str, ...]
    #: Tasks and groups at the top that wait for others.
    blocked_roots: tuple[str, ...]
    #: What can never start: it waits for a cycle.
    unreachable: tuple[str, ...]


def schedule(plan: Plan) -> Schedule:
    """Say what follows from a plan's edges; what is done already takes no time."""
    waits = waits_of(plan.tasks)
    timed = {task.key for task in leaves(plan) if not task.done}
    waves = _waves(plan, waits, timed)
    reached = {key for wave in waves for key in wave}
    path = _longest(waits, [key for wave in waves for key in wave], timed)
    first = _waves(plan, waits, timed, bound=None)[:1]
    return Schedule(
        waves,
        path,
        first[0] if first else (),
        tuple(task.key for task in plan.tasks if task.parent is None and task.edges and not task.done),
        tuple(task.key for task in plan.tasks if task.key in timed and task.key not in reached),
    )


def leaves(plan: Plan) -> list[PlanTask]:
    """Return the tasks without parts."""
    groups = {task.parent for task in plan.tasks}
    return [task for task in plan.tasks if task.key not in groups]


def waits_of(tasks: Sequence[PlanTask]) -> dict[str, list[str]]:
    """Return what every point of the graph waits for: tasks, and beginnings and ends of groups."""
    known = {task.key for task in tasks}
    groups = {task.parent for task in tasks if task.parent in known}
    waits: dict[str, list[str]] = {}
    for task in tasks:
        begins = f"{_START}{task.key}" if task.key in groups else task.key
        waits.setdefault(task.key, [])
        waits.setdefault(begins, []).extend(edge.blocker for edge in task.edges if edge.blocker in known)
        if begins != task.key:
            waits[task.key].append(begins)
        if task.parent in groups:
            waits[begins].append(f"{_START}{task.parent}")
            waits.setdefault(str(task.parent), []).append(task.key)
    return waits


def _waves(
    plan: Plan, waits: Mapping[str, list[str]], timed: set[str], bound: int | None = -1
) -> tuple[tuple[str, ...], ...]:
    most = plan.parameters.max_parallelism_hint if bound == -1 else bound
    order = {task.key: (task.priority.rank, i) for i, task in enumerate(plan.tasks)}
    left = {node: len(following) for node, following in waits.items()}
    behind: dict[str, list[str]] = {}
    for node, following in waits.items():
        for other in following:
            behind.setdefault(other, []).append(node)
    ready: list[str] = []
    _release([node for node, count in left.items() if not count], (left, behind, timed), ready)
    waves = []
    while ready:
        ready.sort(key=lambda key: order[key])
        wave, ready = tuple(ready[:most]), ready[most:] if most else []
        waves.append(wave)
        for key in wave:
            _release(_freed(key, left, behind), (left, behind, timed), ready)
    return tuple(waves)


def _release(
    nodes: list[str], graph: tuple[dict[str, int], Mapping[str, list[str]], set[str]], ready: list[str]
) -> None:
    """Pass through what takes no time, up to the tasks that do."""
    left, behind, timed = graph
    for node in nodes:  # grows while it is walked
        if node in timed:
            ready.append(node)
        else:
            nodes += _freed(node, left, behind)


def _freed(node: str, left: dict[str, int], behind: Mapping[str, list[str]]) -> list[str]:
    freed = []
    for other in behind.get(node, ()):
        left[other] -= 1
        if not left[other]:
            freed.append(other)
    return freed


def _longest(waits: Mapping[str, list[str]], order: Sequence[str], timed: set[str]) -> tuple[str, ...]:
    """Return the longest chain of tasks."""
    best: dict[str, tuple[int, str | None]] = {}
    for end in order:
        stack = [end]
        while stack:
            node = stack[-1]
            missing = [other for other in waits[node] if other not in best]
            if missing:
                stack += missing
                continue
            stack.pop()
            length, last = max(((best[other][0], other) for other in waits[node]), default=(0, None))
            best[node] = (length + (node in timed), last)
    at: str | None = max(order, key=lambda key: best[key][0], default=None)
    chain = []
    while at is not None:
        if at in timed:
            chain.append(at)
        at = best[at][1]
    return tuple(reversed(chain))


def cycle(tasks: Sequence[PlanTask]) -> list[tuple[PlanTask, Edge]]:
    """Return the edges of one cycle; an empty list where there is none."""
    by_key = {task.key: task for task in tasks}
    return _edges_of(next(_cycles_of(waits_of(tasks)), []), by_key)


def closing(tasks: Sequence[PlanTask]) -> list[tuple[PlanTask, Edge]]:
    """Return an edge of every cycle that is met on one walk, as a rule the one that closes it."""
    by_key = {task.key: task for task in tasks}
    found: dict[tuple[str, str], tuple[PlanTask, Edge]] = {}
    for loop in _cycles_of(waits_of(tasks)):
        last = _edges_of([loop[-1], loop[0]], by_key)[:1]
        task, edge = last[0] if last else min(_edges_of(loop, by_key), key=lambda met: met[1].confidence)
        found[task.key, edge.blocker] = (task, edge)
    return list(found.values())


def _edges_of(loop: Sequence[str], by_key: Mapping[str, PlanTask]) -> list[tuple[PlanTask, Edge]]:
    """Return the edges between the points of a cycle; between the ends of a group there is none."""
    edges = []
    for node, waited in zip(loop, [*loop[1:], *loop[:1]], strict=True):
        task = by_key[node.removeprefix(_START)]
        edges += [(task, edge) for edge in task.edges if edge.blocker == waited]
    return edges


def _cycles_of(waits: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Walk the graph in depth; yield the way whenever a point on it is met again."""
    done: set[str] = set()
    for root in waits:
        way: dict[str, int] = {}
        trail = [(root, iter(waits[root]))] if root not in done else []
        while trail:
            node, following = trail[-1]
            way.setdefault(node, len(way))
            step = next((other for other in following if other not in done), None)
            if step is None:
                trail.pop()
                done.add(node)
                del way[node]
            elif step in way:
                yield [point for point, _ in trail[way[step] :]]
            else:
                trail.append((step, iter(waits[step])))
