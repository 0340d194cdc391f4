"""An agent's review of a task: when one is wanted, what becomes of its run, and what follows from its answer. Pure.

The reviewer has a claim, a slot and a name of its own and decides nothing: it answers, and the daemon draws the
conclusion. While it is at work the task stays `reviewing`; whatever a person decides meanwhile comes first.

Next in the flow: `dispatch` starts reviews, `settle` looks after them, `project.reviewing` carries the conclusion out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orange.core import effective
from orange.core.actions import CloseRun, LaunchRun, SettleReview
from orange.core.comments import APPROVED, CHANGES_REQUESTED, REVIEW
from orange.core.effective import BY_PEOPLE
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Outcome, Run, Task
from orange.core.retry import NEUTRAL, backoff
from orange.core.reviews import Answer, feedback, summary
from orange.core.rules import Ruling
from orange.core.scene import Scene, is_dead, is_over, is_vanished
from orange.core.settings import Settings
from orange.core.storeports import Event

#: What an event says of an agent's review: it is no decision, and leaves people's comments where they are.
PASSED, FAILED = "passed", "failed"
_DECISIONS = frozenset({APPROVED, CHANGES_REQUESTED})


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What follows from a review."""

    #: Where the task goes; `reviewing` where it stays.
    to: Status
    #: One sentence.
    message: str
    #: Set when `to` is stuck.
    stuck: StuckReason | None = None
    #: What the agent is asked to change.
    request: str | None = None
    #: Whether an attempt is used up.
    failed: bool = False


def is_awaited(task: Task) -> bool:
    """Whether a task is in the condition in which an agent may review it: nobody has decided anything yet."""
    return task.status is Status.REVIEWING and task.request is None


def is_wanted(scene: Scene, task: Task) -> bool:
    """Whether an agent is to review a task's work as it is now."""
    if not is_awaited(task) or not effective.is_reviewed_by_agent(task, scene.settings):
        return False
    state = scene.branch(task)
    return state is not None and state.tip is not None and answered(scene, task) is None


def answered(scene: Scene, task: Task) -> Run | None:
    """Return the review that a task's work has had as it is now; None where it has had none."""
    run, state = scene.review(task), scene.branch(task)
    if run is None or state is None or run.outcome is not Outcome.FINISHED:
        return None
    return run if run.commit == state.tip else None


def stop_reason(task: Task, run: Run) -> str | None:
    """Say why a review that goes on is for nothing; None where it is not."""
    if not is_awaited(task):
        return f"its task is {task.status}" if task.request is None else "changes were requested"
    if task.claim is not None and task.claim.run == run.id:
        return None
    return f"its task is held by {task.claim.run if task.claim else 'nobody'}"


def look_after(scene: Scene, task: Task, run_id: str) -> Iterator[LaunchRun | CloseRun | SettleReview]:
    """Yield what is owed to a task that a review of this machine holds: its launch, its burial, its conclusion."""
    run = scene.held_run(task)
    if run is not None and is_vanished(run):
        outcome = Outcome.CRASHED if is_awaited(task) else Outcome.STOPPED
        yield CloseRun(task.id, run_id, outcome, "the review disappeared without a result")
    elif (run is None or is_dead(run)) and is_awaited(task):
        yield LaunchRun(task.id, run_id)
    elif run is None or is_dead(run) or is_over(run):
        yield SettleReview(task.id, run_id)


def conclude(task: Task, settings: Settings, answer: Answer, earlier: int, ruling: Ruling | None) -> Conclusion:
    """Say what follows from an answer; `earlier` reviews in a row have asked for changes before."""
    said, most = summary(answer), settings.review.max_rounds
    if answer.passed and settings.review.by in BY_PEOPLE:
        return Conclusion(Status.REVIEWING, f"{said}; a person decides")
    if answer.passed:
        to = Status.REVIEWING if ruling else Status.REVIEWED
        return Conclusion(to, f"{said}; {ruling.message}" if ruling else said)
    if earlier + 1 >= most:
        rounds = f"review {earlier + 1} of {most}, the last, asks for changes to {task.id}"
        return Conclusion(Status.STUCK, f"{rounds}: {said}", stuck=StuckReason.APPROVAL)
    return Conclusion(Status.REVIEWING, said, request=feedback(answer))


def give_up(task: Task, settings: Settings, outcome: Outcome, message: str, *, senseless: bool = False) -> Conclusion:
    """Say what follows from a review without an answer; a `senseless` one was asked for again as often as may be."""
    attempts, most = task.attempts + 1, settings.limits.attempts
    what = f"its review came to nothing: {message.rstrip('. ')}"
    if outcome is Outcome.AGENT_MISSING:
        return Conclusion(Status.STUCK, what, stuck=StuckReason.AGENT_MISSING)
    if outcome in NEUTRAL:
        return Conclusion(Status.REVIEWING, what)
    if senseless or attempts >= most:
        last = "" if senseless else f"; attempt {attempts} of {most}, the last"
        reason = StuckReason.TIMEOUT if outcome is Outcome.TIMEOUT else StuckReason.FAILED
        return Conclusion(Status.STUCK, f"{what}{last}", stuck=reason, failed=True)
    again = f"attempt {attempts} of {most}, again in {backoff(attempts)} s"
    return Conclusion(Status.REVIEWING, f"{what}; {again}", failed=True)


def failed_in_a_row(events: Iterable[Event]) -> int:
    """Count the agents' reviews that asked for changes since a person last decided or moved the task."""
    count = 0
    for event in events:
        said = event.data.get(REVIEW)
        if event.by.startswith("person:") and (said in _DECISIONS or "status" in event.data):
            count = 0
        elif said == FAILED:
            count += 1
    return count
