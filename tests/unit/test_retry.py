"""Backoff, failure signatures, verdicts, and when failures pause dispatch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core.lifecycle import StuckReason
from orange.core.model import Outcome, RequestKind, Run, Task
from orange.core.retry import (
    backoff,
    backoff_end,
    failing_tasks,
    pause_reason,
    remembered,
    row_began,
    signature,
    verdict,
)
from orange.core.settings import Limits
from orange.testing.worlds import NOW, a_request, a_working, an_ended_run

FAILED = Outcome.FAILED


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(-1, 0), (0, 0), (1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 300), (10**9, 300)]
)
def test_backoff_doubles_from_ten_seconds_to_five_minutes(attempts: int, seconds: int) -> None:
    """The wait after the n-th failed attempt doubles from 10 s and never exceeds 5 min."""
    assert backoff(attempts) == seconds


def test_backoff_starts_when_the_failed_run_ended() -> None:
    """A task waits from its run's recorded end, so that restarts change nothing; after a success it does not wait."""
    task = replace(a_working("t"), attempts=2)
    assert backoff_end(task, an_ended_run("t", outcome=FAILED, ended_at=NOW)) == NOW + 20
    assert backoff_end(task, an_ended_run("t", outcome=FAILED, ended_at=None)) is None
    assert backoff_end(task, an_ended_run("t", outcome=Outcome.FINISHED)) is None
    assert backoff_end(task, an_ended_run("t", outcome=Outcome.STOPPED)) is None
    assert backoff_end(replace(task, attempts=0), an_ended_run("t", outcome=FAILED)) is None
    assert backoff_end(task, None) is None


LOG = """collecting ...
\x1b[31m2026-11-20 09:00:01,123 ERROR worker 4242 at 0x7f3a9c: /home/ada/p.workspaces/x-abc/src/a.py:17: refused\x1b[0m
FAILED tests/test_a.py::test_x - AssertionError: 3 != 4 (took 1.23s)
commit 9fceb02d0ae598e95dc970b74767f19372d61af8 id 123e4567-e89b-12d3-a456-426614174000
"""
AGAIN = """collecting ...
2027-01-03 23:59:59,999 ERROR worker 17 at 0xdeadbeef: /tmp/other-place/y-def/src/a.py:99: refused
FAILED lib/elsewhere/test_a.py::test_x - AssertionError: 10 != 11 (took 93.4s)
commit 1111111 id 00000000-e89b-12d3-a456-426614174000
"""


def test_equal_failures_have_equal_signatures() -> None:
    """Times, numbers, addresses, ids, paths and colours are taken out of the telling lines."""
    assert signature(LOG) == signature(AGAIN)
    assert signature(LOG) == signature("much output\n" * 9000 + LOG)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Error: connection refused", "Error: permission denied"),
        ("TypeError: x", "ValueError: x"),
        ("fatal: bad", ""),
        ("ended quietly", "said goodbye"),
    ],
)
def test_different_failures_differ(one: str, other: str) -> None:
    """What a person would call another failure has another signature."""
    assert signature(one) != signature(other)


@given(st.text())
def test_any_output_has_a_signature(text: str) -> None:
    """Whatever a program printed, its signature is twelve hexadecimal digits."""
    assert len(signature(text)) == 12
    assert int(signature(text), 16) >= 0


def test_one_endless_line_is_judged_at_once() -> None:
    """A line of megabytes does not keep the daemon busy."""
    assert signature("a" * 500_000) == signature("a" * 400)
    assert len(signature("a/" * 200_000 + "\x1b]" * 1000)) == 12


def judge(
    outcome: Outcome, attempts: int, *earlier: Run, request: RequestKind | None = None, limits: Limits | None = None
) -> tuple[StuckReason | None, bool]:
    """Return the verdict on a run of a task with so many failed attempts."""
    task: Task = replace(a_working("t", 9), attempts=attempts, request=a_request(request) if request else None)
    run = an_ended_run("t", 9, outcome, signature="s9", commit="c9")
    found = verdict(task, run, earlier, limits or Limits(attempts=5, same_failure=3))
    assert found.message
    return found.stuck, found.failed


def like(epoch: int, outcome: Outcome = FAILED, *, looks: str = "s9", commit: str | None = "c9") -> Run:
    """Make an earlier run."""
    return an_ended_run("t", epoch, outcome, signature=looks, commit=commit)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.FAILED, StuckReason.FAILED),
        (Outcome.STALLED, StuckReason.FAILED),
        (Outcome.CRASHED, StuckReason.FAILED),
        (Outcome.TIMEOUT, StuckReason.TIMEOUT),
        (Outcome.CHECKS_FAILED, StuckReason.CHECKS_FAILED),
    ],
)
def test_attempts_are_counted(outcome: Outcome, reason: StuckReason) -> None:
    """A failure is tried again while attempts are left; the last one needs someone, and says how it ended."""
    assert judge(outcome, 3) == (None, True)
    assert judge(outcome, 4) == (reason, True)
    assert judge(outcome, 0, limits=Limits(attempts=1)) == (reason, True)


def test_a_missing_agent_needs_someone_at_once() -> None:
    """Trying again does not install a program; no attempt is used up."""
    assert judge(Outcome.AGENT_MISSING, 0) == (StuckReason.AGENT_MISSING, False)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (RequestKind.CONFLICT, StuckReason.CONFLICT),
        (RequestKind.CHECKS, StuckReason.CHECKS_FAILED),
        (RequestKind.CHANGES, StuckReason.FAILED),
    ],
)
def test_what_could_not_be_mended_is_named(kind: RequestKind, reason: StuckReason) -> None:
    """When the attempts went into mending a conflict or checks, that is what the task is stuck on."""
    assert judge(FAILED, 4, request=kind) == (reason, True)


@pytest.mark.parametrize(
    ("attempts", "earlier", "stuck"),
    [
        (2, (like(8), like(7)), True),
        (2, (like(8, commit="c8"), like(7, commit="c7")), True),  # the same failure, whatever was committed
        (2, (like(8, looks="x"), like(7, looks="y")), True),  # an unchanged diff, whatever it looked like
        (2, (like(8, looks="x", commit="c8"), like(7)), False),  # something else in between
        (1, (like(8), like(7)), False),  # only one failure since the last manual retry
        (2, (like(8),), False),
        (2, (like(8), like(7, Outcome.FINISHED)), False),  # a success in between
        (2, (like(8), like(7, Outcome.STOPPED), like(6)), True),  # told to end: says nothing
    ],
)
def test_no_progress_is_stopped_early(attempts: int, earlier: tuple[Run, ...], stuck: bool) -> None:
    """The same failure, or an unchanged branch, `same_failure` times in a row needs someone before attempts run out."""
    found, _ = judge(FAILED, attempts, *earlier)
    assert found is (StuckReason.NO_PROGRESS if stuck else None)


def test_checks_that_fail_the_same_way_are_named_as_such() -> None:
    """The same failing check again and again stops early too; what is said is which check."""
    earlier = (like(8, Outcome.CHECKS_FAILED), like(7, Outcome.CHECKS_FAILED))
    assert judge(Outcome.CHECKS_FAILED, 2, *earlier) == (StuckReason.CHECKS_FAILED, True)


def test_after_failed_checks_the_agent_goes_on_at_once() -> None:
    """Waiting mends nothing there, unlike after a crash."""
    task = replace(a_working("t", 9), attempts=1)
    assert backoff_end(task, an_ended_run("t", 9, Outcome.CHECKS_FAILED)) is None
    assert backoff_end(task, an_ended_run("t", 9, Outcome.CRASHED)) is not None


def test_crashes_without_any_commit_are_no_pattern() -> None:
    """Runs that left neither signature nor commit are not alike for that."""
    task = replace(a_working("t", 9), attempts=2)
    run = an_ended_run("t", 9, Outcome.CRASHED)
    earlier = (an_ended_run("t", 8, Outcome.CRASHED), an_ended_run("t", 7, Outcome.CRASHED))
    assert verdict(task, run, earlier, Limits(attempts=9)).stuck is None


def ended(task: str, at: float, outcome: Outcome = FAILED) -> Run:
    """Make a run that ended at an instant."""
    return an_ended_run(task, int(at), outcome, ended_at=at)


@pytest.mark.parametrize(
    ("runs", "since", "failing"),
    [
        ([ended("a", 1), ended("b", 2), ended("c", 3)], None, ("c", "b", "a")),
        ([ended("a", 1), ended("a", 2), ended("b", 3)], None, ("b", "a")),
        ([ended("a", 1), ended("b", 2, Outcome.FINISHED), ended("c", 3)], None, ("c",)),
        ([ended("a", 1), ended("b", 2, Outcome.STOPPED), ended("c", 3)], None, ("c", "a")),
        ([ended("a", 1), ended("b", 2), ended("c", 3)], 2, ("c",)),
        ([ended("a", 1), ended("b", 2, Outcome.AGENT_MISSING)], None, ("b", "a")),
        ([], None, ()),
    ],
)
def test_failures_in_a_row(runs: list[Run], since: float | None, failing: tuple[str, ...]) -> None:
    """Different tasks failing one after the other are counted back to the last success or resume."""
    assert failing_tasks(runs, since) == failing


def test_what_would_end_a_row_lies_after_the_failure_that_completes_it() -> None:
    """From the failure on that makes the row long enough, counted back from now, a success would break it."""
    runs = [ended("a", 1), ended("b", 2), ended("a", 3), ended("c", 4), ended("d", 5)]
    assert row_began(runs, None, Limits(consecutive_failures=3)) == 3
    assert row_began(runs, None, Limits(consecutive_failures=4)) == 2
    assert row_began(runs, None, Limits(consecutive_failures=5)) is None
    assert row_began(runs, 3, Limits(consecutive_failures=3)) is None
    assert row_began(runs, None, Limits(consecutive_failures=0)) is None


@pytest.mark.parametrize(
    ("limits", "attempts"),
    [
        (Limits(), 3),
        (Limits(attempts=9, same_failure=5), 5),
        (Limits(attempts=4, same_failure=9), 4),  # the attempts are used up before
        (Limits(same_failure=0), 2),  # whether the last one mended anything
    ],
)
def test_as_much_is_remembered_as_the_limits_compare(limits: Limits, attempts: int) -> None:
    """So many attempts as may have to look alike are kept in mind, and never fewer than two."""
    assert remembered(limits) == attempts


def test_pausing_names_the_tasks() -> None:
    """So many different tasks failing in a row are a reason to pause, and the reason names them."""
    runs = [ended("a", 1), ended("b", 2), ended("c", 3)]
    reason = pause_reason(runs, None, Limits(consecutive_failures=3))
    assert reason == "3 different tasks failed in a row: c, b, a"
    assert pause_reason(runs, None, Limits(consecutive_failures=4)) is None
    assert pause_reason(runs, 1, Limits(consecutive_failures=3)) is None
    assert pause_reason([], None, Limits(consecutive_failures=0)) is None
