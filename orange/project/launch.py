"""Launching: give a claimed run its workspace, its record and its session.

Idempotent, so that a crash is repaired by doing it again; the supervisor's exclusive marker makes sure that the
agent itself starts at most once a run.

Next in the flow: the supervisor (`orange.runner`) works; the reconciler sees its result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict

from orange.core import effective, lineage, prompt
from orange.core.agents import Resume
from orange.core.model import Outcome, Presence, Task
from orange.core.ports import Course, RunRecord, RunSpec, StepSpec
from orange.core.problems import WorkspaceFailed
from orange.core.settings import AgentSettings, Settings
from orange.core.steps import stand
from orange.project import course
from orange.project.claims import check_epoch
from orange.project.parts import Parts

#: So many runs back a conversation is looked for.
LOOK_BACK = 10


def base_of(parts: Parts, task: Task) -> str:
    """Return the short name of the branch a task is cut from and merged into."""
    settings = parts.settings()
    return lineage.base_of(task, settings, settings.base or parts.integration.default_base(), _kin(parts, task))


def ground_of(parts: Parts, task: Task) -> str:
    """Return the short name of the base that a task's work ends up in, through the branches of its parents."""
    settings = parts.settings()
    return lineage.ground_of(task, settings, settings.base or parts.integration.default_base(), _kin(parts, task))


def _kin(parts: Parts, task: Task) -> Mapping[str, Task]:
    """Return the tasks whose branches matter for this one's: none, unless it may be cut from its parent's."""
    below = parts.settings().branches.hierarchical and task.parent is not None and task.base is None
    return parts.store.read().tasks if below else {}


def launch(parts: Parts, task: Task, run: str, agent: str | None = None) -> None:
    """Acquire the workspace, write the run's spec, start its session; `agent`: another than the task's own.

    Raises StaleWrite, WorkspaceFailed, SessionFailed, GitFailed, StorageFailed.
    """
    check_epoch(task, run)
    task = prepare_workspace(parts, task)
    parts.runs.prepare(run_spec(parts, task, run, agent))
    parts.executor.start(run, str(task.tmux_session))


def prepare_workspace(parts: Parts, task: Task) -> Task:
    """Bind the task's workspace to its branch and reserve its ports."""
    _prepare_parents(parts, task)
    start = _brought_back(parts, task) or parts.integration.start_point(base_of(parts, task))
    parts.workspaces.acquire(task, str(task.branch), start)
    wanted = parts.settings().workspaces.ports
    ports = parts.workspaces.ports(task, wanted) if wanted else ()
    if ports == task.ports:
        return task
    with parts.store.transaction(f"reserve ports of {task.id}") as tx:
        current = replace(tx.task(task.id), ports=ports)
        tx.put(current)
        return current


def _prepare_parents(parts: Parts, task: Task) -> None:
    """Make the branches of the parents that a task is cut from, and bring their bases in.

    Raises WorkspaceFailed where a base cannot be brought in, and the task needs it because of what it waited for.
    """
    kin, settings = _kin(parts, task), parts.settings()
    for parent in lineage.line(task, settings, kin):
        branch, base = lineage.branch_of(parent, settings), base_of(parts, parent)
        if not parts.integration.nest(branch, base) and _lacks_blockers(parts, task, kin):
            raise WorkspaceFailed(
                f"{base}, which has what {task.id} waited for, conflicts with {branch}, the branch of its parent "
                f"{parent.id}: merge {base} into {branch}, or take {parent.id} up again"
            )


def _lacks_blockers(parts: Parts, task: Task, kin: Mapping[str, Task]) -> bool:
    """Whether what a task waited for is not in the branch it is cut from."""
    merged = (kin[blocker].merged for blocker in task.blocked_by if blocker in kin)
    found = parts.integration.contains((done.commit, base_of(parts, task)) for done in merged if done)
    return any(presence is not Presence.THERE for presence in found.values())


def _brought_back(parts: Parts, task: Task) -> str | None:
    """Where a task was rolled back, return the commit that has its work again; None when the branch has it."""
    if task.merged is None or not task.branch:
        return None
    return parts.integration.restored(task.branch, task.merged.base, task.merged.commit)


class Surroundings(TypedDict):
    """What the settings put around every run, as keys of its spec."""

    before_run: str | None
    after_run: str | None
    hook_timeout: int
    environment_command: str | None
    isolation: str
    network: bool
    writable: tuple[str, ...]


def surroundings(settings: Settings) -> Surroundings:
    """Gather what is the same for an agent's work, a review, a quick action and a check of a merge."""
    given = settings.workspaces
    return Surroundings(
        before_run=given.hooks.before_run,
        after_run=given.hooks.after_run,
        hook_timeout=given.hooks.timeout,
        environment_command=settings.environment_command,
        isolation=given.isolation,
        network=given.network == "host",
        writable=given.writable,
    )


def run_spec(parts: Parts, task: Task, run: str, other: str | None = None) -> RunSpec:
    """Gather everything the supervisor needs, so that it reads no settings of its own. Raises PipelineUnusable."""
    settings = parts.settings()
    agent = other or effective.agent_of(task, settings)
    base = base_of(parts, task)
    before = _earlier(parts, task, agent)
    values = course.values_of(parts, task, base, prompt.since_then(task, _last_word(before) if before else None))
    found = course.course_of(parts, task, values, agent)
    first = _first(found)
    return RunSpec(
        run=run,
        task=task.id,
        name=task.name,
        epoch=task.epoch,
        attempt=task.attempts + 1,
        agent=agent,
        model=None if other else task.model or settings.model,  # they are words of the task's own agent
        effort=None if other else task.effort or settings.effort,
        workspace=str(task.workspace),
        branch=task.branch,
        base=base,
        title=task.title,
        prompt=first.prompt if first else "",
        task_file=f"{parts.layout.tree}/{task.path}",
        ports=task.ports,
        env={},
        agent_settings=settings.agents.get(agent, AgentSettings()),
        stall=settings.limits.stall,
        limit=settings.limits.run,
        auto_commit=settings.auto_commit,
        resume=Resume(before.conversation.session, before.conversation.conversation_tokens)
        if before and before.conversation.session
        else None,
        **surroundings(settings),
        followup=first.taken_up if first and before else None,
        checks=settings.checks,
        skill=task.skill,
        course=found,
    )


def _first(found: Course) -> StepSpec | None:
    """Return the first step that this run lets an agent do."""
    at = stand(found.steps, found.results).at
    return next((found.specs[step.name] for step in found.steps[at:] if step.name in found.specs), None)


def _earlier(parts: Parts, task: Task, agent: str) -> RunRecord | None:
    """Find the conversation that a new run of this agent continues, unless another agent worked on the task since."""
    found = conversation_of(parts, task, task.epoch - 1)
    return found if found and found.speaker == agent else None


def conversation_of(parts: Parts, task: Task, epoch: int) -> RunRecord | None:
    """Find the latest run, of this claim or an earlier one, that had a conversation in the task's workspace."""
    for number in range(epoch, max(0, epoch - LOOK_BACK), -1):
        record = parts.runs.record(f"{task.id}-{number}")
        if record and record.launched and record.conversation.session:
            return record if record.spec.workspace == parts.workspaces.path_for(task) else None
    return None


def last_work(parts: Parts, task: Task) -> str:
    """Name the latest run that worked on a task; a review did not."""
    named = (f"{task.id}-{epoch}" for epoch in range(task.epoch, max(0, task.epoch - LOOK_BACK), -1))
    return next((run for run in named if parts.runs.record(run)), f"{task.id}-{task.epoch}")


def _last_word(record: RunRecord) -> str | None:
    """Say how a run ended that did not finish; None for one that did."""
    if record.outcome is Outcome.FINISHED:
        return None
    return record.message or "it disappeared without a result"


def session_of(task: Task, run: str) -> str:
    """Name the session of a run that may not be the task's current one."""
    return f"{task.name}-{run}"
