"""Why a task is not moving: what it waits for, since when, on what evidence, and the command that would unblock it.

The reasons to start or not are those of `gates`, the slots are given out as `dispatch` gives them out: what is said is
what is done. A task that moves by itself waits for nothing.

Next in the flow: the command line, the API and the dashboard show these beside every task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeAlias

from orange.core import dispatch, judging
from orange.core.cycles import knotted
from orange.core.gates import (
    ENOUGH,
    Reasons,
    Waiting,
    blockers,
    closed_gates,
    holder,
    lagging,
    limit,
    other_host,
    person,
    since,
)
from orange.core.graph import Graph
from orange.core.landing import base_waits, publication
from orange.core.lifecycle import CLOSED, Status, StuckReason
from orange.core.model import Presence, Task, World
from orange.core.refusals import refusal_of
from orange.core.retry import describe
from orange.core.scene import Scene, is_live

__all__ = ["Explainer", "Waiting", "base_waits", "why"]


def why(task: Task, world: World, now: float | None = None) -> tuple[Waiting, ...]:
    """Say what one task waits for. For many tasks of one world make one `Explainer`."""
    return Explainer(world, now).why(task)


class Explainer:
    """Explains the tasks of one world; what all of them share is worked out once.

    Without `now` (seconds since 1970) a task that failed is shown as waiting for its next attempt, over or not.
    """

    def __init__(self, world: World, now: float | None = None, graph: Graph | None = None) -> None:
        self.scene = Scene(world, 0.0 if now is None else now, graph)

    def why(self, task: Task) -> tuple[Waiting, ...]:
        """Say what a task waits for; nothing when it moves by itself, or is done or cancelled."""
        if task.id in self.scene.board.frozen:
            return (self._frozen(task),)
        return tuple(_EXPLANATIONS[task.status](self, task))

    @cached_property
    def given(self) -> dispatch.Allotment:
        """What the next decision would start."""
        return dispatch.allot(self.scene)

    @cached_property
    def starting(self) -> frozenset[str]:
        """The tasks the next decision would start."""
        return frozenset(task.id for task in self.given.starts)

    @cached_property
    def cyclic(self) -> Mapping[str, tuple[str, ...]]:
        """The tasks that wait for each other in a circle."""
        return knotted({i: task for i, task in self.scene.tasks.items() if task.status not in CLOSED})

    def since(self, task: Task, known: str | None = None) -> str | None:
        """Say since when a task waits."""
        return since(self.scene, task, known)

    def _frozen(self, task: Task) -> Waiting:
        mine = [p for p in self.scene.board.problems if p.path == task.path or f"{task.id}/" in p.path]
        message = mine[0].message if mine else "its file cannot be understood"
        where = f"{mine[0].path}:{mine[0].line}" if mine else task.path
        return Waiting("problem", message, self.since(task), where, f"orange task edit {task.id}")


def _nothing(_explainer: Explainer, _task: Task) -> Reasons:
    return iter(())


def _backlog(explainer: Explainer, task: Task) -> Reasons:
    message = "it is in the backlog; nothing starts it by itself"
    yield Waiting("backlog", message, explainer.since(task), None, f"orange task update {task.id} --status pending")
    yield from blockers(explainer.scene, task)


def _pending(explainer: Explainer, task: Task) -> Reasons:
    cycle = explainer.cyclic.get(task.id) if explainer.scene.graph.blocked(task.id) else None
    if cycle:
        message = f"it waits for itself: {' -> '.join(cycle)}"
        remedy = f"orange task update {cycle[0]} --unblock {cycle[1]}"
        yield Waiting("problem", message, explainer.since(task), " -> ".join(cycle), remedy)
    yield from _to_start(explainer, task)


def _to_start(explainer: Explainer, task: Task) -> Reasons:
    """Yield what keeps a task from being started: its own gates, else pauses and slots."""
    if task.id in explainer.starting:
        return
    own = tuple(closed_gates(explainer.scene, task))
    yield from own
    if explainer.scene.world.dispatch.draining or explainer.scene.world.dispatch.paused:
        yield _paused(explainer)
    elif not own:
        yield _slot(explainer, task)


def _paused(explainer: Explainer) -> Waiting:
    state = explainer.scene.world.dispatch
    reason = f": {state.pause_reason}" if state.pause_reason else ""
    if state.draining:
        message = f"the daemon is draining and starts nothing new{reason}"
        return Waiting("draining", message, state.paused_at, state.pause_reason, "orange daemon resume")
    message = f"dispatch is paused{reason}"
    return Waiting("paused", message, state.paused_at, state.pause_reason, "orange daemon resume")


def _slot(explainer: Explainer, task: Task) -> Waiting:
    """Say which kind of slot a task waits for that has nothing else against it."""
    scene, given, at = explainer.scene, explainer.given, explainer.since(task)
    if dispatch.is_sequential(scene) and given.busy:
        first = dispatch.worked_on(scene) or given.starts[0].id
        message = f"one task at a time is worked on, now {first}"
        remedy = "workspaces.isolation worktree" if scene.in_place else "dispatch.mode parallel"
        return Waiting("sequential", message, at, first, f"orange config set {remedy}")
    if not dispatch.is_spent(given):
        return _own_slot(explainer, task)
    total = scene.world.dispatch.slots_total
    evidence = f"{total - scene.world.dispatch.slots} of {total} in use"
    return Waiting("slot", "no agent slot is free", at, evidence, f"orange config set limits.max_agents {total + 1}")


def _own_slot(explainer: Explainer, task: Task) -> Waiting:
    """Say why a task waits although slots are free."""
    scene, at = explainer.scene, explainer.since(task)
    agent = scene.agent_for(task)
    if not dispatch.agent_free(explainer.given, agent):
        remedy = f"orange config set limits.per_agent.{agent} {scene.settings.limits.per_agent.get(agent, 0) + 1}"
        return Waiting("agent_slot", f"no slot for {agent} is free", at, agent, remedy)
    if explainer.given.fresh == 0:
        return Waiting("session", ENOUGH, at, None, f"orange task run {task.id}")
    limit = scene.settings.limits.spawns_per_minute
    message = f"agents created it, and {limit} such tasks were started within the last minute"
    return Waiting("spawn_rate", message, at, f"{limit} a minute", f"orange task run {task.id}")


def _working(explainer: Explainer, task: Task) -> Reasons:
    scene, claim = explainer.scene, task.claim
    if claim is None or not claim.held:
        message = "it is marked as working, but nobody holds it"
        yield Waiting("problem", message, explainer.since(task), task.path, f"orange task release {task.id}")
    elif not scene.mine(claim):
        yield other_host(scene, task)
    elif claim.by_person:
        yield person(scene, task)
    else:
        run = scene.held_run(task)
        if parked := scene.parked(task):
            yield limit(scene, task, refusal_of(parked))
        elif run is not None and is_live(run) and run.session is Presence.UNKNOWN:
            message = f"whether its session lives could not be told; its run is {run.id}"
            yield Waiting("unknown", message, explainer.since(task, claim.at), run.id, "orange doctor")


def _delegated(explainer: Explainer, task: Task) -> Reasons:
    scene = explainer.scene
    if task.request is not None:
        yield from _requested(explainer, task)
    done, total = scene.graph.progress(task.id)
    unreadable = [child for child in task.children if child in scene.board.frozen]
    if done < total or unreadable:
        yield _children(explainer, task, unreadable)
    elif held := tuple(holder(scene, task)):
        yield from held
    elif scene.lag(task):
        yield from lagging(scene, task)
    elif total and not task.acceptance and scene.branch(task) is None:
        message = "where its branch stands could not be told"
        yield Waiting("unknown", message, explainer.since(task), task.branch, "orange doctor")


def _children(explainer: Explainer, task: Task, unreadable: list[str]) -> Waiting:
    scene = explainer.scene
    done, total = scene.graph.progress(task.id)
    kids = [scene.tasks[child] for child in scene.graph.children(task.id)]
    held_up = [kid for kid in kids if kid.status in {Status.STUCK, Status.CANCELLED}]
    message = f"delegated ({done}/{total + len(unreadable)})"
    if held_up:
        message += f", waiting for {', '.join(f'{kid.id} ({kid.status})' for kid in held_up)}"
    if unreadable:
        message += f"; the files of {', '.join(unreadable)} cannot be understood"
    remedy = _child_remedy(held_up[0]) if held_up else None
    if unreadable and remedy is None:
        remedy = "orange doctor"
    evidence = ", ".join(kid.id for kid in kids if kid.status is not Status.DONE) or ", ".join(unreadable)
    return Waiting(
        "children", message, explainer.since(task), evidence, remedy or f"orange task list --parent {task.id}"
    )


def _child_remedy(child: Task) -> str:
    if child.status is Status.CANCELLED:
        return f"orange task restore {child.id}, or orange task take {child.parent}"
    return f"orange task why {child.id}"


def _reviewing(explainer: Explainer, task: Task) -> Reasons:
    if task.request is not None:
        yield from _requested(explainer, task)
        return
    if judging.is_wanted(explainer.scene, task):
        yield from _by_agent(explainer, task)
        return
    state = explainer.scene.branch(task)
    evidence = state.tip if state else task.branch
    remedy = f"orange task approve {task.id}, or orange task reject {task.id} --feedback TEXT"
    yield Waiting("review", _awaited(explainer.scene, task), explainer.since(task), evidence, remedy)


def _awaited(scene: Scene, task: Task) -> str:
    """Say who is to review a task, what an agent said of it, and which rule wants a person."""
    review, ruling = judging.answered(scene, task), scene.ruling(task)
    said = [f"the review by {review.agent}: {describe(review)}"] if review else []
    return "; ".join(["it waits for a review", *said, *([ruling.message] if ruling else [])])


def _by_agent(explainer: Explainer, task: Task) -> Reasons:
    """Yield what an agent's review waits for, or that it is under way."""
    scene = explainer.scene
    run = scene.held_run(task) if scene.mine(task.claim) else None
    if run is not None and is_live(run):
        at = explainer.since(task, task.claim.at if task.claim else None)
        yield Waiting("review", f"{run.agent} reviews it", at, run.id, f"orange attach {task.id}")
    else:
        yield from _to_start(explainer, task)


def _reviewed(explainer: Explainer, task: Task) -> Reasons:
    if task.request is not None:
        yield from _requested(explainer, task)
    elif held := tuple(holder(explainer.scene, task)):
        yield from held
    elif explainer.scene.base_missing(task):
        base = explainer.scene.base_of(task)
        message = f"its base branch {base} does not exist"
        yield Waiting("base_missing", message, explainer.since(task), base, f"git branch {base}")
    else:
        yield from publication(explainer.scene, task)


def _requested(explainer: Explainer, task: Task) -> Reasons:
    """Yield what a request (changes, an answer, a conflict, failed checks, start now) still waits for."""
    request = task.request
    if request is None or task.id in explainer.starting or not dispatch.may_resume(task):
        return
    what, at = _REQUESTS[request.kind.value], request.since or explainer.since(task)
    live = explainer.scene.live(task.id)
    if live is not None and explainer.scene.is_asking(task, live):
        yield Waiting("request", f"{what}; its run {live.id}, which waits for it, goes on", at, live.id, None)
        return
    yield Waiting("request", f"{what}; it is taken up again as soon as it may", at, request.kind.value, None)
    yield from _to_start(explainer, task)


_REQUESTS = {
    "changes": "changes were requested",
    "answer": "its question was answered",
    "conflict": "its branch does not merge into the base",
    "checks": "the project's checks did not pass",
    "run": "a person asked to start it now",
    "resume": "what it waited for was approved",
}


def _stuck(explainer: Explainer, task: Task) -> Reasons:
    if task.request is not None and dispatch.may_resume(task):
        yield from _requested(explainer, task)
        return
    reason = task.stuck.reason if task.stuck else StuckReason.MANUAL
    message = task.stuck.message if task.stuck and task.stuck.message else "somebody marked it as stuck"
    evidence = task.stuck.evidence if task.stuck else None
    at = task.stuck.since if task.stuck and task.stuck.since else explainer.since(task)
    yield Waiting(reason.value, message, at, evidence, _REMEDIES[reason].format(id=task.id))


_REMEDIES = {
    StuckReason.QUESTION: 'orange answer {id} "TEXT"',
    StuckReason.FAILED: "orange task log {id}, then orange task retry {id}",
    StuckReason.CHECKS_FAILED: "orange task log {id}, then orange task retry {id}",
    StuckReason.CONFLICT: "orange task diff {id}, then orange task retry {id}",
    StuckReason.TIMEOUT: "orange task log {id}, then orange task retry {id}",
    StuckReason.NO_PROGRESS: "orange task log {id}, then orange task retry {id}",
    StuckReason.BUDGET: "orange task edit {id} (raise its budget), then orange task retry {id}",
    StuckReason.APPROVAL: "orange task approve {id}, or orange task reject {id} --feedback TEXT",
    StuckReason.AGENT_MISSING: "orange agents, then orange task retry {id}",
    StuckReason.INVALID: "orange task edit {id}, then orange task retry {id}",
    StuckReason.MANUAL: "orange task retry {id}",
}

_Explanation: TypeAlias = Callable[[Explainer, Task], Reasons]
_EXPLANATIONS: Mapping[Status, _Explanation] = {
    Status.BACKLOG: _backlog,
    Status.PENDING: _pending,
    Status.WORKING: _working,
    Status.DELEGATED: _delegated,
    Status.REVIEWING: _reviewing,
    Status.REVIEWED: _reviewed,
    Status.STUCK: _stuck,
    Status.DONE: _nothing,
    Status.CANCELLED: _nothing,
}
