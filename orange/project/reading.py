"""Reading: the JSON task object, lists, the project's status. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from orange.core import graph, names
from orange.core.cycles import cycle_problems
from orange.core.kin import children_of, progress
from orange.core.lifecycle import CLOSED, Status
from orange.core.model import Board, Task, World
from orange.core.present import task_view
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
    if not (wanted.all or wanted.statuses or wanted.parent):
        conditions.append(lambda task: task.status not in CLOSED)
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

    def waiting(self, task: Task) -> tuple[Waiting, ...]:
        """Say what a task waits for; the daemon itself is one of the things."""
        found = self.explainer.why(task)
        if self.daemon and task.status not in CLOSED and task.status is not Status.BACKLOG:
            return (*found, self.daemon)
        return found

    def _progress(self, task: Task) -> dict[str, int] | None:
        done, total = progress(task.id, self.world.board.tasks, self.children)
        return {"done": done, "total": total} if total else None


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


def waiting_view(line: Waiting) -> dict[str, object]:
    """Return one reason as JSON."""
    return {
        "code": line.code,
        "message": line.message,
        "since": line.since,
        "evidence": line.evidence,
        "remedy": line.remedy,
    }
