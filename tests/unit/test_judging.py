"""An agent's review: when it begins, what becomes of its run, what follows from its answer, what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core import actions as do
from orange.core.comments import APPROVED, CHANGES_REQUESTED, EVENT, REVIEW
from orange.core.judging import FAILED, PASSED, Conclusion, conclude, failed_in_a_row, give_up
from orange.core.landing import void_approval
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Claim, Outcome, Presence, RequestKind, Run, Task, World
from orange.core.reconcile import decide
from orange.core.reviews import Answer, Finding, run_of
from orange.core.rules import Change, Ruling
from orange.core.scene import Scene
from orange.core.settings import Limits, ReviewSettings, Settings
from orange.core.steps import Shape
from orange.core.storeports import Event
from orange.core.waiting import why
from orange.testing.worlds import (
    AT,
    HOST,
    NOW,
    a_request,
    a_run,
    a_task,
    a_world,
    an_ended_run,
    released,
    settle_down,
    tip,
)

BY_AGENT = Settings(review=ReviewSettings(by="agent"))
BOTH = Settings(review=ReviewSettings(by="both"))
MAJOR = Finding("major", "It is wrong", "a.py", 3)
RULING = Ruling("r", "require_human", "it touches a.py")
REVIEWER = run_of("a", 2)
ELSEWHERE = Claim("a-3", 3, "nonce", "there", AT)


def reviewing(**keys: Any) -> Task:
    """Make a task whose work is to be reviewed."""
    return a_task("a", Status.REVIEWING, **({"branch": "orange/a", "claim": released()} | keys))


def held(**keys: Any) -> Task:
    """Make one that a review holds."""
    claim = Claim(REVIEWER, 2, "nonce", HOST, AT)
    return reviewing(**({"claim": claim, "run": REVIEWER} | keys))


def review(outcome: Outcome | None = None, **keys: Any) -> Run:
    """Make the run of a review: under way, or ended."""
    make = a_run("a", 2, **({"id": REVIEWER, "agent": "claude"} | keys))
    return make if outcome is None else replace(make, outcome=outcome, ended_at=NOW - 60, session=Presence.GONE)


def world(task: Task, *runs: Run, settings: Settings = BY_AGENT, **keys: Any) -> World:
    """Make a world of one task whose branch is at `c1`."""
    work = an_ended_run("a", 1, commit="c1")
    known: dict[str, Any] = {"branches": {"a": tip("c1", unmerged=True)}, "settings": settings}
    return a_world(task, runs=(work, *runs), **(known | keys))


START, AGAIN_STARTED = do.StartRun("a", 1, review=True), do.StartRun("a", 2, review=True)
OF_CODEX = reviewing(agent="codex")


def names(reviewer: str) -> Settings:
    """Make settings whose pipeline names who reviews."""
    return replace(BY_AGENT, pipelines={"task": Shape(reviewer=reviewer)})


@pytest.mark.parametrize(
    ("found", "actions"),
    [
        (world(reviewing()), [START]),
        (world(reviewing(), settings=BOTH), [START]),
        (world(reviewing(), settings=Settings()), []),
        (world(reviewing(), settings=replace(BY_AGENT, pipelines={"task": Shape(review=False)})), []),
        (world(reviewing(assignee="human")), []),
        (world(reviewing(branch=None), branches={}), []),
        (world(reviewing(), slots=0), []),
        (world(OF_CODEX), []),  # is not at hand
        (world(reviewing(), settings=names("codex")), []),
        (world(OF_CODEX, settings=names("claude")), [START]),
        # asked for: the work itself is taken up again
        (world(reviewing(request=a_request(RequestKind.CHANGES))), [do.StartRun("a", 1, RequestKind.CHANGES)]),
        # has been given already, at this commit or at another one
        (world(reviewing(claim=released(2)), review(Outcome.FINISHED, commit="c1")), []),
        (world(reviewing(claim=released(2)), review(Outcome.FINISHED, commit="c0")), [AGAIN_STARTED]),
        # failed: again, after a while
        (world(reviewing(claim=released(2), attempts=1), review(Outcome.FAILED)), [AGAIN_STARTED]),
        (world(reviewing(claim=released(2), attempts=3), review(Outcome.FAILED, ended_at=None)),
         [AGAIN_STARTED]),
    ],
)  # fmt: skip
def test_a_review_begins_where_one_is_wanted(found: World, actions: list[do.Action]) -> None:
    """Of work as it is now that no agent has reviewed yet, where agents review and the agent is at hand."""
    assert list(decide(found, NOW).actions) == actions


def test_a_failed_review_waits_before_it_is_tried_again() -> None:
    """`why` says until when, and the daemon wakes up then."""
    just = replace(review(Outcome.FAILED), ended_at=NOW - 1)
    found = world(reviewing(claim=released(2), attempts=1), just)
    assert decide(found, NOW).actions == ()
    assert decide(found, NOW).start_at == NOW + 9
    (line,) = why(found.board.tasks["a"], found, NOW)
    assert (line.code, line.evidence) == ("backoff", REVIEWER)
    assert line.message.startswith("its review failed 1 of 3 times")


@pytest.mark.parametrize(
    ("task", "run", "actions"),
    [
        (held(), review(), []),
        (held(), None, [do.LaunchRun("a", REVIEWER)]),
        (held(), review(Outcome.FINISHED), [do.SettleReview("a", REVIEWER)]),
        (held(), review(Outcome.FAILED), [do.SettleReview("a", REVIEWER)]),
        (held(), review(session=Presence.UNKNOWN), []),
        (held(), review(session=Presence.GONE, gone_looks=1), []),
        (
            held(),
            review(session=Presence.GONE, gone_looks=2),
            [do.CloseRun("a", REVIEWER, Outcome.CRASHED, "the review disappeared without a result")],
        ),
        (held(), review(session=Presence.GONE, gone_looks=2, launched=False), [do.LaunchRun("a", REVIEWER)]),
        # somebody has decided meanwhile
        (held(status=Status.CANCELLED), review(), [do.StopRun("a", REVIEWER, "its task is cancelled")]),
        (held(status=Status.CANCELLED), None, [do.SettleReview("a", REVIEWER)]),
        (
            held(request=a_request(RequestKind.CHANGES)),
            review(),
            [do.StopRun("a", REVIEWER, "changes were requested")],
        ),
        (held(request=a_request(RequestKind.CHANGES)), review(Outcome.STOPPED), [do.SettleReview("a", REVIEWER)]),
        (held(claim=ELSEWHERE), review(), [do.StopRun("a", REVIEWER, "its task is held by a-3")]),
        # another machine's review is left alone
        (held(claim=Claim(REVIEWER, 2, "n", "there", AT)), None, []),
    ],
)  # fmt: skip
def test_a_review_under_way_is_looked_after(task: Task, run: Run | None, actions: list[do.Action]) -> None:
    """Launched, buried and concluded like any run, and ended where somebody has decided meanwhile."""
    found = world(task, *([run] if run else []))
    assert list(decide(found, NOW).actions) == actions


@pytest.mark.parametrize(
    ("settings", "answer", "earlier", "ruling", "conclusion"),
    [
        (BY_AGENT, Answer("PASS"), 0, None, Conclusion(Status.REVIEWED, "PASS without findings")),
        (BY_AGENT, Answer("PASS"), 0, RULING, Conclusion(Status.REVIEWING, f"PASS without findings; {RULING.message}")),
        (BOTH, Answer("PASS"), 0, None, Conclusion(Status.REVIEWING, "PASS without findings; a person decides")),
        (
            BY_AGENT,
            Answer("PASS", (MAJOR,)),
            0,
            None,
            Conclusion(
                Status.REVIEWING, "PASS with 1 major: a.py:3: It is wrong", request="a.py:3: major: It is wrong"
            ),
        ),
        (BOTH, Answer("FAIL", (), "No"), 0, RULING, Conclusion(Status.REVIEWING, "FAIL: No", request="No")),
        (
            BY_AGENT,
            Answer("FAIL", (), "No"),
            1,
            None,
            Conclusion(
                Status.STUCK, "review 2 of 2, the last, asks for changes to a: FAIL: No", stuck=StuckReason.APPROVAL
            ),
        ),
    ],
)
def test_what_follows_from_an_answer(
    settings: Settings, answer: Answer, earlier: int, ruling: Ruling | None, conclusion: Conclusion
) -> None:
    """Approved, left to a person, sent back with everything that was found, or, after the last round, stuck."""
    assert conclude(reviewing(), settings, answer, earlier, ruling) == conclusion


@pytest.mark.parametrize(
    ("outcome", "attempts", "senseless", "stuck", "failed"),
    [
        (Outcome.FAILED, 0, False, None, True),
        (Outcome.CRASHED, 1, False, None, True),
        (Outcome.STALLED, 2, False, StuckReason.FAILED, True),
        (Outcome.TIMEOUT, 2, False, StuckReason.TIMEOUT, True),
        (Outcome.FAILED, 0, True, StuckReason.FAILED, True),
        (Outcome.AGENT_MISSING, 0, False, StuckReason.AGENT_MISSING, False),
        (Outcome.RATE_LIMITED, 2, False, None, False),
        (Outcome.STOPPED, 2, False, None, False),
    ],
)
def test_what_follows_from_a_review_without_an_answer(
    outcome: Outcome, attempts: int, senseless: bool, stuck: StuckReason | None, failed: bool
) -> None:
    """It is tried again like any run, or the task needs someone; the message says what was wrong."""
    settings = replace(BY_AGENT, limits=Limits(attempts=3))
    found = give_up(reviewing(attempts=attempts), settings, outcome, "it went wrong.", senseless=senseless)
    assert (found.stuck, found.failed) == (stuck, failed)
    assert found.to is (Status.STUCK if stuck else Status.REVIEWING)
    assert found.message.startswith("its review came to nothing: it went wrong")


def said(by: str, **data: object) -> Event:
    """Make an event."""
    return Event(AT, EVENT, by, data)


AGAIN = said("daemon", **{REVIEW: FAILED})


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ([], 0),
        ([AGAIN, said("agent:a-1", status="reviewing"), AGAIN], 2),
        ([AGAIN, said("daemon", **{REVIEW: PASSED}), AGAIN], 2),
        ([AGAIN, said("person:ada", **{REVIEW: CHANGES_REQUESTED}), AGAIN], 1),
        ([AGAIN, said("person:ada", **{REVIEW: APPROVED})], 0),
        ([AGAIN, said("person:ada", status="reviewing", was="stuck")], 0),
        ([AGAIN, said("person:ada", **{REVIEW: "comment"})], 1),
    ],
)
def test_rounds_are_counted_since_a_person_decided(events: list[Event], count: int) -> None:
    """What people ask for is no agent's round, and begins a new row."""
    assert failed_in_a_row(events) == count


def test_an_agents_approval_is_not_a_persons() -> None:
    """It holds where agents review, at its commit; not where a person is needed by now."""
    task = a_task("a", Status.REVIEWED, branch="orange/a", approved=Approval("c1", f"agent:{REVIEWER}", AT))
    state = tip("c1", unmerged=True)

    def void(settings: Settings, **keys: Any) -> str | None:
        return void_approval(Scene(world(task, settings=settings, **keys), NOW), task, state)

    assert void(BY_AGENT) is None
    assert void(BOTH) == "an agent approved it, and a person is to review it too"
    careful = replace(BY_AGENT, review=ReviewSettings(by="agent", require_approval_for=("a.py",)))
    assert "it touches a.py" in (void(careful, changes={"a": Change(("a.py",), 1)}) or "")
    assert void(careful, changes={"a": Change(("b.py",), 1)}) is None


def test_who_waits_for_a_review_is_told_for_which() -> None:
    """For an agent that is at it, for its slot, or for a person, with what the agent said."""
    going = world(held(), review())
    (line,) = why(going.board.tasks["a"], going, NOW)
    assert (line.code, line.message, line.evidence) == ("review", "claude reviews it", REVIEWER)
    full = world(reviewing(), slots=0)
    assert [line.code for line in why(full.board.tasks["a"], full, NOW)] == ["slot"]
    done = world(
        reviewing(claim=released(2)), review(Outcome.FINISHED, commit="c1", message="PASS: Fine."), settings=BOTH
    )
    (line,) = why(done.board.tasks["a"], done, NOW)
    assert (line.code, line.message) == ("review", "it waits for a review; the review by claude: PASS: Fine")


@pytest.mark.parametrize(
    ("settings", "checked", "status", "asked"),
    [
        (BY_AGENT, True, Status.DONE, None),
        (BOTH, True, Status.REVIEWING, None),
        (BY_AGENT, False, Status.WORKING, RequestKind.CHANGES),
    ],
)
def test_a_review_leads_on(settings: Settings, checked: bool, status: Status, asked: RequestKind | None) -> None:
    """From its start to what follows, nothing is owed in between that is not done."""
    begun = settle_down(world(reviewing(), settings=settings)).world
    assert begun.board.tasks["a"].run == REVIEWER
    ended = replace(begun.runs[REVIEWER], outcome=Outcome.FINISHED, ended_at=NOW, commit="c1", checked=checked)
    after = settle_down(replace(begun, runs={**begun.runs, REVIEWER: ended}))
    task = after.world.board.tasks["a"]
    assert after.quiet
    assert (task.status, task.request.kind if task.request else None) == (status, asked)
