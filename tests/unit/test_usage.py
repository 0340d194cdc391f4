"""What runs used, added up, compared with estimates, and drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orange.cli.chart import bars
from orange.core.allowance import Bill
from orange.core.model import Outcome
from orange.core.usage import Sum, Used, add, by, compared, minutes

BEGAN = 1_795_176_000.0  # 2026-11-20T12:00:00Z
DONE = Used("a2b3c4d5-1", "a2b3c4d5", "api", "Api", "claude", "big", 1, BEGAN, BEGAN + 90, Outcome.FINISHED, 100, 0.5)
FAILED = replace(DONE, run="a2b3c4d5-2", outcome=Outcome.TIMEOUT, ended_at=BEGAN + 30, tokens=20, usd=None)
LIVE = replace(DONE, run="b2b3c4d5-1", task="b2b3c4d5", outcome=None, ended_at=None, agent="codex")


def test_runs_add_up_and_a_live_one_counts_up_to_now() -> None:
    """Time, tokens and money are summed; what an agent did not tell of counts as nothing."""
    assert add([DONE, FAILED, LIVE], BEGAN + 60) == Sum(3, 1, Bill(1.5 + 0.5 + 1.0, 220, 1.0))
    assert add([], BEGAN) == Sum(0, 0, Bill())


@pytest.mark.parametrize(
    ("started", "ended", "wanted"), [(None, 60.0, 0.0), (60.0, None, 0.0), (0.0, 90.0, 1.5), (90.0, 0.0, 0.0)]
)
def test_time_that_is_not_known_or_runs_backwards_is_none(
    started: float | None, ended: float | None, wanted: float
) -> None:
    """A clock that was set back makes nothing negative."""
    assert minutes(started, ended) == wanted


@pytest.mark.parametrize("outcome", Outcome)
def test_a_failure_is_what_uses_up_an_attempt_or_cannot_be_started(outcome: Outcome) -> None:
    """A run that was told to end, or waits for a limit or an approval, has not failed."""
    neither = {Outcome.FINISHED, Outcome.STOPPED, Outcome.RATE_LIMITED, Outcome.APPROVAL}
    assert replace(DONE, outcome=outcome).failed is (outcome not in neither)


def test_runs_are_put_together_by_what_they_have_in_common() -> None:
    """Groups keep the order in which they first appear; a run belongs to the UTC day on which it began."""
    late = replace(DONE, started_at=BEGAN + 12 * 3600)
    assert {day: len(runs) for day, runs in by(lambda run: run.day, [DONE, late, LIVE]).items()} == {
        "2026-11-20": 2,
        "2026-11-21": 1,
    }
    assert list(by(lambda run: run.agent, [LIVE, DONE])) == ["codex", "claude"]


def test_estimates_are_compared_sizes_first_then_durations_by_length() -> None:
    """Each has the least, the middle and the most its tasks took; a duration has its minutes."""
    found = compared([("2h", 60.0), ("M", 9.0), ("90s", 1.0), ("XS", 2.0), ("M", 3.0), ("M", 4.0)])
    assert [(line.estimate, line.minutes, line.tasks, line.least, line.median, line.most) for line in found] == [
        ("XS", None, 1, 2.0, 2.0, 2.0),
        ("M", None, 3, 3.0, 4.0, 9.0),
        ("90s", 1.5, 1, 1.0, 1.0, 1.0),
        ("2h", 120.0, 1, 60.0, 60.0, 60.0),
    ]


def test_bars_are_as_long_as_their_values_and_fit_the_screen() -> None:
    """The longest fills the room; little is seen; nothing is not."""
    rows = [("a", 8.0, "8"), ("b", 4.0, "4"), ("c", 0.01, "0.01"), ("d", 0.0, "")]
    assert bars(rows, 16, fine=False) == ["a ######## 8", "b #### 4", "c # 0.01", "d"]
    assert bars(rows, 17, fine=True) == ["a █████████ 8", "b ████▌ 4", "c ▏ 0.01", "d"]


@pytest.mark.parametrize("width", [None, 1, 5, 20, 60, 200])
def test_no_line_of_a_chart_is_longer_than_the_screen(width: int | None) -> None:
    """Labels and words are never cut; bars give way."""
    rows = [("2026-11-20", 1e9, "1,000,000,000 tokens"), ("2026-11-21", 0.0, "")]
    longest = max(map(len, bars(rows, width, fine=True)))
    assert longest <= max(width or 80, len("2026-11-20 x 1,000,000,000 tokens"))
    assert bars([], width, fine=True) == []
    assert bars([("x", 0.0, "0")], width, fine=True) == ["x  0"]
