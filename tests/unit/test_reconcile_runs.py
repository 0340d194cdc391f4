"""Runs against their tasks: stopping, settling, launching after a crash, pausing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import CloseRun, LaunchRun, PauseDispatch, SettleRun, StartRun, StopRun
from orange.core.allowance import Dispatch
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import (
    Outcome,
    Presence,
    Publish,
    RequestKind,
    Run,
    Task,
    World,
)
from orange.core.problems import Problem
from orange.core.reconcile import decide
from orange.core.rules import Change, Rule
from orange.core.settings import Limits, ReviewSettings, Settings
from orange.testing.worlds import (
    NOW,
    a_claim,
    a_request,
    a_run,
    a_stuck,
    a_task,
    a_working,
    a_world,
    an_ended_run,
    released,
    settle_down,
    tip,
    with_run,
)

GONE_TWICE: dict[str, Any] = {"session": Presence.GONE, "gone_looks": 2}
NO_REVIEW = Settings(review=ReviewSettings(by="none"))


def only(world: World) -> Any:
    """Return the one action that is owed."""
    (action,) = decide(world, NOW).actions
    return action


def nothing(world: World) -> bool:
    """Whether nothing is owed."""
    return decide(world, NOW).actions == ()


# -- live runs


def test_a_live_run_of_a_working_task_is_left_alone() -> None:
    """While its run lives, nothing is owed to a working task."""
    assert nothing(a_world(a_working("t"), runs=[a_run("t")]))


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.WORKING])
def test_a_run_whose_task_left_working_is_stopped(status: Status) -> None:
    """A task cancelled, delegated, released, closed or edited by hand loses its live run, once its session is seen."""
    task = a_task("t", status, claim=released(1), children=("c",), branch="b")
    child = a_task("c", Status.BACKLOG, parent="t")
    world = a_world(task, child, runs=[a_run("t")], slots=0)
    assert StopRun("t", "t-1", f"its task is {status}") in decide(world, NOW).actions
    for session, looks in ((Presence.UNKNOWN, 0), (Presence.GONE, 1), (Presence.GONE, 2)):
        other = a_world(task, child, runs=[a_run("t", session=session, gone_looks=looks)], slots=0)
        assert not [a for a in decide(other, NOW).actions if isinstance(a, StopRun)]


def test_a_run_of_an_older_claim_is_stopped() -> None:
    """A stale run beside the one that holds the task is ended; the holder goes on."""
    world = a_world(a_working("t", 2), runs=[a_run("t", 1), a_run("t", 2)])
    assert only(world) == StopRun("t", "t-1", "its task is held by t-2")


def test_a_run_beside_another_hosts_claim_is_stopped() -> None:
    """A run here ends when another machine holds the task, even under the same number; the claim is not touched."""
    world = a_world(a_working("t", 2, host="there"), runs=[a_run("t", 2)])
    assert only(world) == StopRun("t", "t-2", "its task is held by t-2")


def test_a_run_of_a_later_claim_than_the_files_is_not_touched() -> None:
    """A file that was put back to an older state stops nothing and starts nothing; it is explained instead."""
    assert nothing(a_world(a_task("t", claim=released(1)), runs=[a_run("t", 5)]))


def test_a_delegated_parents_run_is_stopped_and_its_workspace_waits() -> None:
    """Delegating ends the session; nothing else happens to the parent before that is proven."""
    parent = a_task("p", Status.DELEGATED, claim=released(1), children=("c",), branch="b")
    world = a_world(parent, a_task("c", Status.DONE, parent="p"), runs=[a_run("p")])
    assert only(replace(world, branches={"p": tip("c1", unmerged=False)})) == StopRun(
        "p", "p-1", "its task is delegated"
    )


@pytest.mark.parametrize(
    ("missing", "frozen", "problem", "stopped"),
    [
        ({}, (), None, False),
        ({"t": 1}, (), None, False),
        ({"t": 2}, (), None, True),
        ({"t": 2}, ("t",), None, False),
        ({"t": 2}, (), "tasks/some-t/TASK.md", False),
        ({"t": 2}, (), "tasks/some-other/TASK.md", True),
    ],
)
def test_a_removed_tasks_run_is_stopped_on_evidence(
    missing: dict[str, int], frozen: tuple[str, ...], problem: str | None, stopped: bool
) -> None:
    """A run is ended for a removed task when two looks found no file and no broken file may be it."""
    world = a_world(runs=[a_run("t")], missing=missing, frozen=frozenset(frozen))
    problems = (Problem(problem, 1, "broken"),) if problem else ()
    world = replace(world, board=replace(world.board, problems=problems))
    assert decide(world, NOW).actions == ((StopRun("t", "t-1", "its task was removed"),) if stopped else ())


def test_an_asking_run_is_left_alone() -> None:
    """A run that waits for an answer goes on under its own epoch, and holds no slot."""
    task = a_stuck("t", StuckReason.QUESTION, claim=a_claim("t"), run="t-1")
    assert nothing(a_world(task, runs=[a_run("t")]))
    unbound = a_stuck("t", StuckReason.QUESTION, claim=released(1))
    assert nothing(a_world(unbound, runs=[a_run("t")]))
    answered = replace(unbound, request=a_request(RequestKind.ANSWER))
    assert nothing(a_world(answered, runs=[a_run("t")]))


def test_an_asking_run_whose_task_was_retried_by_hand_is_replaced() -> None:
    """A question answered by a retry: the old run is ended and put away first, then a new one starts."""
    world = a_world(a_task("t", claim=a_claim("t"), run="t-1"), runs=[a_run("t")])
    settled = settle_down(world)
    assert [type(action) for action in settled.actions] == [StopRun, SettleRun, StartRun]
    assert settled.world.board.tasks["t"].epoch == 2


# -- launching after a crash


@pytest.mark.parametrize(
    ("run", "launched"),
    [
        (None, True),
        (a_run("t", launched=False, **GONE_TWICE), True),
        (a_run("t", launched=False, session=Presence.GONE, gone_looks=1), False),
        (a_run("t", launched=False, session=Presence.UNKNOWN), False),
        (a_run("t", launched=False, session=Presence.THERE), False),
    ],
)
def test_a_claim_that_never_got_a_session_is_launched(run: Run | None, launched: bool) -> None:
    """A crash between claim and session is repaired when there is no record, or two looks found no session."""
    world = a_world(a_working("t"), runs=[run] if run else [])
    assert decide(world, NOW).actions == ((LaunchRun("t", "t-1"),) if launched else ())


def test_a_first_look_asks_for_a_second() -> None:
    """When a session was gone once, the second look comes half a second later, not with the next poll."""
    world = a_world(a_working("t"), runs=[a_run("t", launched=False, session=Presence.GONE, gone_looks=1)])
    assert decide(world, NOW).wake_at == NOW + 0.5


@pytest.mark.parametrize("task", [a_working("t", host="there"), a_working("t", person=True)])
def test_claims_of_others_are_not_launched_or_settled(task: Task) -> None:
    """Another machine's claim and a person's work are nobody else's business, whatever a record says."""
    assert nothing(a_world(task))
    run_id = task.claim.run if task.claim else None
    assert nothing(a_world(task, runs=[an_ended_run("t", id=run_id)]))


# -- settling


@pytest.mark.parametrize(
    ("settings", "keys", "branch", "to"),
    [
        (Settings(), {}, tip("c1", unmerged=True), Status.REVIEWING),
        (Settings(), {}, tip("c1", unmerged=False), Status.REVIEWING),
        (Settings(), {"publish": Publish.NONE}, None, Status.REVIEWING),
        (NO_REVIEW, {}, tip("c1", unmerged=True), Status.REVIEWED),
        (NO_REVIEW, {}, tip("c1", unmerged=False), Status.DONE),
        (NO_REVIEW, {}, None, Status.REVIEWED),  # where the branch stands is not known: the next look decides
        (NO_REVIEW, {}, tip("c0", unmerged=False), Status.REVIEWED),  # seen before the run's last commit
        (NO_REVIEW, {"publish": Publish.NONE}, tip("c1", unmerged=True), Status.DONE),
        (NO_REVIEW, {"publish": Publish.BRANCH}, tip("c1", unmerged=True), Status.REVIEWED),
        (NO_REVIEW, {"publish": Publish.PR}, tip("c1", unmerged=False), Status.DONE),
        (NO_REVIEW, {"acceptance": "make", "children": ("x",)}, tip("c1", unmerged=True), Status.REVIEWING),
    ],
)
def test_exit_zero_means_finished(settings: Settings, keys: dict[str, Any], branch: Any, to: Status) -> None:
    """A finished run leads to review; with review off to publishing, or to done where nothing is to be published."""
    world = a_world(a_working("t", **keys), runs=[an_ended_run("t", commit="c1")], settings=settings)
    world = replace(world, branches={"t": branch} if branch else {})
    settled = [a for a in decide(world, NOW).actions if isinstance(a, SettleRun)]
    assert [(a.run, a.to, a.failed, a.stuck) for a in settled] == [("t-1", to, False, None)]


def test_paths_that_need_a_person_keep_review_on() -> None:
    """With review off, what touches such a path is reviewed, or may touch one for all one knows."""
    settings = Settings(review=ReviewSettings(by="none", require_approval_for=("migrations/**",)))
    world = a_world(a_working("t", branch="orange/t"), runs=[an_ended_run("t", commit="c1")], settings=settings)
    world = replace(world, branches={"t": tip("c1", unmerged=True)})
    assert only(world).to is Status.REVIEWING
    assert only(replace(world, changes={"t": Change(("migrations/1.sql",), 1)})).to is Status.REVIEWING
    assert only(replace(world, changes={"t": Change(("src/a.py",), 1)})).to is Status.REVIEWED


@pytest.mark.parametrize(
    ("run", "attempts", "expected"),
    [
        (an_ended_run("t", outcome=Outcome.FAILED, exit_code=3), 0, (Status.PENDING, True, None)),
        (an_ended_run("t", outcome=Outcome.FAILED), 2, (Status.STUCK, True, StuckReason.FAILED)),
        (an_ended_run("t", outcome=Outcome.STALLED), 0, (Status.PENDING, True, None)),
        (an_ended_run("t", outcome=Outcome.TIMEOUT), 1, (Status.PENDING, True, None)),
        (an_ended_run("t", outcome=Outcome.TIMEOUT), 2, (Status.STUCK, True, StuckReason.TIMEOUT)),
        (an_ended_run("t", outcome=Outcome.CRASHED), 0, (Status.PENDING, True, None)),
        (an_ended_run("t", outcome=Outcome.STOPPED), 2, (Status.PENDING, False, None)),
        (an_ended_run("t", outcome=Outcome.AGENT_MISSING), 0, (Status.STUCK, False, StuckReason.AGENT_MISSING)),
    ],
)
def test_failures_are_retried_then_need_someone(run: Run, attempts: int, expected: tuple[object, ...]) -> None:
    """Whatever ended a run, it is tried again while attempts are left, else the task is stuck with the reason."""
    action = only(a_world(replace(a_working("t"), attempts=attempts), runs=[run]))
    assert (action.to, action.failed, action.stuck) == expected
    assert action.reason


@pytest.mark.parametrize(
    ("said", "message"), [(None, "the run disappeared without a result"), ("no space left", "no space left")]
)
def test_a_vanished_run_gets_its_end_on_record_before_it_is_judged(said: str | None, message: str) -> None:
    """A run proven gone without a result crashed: that is written first, with what its supervisor complained of."""
    world = a_world(a_working("t"), runs=[a_run("t", message=said, **GONE_TWICE)])
    assert only(world) == CloseRun("t", "t-1", Outcome.CRASHED, message)
    kinds = [type(action) for action in settle_down(world).actions]
    assert kinds == [CloseRun, SettleRun]
    task = settle_down(world).world.board.tasks["t"]
    assert (task.status, task.attempts, task.held) == (Status.PENDING, 1, False)


def test_a_run_that_vanished_after_its_task_had_moved_on_did_not_fail() -> None:
    """A run that died while it was to end anyway has an end on record that counts for nothing."""
    task = a_task("t", Status.CANCELLED, claim=a_claim("t"), run="t-1")
    world = a_world(task, runs=[a_run("t", **GONE_TWICE)])
    assert only(world) == CloseRun("t", "t-1", Outcome.STOPPED, "it ended when its task was cancelled")
    settled = settle_down(world).world.board.tasks["t"]
    assert (settled.status, settled.attempts, settled.held) == (Status.CANCELLED, 0, False)


@pytest.mark.parametrize(("limits", "tries"), [(Limits(attempts=9), 3), (Limits(attempts=9, same_failure=5), 5)])
def test_crashing_again_and_again_is_no_progress(limits: Limits, tries: int) -> None:
    """Crashes count like any other failure: each is followed by its backoff, and alike ones in a row are stopped."""
    world, now, waits = a_world(a_task("t"), settings=Settings(limits=limits)), NOW, []
    for _ in range(tries):
        world = settle_down(world, now).world
        run = world.runs[f"t-{world.board.tasks['t'].epoch}"]
        world = settle_down(with_run(world, replace(run, **GONE_TWICE)), now).world
        wake = decide(world, now).wake_at
        waits.append(wake and wake - now)
        now = wake or now
    assert waits == [*[10, 20, 40, 80][: tries - 1], None]
    stuck = world.board.tasks["t"].stuck
    assert stuck is not None
    assert stuck.reason is StuckReason.NO_PROGRESS
    assert f"{tries} times in a row" in stuck.message


@pytest.mark.parametrize(("session", "looks"), [(Presence.UNKNOWN, 0), (Presence.GONE, 1), (Presence.UNKNOWN, 9)])
def test_a_run_is_not_given_away_before_it_is_proven_dead(session: Presence, looks: int) -> None:
    """A session that could not be looked at, or was missed once, is no dead agent."""
    assert nothing(a_world(a_working("t"), runs=[a_run("t", session=session, gone_looks=looks)]))


@pytest.mark.parametrize(
    ("kind", "commit", "to"),
    [
        (RequestKind.CONFLICT, "c1", Status.PENDING),
        (RequestKind.CONFLICT, "c2", Status.REVIEWING),
        (RequestKind.CHECKS, "c1", Status.PENDING),
        (RequestKind.CHANGES, "c1", Status.REVIEWING),
    ],
)
def test_a_run_that_mended_nothing_failed(kind: RequestKind, commit: str, to: Status) -> None:
    """Asked to mend a conflict or checks, ending well without a commit is a failed attempt, so that it cannot loop."""
    task = a_working("t", 2, request=a_request(kind))
    runs = [an_ended_run("t", 1, commit="c1"), an_ended_run("t", 2, commit=commit, message="all good")]
    action = only(a_world(task, runs=runs, branches={"t": tip(commit, unmerged=True)}))
    assert (action.to, action.failed) == (to, to is Status.PENDING)


RULES = (
    Rule("big", "reject", lines=100),
    Rule("secrets", "escalate", paths=("auth/**",)),
    Rule("wide", "require_human", files=2),
    Rule("tried", "escalate", failed_checks=2),
)


@pytest.mark.parametrize(
    ("change", "attempts", "to", "stuck", "asked"),
    [
        (Change(("a",), 5), 0, Status.REVIEWED, None, None),
        (Change(("a", "b", "c"), 5), 0, Status.REVIEWING, None, None),
        (Change(("a",), 500), 0, Status.PENDING, None, "the rule big says reject: 500 lines changed, more than 100"),
        (Change(("a",), 500), 2, Status.STUCK, StuckReason.APPROVAL, None),
        (Change(("auth/x",), 5), 0, Status.STUCK, StuckReason.APPROVAL, None),
        (None, 0, Status.REVIEWING, None, None),  # what is not known is looked at by a person
    ],
)
def test_rules_say_where_finished_work_goes(
    change: Change | None, attempts: int, to: Status, stuck: StuckReason | None, asked: str | None
) -> None:
    """Back to its agent while attempts are left, to somebody now, to a person's review, or on."""
    settings = Settings(review=ReviewSettings(by="none"), rules=RULES)
    world = a_world(
        a_working("t", 1, branch="orange/t", attempts=attempts),
        runs=[an_ended_run("t", 1, commit="c1")],
        branches={"t": tip("c1", unmerged=True)},
        settings=settings,
        changes={"t": change} if change else {},
    )
    action = only(world)
    assert (action.to, action.stuck, action.request) == (to, stuck, asked)
    assert action.failed is (to is Status.PENDING)


def test_a_rule_may_end_a_row_of_failed_checks() -> None:
    """Instead of one more attempt somebody is asked, and told by which rule."""
    runs = [an_ended_run("t", epoch, Outcome.CHECKS_FAILED, commit=f"c{epoch}") for epoch in (1, 2)]
    keys: dict[str, Any] = {"branches": {"t": tip("c2", unmerged=True)}, "settings": Settings(rules=RULES)}
    action = only(a_world(a_working("t", 2, branch="orange/t"), runs=runs, changes={"t": Change()}, **keys))
    assert (action.to, action.stuck) == (Status.STUCK, StuckReason.CHECKS_FAILED)
    assert "the rule tried says escalate: its checks did not pass 2 times" in action.reason


@pytest.mark.parametrize(("kind", "failed"), [(RequestKind.CHECKS, False), (RequestKind.CONFLICT, True)])
def test_checks_that_pass_now_are_mended(kind: RequestKind, failed: bool) -> None:
    """Where the checks passed without a commit (they fail now and then), what was asked for is there."""
    task = a_working("t", 2, request=a_request(kind))
    runs = [an_ended_run("t", 1, commit="c1"), an_ended_run("t", 2, commit="c1", checked=True)]
    assert only(a_world(task, runs=runs, branches={"t": tip("c1", unmerged=True)})).failed is failed


def test_a_run_whose_checks_failed_is_a_failed_attempt() -> None:
    """Its agent finished, and that is not enough."""
    run = an_ended_run("t", 1, Outcome.CHECKS_FAILED, commit="c1", message="the check tests did not pass")
    action = only(a_world(a_working("t", 1), runs=[run], branches={"t": tip("c1", unmerged=True)}))
    assert (action.to, action.failed) == (Status.PENDING, True)


@pytest.mark.parametrize(
    "status", [Status.STUCK, Status.CANCELLED, Status.DELEGATED, Status.PENDING, Status.BACKLOG, Status.DONE]
)
def test_a_status_that_was_set_during_the_run_stays(status: Status) -> None:
    """Where the agent, a person or a hand edit moved the task, its ended run changes nothing but the claim."""
    task = replace(a_stuck("t", StuckReason.QUESTION), status=status, claim=a_claim("t"), run="t-1", children=("c",))
    world = a_world(task, a_task("c", Status.BACKLOG, parent="t"), runs=[an_ended_run("t")], slots=0)
    settled = settle_down(world).world.board.tasks["t"]
    assert (settled.status, settled.held, settled.attempts) == (status, False, 0)


def test_a_person_that_gave_a_task_back_by_hand_lets_it_go() -> None:
    """A taken task that was set to another status in its file is released; while it is working it is theirs."""
    task = replace(a_working("t", person=True), status=Status.CANCELLED)
    assert only(a_world(task)) == SettleRun("t", "person-t-1", Status.CANCELLED, "its run is over, and it is cancelled")


# -- pausing


def failures(*tasks: str) -> list[Run]:
    """Make a failed run of each task, the first the oldest."""
    return [an_ended_run(task, outcome=Outcome.FAILED, ended_at=NOW - 50 + place) for place, task in enumerate(tasks)]


def test_failures_of_different_tasks_in_a_row_pause_dispatch() -> None:
    """Three different tasks failing in a row pause dispatch, and nothing starts in the same plan."""
    tasks = [a_task(i, claim=released(1), attempts=1) for i in "abc"]
    world = a_world(*tasks, a_task("fresh"), runs=failures(*"abc"))
    actions = decide(world, NOW).actions
    assert [type(action) for action in actions] == [PauseDispatch]
    assert all(task in actions[0].reason for task in "abc" if isinstance(actions[0], PauseDispatch))


@pytest.mark.parametrize(
    "dispatch",
    [
        Dispatch(paused=True, slots=3),
        Dispatch(draining=True, slots=3),
        Dispatch(slots=3, resumed_at=NOW - 49.5),
    ],
)
def test_a_pause_is_not_repeated(dispatch: Dispatch) -> None:
    """While paused, and for failures from before the last resume, nothing is paused again."""
    world = a_world(*(a_task(i, claim=released(1), attempts=1) for i in "abc"), runs=failures(*"abc"))
    assert not [a for a in decide(replace(world, dispatch=dispatch), NOW).actions if isinstance(a, PauseDispatch)]


def test_a_success_of_a_closed_task_breaks_the_row() -> None:
    """Runs of tasks that are done meanwhile count too, where they were gathered."""
    world = a_world(*(a_task(i, claim=released(1), attempts=1) for i in "abc"), runs=failures(*"abc"))
    success = an_ended_run("x", ended_at=NOW - 48.5)
    world = with_run(world, success)
    assert not [a for a in decide(world, NOW).actions if isinstance(a, PauseDispatch)]


# -- over time


def test_a_failing_task_is_tried_three_times_then_stuck() -> None:
    """Attempt, backoff of 10 s, attempt, backoff of 20 s, attempt, stuck: and every step is awaited, not polled."""
    settings = Settings(limits=Limits(attempts=3, same_failure=0, consecutive_failures=0))
    world, now, waits = a_world(a_task("t"), settings=settings), NOW, []
    for _ in range(3):
        world = settle_down(world, now).world
        run = world.runs[f"t-{world.board.tasks['t'].epoch}"]
        ended = replace(run, outcome=Outcome.FAILED, ended_at=now, session=Presence.GONE)
        world = settle_down(replace(world, runs={**world.runs, run.id: ended}), now).world
        wake = decide(world, now).wake_at
        waits.append(wake and wake - now)
        now = wake or now
    assert waits == [10, 20, None]
    task = world.board.tasks["t"]
    assert (task.status, task.attempts, task.epoch) == (Status.STUCK, 3, 3)
    assert task.stuck is not None
    assert task.stuck.reason is StuckReason.FAILED
