"""Stamps, durations and ages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core import times
from orange.core.problems import InvalidInput

NOON = 1795176000.0


@given(st.integers(-62135596800, 253402300799))
def test_stamps_agree_with_the_calendar(moment: int) -> None:
    """A stamp is what the calendar says, and is read back as the same second."""
    expected = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    assert times.stamp(moment) == expected
    assert times.seconds(expected) == moment
    assert times.normal(expected) == expected


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20T12:00:00z", NOON),
        ("2026-11-20t13:30:00+01:30", NOON),
        ("2026-11-19T23:00:00-13:00", NOON),
        ("2026-11-20T12:00:00.25Z", NOON + 0.25),
        ("2024-02-29T00:00:00Z", 1709164800.0),
        ("2016-12-31T23:59:60Z", 1483228800.0),
        ("1970-01-01T00:00:00Z", 0.0),
    ],
)
def test_seconds(text: str, moment: float) -> None:
    """RFC 3339 with Z, an offset, a fraction, a leap day or leap second is read."""
    assert times.seconds(text) == moment
    assert times.is_time(text)
    assert times.normal(text) == text if text == "2026-11-20T12:00:00Z" else times.normal(text) == times.stamp(moment)


NO_TIMES = (
    ["", "2026-11-20", "2026-11-20 12:00:00Z", "2026-11-20T12:00:00", "2026-11-20T12:00Z",
     "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
     "2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T12:60:00Z",
     "2026-11-20T12:00:61Z", "0000-01-01T00:00:00Z", "26-11-20T12:00:00Z",
     "2026-11-20T12:00:00+25:00", "٢026-11-20T12:00:00Z", "2026-11-20T12:00:00Z\n"]
)  # fmt: skip


def test_what_is_no_time() -> None:
    """What is not exactly a time is refused, and named."""
    assert not [text for text in NO_TIMES if times.is_time(text) or times.normal(text) is not None]
    with pytest.raises(InvalidInput, match="2026-11-20T09:00:00Z"):
        times.seconds(NO_TIMES[1])


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), -1e12, 1e12])
def test_stamps_end_with_the_calendar(moment: float) -> None:
    """What four digits of year cannot say is refused."""
    with pytest.raises(InvalidInput):
        times.stamp(moment)


@pytest.mark.parametrize(
    ("text", "length"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("14d", 1209600), ("0s", 0), ("1d", 86400), ("61m", 3660)],
)
def test_durations(text: str, length: int) -> None:
    """A duration is read, and written in its largest whole unit."""
    assert times.duration(text) == length
    assert times.duration(times.duration_text(length)) == length


@pytest.mark.parametrize(
    ("length", "text"), [(0, "0s"), (90, "90s"), (600, "10m"), (7200, "2h"), (86400, "1d"), (86460, "1441m")]
)
def test_duration_texts(length: int, text: str) -> None:
    """The largest unit that divides is used."""
    assert times.duration_text(length) == text


@pytest.mark.parametrize("text", ["", "s", "10", "10 m", "-5m", "1.5h", "10M", "1h30m", "²s", "9" * 20 + "s"])
def test_what_is_no_duration(text: str) -> None:
    """A number and one unit, nothing else, is a duration."""
    assert not times.is_duration(text)
    with pytest.raises(InvalidInput):
        times.duration(text)


@pytest.mark.parametrize(
    ("length", "text"),
    [(-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (172799, "47 h"),
     (172800, "2 d"), (8640000, "100 d")],
)  # fmt: skip
def test_ages(length: float, text: str) -> None:
    """People see one number and one unit."""
    assert times.age(length) == text
