"""The way of finished work into its base: approvals that hold or are void, the merge queue, work found integrated.

One task at a time is integrated into each base, so that every merge is made, and checked, on the result of the last
(`mergequeue`).

Next in the flow: `apply` merges under the lock; a conflict comes back as a request on the task.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from orange.core import effective, lineage, mergequeue, publishing
from orange.core.actions import Advance, CheckMerge, DropCandidate, FollowBase, Integrate, SendBack
from orange.core.actions import Publish as PublishTask
from orange.core.gates import Waiting, lagging, since
from orange.core.graph import Graph
from orange.core.lifecycle import Status, StuckReason
from orange.core.mergequeue import BeingChecked
from orange.core.model import Base, BranchState, Presence, Publish, RequestKind, Run, Task, World
from orange.core.scene import Scene, is_over

#: Seconds after which a branch that could not follow its base is tried again.
FOLLOW_AGAIN = 15.0
#: Reasons to be stuck that a person may resolve by merging the branch by hand.
_MERGEABLE = frozenset({StuckReason.CONFLICT, StuckReason.CHECKS_FAILED, StuckReason.APPROVAL})


#: What a reviewed task may need next.
Step: TypeAlias = Advance | mergequeue.Turn | PublishTask


def land(scene: Scene) -> Iterator[Advance | Integrate | CheckMerge | SendBack | PublishTask]:
    """Yield what is owed to reviewed tasks, in the order of the merge queue, and to stuck ones found integrated."""
    taken: set[str] = set()
    for task in reviewed_in_order(scene):
        action = next_step(scene, task)
        if isinstance(action, mergequeue.Turn):
            if action.base in taken:
                continue
            taken.add(action.base)
        if action is not None and not isinstance(action, BeingChecked):
            yield action
    for task in scene.each(Status.STUCK):
        if _was_merged_by_hand(scene, task):
            yield Advance(task.id, Status.DONE, "its work was found in the base")


def reviewed_in_order(scene: Scene) -> list[Task]:
    """List the reviewed tasks in the order of the merge queue: by priority, then by when they were approved.

    One whose merge is being checked keeps its place at the head.
    """

    def place(task: Task) -> tuple[bool, int, str, str]:
        begun = mergequeue.standing(scene, task, scene.branch(task)) is not None
        return not begun, task.priority.rank, approved_at(task), task.id

    return sorted(scene.each(Status.REVIEWED), key=place)


def drop_candidates(scene: Scene) -> Iterator[DropCandidate]:
    """Yield the merges whose checks are for nothing: their task needs something else by now."""
    for task_id in sorted(scene.world.candidates):
        if not _may_be_wanted(scene, task_id):
            yield DropCandidate(task_id)


def _may_be_wanted(scene: Scene, task_id: str) -> bool:
    """Whether a task may still be in the merge queue; what is not known may be."""
    task = scene.tasks.get(task_id)
    if task is None:
        return task_id in scene.board.frozen
    if task.status is not Status.REVIEWED or task.request is not None or _is_busy(scene, task):
        return False
    step = next_step(scene, task)
    closing = isinstance(step, Advance) and step.to is Status.DONE  # what its checks came to is asked for once more
    return scene.branch(task) is None or closing or isinstance(step, mergequeue.Turn)


def approved_at(task: Task) -> str:
    """Say since when a reviewed task is ready to be integrated."""
    return task.approved.at if task.approved else task.updated_at or task.created_at


def next_step(scene: Scene, task: Task) -> Step | None:
    """Say what a reviewed task needs next; None while it waits for someone, or nothing is known."""
    state = scene.branch(task)
    if state is None or task.request is not None or _is_busy(scene, task) or scene.lag(task):
        return None
    if task.branch is not None and state.tip is None:
        return _without_branch(scene, task)
    void = void_approval(scene, task, state)
    if void:
        return Advance(task.id, Status.REVIEWING, void, evidence=state.tip)
    return None if _lacks_checks(scene, task, state) else _onwards(scene, task, state)


def _onwards(scene: Scene, task: Task, state: BranchState) -> Step | None:
    if effective.nothing_unmerged(task, scene.settings, state):
        return Advance(task.id, Status.DONE, _done_reason(task, scene))
    if may_integrate(scene, task):
        return mergequeue.owed(scene, task, state)
    return publishing.owed(scene, task, state)


def _lacks_checks(scene: Scene, task: Task, state: BranchState) -> bool:
    """Whether checks are required of a task that is not going to get any on its way into the base."""
    publish = scene.publish_of(task)
    if not scene.settings.checks_required or publish is Publish.NONE or not state.unmerged:
        return not scene.checked(task, state)
    return publish is Publish.MERGE and not scene.settings.checks


def void_approval(scene: Scene, task: Task, state: BranchState) -> str | None:
    """Say why a reviewed task is not approved as it is now; None when it is, or needs no approval."""
    if task.approved is not None:
        if effective.approval_holds(task, state):
            return _needs_person(scene, task) if effective.is_approved_by_agent(task) else None
        return f"its approval of {task.approved.commit[:12]} is void: the branch is at {(state.tip or 'nothing')[:12]}"
    if scene.review_off(task):
        return None
    ruling = scene.ruling(task) if scene.settings.review.by == "none" else None
    return ruling.message if ruling else "nobody approved it, and review is on"


def _needs_person(scene: Scene, task: Task) -> str | None:
    """Say why a review by an agent is not enough; None where it is."""
    if scene.settings.review.by in effective.BY_PEOPLE:
        return "an agent approved it, and a person is to review it too"
    ruling = scene.ruling(task)
    return f"an agent approved it; {ruling.message}" if ruling else None


def may_integrate(scene: Scene, task: Task) -> bool:
    """Whether a reviewed task with unmerged work is merged by orange, into a base that exists."""
    return scene.publish_of(task) is Publish.MERGE and not scene.base_missing(task)


def _is_busy(scene: Scene, task: Task) -> bool:
    return task.held or scene.live(task.id) is not None


def _done_reason(task: Task, scene: Scene) -> str:
    if effective.publish_of(task, scene.settings) is Publish.NONE:
        return "it publishes nothing"
    return "all its work is in the base"


def _without_branch(scene: Scene, task: Task) -> Advance | None:
    """Judge a reviewed task whose branch is gone: merged and deleted by hand, or lost."""
    commit = finished_commit(task, scene.ended(task.id))
    if not scene.checked(task, BranchState(None, unmerged=False)):
        return None
    if commit is None or effective.publish_of(task, scene.settings) is Publish.NONE:
        return Advance(task.id, Status.DONE, "it has nothing to publish")
    base = scene.base_of(task)
    match scene.contains(base, commit):
        case Presence.THERE:
            return Advance(task.id, Status.DONE, f"its work was found in {base}; its branch is gone")
        case Presence.GONE:
            message = f"its branch {task.branch} is gone and {commit[:12]} is not in {base}"
            return Advance(task.id, Status.STUCK, message, stuck=StuckReason.INVALID, evidence=commit)
    return None


def finished_commit(task: Task, ended: Iterable[Run]) -> str | None:
    """Return the commit a task's finished work was last seen at; `ended`: its ended runs, newest first."""
    if task.approved is not None and task.approved.commit not in {"", "none"}:
        return task.approved.commit
    return next((run.commit for run in ended if run.commit), None)


def _was_merged_by_hand(scene: Scene, task: Task) -> bool:
    """Whether a stuck task's own finished work is in its base; a branch without work of its own proves nothing."""
    if task.stuck is None or task.stuck.reason not in _MERGEABLE or task.merged is not None:
        return False
    state = scene.branch(task)
    if state is None or state.tip is None or state.unmerged or _is_asked_for(task) or _is_busy(scene, task):
        return False
    if not scene.checked(task, state):
        return False
    if task.approved is not None:
        return task.approved.commit == state.tip
    conflict, checks = (task.stuck.reason is reason for reason in (StuckReason.CONFLICT, StuckReason.CHECKS_FAILED))
    finished = (run for run in scene.ended(task.id) if run.commit == state.tip)
    return any(conflict or (checks and run.checked) for run in finished)  # it passed alone, and its merge did not


def _is_asked_for(task: Task) -> bool:
    """Whether somebody asked for more work; what merging found out is asked of the agent at a retry, if ever."""
    return task.request is not None and task.request.kind not in {RequestKind.CONFLICT, RequestKind.CHECKS}


def follow_bases(scene: Scene, integrating: Iterable[str]) -> Iterator[FollowBase]:
    """Yield the bases that differ from the user's branch; what is in the way is looked for again now and then."""
    busy = set(integrating)
    for name, base in sorted(scene.world.bases.items()):
        if name not in busy and (base.behind or base.ahead) and _may_follow(base, scene.now):
            yield FollowBase(name)


def _may_follow(base: Base, now: float) -> bool:
    return base.reason is None or (base.tried_at is not None and now >= base.tried_at + FOLLOW_AGAIN)


def next_follow(scene: Scene) -> float | None:
    """Return when to try again to let a hindered branch follow; None when none is."""
    times = [
        base.tried_at + FOLLOW_AGAIN
        for base in scene.world.bases.values()
        if (base.behind or base.ahead) and base.reason is not None and base.tried_at is not None
    ]
    return min((when for when in times if when > scene.now), default=None)


def base_waits(world: World) -> Iterator[Waiting]:
    """Yield, for a project as a whole, the user's branches that cannot follow their integrated base."""
    for name, base in sorted(world.bases.items()):
        if base.behind and base.reason:
            yield Waiting("base_behind", _behind(name, base), None, base.reason, f"git switch {name} && git status")
    for name, known in sorted(world.pushes.items()):
        if known.reason:
            yield Waiting("push_failed", known.reason, None, name, "orange doctor")


def _behind(name: str, base: Base) -> str:
    return f"{name} is {base.behind} commits behind what is integrated: {base.reason}"


def publication(scene: Scene, task: Task) -> Iterator[Waiting]:
    """Yield what a reviewed task waits for on its way into the base."""
    state = scene.branch(task)
    if scene.lag(task):
        yield from lagging(scene, task)
        return
    if state is not None and not void_approval(scene, task, state) and _lacks_checks(scene, task, state):
        yield _required(scene, task, state)
        return
    if state is None or (state.tip is None and task.branch is not None and next_step(scene, task) is None):
        message = "where its branch stands could not be told"
        yield Waiting("unknown", message, since(scene, task), task.branch, "orange doctor")
        return
    if effective.nothing_unmerged(task, scene.settings, state) or void_approval(scene, task, state):
        return
    at = since(scene, task, approved_at(task))
    if scene.publish_of(task) is not Publish.MERGE:
        yield publishing.waits(scene, task, at)
    elif not scene.base_missing(task):
        yield from _queued(scene, task, at)


def _required(scene: Scene, task: Task, state: BranchState) -> Waiting:
    if not scene.settings.checks:
        message = "checks are required (`checks_required`), and the project has none"
        return Waiting("checks_required", message, since(scene, task), "checks", "orange config set checks [...]")
    message = "checks are required (`checks_required`), and none passed on its work as it is"
    remedy = f"orange task reject {task.id} --feedback TEXT"
    return Waiting("checks_required", message, since(scene, task), state.tip or task.branch, remedy)


def _queued(scene: Scene, task: Task, at: str | None) -> Iterator[Waiting]:
    base = scene.base_of(task)
    steps = {other.id: next_step(scene, other) for other in reviewed_in_order(scene)}
    queue = [other for other, step in steps.items() if isinstance(step, mergequeue.Turn) and step.base == base]
    first = scene.world.candidates.get(queue[0]) if queue and isinstance(steps[queue[0]], BeingChecked) else None
    if task.id in queue[1:]:
        meanwhile = f"; the merge of {first.task} is being checked since {first.since}" if first else ""
        message = f"{queue.index(task.id)} before it in the queue into {base}{meanwhile}"
        remedy = f"orange task why {queue[0]}" if scene.settings.checks else f"orange task merge {task.id}"
        yield Waiting("merge_queue", message, at, queue[0], remedy)
    elif first is not None and task.id == first.task:
        names = ", ".join(check.name for check in scene.settings.checks)
        message = f"its merge into {base} is being checked ({names}); {len(queue) - 1} wait behind it"
        yield Waiting("checking", message, first.since, first.commit, None)


def ancestry_wanted(world: World, graph: Graph) -> frozenset[tuple[str, str]]:
    """Name the (commit, base) pairs a decision about this world needs in `World.ancestry`. `graph`: of its board.

    They are few: done blockers merged into another base than their dependant's, reviewed tasks whose branch is gone.
    """
    return frozenset((*_foreign_blockers(world, graph), *_branchless(world, graph)))


def _foreign_blockers(world: World, graph: Graph) -> Iterator[tuple[str, str]]:
    usual = world.settings.base or world.default_base
    elsewhere = [task_id for base, merged in graph.merged().items() if base != usual for task_id in merged]
    dependants = (task_id for blocker in elsewhere for task_id in graph.dependants(blocker))
    below = graph.with_status(Status.PENDING) if world.settings.branches.hierarchical else ()
    for task in (graph.tasks[task_id] for task_id in {*graph.with_base(), *dependants, *below}):
        if task.status is not Status.PENDING:
            continue
        base = lineage.base_of(task, world.settings, world.default_base, graph.tasks)
        ground = lineage.ground_of(task, world.settings, world.default_base, graph.tasks)
        for blocker in (graph.tasks[task_id] for task_id in task.blocked_by if task_id in graph.tasks):
            if blocker.merged is None or blocker.status is not Status.DONE:
                continue
            yield from ((blocker.merged.commit, name) for name in {base, ground} - {blocker.merged.base})


def _branchless(world: World, graph: Graph) -> Iterator[tuple[str, str]]:
    for task in (graph.tasks[task_id] for task_id in graph.with_status(Status.REVIEWED)):
        if task.branch is not None:
            state = world.branches.get(task.id)
            if state is not None and state.tip is None:
                runs = sorted((run for run in world.runs.values() if run.task == task.id), key=lambda run: -run.epoch)
                commit = finished_commit(task, [run for run in runs if is_over(run)])
                if commit is not None:
                    yield commit, lineage.base_of(task, world.settings, world.default_base, graph.tasks)
