"""Which tasks are started now: requests and ready tasks, in order, while slots last.

Order: what a person asked to start now; then by priority, at equal priority requests (changes, answers, conflicts) and
reviews before new tasks; then by age.

Next in the flow: `apply` claims each task under the lock and launches its run.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from orange.core import effective, judging
from orange.core.actions import StartRun
from orange.core.gates import is_open, outside_session, waits_until
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import RequestKind, Task
from orange.core.scene import Scene

#: Not asked first, priority, not a request first, since, id.
Turn: TypeAlias = tuple[bool, int, bool, str, str]

#: What a stuck task waits for -> the requests that serve it.
_SERVES: dict[StuckReason | None, frozenset[RequestKind]] = {
    StuckReason.QUESTION: frozenset({RequestKind.ANSWER}),
    StuckReason.APPROVAL: frozenset({RequestKind.RESUME, RequestKind.CHANGES}),
}

#: Seconds over which starts of agent-made tasks are counted.
MINUTE = 60.0


@dataclass(slots=True)
class Allotment:
    """What was given out, and what is left."""

    #: The tasks to start, in order.
    starts: list[Task] = field(default_factory=list)
    slots: int = 0
    #: Free slots by agent, where they are counted.
    per_agent: dict[str, int] = field(default_factory=dict)
    #: How many agent-made tasks may still be started this minute.
    spawns: int = 0
    #: How many tasks more may be taken on that were not before; None: any number.
    fresh: int | None = None
    #: Whether one task at a time is worked on, and one is.
    busy: bool = False


def is_spent(given: Allotment) -> bool:
    """Whether nothing more can be started, whatever it is."""
    return given.slots <= 0 or given.busy


def start_runs(scene: Scene) -> list[StartRun]:
    """List the runs to start now."""
    return [
        StartRun(
            task.id,
            task.epoch,
            task.request.kind if task.request else None,
            review=judging.is_awaited(task),
            agent=scene.fallback_for(task),
        )
        for task in allot(scene).starts
    ]


def is_held_back(scene: Scene) -> bool:
    """Whether nothing new may be started at all."""
    return scene.world.dispatch.paused or scene.world.dispatch.draining


def allot(scene: Scene) -> Allotment:
    """Give out the free slots in order."""
    given = _free(scene)
    if is_held_back(scene) or is_spent(given):
        return given
    for task in candidates(scene):
        agent = scene.agent_for(task)
        taken = task.id in scene.world.dispatch.terms.taken
        if not agent_free(given, agent) or not spawn_free(given, task) or not is_open(scene, task):
            continue
        if given.fresh is not None and not taken:
            if given.fresh == 0:
                continue
            given.fresh -= 1
        _take(given, task, agent)
        given.busy = given.busy or is_sequential(scene)
        if is_spent(given):
            break
    return given


def wishes(scene: Scene) -> list[Task]:
    """List what would be started now if a person who is asked before each start agreed, in order."""
    world, terms = scene.world, scene.world.dispatch.terms
    if not terms.asks:
        return []
    dispatch = replace(world.dispatch, terms=replace(terms, asks=False))
    starts = allot(Scene(replace(world, dispatch=dispatch), scene.now, scene.graph)).starts
    return [task for task in starts if terms.agreed.get(task.id) != task.epoch]


def _free(scene: Scene) -> Allotment:
    dispatch = scene.world.dispatch
    return Allotment(
        slots=max(0, dispatch.slots),
        per_agent=_per_agent(scene),
        spawns=max(0, scene.settings.limits.spawns_per_minute - len(recent_spawns(scene))),
        fresh=dispatch.terms.fresh,
        busy=is_sequential(scene) and worked_on(scene) is not None,
    )


def _per_agent(scene: Scene) -> dict[str, int]:
    """Return the free slots of the agents that are limited: as observed, else counted over this project."""
    free = dict(scene.settings.limits.per_agent)
    if free:
        for task in scene.each(Status.WORKING, Status.REVIEWING):
            run = scene.held_run(task)
            agent = run.agent if run and run.agent else scene.agent_for(task)
            if agent in free and task.claim and scene.mine(task.claim) and not task.claim.by_person:
                free[agent] -= 1
    return free | dict(scene.world.dispatch.per_agent)


def _take(given: Allotment, task: Task, agent: str) -> None:
    given.starts.append(task)
    given.slots -= 1
    if agent in given.per_agent:
        given.per_agent[agent] -= 1
    if effective.is_agent_made(task):
        given.spawns -= 1


def agent_free(given: Allotment, agent: str) -> bool:
    """Whether another run of this agent may start."""
    return given.per_agent.get(agent, 1) > 0


def spawn_free(given: Allotment, task: Task) -> bool:
    """Whether `limits.spawns_per_minute` lets this task start; it binds what agents created."""
    return given.spawns > 0 or not effective.is_agent_made(task)


def is_sequential(scene: Scene) -> bool:
    """Whether one task at a time is worked on."""
    return scene.settings.dispatch_mode == "sequential" or scene.in_place


def worked_on(scene: Scene) -> str | None:
    """Name a task that an agent works on or may work on, anywhere; None when there is none."""
    for task in scene.each(Status.WORKING):
        if task.claim is None or not task.claim.by_person:
            return task.id
    for task_id in scene.tasks_with_runs():
        live = scene.live(task_id)
        if live is not None and not (task_id in scene.tasks and scene.is_asking(scene.tasks[task_id], live)):
            return task_id
    return None


def recent_spawns(scene: Scene) -> list[float]:
    """List when agent-made tasks were started within the last minute, oldest first."""
    found = []
    for task_id in scene.tasks_with_runs():
        task = scene.tasks.get(task_id)
        if task is not None and effective.is_agent_made(task):
            found += [run.started_at for run in scene.runs(task_id) if run.started_at is not None]
    return sorted(started for started in found if scene.now - MINUTE < started <= scene.now)


def candidates(scene: Scene) -> Iterator[Task]:
    """Yield everything that would like to start, in order; whether it may is for the gates to say."""
    asked = sorted((turn_of(task), task.id) for task in (*requests(scene), *reviews(scene)))
    fresh = ((turn_of(task), task.id) for task in scene.graph.queue() if task.request is None)
    for _, task_id in heapq.merge(asked, fresh):
        yield scene.tasks[task_id]


def turn_of(task: Task) -> Turn:
    """Return a task's place in the order."""
    if task.request is None and task.status is Status.REVIEWING:
        return True, task.priority.rank, False, task.updated_at or task.created_at, task.id
    if task.request is None:
        return True, task.priority.rank, True, task.created_at, task.id
    return task.request.kind is not RequestKind.RUN, task.priority.rank, False, task.request.since, task.id


def requests(scene: Scene) -> Iterator[Task]:
    """Yield the tasks that somebody asked to have taken up again, and that may be."""
    for task_id in scene.graph.requests():
        task = scene.tasks[task_id]
        if may_resume(task):
            yield task


def reviews(scene: Scene) -> Iterator[Task]:
    """Yield the tasks whose work an agent is to review."""
    if scene.settings.review.by in effective.BY_AGENTS:
        yield from (task for task in scene.each(Status.REVIEWING) if judging.is_wanted(scene, task))


def may_resume(task: Task) -> bool:
    """Whether a task with a request may be claimed for it in its present status."""
    if task.request is None:
        return False
    if task.status in {Status.PENDING, Status.REVIEWING, Status.REVIEWED}:
        return True
    if task.status is Status.STUCK:
        reason = task.stuck.reason if task.stuck else None
        return task.request.kind is RequestKind.RUN or task.request.kind in _SERVES.get(reason, ())
    return task.status is Status.DELEGATED and task.request.kind is RequestKind.RUN


def next_start(scene: Scene) -> float | None:
    """Return when the passing of time alone may let something start; None when it cannot."""
    tried = (*(scene.tasks[task_id] for task_id in scene.graph.tried()), *reviews(scene))
    ends = [waits_until(scene, task) for task in tried if _is_meant(scene, task)]
    ends += _limits_end(scene)
    spawns = recent_spawns(scene)
    if len(spawns) >= scene.settings.limits.spawns_per_minute:
        ends += [started + MINUTE for started in spawns[:1]]
    return min((end for end in ends if end is not None and end > scene.now), default=None)


def _limits_end(scene: Scene) -> Iterator[float | None]:
    """Yield when the limits end that keep tasks from going on or from starting."""
    if not scene.refused:
        return
    for task in scene.each(Status.WORKING):
        if run := scene.parked(task):
            yield run.limited_until
    for task in candidates(scene):
        refusal = scene.refused.get(scene.agent_for(task))
        if refusal and _is_meant(scene, task):
            yield refusal.until


def _is_meant(scene: Scene, task: Task) -> bool:
    """Whether this run of the daemon may start a task at all."""
    return next(outside_session(scene, task), None) is None
