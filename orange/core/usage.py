"""What runs used, added up: by agent, model, day and type of task; and estimates against what it took. Pure.

Only what is on record counts: how long each run's agent worked, and what it told of tokens and money. A run belongs to
the day, of UTC, on which it began.

Next in the flow: `project.stats` says it as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol, TypeVar

from orange.core import times
from orange.core.allowance import Bill
from orange.core.model import Outcome
from orange.core.retry import FAILURES

#: The sizes an estimate may name, in order; a duration stands behind them.
_SIZES = ("XS", "S", "M", "L", "XL")
_Key = TypeVar("_Key")
#: What begins the name of a run in which an agent is asked about a document.
PLANS = "plan-"


@dataclass(frozen=True, slots=True)
class Used:
    """What one run used, as its record says."""

    run: str
    task: str
    #: The task's name and title when the run was prepared.
    name: str
    title: str
    agent: str
    #: As the agent told, else as it was asked for; None where neither says.
    model: str | None
    attempt: int
    #: Wall-clock seconds since 1970.
    started_at: float
    #: None while it runs.
    ended_at: float | None
    outcome: Outcome | None
    #: Read and written; None where the agent did not tell.
    tokens: int | None = None
    #: None where the agent did not tell.
    usd: float | None = None

    def bill(self, now: float) -> Bill:
        """Return what it used up to now."""
        return Bill(
            minutes(self.started_at, now if self.outcome is None else self.ended_at), self.tokens or 0, self.usd or 0
        )

    @property
    def day(self) -> str:
        """The day on which it began, such as 2026-11-20."""
        return times.stamp(self.started_at)[:10]

    @property
    def failed(self) -> bool:
        """Whether it ended in a failure."""
        return self.outcome in FAILURES or self.outcome is Outcome.AGENT_MISSING


class Usage(Protocol):
    """What every run used that was ever started here."""

    def runs(self) -> Iterator[Used]:
        """In no order."""

    def plans(self) -> Iterator[Used]:
        """Of the runs in which agents were asked about documents, in no order."""

    def of(self, run: str) -> Used | None:
        """Of one run; None where it never began."""


def minutes(started: float | None, ended: float | None) -> float:
    """Return how long something took; nothing where one of its ends is not known."""
    return 0.0 if started is None or ended is None else max(0.0, ended - started) / 60


@dataclass(frozen=True, slots=True)
class Sum:
    """What several runs come to."""

    runs: int
    failed: int
    bill: Bill


def add(runs: Iterable[Used], now: float) -> Sum:
    """Add runs up."""
    count = failed = tokens = 0
    took = usd = 0.0
    for run in runs:
        bill = run.bill(now)
        count, failed = count + 1, failed + run.failed
        took, tokens, usd = took + bill.minutes, tokens + bill.tokens, usd + bill.usd
    return Sum(count, failed, Bill(took, tokens, usd))


def by(key: Callable[[Used], _Key], runs: Iterable[Used]) -> Mapping[_Key, Sequence[Used]]:
    """Put runs together that have something in common."""
    found: dict[_Key, list[Used]] = {}
    for run in runs:
        found.setdefault(key(run), []).append(run)
    return found


@dataclass(frozen=True, slots=True)
class Compared:
    """An estimate, and what the tasks took that had it."""

    estimate: str
    #: The minutes it stands for; None for a size.
    minutes: float | None
    tasks: int
    #: The minutes they took.
    least: float
    median: float
    most: float


def compared(took: Iterable[tuple[str, float]]) -> tuple[Compared, ...]:
    """Compare estimates with the minutes that tasks took: sizes first, then durations."""
    found: dict[str, list[float]] = {}
    for estimate, minutes_taken in took:
        found.setdefault(estimate, []).append(minutes_taken)
    return tuple(
        Compared(estimate, estimated(estimate), len(all_), min(all_), median(all_), max(all_))
        for estimate, all_ in sorted(found.items(), key=lambda item: _rank(item[0]))
    )


def estimated(estimate: str) -> float | None:
    """Return the minutes a duration stands for; None for a size."""
    return times.duration(estimate) / 60 if times.is_duration(estimate) else None


def _rank(estimate: str) -> tuple[int, float]:
    return (_SIZES.index(estimate), 0.0) if estimate in _SIZES else (len(_SIZES), estimated(estimate) or 0.0)
