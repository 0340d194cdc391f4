"""Quick actions: asking for one, and each step of its life, looked at again and repeatable.

The record is the truth. A step that was killed is taken again: what it makes is found made already.

Next in the flow: the run's supervisor lets the agent work; `reconciler.quick` sees what is owed next.
"""

from __future__ import annotations

from dataclasses import replace

from orange.core import budgets, names, times
from orange.core import quick as quicks
from orange.core.allowance import Dispatch
from orange.core.ending import readable
from orange.core.graph import Graph
from orange.core.lifecycle import Actor
from orange.core.model import Outcome, Presence, Task
from orange.core.plaintext import SecretRefused
from orange.core.ports import RunSpec
from orange.core.problems import DaemonUnavailable, InvalidInput, OrangeError
from orange.core.quick import NotCompleted, QuickRun, State
from orange.core.redact import SHAPES
from orange.core.settings import AgentSettings
from orange.project import creation, dispatching, launch, spending
from orange.project.claims import check_person
from orange.project.parts import Parts
from orange.project.requests import NewTask, Speaker
from orange.project.world import dispatch_for, live_runs

#: Seconds a run may take to end by itself.
GRACE = 3.0
#: Lines and characters of an agent's last words that are kept in the record.
_LINES, _CHARACTERS = 10, 2000


class QuickActions:
    """The quick actions of one project, on behalf of one speaker."""

    def __init__(self, parts: Parts, speaker: Speaker) -> None:
        self._parts, self._speaker = parts, speaker

    def run(self, text: str, agent: str | None, *, promote: bool) -> QuickRun:
        """Ask for one; the daemon starts it as soon as a slot is free.

        Raises NotAllowed for agents, DaemonUnavailable, InvalidInput, SecretRefused.
        """
        check_person(self._speaker, "start quick actions")
        parts, settings = self._parts, self._parts.settings()
        if not text.strip():
            raise InvalidInput("prompt", "say what is to be done")
        line = SHAPES.line_of_first(text.encode("utf-8", "surrogateescape"))
        if line is not None:
            raise SecretRefused("prompt", line)
        if not parts.daemon_running():
            raise DaemonUnavailable("a quick action is run by the daemon, and none is running: `orange daemon start`")
        quick = QuickRun(
            id=names.new_id(parts.random(32)),
            prompt=text,
            agent=agent or settings.agent,
            base=settings.base or parts.integration.default_base(),
            created_at=times.stamp(parts.clock.now()),
            by=self._speaker.name,
            promote=promote,
        )
        parts.quick.add(quick)
        parts.nudge()
        return quick

    def list(self) -> list[dict[str, object]]:
        """Return all of them as JSON, the latest first."""
        return [view(self._parts, quick) for quick in reversed(self._parts.quick.all())]

    def show(self, address: str) -> dict[str, object]:
        """Return one as JSON, with the end of what its agent said. Raises InvalidInput."""
        quick = quicks.find(address, self._parts.quick.all())
        said = readable(self._parts.quick.log(quick.id).encode())
        return {**view(self._parts, quick), "waiting": self._waiting(quick), "output": said}

    def _waiting(self, quick: QuickRun) -> str | None:
        """Say why one is not under way yet."""
        parts = self._parts
        if quick.status is not State.QUEUED:
            return None
        if not parts.daemon_running():
            return "no daemon is running: `orange daemon start`"
        graph = Graph(parts.store.read())
        switch = dispatching.read(parts.layout.dispatch)
        dispatch = dispatch_for(parts.settings(), live_runs(parts, graph), 0, switch)
        return held_back(parts, dispatch, graph) or (
            "the daemon is about to start it" if dispatch.slots else "no agent slot is free"
        )

    def promote(self, address: str) -> Task:
        """Make a task of a completed one, or return the task that was made of it."""
        check_person(self._speaker, "promote quick actions")
        quick = quicks.find(address, self._parts.quick.all())
        task = promote(self._parts, self._speaker, quick.id)
        self._parts.nudge()
        return task


def view(parts: Parts, quick: QuickRun) -> dict[str, object]:
    """Return one as JSON."""
    begun = quick.status is not State.QUEUED
    return quicks.view(quick, f"{parts.runs.folder(quick.run)}/output.log" if begun else None)


def held_back(parts: Parts, dispatch: Dispatch, graph: Graph) -> str | None:
    """Say what keeps quick actions from being started, slots apart."""
    if dispatch.paused or dispatch.draining:
        reason = f": {dispatch.pause_reason}" if dispatch.pause_reason else ""
        return f"dispatch is paused{reason}; `orange daemon resume` goes on"
    settings = parts.settings()
    return budgets.day_overrun(settings, spending.spent_today(parts, graph, settings))


def begin(parts: Parts, quick_id: str) -> None:
    """Give it a workspace and start its run; what cannot be started has failed, and says why."""
    try:
        quick = parts.quick.change(quick_id, lambda known: _begun(parts, known))
        if quick.status is not State.RUNNING:
            return
        parts.workspaces.acquire(quick.as_task, str(quick.branch), str(quick.start))
        parts.runs.prepare(_spec(parts, quick))
        parts.executor.start(quick.run, quick.session)
    except OrangeError as failed:
        message = failed.message
        parts.quick.change(quick_id, lambda known: quicks.ended(known, None, message, _now(parts)))


def _begun(parts: Parts, quick: QuickRun) -> QuickRun:
    """Record that it is under way, and what it is cut from, before anything is made."""
    if quick.status is not State.QUEUED:
        return quick
    branch = names.branch_for(parts.settings().branches.pattern, quick.as_task)
    start = parts.integration.start_point(quick.base)
    workspace = parts.workspaces.path_for(quick.as_task)
    return replace(quick, status=State.RUNNING, started_at=_now(parts), branch=branch, start=start, workspace=workspace)


def _spec(parts: Parts, quick: QuickRun) -> RunSpec:
    settings = parts.settings()
    own = quick.agent == settings.agent
    return RunSpec(
        run=quick.run,
        task=quick.id,
        name=quicks.NAME,
        epoch=0,
        attempt=1,
        agent=quick.agent,
        model=settings.model if own else None,
        effort=settings.effort if own else None,
        workspace=str(quick.workspace),
        branch=quick.branch,
        base=quick.base,
        title=quick.title,
        prompt=quicks.prompt_text(quick),
        task_file=f"{parts.runs.folder(quick.run)}/prompt.md",
        ports=(),
        env={},
        agent_settings=settings.agents.get(quick.agent, AgentSettings()),
        stall=settings.limits.stall,
        limit=settings.limits.run,
        auto_commit=True,
        **launch.surroundings(settings),
    )


def close(parts: Parts, quick: QuickRun) -> None:
    """Write the end of a run that vanished, once it is proven that nothing of it works on unseen."""
    if parts.executor.stop(quick.run, quick.session, GRACE) is Presence.GONE:
        parts.runs.close(quick.run, Outcome.CRASHED, "its session ended without a result", None)


def finish(parts: Parts, speaker: Speaker, quick: QuickRun) -> None:
    """Record how it ended and keep what it changed; make a task of it where that was asked for."""
    record = parts.runs.record(quick.run)
    if record is None or record.outcome is None:
        return
    outcome, message = record.outcome, record.message or "its run ended without a word"
    branch = str(quick.branch)
    if quick.workspace in {workspace.path for workspace in parts.workspaces.list()}:
        parts.workspaces.commit_leftovers(
            str(quick.workspace), f"{quick.title}\n\nWhat quick action {quick.id} left.\n"
        )
    rescue = parts.quick.rescue(quick.id, branch, quick.start)
    patch = parts.integration.diff(branch, quick.base) if rescue else ""
    kept = parts.quick.keep_patch(quick.id, patch) if patch else None
    said = "\n".join(readable(parts.quick.log(quick.id).encode()).strip().splitlines()[-_LINES:])[-_CHARACTERS:]
    files = sum(line.startswith("diff --git ") for line in patch.splitlines())

    def change(known: QuickRun) -> QuickRun:
        if known.status is not State.RUNNING:
            return known
        found = replace(known, rescue=rescue, patch=kept, changed_files=files, result_summary=said or None)
        return quicks.ended(found, outcome, message, _now(parts))

    done = parts.quick.change(quick.id, change)
    if done.promote and done.status is State.COMPLETED:
        promote(parts, speaker, done.id)


def give_back(parts: Parts, quick: QuickRun) -> None:
    """Return its workspace, and drop its branch, whose commits the rescue ref holds. Raises WorkspaceFailed."""
    if quick.workspace in {workspace.path for workspace in parts.workspaces.list()}:
        parts.workspaces.release(str(quick.workspace))

    def change(known: QuickRun) -> QuickRun:
        if known.branch and known.promoted_task_id is None:
            parts.quick.drop_branch(known.branch, known.rescue, known.start)
        return replace(known, workspace=None)

    parts.quick.change(quick.id, change)


def promote(parts: Parts, speaker: Speaker, quick_id: str) -> Task:
    """Make a task of it, once, whoever asks and however often."""
    made: list[Task] = []

    def change(quick: QuickRun) -> QuickRun:
        task = _task_of(parts, quick) or _create(parts, speaker, quick)
        made.append(task)
        return replace(quick, promoted_task_id=task.id)

    parts.quick.change(quick_id, change)
    return made[0]


def _task_of(parts: Parts, quick: QuickRun) -> Task | None:
    """Find the task that was made of it: by its source, so that a kill in between makes no second one."""
    tasks = parts.store.read().tasks.values()
    wanted = {"kind": "promoted_quick_action", "reference": quick.id}
    return next((task for task in tasks if dict(task.source) == wanted or task.id == quick.promoted_task_id), None)


def _create(parts: Parts, speaker: Speaker, quick: QuickRun) -> Task:
    if quick.status is not State.COMPLETED:
        raise NotCompleted("quick action", f"{quick.id} is {quick.status}: only a completed one becomes a task")
    if quick.rescue:
        parts.quick.offer(quick.rescue, str(quick.branch))
    asking = Speaker(Actor.PERSON, quick.by) if speaker.actor is Actor.DAEMON else speaker
    return creation.create(
        parts,
        asking,
        NewTask(
            title=quick.title,
            body=quicks.task_body(quick),
            no_parent=True,
            agent=None if quick.agent == parts.settings().agent else quick.agent,
            base=quick.base,
            branch=quick.branch if quick.rescue else None,
            source={"kind": "promoted_quick_action", "reference": quick.id},
        ),
    )


def _now(parts: Parts) -> str:
    return times.stamp(parts.clock.now())
