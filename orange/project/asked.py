"""`Asked`: what can be asked of a project. Nothing here changes anything; one method a request.

Next in the flow: `facade` adds what changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias

from orange.core import names
from orange.core.cycles import waves
from orange.core.graph import Graph
from orange.core.layout import BASE_REFS, Layout
from orange.core.model import Board, Task
from orange.core.present import waiting_view
from orange.core.problems import BrokenFile, InvalidInput, Problem, TaskNotFound
from orange.core.settings import Settings
from orange.core.waiting import Waiting
from orange.project import (
    comments,
    course,
    dispatching,
    forecasting,
    launch,
    logs,
    reading,
    reviewing,
    rounds,
    spending,
    stats,
)
from orange.project.parts import Parts
from orange.project.requests import Filter, Speaker
from orange.project.world import Looks, dispatch_for, live_runs, observe

if TYPE_CHECKING:
    from orange.core.service.metrics import Family

#: JSON objects, one a row.
Rows: TypeAlias = list[dict[str, object]]
DAEMON_DOWN = Waiting("daemon", "the daemon is not running", None, None, "orange daemon start")


class Asked:
    """One repository, on behalf of one speaker. Addresses are resolved here, once."""

    def __init__(self, parts: Parts, speaker: Speaker) -> None:
        self.parts, self.speaker = parts, speaker

    @property
    def name(self) -> str:
        """The project's name."""
        return self.parts.name

    @property
    def layout(self) -> Layout:
        """Where the project's things lie."""
        return self.parts.layout

    @property
    def settings(self) -> Settings:
        """The effective configuration."""
        return self.parts.settings()

    def here(self) -> str | None:
        """Return the id of the task whose workspace or run the speaker is in."""
        return self.speaker.task

    def board(self) -> Board:
        """Read every task."""
        return self.parts.store.read()

    def find(self, address: str) -> Task:
        """Resolve an address. Raises TaskNotFound, AmbiguousTask, BrokenFile."""
        return self._resolve(address, self.board())

    def _resolve(self, address: str, board: Board) -> Task:
        try:
            return board.tasks[names.resolve(address, board.tasks)]
        except TaskNotFound:
            broken = [found for found in board.problems if address in board.frozen and address in found.path]
            if broken:
                raise BrokenFile(broken[0]) from None
            raise

    def body(self, task_id: str) -> str:
        """Read a task's body."""
        return self.parts.store.body(task_id)

    def text(self, address: str) -> str:
        """Read a task's whole file."""
        return self.parts.store.text(self.find(address).path)

    def path_of(self, address: str) -> str:
        """Return the absolute path of a task's file."""
        return f"{self.layout.tree}/{self.find(address).path}"

    def viewer(self, graph: Graph | None = None) -> reading.Viewer:
        """Make the viewer of the world as it is now; of this graph's board, where one was read just now."""
        settings = self.settings
        if graph is None:
            graph = Graph(self.board(), cancelled_satisfies=settings.cancelled_satisfies)
        pause = dispatching.read(self.layout.dispatch)
        dispatch = dispatch_for(settings, live_runs(self.parts, graph), 0, pause, self.parts.terms)
        world = observe(self.parts, graph, dispatch, Looks())
        daemon = None if self.parts.daemon_running() else DAEMON_DOWN
        return reading.Viewer(self.name, world, daemon, self.parts.clock.now(), graph)

    def view(self, address: str, *, body: bool = True) -> dict[str, object]:
        """Return one task as JSON."""
        viewer = self.viewer()
        task = self._resolve(address, viewer.world.board)
        return viewer.view(task, self.body(task.id) if body else None) | {
            "steps": course.steps_view(self.parts, task),
            **self._evidence(task),
            "spent": asdict(spending.bill_of(self.parts, task)),
        }

    def views(self, ids: Sequence[str]) -> Rows:
        """Return tasks as JSON, as a list shows them, with their bodies."""
        viewer = self.viewer()
        tasks = viewer.world.board.tasks
        return [viewer.view(tasks[task_id], self.body(task_id)) for task_id in ids if task_id in tasks]

    def evidence(self, address: str) -> dict[str, Rows]:
        """Return what was said of a task's work: by the project's checks, by agents that reviewed it, by people."""
        return self._evidence(self.find(address))

    def _evidence(self, task: Task) -> dict[str, Rows]:
        said = [found._asdict() for found in comments.pending(self.parts, task)]
        checked, reviewed = rounds.rounds(self.parts, task), reviewing.shown(self.parts, task)
        return {"checks": checked, "reviews": reviewed, "comments": said}

    def list(self, wanted: Filter, *, body: bool = False) -> Rows:
        """Return the tasks a filter shows as JSON."""
        viewer = self.viewer()
        tasks = reading.select(viewer.world.board, self.settings, viewer.world.capabilities, wanted)
        return [viewer.view(task, self.body(task.id) if body else None) for task in tasks]

    def page(self, wanted: Filter, cursor: str | None, most: int) -> reading.Page:
        """Return one page of the tasks a filter shows. Raises InvalidInput for a cursor that no page gave."""
        viewer = self.viewer()
        tasks = reading.select(viewer.world.board, self.settings, viewer.world.capabilities, wanted)
        return reading.page(viewer, tasks, cursor, most)

    def waves(self) -> tuple[tuple[str, ...], ...]:
        """Return the ids of open tasks in the order in which they can be done: those of a wave at the same time."""
        return waves(self.board().tasks, cancelled_satisfies=self.settings.cancelled_satisfies)

    def why(self, address: str) -> Rows:
        """Say what a task waits for."""
        viewer = self.viewer()
        return [waiting_view(line) for line in viewer.waiting(self._resolve(address, viewer.world.board))]

    def status(self) -> dict[str, object]:
        """Return this project's part of `orange status`."""
        viewer = self.viewer()
        found = reading.project_status(viewer, self.layout.root, viewer.world.default_base)
        extra = [
            {"path": p.path, "line": p.line, "message": p.message, "hint": p.hint}
            for p in (*self.config_problems(), *self.parts.planted())
        ]
        problems = found["problems"]
        return {**found, "problems": [*(problems if isinstance(problems, list) else []), *extra]}

    def events(self, address: str) -> Rows:
        """Return a task's audit trail, oldest first."""
        return [
            {"at": event.at, "type": event.type, "by": event.by, "data": dict(event.data)}
            for event in self.parts.store.events(self.find(address).id)
        ]

    def diff(self, address: str) -> str:
        """Return what a task's branch changes against its base."""
        task = self.find(address)
        if not task.branch:
            return ""
        return self.parts.integration.diff(task.branch, launch.base_of(self.parts, task))

    def tip(self, address: str) -> str | None:
        """Return the commit a task's branch is at; None where it has none."""
        branch = self.find(address).branch
        return self.parts.integration.tip(branch) if branch else None

    def forecast(self) -> dict[str, object]:
        """Return which open branches would conflict with their base or with each other."""
        return forecasting.forecast(self.parts, self.board())

    def stats(self, address: str | None, since: float | None) -> dict[str, object]:
        """Return what runs took and used: of one task and those below it, of the last `since` seconds, or all."""
        return stats.stats(self.parts, self.find(address) if address else None, since)

    def figures(self, name: str) -> Iterator[Family]:
        """Yield what is watched, for a project that is served under this name."""
        from orange.project import figures  # asked for over HTTP only

        return figures.figures(self.parts, name, self.viewer())

    def log_file(self, address: str) -> str | None:
        """Return the path of the latest run's output."""
        return logs.latest(self.parts, self.find(address))

    def screen(self, address: str) -> logs.Screen:
        """Return the screen of a task's latest run, by the task's address or the name of its session.

        Raises TaskNotFound, InvalidInput where nothing has run yet.
        """
        sessions = {task.tmux_session: task for task in self.board().tasks.values() if task.tmux_session}
        task = sessions.get(address) or self.find(address)
        found = logs.screen(self.parts, task)
        if found is None:
            raise InvalidInput("session", f"{task.id} has not run yet: there is nothing to see")
        return found

    def follow(self, address: str) -> Iterator[str]:
        """Yield the latest run's output as it grows, until the run ends."""
        return logs.follow(self.parts, self.find(address))

    def attach(self, address: str) -> Sequence[str]:
        """Return the argv that joins a task's session. Raises SessionFailed."""
        task = self.find(address)
        if not task.tmux_session:
            raise InvalidInput("task", f"{task.id} has no session: it is {task.status}")
        return self.parts.executor.attach(task.tmux_session)

    def review(self, address: str) -> Sequence[str]:
        """Return the argv that opens what a reviewer needs: `review.open`, else the diff in git's pager."""
        task = self.find(address)
        base = launch.base_of(self.parts, task)
        if self.settings.review.open:
            words = (str(task.workspace or self.layout.root), str(task.branch or ""), base)
            return ("sh", "-c", self.settings.review.open, "orange", *words)
        if not task.branch:
            raise InvalidInput("task", f"{task.id} has no branch yet: there is nothing to review")
        return ("git", "-C", self.layout.root, "diff", f"{BASE_REFS}{base}...refs/heads/{task.branch}", "--")

    def wait_answer(self, task_id: str, timeout: float | None = None) -> str:
        """Wait for the answer to this task's question and return it; an empty text when the time is over."""
        return logs.wait_answer(self.parts, task_id, timeout)

    def workspaces(self) -> Rows:
        """List the workspaces and spares."""
        return [
            {"path": w.path, "task": w.task, "branch": w.branch, "presence": w.presence.value}
            for w in self.parts.workspaces.list()
        ]

    def agents(self) -> Rows:
        """List the agents of this machine."""
        return self.parts.agents()

    def config_show(self) -> Rows:
        """List every setting with its value and where that came from."""
        return self.parts.configuration.rows()

    def config_problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the configuration, the pipelines and the prompt templates."""
        return (*self.parts.configuration.problems(), *self.parts.pipelines.problems())
