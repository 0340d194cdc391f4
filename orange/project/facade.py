"""`Project`: one method a request. Addresses are resolved here, once; the work is done by the modules beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TypeAlias

from orange.core import names
from orange.core.comments import Comment
from orange.core.graph import Graph
from orange.core.layout import BASE_REFS, Layout
from orange.core.lifecycle import Status
from orange.core.model import Board, Task
from orange.core.problems import BrokenFile, InvalidInput, Problem, TaskNotFound
from orange.core.settings import Settings
from orange.core.waiting import Waiting
from orange.project import (
    claims,
    cleanup,
    comments,
    course,
    creation,
    dispatching,
    editing,
    forecasting,
    job_import,
    launch,
    logs,
    merging,
    moves,
    reading,
    rolling_back,
    rounds,
    settling,
    spending,
    stats,
    takeover,
)
from orange.project.parts import Parts
from orange.project.refusing import on_record
from orange.project.requests import Edit, Filter, NewTask, Speaker
from orange.project.takeover import Handover
from orange.project.world import Looks, dispatch_for, live_runs, observe

#: JSON objects, one a row.
Rows: TypeAlias = list[dict[str, object]]


class Project:
    """One repository, on behalf of one speaker."""

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

    # -- reading

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

    def viewer(self) -> reading.Viewer:
        """Make the viewer of the world as it is now."""
        settings = self.settings
        graph = Graph(self.board(), cancelled_satisfies=settings.cancelled_satisfies)
        pause = dispatching.read(self.layout.dispatch)
        dispatch = dispatch_for(settings, live_runs(self.parts, graph), 0, pause)
        world = observe(self.parts, graph, dispatch, Looks())
        daemon = None if self.parts.daemon_running() else DAEMON_DOWN
        return reading.Viewer(self.name, world, daemon, self.parts.clock.now(), graph)

    def view(self, address: str, *, body: bool = True) -> dict[str, object]:
        """Return one task as JSON."""
        viewer = self.viewer()
        task = self._resolve(address, viewer.world.board)
        return viewer.view(task, self.body(task.id) if body else None) | {
            "steps": course.steps_view(self.parts, task),
            "checks": rounds.rounds(self.parts, task),
            "comments": [found._asdict() for found in comments.pending(self.parts, task)],
            "spent": asdict(spending.bill_of(self.parts, task)),
        }

    def checks(self, address: str) -> Rows:
        """Return what the project's checks came to for a task, the latest round on its work first."""
        return rounds.rounds(self.parts, self.find(address))

    def list(self, wanted: Filter, *, body: bool = False) -> Rows:
        """Return the tasks a filter shows as JSON."""
        viewer = self.viewer()
        tasks = reading.select(viewer.world.board, self.settings, viewer.world.capabilities, wanted)
        return [viewer.view(task, self.body(task.id) if body else None) for task in tasks]

    def why(self, address: str) -> Rows:
        """Say what a task waits for."""
        viewer = self.viewer()
        return [reading.waiting_view(line) for line in viewer.waiting(self._resolve(address, viewer.world.board))]

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

    def forecast(self) -> dict[str, object]:
        """Return which open branches would conflict with their base or with each other."""
        return forecasting.forecast(self.parts, self.board())

    def stats(self, address: str | None, since: float | None) -> dict[str, object]:
        """Return what runs took and used: of one task and those below it, of the last `since` seconds, or all."""
        return stats.stats(self.parts, self.find(address) if address else None, since)

    def log_file(self, address: str) -> str | None:
        """Return the path of the latest run's output."""
        return logs.latest(self.parts, self.find(address))

    def follow(self, address: str) -> Iterator[str]:
        """Yield the latest run's output as it grows, until the run ends."""
        return logs.follow(self.parts, self.find(address))

    def attach(self, address: str) -> Sequence[str]:
        """Return the argv that joins a task's session. Raises SessionFailed."""
        task = self.find(address)
        if not task.tmux_session:
            raise InvalidInput("task", f"{task.id} has no session: it is {task.status}")
        return self.parts.executor.attach(task.tmux_session)

    def take_over(self, address: str) -> Handover:
        """Give the person a task and its agent's conversation, to be continued in the terminal."""
        return takeover.take_over(self.parts, self.speaker, self.find(address))

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

    # -- writing

    def create(self, new: NewTask) -> Task:
        """Create a task."""
        return self._done(creation.create(self.parts, self.speaker, new))

    def import_jobs(self, text: str, *, dry_run: bool = False) -> tuple[job_import.Imported, ...]:
        """Create the tasks of jobs, all or none; with `dry_run`, only say what would be created."""
        found = job_import.import_jobs(self.parts, self.speaker, text, dry_run=dry_run)
        if not dry_run:
            self.parts.nudge()
        return found

    def adopt(self, text: str) -> Task:
        """Create a task from a whole file's text."""
        return self._done(creation.adopt(self.parts, self.speaker, text))

    @on_record
    def edit(self, address: str, change: Edit) -> Task:
        """Change free keys, edges and, last, the status."""
        task = self.find(address)
        edited = editing.edit(self.parts, self.speaker, task.id, change)
        if change.status is Status.WORKING:
            return self.run(task.id)
        if change.status is not None and change.status is not edited.status:
            edited = moves.set_status(self.parts, self.speaker, task.id, change.status, change)
        return self._done(edited)

    @on_record
    def write_section(self, address: str, section: str, text: str) -> Task:
        """Write one section of a task's body."""
        return self._done(editing.write_section(self.parts, self.speaker, self.find(address).id, section, text))

    @on_record
    def remove(self, address: str) -> None:
        """Delete a task's file; history keeps it."""
        editing.remove(self.parts, self.speaker, self.find(address).id)
        self.parts.nudge()

    def run(self, address: str, *, dirty: bool = False, cleanup_on_fail: bool = False) -> Task:
        """Start a task now, ahead of order; when no slot is free, as soon as one is."""
        del dirty, cleanup_on_fail  # a workspace is always reused and kept; see the reference
        task = self.find(address)
        live = live_runs(self.parts, Graph(self.board()))
        limits = self.settings.limits
        if live >= (limits.per_project or limits.max_agents):
            return self._done(claims.request_run(self.parts, self.speaker, task.id))
        claimed = claims.claim_run(self.parts, self.speaker, task.id)
        if not self.parts.nudge():
            launch.launch(self.parts, claimed, str(claimed.run))
        return claimed

    @on_record
    def take(self, address: str) -> Task:
        """Claim a task for a person and give them its workspace."""
        claims.check_person(self.speaker, "take a task")
        claimed = claims.take(self.parts, self.speaker, self.find(address).id)
        return self._done(launch.prepare_workspace(self.parts, claimed))

    @on_record
    def finish(self, address: str) -> Task:
        """End a task that a person took."""
        return self._done(moves.finish(self.parts, self.speaker, self.find(address).id))

    @on_record
    def retry(self, address: str) -> Task:
        """Give a stuck or failed task fresh attempts."""
        return self._done(moves.retry(self.parts, self.speaker, self.find(address).id))

    @on_record
    def cancel(self, address: str) -> Task:
        """Drop a task."""
        before = self.find(address)
        task = moves.cancel(self.parts, self.speaker, before.id)
        if not self.parts.nudge() and before.run and before.tmux_session:
            self.parts.executor.stop(before.run, before.tmux_session, 5.0)
        return task

    @on_record
    def reopen(self, address: str) -> Task:
        """Make a done task pending again."""
        return self._done(moves.reopen(self.parts, self.speaker, self.find(address).id))

    @on_record
    def restore(self, address: str) -> Task:
        """Bring a cancelled task back to the backlog."""
        return self._done(moves.restore(self.parts, self.speaker, self.find(address).id))

    @on_record
    def release(self, address: str, *, force: bool = False) -> Task:
        """Give a claimed task back."""
        return self._done(moves.release(self.parts, self.speaker, self.find(address).id, force=force))

    @on_record
    def approve(self, address: str, commit: str | None = None) -> Task:
        """Approve a task at its branch's commit."""
        return self._done(moves.approve(self.parts, self.speaker, self.find(address).id, commit))

    def comments(self, address: str) -> Rows:
        """Return the comments on lines that wait for the reviewer's decision."""
        return [found._asdict() for found in comments.pending(self.parts, self.find(address))]

    @on_record
    def comment(self, address: str, said: Comment) -> Task:
        """Comment on a line; sent with the reviewer's decision."""
        return comments.comment(self.parts, self.speaker, self.find(address), said)

    @on_record
    def reject(self, address: str, feedback: str) -> Task:
        """Request changes; the comments that wait go with them."""
        return self._done(moves.reject(self.parts, self.speaker, self.find(address).id, feedback))

    @on_record
    def merge(self, address: str) -> Task:
        """Integrate a reviewed task now; where the project has checks, as soon as its merge has passed them."""
        claims.check_person(self.speaker, "merge")
        if self.settings.checks:
            return self._done(merging.enqueue(self.parts, self.speaker, self.find(address).id))
        task = settling.integrate(self.parts, self.speaker, self.find(address).id)
        self.parts.integration.follow(launch.base_of(self.parts, task))
        return self._done(task)

    @on_record
    def rollback(self, address: str) -> Task:
        """Take a done task's work out of its base again."""
        task = rolling_back.rollback(self.parts, self.speaker, self.find(address).id)
        self.parts.integration.follow(task.merged.base if task.merged else launch.base_of(self.parts, task))
        return self._done(task)

    def ask(self, question: str) -> Task:
        """Ask a person, on behalf of the task the speaker works on."""
        return self._done(moves.ask(self.parts, self.speaker, question))

    @on_record
    def answer(self, address: str, text: str) -> Task:
        """Answer a task's question."""
        return self._done(moves.answer(self.parts, self.speaker, self.find(address).id, text))

    def wait_answer(self, task_id: str, timeout: float | None = None) -> str:
        """Wait for the answer to this task's question and return it; an empty text when the time is over."""
        return logs.wait_answer(self.parts, task_id, timeout)

    # -- operating

    def workspaces(self) -> Rows:
        """List the workspaces and spares."""
        return [
            {"path": w.path, "task": w.task, "branch": w.branch, "presence": w.presence.value}
            for w in self.parts.workspaces.list()
        ]

    def gc(self) -> Sequence[str]:
        """Mend half-made workspaces and prepare a spare; returns a sentence for each thing done."""
        done = list(self.parts.workspaces.repair())
        return [*done, "prepared a spare workspace"] if self.parts.workspaces.refill() else done

    def cleanup(self, address: str | None, options: cleanup.Options) -> Rows:
        """Return workspaces that are provably safe to return; name what is kept and why."""
        task = self.find(address) if address else None
        return cleanup.clean(self.parts, self.board(), task, options)

    def pause(self, reason: str | None) -> None:
        """Start nothing new; what runs goes on."""
        dispatching.write(self.layout.dispatch, dispatching.paused(self.parts.clock.now(), reason, draining=False))
        self.parts.nudge()

    def drain(self, reason: str | None) -> None:
        """Pause, and stop the daemon's work here when idle."""
        dispatching.write(self.layout.dispatch, dispatching.paused(self.parts.clock.now(), reason, draining=True))
        self.parts.nudge()

    def resume(self) -> None:
        """Start new work again."""
        dispatching.write(self.layout.dispatch, {"resumed_at": self.parts.clock.now()})
        self.parts.nudge()

    def config_show(self) -> Rows:
        """List every setting with its value and where that came from."""
        return self.parts.configuration.rows()

    def config_set(self, key: str, value: str, *, user: bool = False) -> None:
        """Set one key in the project's or the user's file. Agents may not."""
        claims.check_person(self.speaker, "change settings")
        self.parts.configuration.assign(key, value, user=user)
        self.parts.store.record()
        self.parts.nudge()

    def config_problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the configuration, the pipelines and the prompt templates."""
        return (*self.parts.configuration.problems(), *self.parts.pipelines.problems())

    def _done(self, task: Task) -> Task:
        self.parts.nudge()
        return task


DAEMON_DOWN = Waiting("daemon", "the daemon is not running", None, None, "orange daemon start")
