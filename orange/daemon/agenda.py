"""What the daemon has to look at, and when: told from several threads, asked by its loop.

Hints only: losing every one of them costs at most one poll, which looks at everything. Next in the flow: `run`.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

#: Seconds after a file event until the file is looked at: events come in bursts.
BURST = 0.15


@dataclass(frozen=True, slots=True)
class Look:
    """One look that is due."""

    #: Whether to look at every file.
    everything: bool = False
    #: Whether orange itself did something, or was told to look: what it wrote is read again.
    nudged: bool = False
    #: Project's folder -> files there that somebody changed, relative to its folder of records.
    edited: Mapping[str, Collection[str]] = field(default_factory=dict)


class Agenda:
    """The hints that have come since the last look. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._nudged = True
        self._look_at = 0.0
        self._edits_at = math.inf
        self._edited: dict[str, set[str]] = {}

    def nudge(self) -> None:
        """Look at what orange itself wrote, now."""
        self._nudged = True
        self._woken.set()

    def edited(self, root: str, path: str | None) -> None:
        """Look at one file of a project soon, once for a burst of events; None: at every file."""
        soon = time.monotonic() + BURST
        with self._lock:
            if path is None:
                self._look_at = min(self._look_at, soon)
            else:
                self._edited.setdefault(root, set()).add(path)
                self._edits_at = min(self._edits_at, soon)
        self._woken.set()

    def look_again(self) -> None:
        """Look at every file now."""
        with self._lock:
            self._look_at = 0.0

    def take(self, poll: float) -> Look:
        """Return what is due now, and forget it; every file is due again `poll` seconds after it was."""
        self._woken.clear()
        with self._lock:
            now = time.monotonic()
            nudged, self._nudged = self._nudged, False
            everything, edited = now >= self._look_at, {}
            if everything:
                self._look_at = now + poll
            if everything or now >= self._edits_at:
                edited, self._edited, self._edits_at = self._edited, {}, math.inf
            return Look(everything, nudged, {} if everything else edited)

    def wake(self) -> None:
        """End a wait."""
        self._woken.set()

    def wait(self, most: float, least: float) -> None:
        """Wait for a hint, for a look that falls due, or `most` seconds; a look that is due waits `least` seconds."""
        with self._lock:
            due = min(self._look_at, self._edits_at) - time.monotonic()
        self._woken.wait(max(least, min(due, most)))
