"""How long a program may go on: its whole duration, and how long it may neither speak nor work.

Only arithmetic on times it is told; `terminal` asks it, `supervise` names the verdict.
"""

from __future__ import annotations

#: Less than this share of a processor is no work: a hung program's timers use some.
IDLE_SHARE = 0.02

STALLED = "stalled"
TIMEOUT = "timeout"


class Patience:
    """The clocks of one program. All times are seconds of one monotonic clock; a limit of 0 is none."""

    def __init__(self, now: float, *, limit: float, stall: float = 0.0, ticks_per_second: int = 100) -> None:
        self._stall, self._hertz = stall, ticks_per_second
        self._deadline = now + limit if limit > 0 else None
        self._pace = min(5.0, max(0.5, stall / 20)) if stall > 0 else 5.0
        self._active = self._sampled = now
        self._ticks = 0

    @property
    def due(self) -> float:
        """When to sample or to ask for the verdict next."""
        sample = self._sampled + self._pace
        return sample if self._deadline is None else min(sample, self._deadline)

    def left(self, now: float) -> float | None:
        """Return the seconds until the program has taken its whole time; None where that is not limited."""
        return None if self._deadline is None else max(0.0, self._deadline - now)

    def wants_sample(self, now: float) -> bool:
        """Whether it is time to count the program's work."""
        return now >= self._sampled + self._pace

    def heard(self, now: float) -> None:
        """Take note that the program said something."""
        self._active = now

    def sample(self, now: float, ticks: int) -> None:
        """Take note of the CPU its processes have used in all."""
        passed = now - self._sampled
        # What was counted shrinks when a process ends that nobody of its own waited for.
        if ticks - self._ticks >= max(1.0, passed * self._hertz * IDLE_SHARE):
            self._active = now
        self._sampled, self._ticks = now, ticks

    def parked(self, now: float) -> None:
        """Take note that it waits for somebody since the last sample: no clock runs meanwhile."""
        if self._deadline is not None:
            self._deadline += now - self._sampled
        self._active = self._sampled = now

    def verdict(self, now: float) -> str | None:
        """Say which limit is reached, or None."""
        if self._deadline is not None and now >= self._deadline:
            return TIMEOUT
        # Judged by what the last sample saw, so that silence alone never ends a working program.
        if self._stall > 0 and self._sampled - self._active >= self._stall:
            return STALLED
        return None
