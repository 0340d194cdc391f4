"""The feed: what happened lately, in order, for everybody who follows it at their own pace.

One ring for all: a follower is nothing but a place in it, so that one who stops reading costs nothing and delays
nobody. Who falls behind the ring, or comes back to a daemon that was started anew, is told to read everything anew.

Next in the flow: `daemon.news` adds to it, `stream` sends it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

#: Events that are kept.
KEPT = 5000
#: Seconds after the last follower left in which it may come back and miss nothing.
_GRACE = 60.0


class Told(NamedTuple):
    """One event."""

    #: A name of the vocabulary, such as `task.claimed`.
    type: str
    data: Mapping[str, Any]


class Feed:
    """The events of one life of the daemon. Its methods may be called from any thread."""

    def __init__(self, life: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`life` names this life of the daemon, in letters and digits."""
        self.life, self._clock = life, clock
        self._lock = threading.Lock()
        self._ring: deque[Told] = deque(maxlen=KEPT)
        #: The number of the last event.
        self._last = 0
        self._followers: dict[int, Callable[[], None]] = {}
        self._left = -_GRACE
        #: Whether it has ended.
        self.closed = False

    @property
    def wanted(self) -> bool:
        """Whether somebody follows, or did a moment ago."""
        with self._lock:
            return bool(self._followers) or self._clock() - self._left < _GRACE

    def follow(self, wake: Callable[[], None]) -> int:
        """Call `wake` whenever there is something new; returns what `leave` takes."""
        with self._lock:
            key = id(wake)
            self._followers[key] = wake
            return key

    def leave(self, key: int) -> None:
        """Follow no more."""
        with self._lock:
            self._followers.pop(key, None)
            self._left = self._clock()

    def add(self, events: Iterable[Told]) -> None:
        """Add events and wake who follows."""
        with self._lock:
            before = self._last
            for event in events:
                self._ring.append(event)
                self._last += 1
            wakes = list(self._followers.values()) if self._last > before else []
        for wake in wakes:
            wake()

    def close(self) -> None:
        """End it: followers are woken, and see that there will be nothing more."""
        self.closed = True
        with self._lock:
            wakes = list(self._followers.values())
        for wake in wakes:
            wake()

    def name(self, number: int) -> str:
        """Return an event's id."""
        return f"{self.life}-{number}"

    def place(self, name: str | None) -> int | None:
        """Return the number behind which to go on; None where that cannot be known."""
        life, _, number = (name or "").rpartition("-")
        if life != self.life or not number.isascii() or not number.isdigit() or len(number) > len(str(self._last)):
            return None
        return int(number) if self._first <= int(number) + 1 and int(number) <= self._last else None

    def end(self) -> int:
        """Return the number of the last event."""
        return self._last

    def after(self, number: int) -> list[tuple[int, Told]] | None:
        """Return the events behind a number; None where some of them are gone."""
        with self._lock:
            if number + 1 < self._first:
                return None
            skipped = number + 1 - self._first
            return [(number + 1 + n, event) for n, event in enumerate(list(self._ring)[skipped:])]

    @property
    def _first(self) -> int:
        return self._last - len(self._ring) + 1
