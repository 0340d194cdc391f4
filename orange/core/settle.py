"""Runs against their tasks: which to stop, which ended ones to bring into the task, which to launch after a crash.

Safety comes first: a run whose task is no longer its own is ended, one that vanished is believed dead only after two
looks, and what could not be looked at leads to nothing. Claims of other machines are never touched, nor what a person
works on.

Next in the flow: `reconcile` puts these actions first in the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orange.core import budgets, judging
from orange.core.actions import Advance, CloseRun, LaunchRun, PauseDispatch, SettleReview, SettleRun, StopRun
from orange.core.effective import publish_of
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Claim, Outcome, Presence, Publish, RequestKind, Run, Task
from orange.core.retry import describe, pause_reason, verdict
from orange.core.reviews import is_review
from orange.core.rules import ESCALATE, REJECT, REQUIRE_HUMAN
from orange.core.scene import LOOKS, Scene, is_dead, is_live, is_over, is_vanished


def stop_runs(scene: Scene) -> Iterator[StopRun]:
    """Yield the live runs whose task is not theirs any more: closed, handed on, given back, claimed anew, removed."""
    for task_id in scene.tasks_with_runs():
        if task_id in scene.board.frozen:
            continue
        for run in scene.runs(task_id):
            if is_live(run) and run.session is Presence.THERE:
                reason = _stop_reason(scene, run)
                if reason:
                    yield StopRun(task_id, run.id, reason)


def _stop_reason(scene: Scene, run: Run) -> str | None:
    task = scene.tasks.get(run.task)
    if task is None:
        return "its task was removed" if is_removed(scene, run.task) else None
    if run.epoch > task.epoch or scene.is_asking(task, run):
        return None
    if is_review(run.id):
        return judging.stop_reason(task, run)
    if task.status is not Status.WORKING:
        return f"its task is {task.status}"
    if task.claim is not None and scene.mine(task.claim) and task.claim.run == run.id:
        return None
    return f"its task is held by {task.claim.run if task.claim else 'nobody'}"


def is_removed(scene: Scene, task_id: str) -> bool:
    """Whether a task's file is proven gone: looked for twice, and no broken file may be it."""
    if task_id in scene.board.frozen or scene.world.missing.get(task_id, 0) < LOOKS:
        return False
    return not any(f"{task_id}/" in problem.path for problem in scene.board.problems)


def stop_spending(scene: Scene) -> Iterator[Advance]:
    """Yield the end of work that has used its budget up; its run is ended because its task is stuck."""
    for task, over in budgets.stops(scene.world, scene.graph):
        run = scene.held_run(task)
        if run is not None and is_live(run):
            yield Advance(task.id, Status.STUCK, over, StuckReason.BUDGET, run.id)


def settle_runs(scene: Scene) -> Iterator[SettleRun | LaunchRun | CloseRun | SettleReview]:
    """Yield what is owed to the tasks this machine holds: runs to launch or bury, results, claims to drop."""
    for task_id in scene.graph.held():
        task = scene.tasks[task_id]
        if task.claim is None or task.claim.run is None or not scene.mine(task.claim):
            continue
        if is_review(task.claim.run):
            yield from judging.look_after(scene, task, task.claim.run)
        elif task.status is not Status.WORKING:
            yield from _let_go(scene, task, task.claim, task.claim.run)
        elif not task.claim.by_person:
            yield from _look_after(scene, task, task.claim.run)


def _let_go(scene: Scene, task: Task, claim: Claim, run_id: str) -> Iterator[SettleRun | CloseRun]:
    """Release the claim of a task that left `working` by other hands, or asked, once its run is over."""
    run = scene.held_run(task)
    if run is not None and is_vanished(run):
        yield CloseRun(task.id, run_id, Outcome.STOPPED, f"it ended when its task was {task.status}")
    elif claim.by_person or run is None or not is_live(run):
        yield SettleRun(task.id, run_id, task.status, f"its run is over, and it is {task.status}")


def _look_after(scene: Scene, task: Task, run_id: str) -> Iterator[SettleRun | LaunchRun | CloseRun]:
    run = scene.held_run(task)
    if run is not None and is_vanished(run):
        yield CloseRun(task.id, run_id, Outcome.CRASHED, describe(replace(run, outcome=Outcome.CRASHED)))
    elif run is None or is_dead(run):
        yield LaunchRun(task.id, run_id, scene.fallback_for(task))
    elif is_over(run) and not scene.parked(task):
        yield settle(scene, task, run)


def settle(scene: Scene, task: Task, run: Run) -> SettleRun:
    """Say what an ended run means for its task."""
    if run.outcome in {Outcome.STOPPED, Outcome.RATE_LIMITED}:
        return SettleRun(task.id, run.id, Status.PENDING, describe(run))
    if run.outcome is Outcome.APPROVAL:
        return SettleRun(task.id, run.id, Status.STUCK, describe(run), stuck=StuckReason.APPROVAL)
    earlier = [other for other in scene.ended(task.id) if other.epoch < run.epoch]
    if run.outcome is Outcome.FINISHED and not _mended_nothing(task, run, earlier):
        return _finished(scene, task, run)
    ruling = scene.ruling(task) if run.outcome is Outcome.CHECKS_FAILED else None
    if ruling is not None and ruling.then == ESCALATE:
        message = f"{describe(run)}; {ruling.message}"
        return SettleRun(task.id, run.id, Status.STUCK, message, stuck=StuckReason.CHECKS_FAILED, failed=True)
    if run.outcome is Outcome.FINISHED:
        run = replace(run, message=None)  # what it said of itself is not why it failed
    found = verdict(task, run, earlier, scene.settings.limits)
    to = Status.PENDING if found.stuck is None else Status.STUCK
    return SettleRun(task.id, run.id, to, found.message, stuck=found.stuck, failed=found.failed)


def _finished(scene: Scene, task: Task, run: Run) -> SettleRun:
    """Say where finished work goes: on, or where a rule of the project sends it."""
    ruling, attempts = scene.ruling(task), task.attempts + 1
    if ruling is not None and ruling.then == REJECT and attempts < scene.settings.limits.attempts:
        reason = f"{ruling.message}; attempt {attempts} of {scene.settings.limits.attempts}"
        return SettleRun(task.id, run.id, Status.PENDING, reason, failed=True, request=ruling.message)
    if ruling is not None and ruling.then != REQUIRE_HUMAN:
        return SettleRun(task.id, run.id, Status.STUCK, ruling.message, stuck=StuckReason.APPROVAL)
    to, reason = after_finish(scene, task, run)
    return SettleRun(task.id, run.id, to, reason)


def _mended_nothing(task: Task, run: Run, earlier: list[Run]) -> bool:
    """Whether a run that was to mend a conflict or failing checks left the branch as it was."""
    if task.request is None or task.request.kind not in {RequestKind.CONFLICT, RequestKind.CHECKS}:
        return False
    if run.checked and task.request.kind is RequestKind.CHECKS:
        return False  # they pass now: what was asked for is there
    return bool(earlier) and run.commit is not None and earlier[0].commit == run.commit


def after_finish(scene: Scene, task: Task, run: Run) -> tuple[Status, str]:
    """Say where a task goes whose agent ended with exit code 0, and why."""
    if not scene.review_off(task):
        return Status.REVIEWING, "the agent finished; it is under review"
    if scene.settings.checks_required and not run.checked:
        return Status.REVIEWED, "finished; review is off, and its checks are required"
    if publish_of(task, scene.settings) is Publish.NONE:
        return Status.DONE, "finished; it publishes nothing"
    state = scene.branch(task)
    seen = state is not None and (run.commit is None or state.tip == run.commit)
    if state is not None and seen and not state.unmerged:
        return Status.DONE, "finished; nothing to publish"
    return Status.REVIEWED, "finished; review is off"


def pause_dispatch(scene: Scene) -> Iterator[PauseDispatch]:
    """Yield a pause when several different tasks failed in a row: something common is broken."""
    dispatch = scene.world.dispatch
    if dispatch.paused or dispatch.draining:
        return
    reason = pause_reason(scene.world.runs.values(), dispatch.resumed_at, scene.settings.limits)
    if reason:
        yield PauseDispatch(reason)
