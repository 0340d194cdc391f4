"""Who waits for whom, and who is ready: plain functions over the tasks, and `Graph`, the same kept up to date.

A blocker satisfies when it is done (or cancelled, where the settings say so); a missing, cancelled or unreadable one
never does, and no edge is ever erased. `Graph` answers without looking at every task again: one change costs as much as
the tasks it touches, whatever the size of the board.

Next in the flow: `scene` puts a graph beside what was observed, `dispatch` takes the ready tasks in order.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from orange.core import changes
from orange.core.cycles import check_edges, cycle_problems, cycles, knotted, waves, would_cycle
from orange.core.effective import is_human, missing_capabilities
from orange.core.kin import (
    Tasks,
    ancestors,
    check_caps,
    children_of,
    depth,
    descendants,
    mended,
    mended_children,
    progress,
)
from orange.core.lifecycle import CLOSED, Status
from orange.core.model import Board, Task
from orange.core.settings import Settings

__all__ = [
    "Graph",
    "ancestors",
    "check_caps",
    "check_edges",
    "children_of",
    "cycle_problems",
    "cycles",
    "depth",
    "descendants",
    "knotted",
    "mended_children",
    "open_blockers",
    "progress",
    "ready",
    "ready_tasks",
    "satisfied",
    "waves",
    "would_cycle",
]

#: A task's place in the queue: priority, age, id.
Place: TypeAlias = tuple[int, str, str]

#: So many new places at once are sorted in rather than inserted one by one.
_MANY = 32


def satisfied(task: Task | None, *, cancelled_satisfies: bool) -> bool:
    """Whether a blocker holds nobody back any more."""
    if task is None:
        return False
    return task.status is Status.DONE or (cancelled_satisfies and task.status is Status.CANCELLED)


def open_blockers(task: Task, tasks: Tasks, settings: Settings) -> tuple[str, ...]:
    """List the blockers that still hold a task back: not done, cancelled (unless that satisfies), or missing."""
    satisfies = settings.cancelled_satisfies
    return tuple(
        blocker
        for blocker in dict.fromkeys(task.blocked_by)
        if not satisfied(tasks.get(blocker), cancelled_satisfies=satisfies)
    )


def ready(task: Task, tasks: Tasks, settings: Settings, capabilities: frozenset[str] | None = None) -> bool:
    """Whether a task may start here: pending, unblocked, not a person's, every capability at hand (None: not asked)."""
    if task.status is not Status.PENDING or is_human(task):
        return False
    if capabilities is not None and missing_capabilities(task, settings, capabilities):
        return False
    return not open_blockers(task, tasks, settings)


def ready_tasks(board: Board, settings: Settings, capabilities: frozenset[str]) -> tuple[Task, ...]:
    """List the tasks that may start here, in dispatch order."""
    tasks, frozen = board.tasks, board.frozen
    if frozen:  # what cannot be understood is neither started nor done
        tasks = {task_id: task for task_id, task in tasks.items() if task_id not in frozen}
    satisfies = settings.cancelled_satisfies
    found = [
        task
        for task in tasks.values()
        if task.status is Status.PENDING
        and _unblocked(task, tasks, cancelled_satisfies=satisfies)
        and not is_human(task)
        and not missing_capabilities(task, settings, capabilities)
    ]
    return tuple(sorted(found, key=lambda task: task.order))


def _unblocked(task: Task, tasks: Tasks, *, cancelled_satisfies: bool) -> bool:
    for blocker in task.blocked_by:
        found = tasks.get(blocker)
        if found is None or (
            found.status is not Status.DONE and not (cancelled_satisfies and found.status is Status.CANCELLED)
        ):
            return False
    return True


class Graph:
    """The relations of one board's tasks: built once, then told of every change. Frozen tasks are not in it."""

    def __init__(self, board: Board, *, cancelled_satisfies: bool = False) -> None:
        self.cancelled_satisfies = cancelled_satisfies
        self.frozen = board.frozen
        #: What was wrong with the board's files; for whoever makes a world of this graph.
        self.problems = board.problems
        #: By id; kept by `changed`.
        self.tasks: dict[str, Task] = {i: task for i, task in board.tasks.items() if i not in board.frozen}
        self._by_status: dict[Status, set[str]] = {status: set() for status in Status}
        #: Blocker -> who names it.
        self._dependants: defaultdict[str, set[str]] = defaultdict(set)
        #: Task -> how many of its blockers are open; absent for none.
        self._open: dict[str, int] = {}
        self._children: defaultdict[str, set[str]] = defaultdict(set)
        self._done_children: dict[str, int] = {}
        self._requests: set[str] = set()
        self._reopened: set[str] = set()
        self._held: set[str] = set()
        self._tried: set[str] = set()
        self._claimed: set[str] = set()
        self._with_base: set[str] = set()
        #: Base -> the done tasks that were merged into it.
        self._merged: defaultdict[str, set[str]] = defaultdict(set)
        #: Parents whose list was not compared with their children since something changed.
        self._unsure: set[str] = set()
        self._mends: dict[str, tuple[str, ...]] = {}
        #: The tasks of the board that this one is the index of; None after changes of its own.
        self._followed: object = board.tasks
        for task in self.tasks.values():
            self._index(task)
        self._count_all()
        self._queue: list[Place] = sorted(
            self.tasks[i].order for i in self._by_status[Status.PENDING] if self._queues(i)
        )
        self._closed: list[tuple[str, str]] = sorted(
            entry for status in CLOSED for i in self._by_status[status] if (entry := _closing(self.tasks[i]))
        )

    # -- asking

    def with_status(self, *statuses: Status) -> list[str]:
        """List the ids of the tasks in these statuses, sorted."""
        return sorted(task_id for status in statuses for task_id in self._by_status[status])

    def queue(self) -> Iterator[Task]:
        """Yield the pending, unblocked tasks that are not a person's, in dispatch order."""
        return (self.tasks[place[2]] for place in self._queue)

    def blocked(self, task_id: str) -> bool:
        """Whether any blocker of a task is open."""
        return task_id in self._open

    def open_blockers(self, task: Task) -> tuple[str, ...]:
        """List the blockers that still hold a task back."""
        return tuple(blocker for blocker in dict.fromkeys(task.blocked_by) if not self._satisfied(blocker))

    def dependants(self, task_id: str) -> list[str]:
        """List the tasks that name this one as a blocker, sorted."""
        return sorted(self._dependants.get(task_id, ()))

    def children(self, task_id: str) -> list[str]:
        """List a task's children by their own word, oldest first."""
        return sorted(self._children.get(task_id, ()), key=lambda i: (self.tasks[i].created_at, i))

    def progress(self, task_id: str) -> tuple[int, int]:
        """Count a parent's children: how many are done, how many there are."""
        return self._done_children.get(task_id, 0), len(self._children.get(task_id, ()))

    def requests(self) -> list[str]:
        """List the tasks that somebody asked to have taken up again, sorted."""
        return sorted(self._requests)

    def reopened(self) -> list[str]:
        """List the open tasks that had been done, sorted."""
        return sorted(self._reopened)

    def held(self) -> list[str]:
        """List the tasks that a run or a person holds, sorted."""
        return sorted(self._held)

    def tried(self) -> list[str]:
        """List the tasks that failed before and may be started again, sorted."""
        return sorted(self._tried)

    def claimed(self) -> list[str]:
        """List the tasks that are not closed and were ever claimed, sorted."""
        return sorted(self._claimed)

    def with_base(self) -> list[str]:
        """List the tasks that are not closed and name a base of their own, sorted."""
        return sorted(self._with_base)

    def merged(self) -> Mapping[str, set[str]]:
        """Map each base to the done tasks that were merged into it; not to be changed."""
        return self._merged

    def closed(self) -> list[tuple[str, str]]:
        """List (last change, id) of the closed tasks that are not archived, oldest first; not to be changed."""
        return self._closed

    def mends(self) -> dict[str, tuple[str, ...]]:
        """Map each parent whose `children` list disagrees with its children to the list it should have."""
        for parent in self._unsure:
            task = self.tasks.get(parent)
            right = mended(task.children, tuple(self.children(parent)), self.frozen) if task else None
            if right is None:
                self._mends.pop(parent, None)
            else:
                self._mends[parent] = right
        self._unsure.clear()
        return self._mends

    def would_cycle(self, task_id: str, blocked_by: Iterable[str], parent: str | None) -> tuple[str, ...] | None:
        """Return the cycle that these edges of one task would close, or None."""
        return would_cycle(self.tasks, task_id, blocked_by, parent, self._children)

    # -- telling

    def follow(self, board: Board) -> tuple[str, ...]:
        """Take in whatever differs on `board`; returns the ids that changed. Fast where task objects were kept."""
        was_frozen, self.frozen, self.problems = self.frozen, board.frozen, board.problems
        told = changes.told(board.tasks, self._followed) if was_frozen == board.frozen else None
        changed = [i for i in (changes.found(self.tasks, board) if told is None else told) if self._differs(i, board)]
        for task_id in changed:
            self.changed(task_id, None if task_id in board.frozen else board.tasks.get(task_id))
        self._followed = board.tasks
        if was_frozen != board.frozen:
            self._unsure.update(i for i, task in self.tasks.items() if task.children)
        return tuple(changed)

    def _differs(self, task_id: str, board: Board) -> bool:
        return self.tasks.get(task_id) != (None if task_id in board.frozen else board.tasks.get(task_id))

    def changed(self, task_id: str, new: Task | None) -> None:
        """Take in that a task is now `new`; None when it is gone or cannot be understood."""
        self._followed = None
        old, was = self.tasks.get(task_id), self._satisfied(task_id)
        if old is not None:
            self._leave_lists(old)
            self._unindex(old)
        if new is None:
            self.tasks.pop(task_id, None)
            self._open.pop(task_id, None)
        else:
            self.tasks[task_id] = new
            self._index(new)
            self._count(new)
        if was is not self._satisfied(task_id):
            self._tell_dependants(task_id, -1 if was is False else 1)
        if new is not None:
            self._enter_lists(new)

    # -- keeping

    def _satisfied(self, task_id: str) -> bool:
        return satisfied(self.tasks.get(task_id), cancelled_satisfies=self.cancelled_satisfies)

    def _index(self, task: Task) -> None:
        self._by_status[task.status].add(task.id)
        for blocker in task.blocked_by:
            self._dependants[blocker].add(task.id)
        if task.parent:
            self._children[task.parent].add(task.id)
            self._unsure.add(task.parent)
            if task.status is Status.DONE:
                self._done_children[task.parent] = self._done_children.get(task.parent, 0) + 1
        if task.children or task.id in self._children:
            self._unsure.add(task.id)
        if task.status not in CLOSED:
            self._index_open(task)
        elif task.merged is not None and task.status is Status.DONE:
            self._merged[task.merged.base].add(task.id)
        if task.request is not None:
            self._requests.add(task.id)
        if task.held:
            self._held.add(task.id)

    def _index_open(self, task: Task) -> None:
        if task.attempts > 0 and (task.status is Status.PENDING or task.request is not None):
            self._tried.add(task.id)
        if task.reopened is not None:
            self._reopened.add(task.id)
        if task.claim is not None:
            self._claimed.add(task.id)
        if task.base is not None:
            self._with_base.add(task.id)

    def _unindex(self, task: Task) -> None:
        self._by_status[task.status].discard(task.id)
        for blocker in task.blocked_by:
            self._dependants[blocker].discard(task.id)
        if task.parent:
            self._children[task.parent].discard(task.id)
            self._unsure.add(task.parent)
            if task.status is Status.DONE:
                self._done_children[task.parent] -= 1
        self._unsure.add(task.id)
        self._requests.discard(task.id)
        self._reopened.discard(task.id)
        self._held.discard(task.id)
        self._tried.discard(task.id)
        self._claimed.discard(task.id)
        self._with_base.discard(task.id)
        if task.merged is not None:
            self._merged[task.merged.base].discard(task.id)

    def _count_all(self) -> None:
        holding = {blocker for blocker in self._dependants if not self._satisfied(blocker)}
        for blocker in holding:
            for task_id in self._dependants[blocker]:
                self._open[task_id] = self._open.get(task_id, 0) + 1

    def _count(self, task: Task) -> None:
        """Count the open blockers of one task anew."""
        count = len(self.open_blockers(task)) if task.blocked_by else 0
        if count:
            self._open[task.id] = count
        else:
            self._open.pop(task.id, None)

    def _tell_dependants(self, task_id: str, step: int) -> None:
        """Count one open blocker more or less for everyone who names this task."""
        freed, held = [], []
        for dependant in self._dependants.get(task_id, ()):
            if dependant == task_id:
                continue  # its own count was just made anew
            count = self._open.get(dependant, 0) + step
            if count > 0:
                self._open[dependant] = count
                held.append(dependant)
            else:
                self._open.pop(dependant, None)
                freed.append(dependant)
        self._requeue(freed, held if step > 0 else [])

    def _requeue(self, freed: list[str], held: list[str]) -> None:
        places = [self.tasks[i].order for i in freed if self._queues(i)]
        gone = {self.tasks[i].order for i in held if self.tasks[i].status is Status.PENDING}
        if len(places) + len(gone) < _MANY:
            for place in gone:
                _discard(self._queue, place)
            for place in places:
                insort(self._queue, place)
        else:
            self._queue = sorted([place for place in self._queue if place not in gone] + places)

    def _queues(self, task_id: str) -> bool:
        task = self.tasks[task_id]
        return task.status is Status.PENDING and task_id not in self._open and not is_human(task)

    def _enter_lists(self, task: Task) -> None:
        if self._queues(task.id):
            insort(self._queue, task.order)
        if task.status in CLOSED and (entry := _closing(task)):
            insort(self._closed, entry)

    def _leave_lists(self, task: Task) -> None:
        if task.status is Status.PENDING:
            _discard(self._queue, task.order)
        if task.status in CLOSED and (entry := _closing(task)):
            _discard_closed(self._closed, entry)


def _closing(task: Task) -> tuple[str, str] | None:
    """Say when a closed task last changed; None for an archived one, and for one that does not say."""
    changed = task.updated_at or task.created_at
    return None if not changed or task.path.startswith("archive/") else (changed, task.id)


def _discard(places: list[Place], place: Place) -> None:
    at = bisect_left(places, place)
    if at < len(places) and places[at] == place:
        del places[at]


def _discard_closed(closed: list[tuple[str, str]], entry: tuple[str, str]) -> None:
    at = bisect_left(closed, entry)
    if at < len(closed) and closed[at] == entry:
        del closed[at]
