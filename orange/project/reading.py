"""Reading: the JSON task object, lists, the project's status. Nothing here writes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from orange.core import graph, names
from orange.core.cycles import cycle_problems
from orange.core.kin import children_of, progress
from orange.core.lifecycle import CLOSED, Status, board_state
from orange.core.model import Board, Task, World
from orange.core.present import task_view, waiting_view
from orange.core.problems import InvalidInput
from orange.core.settings import Settings
from orange.core.waiting import Explainer, Waiting
from orange.project.requests import Filter

#: The conditions of a filter, each alone.
Condition = Callable[[Task], bool]


def select(board: Board, settings: Settings, capabilities: frozenset[str], wanted: Filter) -> list[Task]:
    """List the tasks a filter shows, in dispatch order. Raises TaskNotFound for an unknown parent."""
    if wanted.ready:
        found: Iterable[Task] = graph.ready_tasks(board, settings, capabilities)
    else:
        found = sorted(board.tasks.values(), key=lambda task: task.order)
    conditions = _conditions(board, settings, capabilities, wanted)
    return [task for task in found if all(condition(task) for condition in conditions)]


def _conditions(board: Board, settings: Settings, capabilities: frozenset[str], wanted: Filter) -> list[Condition]:
    conditions: list[Condition] = []
    if not (wanted.all or wanted.statuses or wanted.parent or wanted.ids):
        conditions.append(lambda task: task.status not in CLOSED)
    if wanted.ids:
        conditions.append(lambda task: task.id in wanted.ids)
    if wanted.statuses:
        conditions.append(lambda task: task.status in wanted.statuses)
    if wanted.blocked:
        ready = {task.id for task in graph.ready_tasks(board, settings, capabilities)}
        conditions.append(lambda task: _blocked(task, ready))
    if wanted.parent:
        parent = names.resolve(wanted.parent, board.tasks)
        conditions.append(lambda task: task.parent == parent)
    if wanted.label:
        conditions.append(lambda task: wanted.label in task.labels)
    if wanted.session:
        conditions.append(lambda task: task.session == wanted.session)
    return conditions


def _blocked(task: Task, ready: set[str]) -> bool:
    return task.status is Status.STUCK or (task.status is Status.PENDING and task.id not in ready)


class Viewer:
    """Turns tasks of one observed world into JSON objects; what all of them share is worked out once."""

    def __init__(
        self, project: str, world: World, daemon: Waiting | None, now: float, index: graph.Graph | None = None
    ) -> None:
        """`index`: the graph of the world's board, where one was made."""
        self.project, self.world, self.daemon = project, world, daemon
        self.explainer = Explainer(world, now, index)
        tasks = world.board.tasks
        self.ready = {task.id for task in graph.ready_tasks(world.board, world.settings, world.capabilities)}
        self.children = children_of(tasks)

    def view(self, task: Task, body: str | None = None) -> dict[str, object]:
        """Return the task object of the command line and the API."""
        return task_view(
            task,
            ready=task.id in self.ready,
            progress=self._progress(task),
            waiting=self.waiting(task),
            project=self.project,
            body=body,
        )

    def derived(self, task: Task) -> dict[str, object]:
        """Return what the task object says beside what is in the file."""
        ready = task.id in self.ready
        state = board_state(task.status, ready=ready).value
        waiting = [waiting_view(line) for line in self.waiting(task)]
        return {"ready": ready, "state": state, "progress": self._progress(task), "waiting": waiting}

    def waiting(self, task: Task) -> tuple[Waiting, ...]:
        """Say what a task waits for; the daemon itself is one of the things."""
        found = self.explainer.why(task)
        if self.daemon and task.status not in CLOSED and task.status is not Status.BACKLOG:
            return (*found, self.daemon)
        return found

    def _progress(self, task: Task) -> dict[str, int] | None:
        done, total = progress(task.id, self.world.board.tasks, self.children)
        return {"done": done, "total": total} if total else None


class Page(NamedTuple):
    """Some of many tasks."""

    tasks: list[dict[str, object]]
    #: How many there are on all pages.
    total: int
    #: What the next page is asked with; None on the last.
    cursor: str | None


def page(viewer: Viewer, tasks: Sequence[Task], cursor: str | None, most: int) -> Page:
    """Cut a page out of tasks in dispatch order. A cursor holds when the task it names has gone."""
    first = bisect_right([task.order for task in tasks], _place(cursor)) if cursor else 0
    shown = tasks[first : first + most]
    more = first + most < len(tasks)
    return Page([viewer.view(task) for task in shown], len(tasks), _cursor(shown[-1]) if more else None)


def _cursor(last: Task) -> str:
    rank, created, task = last.order
    return f"{rank}.{created}.{task}"


def _place(cursor: str) -> tuple[int, str, str]:
    rank, _, rest = cursor.partition(".")
    created, _, task = rest.rpartition(".")
    if not rank.isascii() or not rank.isdigit() or len(rank) > _RANK_DIGITS or not names.is_id(task):
        raise InvalidInput("cursor", "no page of this list gave it")
    return int(rank), created, task


_RANK_DIGITS = 3


def counts(tasks: Iterable[Task]) -> dict[str, int]:
    """Count tasks by status, every status named."""
    found = {status.value: 0 for status in Status}
    for task in tasks:
        found[task.status.value] += 1
    return found


def project_status(viewer: Viewer, path: str, default_base: str) -> dict[str, object]:
    """Return one project's part of `orange status`."""
    world = viewer.world
    base = world.bases.get(default_base)
    return {
        "name": viewer.project,
        "path": path,
        "counts": counts(world.board.tasks.values()),
        "slots": {"free": world.dispatch.slots, "total": world.dispatch.slots_total},
        "base": {
            "ref": default_base,
            "behind": base.behind if base else 0,
            "reason": base.reason if base else None,
        },
        "waiting": [line for task in _in_order(world.board.tasks) for line in _waiting_lines(viewer, task)],
        "problems": [
            {"path": found.path, "line": found.line, "message": found.message, "hint": found.hint}
            for found in sorted((*world.board.problems, *cycle_problems(world.board.tasks)))
        ],
    }


def _in_order(tasks: Mapping[str, Task]) -> list[Task]:
    return sorted(tasks.values(), key=lambda task: task.order)


def _waiting_lines(viewer: Viewer, task: Task) -> list[dict[str, object]]:
    return [{"task": task.id, **waiting_view(line)} for line in viewer.waiting(task)]
