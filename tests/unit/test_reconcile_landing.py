"""The way of finished work into its base: approvals, the merge queue, work found integrated, bases that follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import Advance, CheckMerge, DropCandidate, FollowBase, Integrate, SendBack, StartRun
from orange.core.actions import Publish as PublishTask
from orange.core.checks import Check
from orange.core.graph import Graph
from orange.core.landing import ancestry_wanted, base_waits
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import (
    Approval,
    Base,
    BranchState,
    Merged,
    Outcome,
    Presence,
    Priority,
    Publish,
    RequestKind,
    Run,
    Task,
    World,
)
from orange.core.reconcile import decide
from orange.core.rules import Change
from orange.core.settings import ReviewSettings, Settings
from orange.core.sharing import Candidate
from orange.core.waiting import why
from orange.testing.worlds import (
    AT,
    NOW,
    YESTERDAY,
    a_candidate,
    a_claim,
    a_request,
    a_run,
    a_stuck,
    a_task,
    a_world,
    an_ended_run,
    carry_out,
    conflict,
    released,
    settle_down,
    tip,
    with_candidate,
)

NO_REVIEW = Settings(review=ReviewSettings(by="none"))
OWN = tip("c1", unmerged=True)
MERGED = tip("c1", unmerged=False)
BRANCHLESS = BranchState(None, unmerged=False)


def approved(commit: str = "c1", at: str = AT) -> Approval:
    """Make an approval."""
    return Approval(commit, "ada", at)


def a_reviewed(task_id: str = "t", **keys: Any) -> Task:
    """Make an approved task with a branch."""
    known: dict[str, Any] = {"claim": released(1), "branch": f"orange/{task_id}", "approved": approved()}
    return a_task(task_id, Status.REVIEWED, **(known | keys))


def landing(task: Task, state: BranchState | None = OWN, **keys: Any) -> World:
    """Make a world of one task and its branch, without slots."""
    known: dict[str, Any] = {"branches": {task.id: state} if state else {}, "slots": 0}
    return a_world(task, **(known | keys))


def owed(world: World) -> list[object]:
    """List (kind, to) of what is owed."""
    return [getattr(action, "to", type(action)) for action in decide(world, NOW).actions]


@pytest.mark.parametrize(
    ("task", "state", "settings", "expected"),
    [
        (a_reviewed(), OWN, Settings(), [Integrate]),
        (a_reviewed(), MERGED, Settings(), [Status.DONE]),
        (a_reviewed(), None, Settings(), []),
        (a_reviewed(publish=Publish.NONE), OWN, Settings(), [Status.DONE]),
        (a_reviewed(publish=Publish.BRANCH), OWN, Settings(), [PublishTask]),
        (a_reviewed(publish=Publish.PR), OWN, Settings(), []),
        (a_reviewed(publish=Publish.PR), MERGED, Settings(), [Status.DONE]),
        (a_reviewed(publish=Publish.MERGE), OWN, Settings(publish="pr"), [Integrate]),
        (a_reviewed(), OWN, Settings(publish="branch"), [PublishTask]),
        (a_reviewed(approved=approved("c0")), OWN, Settings(), [Status.REVIEWING]),
        (a_reviewed(approved=approved("c0")), MERGED, Settings(), [Status.REVIEWING]),
        (a_reviewed(approved=None), OWN, Settings(), [Status.REVIEWING]),
        (a_reviewed(approved=None), OWN, NO_REVIEW, [Integrate]),
        (a_reviewed(approved=None), MERGED, NO_REVIEW, [Status.DONE]),
        (a_reviewed(approved=approved("c0")), OWN, NO_REVIEW, [Status.REVIEWING]),
        (a_reviewed(branch=None, approved=approved("b0")), None, Settings(), [Status.DONE]),
    ],
)
def test_reviewed_tasks_go_into_their_base(
    task: Task, state: BranchState | None, settings: Settings, expected: list[object]
) -> None:
    """Approved work is merged, what is in the base already is done, and new commits void the approval."""
    assert owed(landing(task, state, settings=settings)) == expected


CHECKED = Settings(checks=(Check("tests", "pytest"),))


def checking(known: Candidate | None, run: Run | None = None, task: Task | None = None, **keys: Any) -> World:
    """Make a world of a reviewed task whose merge is checked by a run."""
    world = landing(task or a_reviewed(), **({"settings": CHECKED} | keys))
    return world if known is None else with_candidate(world, known, run or a_run("t", 0))


def a_candidate_of(**keys: Any) -> Candidate:
    """Make the candidate of `t` as it is."""
    return a_candidate("t", landing(a_reviewed(), settings=CHECKED), **keys)


def over(outcome: Outcome, *, checked: bool | None = None) -> Run:
    """Make a run of checks that has ended."""
    return a_run("t", 0, outcome=outcome, ended_at=NOW, checked=checked)


def lost(looks: int) -> Run:
    """Make a run of checks whose session was found gone so many times."""
    return a_run("t", 0, session=Presence.GONE, gone_looks=looks)


@pytest.mark.parametrize(
    ("known", "run", "expected"),
    [
        (None, None, [CheckMerge]),
        (a_candidate_of(), a_run("t", 0, session=Presence.THERE), []),
        (a_candidate_of(), a_run("t", 0, session=Presence.UNKNOWN), []),
        (a_candidate_of(), lost(1), []),
        (a_candidate_of(), lost(2), [CheckMerge]),
        (a_candidate_of(lost=1), lost(2), [CheckMerge]),
        (a_candidate_of(lost=2), lost(2), [DropCandidate, Status.STUCK]),
        (a_candidate_of(trouble="no disk"), a_run("t", 0), [CheckMerge]),
        (a_candidate_of(), over(Outcome.STOPPED), [CheckMerge]),
        (a_candidate_of(), over(Outcome.CRASHED), [CheckMerge]),
        (a_candidate_of(), over(Outcome.FINISHED, checked=True), [Integrate]),
        (a_candidate_of(), over(Outcome.FINISHED), [SendBack]),
        (a_candidate_of(), over(Outcome.CHECKS_FAILED, checked=False), [SendBack]),
        (a_candidate_of(), over(Outcome.FAILED), [SendBack]),
        # what passed is not what would be merged now
        (a_candidate_of(onto="base1"), over(Outcome.FINISHED, checked=True), [CheckMerge]),
        (a_candidate_of(tip="c0"), over(Outcome.FINISHED, checked=True), [CheckMerge]),
        (a_candidate_of(base="other"), over(Outcome.FINISHED, checked=True), [CheckMerge]),
        (a_candidate_of(checks="others"), over(Outcome.FINISHED, checked=True), [CheckMerge]),
    ],
)
def test_a_base_moves_only_to_what_passed_the_checks(
    known: Candidate | None, run: Run | None, expected: list[object]
) -> None:
    """Its merge is made, checked, and adopted or sent back; where that came to no result, or is outdated, anew."""
    assert owed(checking(known, run)) == expected


@pytest.mark.parametrize(
    ("task", "state", "dropped"),
    [
        (a_reviewed(), OWN, False),
        (a_reviewed(), None, False),  # not known is not "not wanted"
        (a_reviewed(approved=approved("c0")), OWN, True),
        (a_reviewed(), MERGED, False),  # it is done first: what its checks came to may be asked for
        (a_task("t", Status.DONE, branch="orange/t"), MERGED, True),
        (a_reviewed(request=a_request(RequestKind.CHECKS), approved=None), OWN, True),
        (a_task("t", Status.CANCELLED), OWN, True),
        (a_reviewed(publish=Publish.BRANCH), OWN, True),
        (a_reviewed("other"), OWN, True),
    ],
)
def test_checks_that_are_for_nothing_are_ended(task: Task, state: BranchState | None, dropped: bool) -> None:
    """When the task needs something else, or is gone, its merge is not checked any longer."""
    world = checking(a_candidate_of(), a_run("t", 0), task, branches={task.id: state} if state else {})
    assert (DropCandidate("t") in decide(world, NOW).actions) is dropped
    settled = settle_down(world)
    assert settled.quiet
    assert not settled.world.candidates or state is None or task == a_reviewed()


REQUIRED = replace(CHECKED, checks_required=True)
NONE_THERE = Settings(checks_required=True)


@pytest.mark.parametrize(
    ("task", "state", "settings", "checked_at", "expected", "says"),
    [
        (a_reviewed(), OWN, REQUIRED, None, [CheckMerge], None),
        (a_reviewed(), MERGED, REQUIRED, None, [], "none passed"),
        (a_reviewed(), MERGED, REQUIRED, "c1", [Status.DONE], None),
        (a_reviewed(), MERGED, REQUIRED, "c0", [], "none passed"),
        (a_reviewed(), OWN, NONE_THERE, "c1", [], "has none"),
        (a_reviewed(), OWN, NONE_THERE, None, [], "has none"),
        (a_reviewed(), MERGED, NONE_THERE, None, [], "has none"),
        (a_reviewed(publish=Publish.NONE), OWN, REQUIRED, None, [], "none passed"),
        (a_reviewed(publish=Publish.NONE), OWN, REQUIRED, "c1", [Status.DONE], None),
        (a_reviewed(publish=Publish.BRANCH), OWN, REQUIRED, None, [PublishTask], None),
        (a_reviewed(publish=Publish.BRANCH), MERGED, REQUIRED, None, [], "none passed"),
        (a_reviewed(branch=None, approved=approved("b0")), None, REQUIRED, None, [], "none passed"),
        (a_reviewed(branch=None, approved=approved("b0")), None, REQUIRED, "b0", [Status.DONE], None),
        (a_reviewed(approved=approved("c0")), MERGED, REQUIRED, None, [Status.REVIEWING], None),
    ],
)
def test_where_checks_are_required_nothing_is_done_without(  # noqa: PLR0917 - a table
    task: Task, state: BranchState | None, settings: Settings, checked_at: str | None, expected: list[object],
    says: str | None,
) -> None:  # fmt: skip
    """A merge is checked on its way; what is found in the base, or publishes nothing, needs a round that passed."""
    runs = [an_ended_run("t", commit=checked_at, checked=True)] if checked_at else []
    world = landing(task, state, settings=settings, runs=runs)
    assert owed(world) == expected
    lines = [line for line in why(task, world, NOW) if line.code == "checks_required"]
    assert [says in line.message for line in lines if says] == ([True] if says else [])
    assert settle_down(world).quiet


def test_a_commit_that_touches_what_needs_a_person_goes_back_to_review() -> None:
    """Although review is off: the rule is named, and an approval of that commit lets it on."""
    settings = replace(NO_REVIEW, review=ReviewSettings(by="none", require_approval_for=("auth/**",)))
    keys: dict[str, Any] = {"settings": settings, "changes": {"t": Change(("auth/x",), 1)}}
    (action,) = decide(landing(a_reviewed(approved=None), **keys), NOW).actions
    assert isinstance(action, Advance)
    assert action.to is Status.REVIEWING
    assert action.reason.endswith("review.require_approval_for says require human: it touches auth/x")
    (line,) = why(a_task("t", Status.REVIEWING, branch="orange/t"), landing(a_reviewed(), **keys), NOW)
    assert line.message.startswith("it waits for a review; the rule review.require_approval_for")
    assert owed(landing(a_reviewed(), **keys)) == [Integrate]
    harmless = keys | {"changes": {"t": Change(("src/x",), 1)}}
    assert owed(landing(a_reviewed(approved=None), **harmless)) == [Integrate]


def test_a_broken_file_ends_no_checks() -> None:
    """A task whose file cannot be read may still be what it was."""
    world = checking(a_candidate_of())
    world = replace(world, board=replace(world.board, tasks={}, frozen=frozenset({"t"})))
    assert decide(world, NOW).actions == ()


def test_checks_that_never_come_to_a_result_are_named() -> None:
    """What is in the way is said, and the task needs someone."""
    known = a_candidate_of(lost=2, trouble="the disk is full")
    stuck = settle_down(checking(known)).world.board.tasks["t"].stuck
    assert stuck
    assert stuck.reason is StuckReason.CHECKS_FAILED
    assert stuck.message == "the checks of its merge into main could not be carried out 3 times: the disk is full"


def test_one_merge_a_base_is_checked_at_a_time() -> None:
    """The one that is being checked stays first, whoever comes later; another base goes its own way."""
    tasks = [
        a_reviewed("low", priority=Priority.LOW),
        a_reviewed("high", priority=Priority.HIGH),
        a_reviewed("other", base="release"),
    ]
    bases = {name: Base(name, "base0", "base0") for name in ("main", "release")}
    world = a_world(*tasks, branches={task.id: OWN for task in tasks}, slots=0, settings=CHECKED, bases=bases)
    world = with_candidate(world, a_candidate("low", world), a_run("low", 0, id="low-c0"))
    assert decide(world, NOW).actions == (CheckMerge("other", "release"),)
    lines = {task.id: why(task, world, NOW) for task in tasks[:2]}
    assert [(task, line.code, line.since, line.evidence) for task, (line,) in lines.items()] == [
        ("low", "checking", AT, "merge-low"),
        ("high", "merge_queue", AT, "low"),
    ]
    assert lines["low"][0].message == "its merge into main is being checked (tests); 1 wait behind it"
    expected = f"1 before it in the queue into main; the merge of low is being checked since {AT}"
    assert lines["high"][0].message == expected


def test_with_checks_the_queue_is_worked_off_in_order() -> None:
    """Every merge is checked and adopted before the next one is made."""
    tasks = [a_reviewed("a", approved=approved(at=YESTERDAY)), a_reviewed("b")]
    world = a_world(*tasks, branches={task.id: OWN for task in tasks}, slots=0, settings=CHECKED)
    done = settle_down(world)
    kinds = [(type(action), action.task) for action in done.actions if isinstance(action, CheckMerge | Integrate)]
    assert kinds == [(CheckMerge, "a"), (Integrate, "a"), (CheckMerge, "b"), (Integrate, "b")]
    assert done.quiet
    assert not done.world.candidates


def test_a_void_approval_says_which_commits() -> None:
    """The reason names the approved commit and where the branch is now."""
    (action,) = decide(landing(a_reviewed(approved=approved("c0"))), NOW).actions
    assert isinstance(action, Advance)
    assert "c0" in action.reason
    assert "c1" in action.reason
    after = settle_down(landing(a_reviewed(approved=approved("c0")))).world.board.tasks["t"]
    assert (after.status, after.approved) == (Status.REVIEWING, None)


@pytest.mark.parametrize(
    "keys",
    [{"request": a_request(RequestKind.CONFLICT), "approved": None}, {"claim": a_claim("t", host="there")}],
)
def test_a_reviewed_task_that_waits_for_its_agent_is_not_merged(keys: dict[str, Any]) -> None:
    """A conflict or requested changes wait for a slot with the status kept; a claimed task is its holder's."""
    assert owed(landing(a_reviewed(**keys))) == []


def test_nothing_is_merged_while_a_run_of_the_task_may_live() -> None:
    """The branch may still move while a run could be alive."""
    for session in (Presence.UNKNOWN, Presence.GONE):
        assert owed(landing(a_reviewed(), runs=[a_run("t", session=session)])) == []


def test_one_merge_a_base_in_order() -> None:
    """Each plan merges one task into each base: by priority, then by when it was approved."""
    tasks = [
        a_reviewed("late", approved=approved(at=AT)),
        a_reviewed("early", approved=approved(at=YESTERDAY)),
        a_reviewed("low", approved=approved(at=YESTERDAY), priority=Priority.LOW),
        a_reviewed("other", base="release"),
    ]
    world = a_world(*tasks, branches={task.id: OWN for task in tasks}, slots=0)
    assert decide(world, NOW).actions == (Integrate("early", "main"), Integrate("other", "release"))
    order = [action.task for action in settle_down(world).actions if isinstance(action, Integrate)]
    assert order == ["early", "other", "late", "low"]
    codes = {i: [line.code for line in why(task, world, NOW)] for i, task in world.board.tasks.items()}
    assert codes == {"late": ["merge_queue"], "early": [], "low": ["merge_queue"], "other": []}


def test_a_missing_base_is_waited_for() -> None:
    """A base that does not exist takes nothing, and the reason says so."""
    world = landing(a_reviewed(base="gone"), bases={"gone": Base("gone", None, None)})
    assert owed(world) == []
    (reason,) = why(world.board.tasks["t"], world, NOW)
    assert (reason.code, reason.evidence) == ("base_missing", "gone")


def test_a_conflict_goes_back_to_the_agent_and_comes_again() -> None:
    """A conflict is a request: it waits for a slot, is worked on, reviewed again, and merged."""
    world = landing(a_reviewed())
    (action,) = decide(world, NOW).actions
    assert isinstance(action, Integrate)
    world = conflict(world, action)
    assert owed(world) == []
    assert [line.code for line in why(world.board.tasks["t"], world, NOW)] == ["request", "slot"]
    free = replace(world, dispatch=replace(world.dispatch, slots=1))
    assert decide(free, NOW).actions == (StartRun("t", 1, RequestKind.CONFLICT),)
    after = carry_out(free, decide(free, NOW))
    assert after.board.tasks["t"].status is Status.WORKING
    assert after.board.tasks["t"].request is not None


# -- found integrated


@pytest.mark.parametrize(
    ("presence", "expected"),
    [(Presence.THERE, [Status.DONE]), (Presence.GONE, [Status.STUCK]), (Presence.UNKNOWN, [])],
)
@pytest.mark.parametrize("by", ["approval", "run"])
def test_a_branch_that_is_gone_was_merged_or_is_lost(presence: Presence, expected: list[object], by: str) -> None:
    """Merged and deleted by hand: done. Lost with its commit nowhere: someone is needed. Not known: nothing."""
    task = a_reviewed() if by == "approval" else a_reviewed(approved=None)
    runs = [an_ended_run("t", commit="c1")]
    world = landing(task, BRANCHLESS, runs=runs, settings=NO_REVIEW)
    assert ancestry_wanted(world, Graph(world.board)) == {("c1", "main")}
    assert owed(replace(world, ancestry={("c1", "main"): presence})) == expected
    assert owed(world) == []
    assert [line.code for line in why(task, world, NOW)] == ["unknown"]


@pytest.mark.parametrize("task", [a_reviewed(approved=approved("none")), a_reviewed(publish=Publish.NONE)])
def test_without_any_commit_there_is_nothing_to_publish(task: Task) -> None:
    """A task that never had a commit of its own is done with nothing published."""
    assert owed(landing(task, BRANCHLESS)) == [Status.DONE]


@pytest.mark.parametrize(
    ("reason", "keys", "state", "done"),
    [
        (StuckReason.CONFLICT, {}, MERGED, True),
        (StuckReason.CONFLICT, {}, OWN, False),
        (StuckReason.CONFLICT, {}, tip("c7", unmerged=False), False),  # not what any run left there
        (StuckReason.CONFLICT, {}, BRANCHLESS, False),
        (StuckReason.CONFLICT, {}, None, False),
        (StuckReason.CONFLICT, {"merged": Merged("m", "main", AT)}, MERGED, False),  # rolled back
        (StuckReason.CONFLICT, {"request": a_request(RequestKind.RUN)}, MERGED, False),
        (StuckReason.APPROVAL, {"approved": approved("c1")}, MERGED, True),
        (StuckReason.APPROVAL, {"approved": approved("c0")}, MERGED, False),
        (StuckReason.APPROVAL, {}, MERGED, False),
        (StuckReason.CHECKS_FAILED, {}, MERGED, False),  # a branch without work of its own proves nothing
        (StuckReason.CONFLICT, {"request": a_request(RequestKind.CONFLICT)}, MERGED, True),
        (StuckReason.CHECKS_FAILED, {"request": a_request(RequestKind.CHECKS)}, MERGED, False),
        (StuckReason.FAILED, {}, MERGED, False),
        (StuckReason.QUESTION, {}, MERGED, False),
        (StuckReason.MANUAL, {"approved": approved("c1")}, MERGED, False),
    ],
)
def test_stuck_work_that_was_merged_by_hand_is_found(
    reason: StuckReason, keys: dict[str, Any], state: BranchState | None, done: bool
) -> None:
    """A stuck task closes only on proof that its own finished work is in the base."""
    task = a_stuck("t", reason, claim=released(1), branch="orange/t", **keys)
    world = landing(task, state, runs=[an_ended_run("t", commit="c1")])
    assert owed(world) == ([Status.DONE] if done else [])


def test_a_merge_that_failed_its_checks_may_be_merged_by_hand() -> None:
    """What passed alone and was then merged by a person is in the base."""
    task = a_stuck("t", StuckReason.CHECKS_FAILED, claim=released(1), branch="orange/t")
    task = replace(task, request=a_request(RequestKind.CHECKS))
    runs = [an_ended_run("t", commit="c1", checked=True)]
    assert owed(landing(task, MERGED, runs=runs)) == [Status.DONE]
    assert owed(landing(task, OWN, runs=runs)) == []


# -- bases


@pytest.mark.parametrize(
    ("base", "followed"),
    [
        (Base("main", "i", "b"), False),
        (Base("main", "i", "b", behind=2), True),
        (Base("main", "i", "b", ahead=1), True),
        (Base("main", "i", "b", behind=2, reason="README.md has changes"), False),
        (Base("main", "i", "b", behind=2, reason="README.md has changes", tried_at=NOW - 14), False),
        (Base("main", "i", "b", behind=2, reason="README.md has changes", tried_at=NOW - 15), True),
        (Base("main", "i", "b", reason="README.md has changes", tried_at=NOW - 99), False),
    ],
)
def test_the_users_branch_follows(base: Base, followed: bool) -> None:
    """A base that is behind or ahead is followed; what is in the way is shown, and looked for again after a while."""
    world = a_world(bases={"main": base})
    assert decide(world, NOW).actions == ((FollowBase("main"),) if followed else ())
    shown = [line.code for line in base_waits(world)]
    assert shown == (["base_behind"] if base.reason and base.behind else [])


def test_a_hindered_branch_is_tried_again_in_time() -> None:
    """The plan says when to look again at what was in the way."""
    base = Base("main", "i", "b", behind=2, reason="README.md has changes", tried_at=NOW - 5)
    assert decide(a_world(bases={"main": base}), NOW).wake_at == NOW + 10


def test_a_base_is_not_followed_while_it_is_merged_into() -> None:
    """Integrating follows by itself; the two are not asked for at once."""
    world = landing(a_reviewed(), bases={"main": Base("main", "i", "b", behind=1), "x": Base("x", "i", "b", ahead=1)})
    assert decide(world, NOW).actions == (Integrate("t", "main"), FollowBase("x"))


# -- what dependants see


def chain(merged: Merged | None, **keys: Any) -> World:
    """Make a world of a done blocker and its dependant."""
    blocker = a_task("a", Status.DONE, merged=merged)
    return a_world(blocker, a_task("b", blocked_by=("a",), **keys.pop("task", {})), **keys)


MERGE = Merged("m1", "main", AT)


@pytest.mark.parametrize(
    ("merged", "state", "starts"),
    [
        (None, None, True),
        (MERGE, tip("c1", unmerged=False, integrated=Presence.THERE), True),
        (MERGE, tip("c1", unmerged=False, integrated=Presence.GONE), False),
        (MERGE, tip("c1", unmerged=False, integrated=Presence.UNKNOWN), False),
        (MERGE, None, False),
    ],
)
def test_done_means_integrated_where_the_dependant_is_cut(
    merged: Merged | None, state: BranchState | None, starts: bool
) -> None:
    """A dependant starts when its blocker's commit is in its base, or when nothing was published."""
    world = chain(merged, branches={"a": state} if state else {})
    assert decide(world, NOW).actions == ((StartRun("b", 0),) if starts else ())
    codes = [line.code for line in why(world.board.tasks["b"], world, NOW)]
    assert codes == ([] if starts else ["blocker_not_merged"])


@pytest.mark.parametrize("presence", Presence)
def test_another_base_is_asked_for_by_name(presence: Presence) -> None:
    """A dependant cut from another base waits until that base contains the commit; the pair to look up is named."""
    world = chain(MERGE, task={"base": "release"})
    assert ancestry_wanted(world, Graph(world.board)) == {("m1", "release")}
    world = replace(world, ancestry={("m1", "release"): presence})
    assert bool(decide(world, NOW).actions) is (presence is Presence.THERE)
    if presence is Presence.GONE:
        (reason,) = why(world.board.tasks["b"], world, NOW)
        assert "merged into main" in reason.message
        assert "release" in reason.message


def test_ordinary_worlds_want_no_ancestry() -> None:
    """Nothing needs to be looked up while everything has one base."""
    assert ancestry_wanted(chain(MERGE), Graph(chain(MERGE).board)) == frozenset()
