"""What the supervisor is told while it works: signals, and the `stop` file of the run's folder.

SIGTERM and the file mean: end the run. SIGHUP means that the session is gone from around it. Both are facts to act
on in the loop, at a moment of its own choosing; after the first, no other changes anything.
"""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

STOPPED = "stopped"
CRASHED = "crashed"
#: Seconds an agent gets to end by itself, when nobody said otherwise.
GRACE = 5.0
#: The part of the time given to a run's end that its agent may use; the rest is for saving its work.
AGENTS_SHARE = 0.6


class Orders:
    """The standing orders of this process. Made once, on the main thread; signal handlers stay installed."""

    def __init__(self, stop_file: str) -> None:
        self._stop_file = stop_file
        #: What the program must be ended for, as an outcome; None while it may go on.
        self.verdict: str | None = None
        #: In words, when somebody said.
        self.reason: str | None = None
        self._settling = False
        #: Seconds the agent gets to end by itself.
        self.grace = GRACE
        #: Whether the outer terminal changed its size since this was last cleared.
        self.resized = False
        #: Readable when a signal came.
        self.fd, self._told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGWINCH):
            signal.signal(number, _noted)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)

    def take(self) -> None:
        """Read the signals that came."""
        try:
            numbers = os.read(self.fd, 4096)
        except BlockingIOError:
            return
        self.resized = self.resized or signal.SIGWINCH in numbers
        if signal.SIGTERM in numbers:
            self._end(STOPPED)
        if signal.SIGHUP in numbers:
            self._end(CRASHED)

    def look(self) -> None:
        """Look whether the run's folder says to stop."""
        if self.verdict is None and os.path.exists(self._stop_file):
            self._end(STOPPED)

    def settle(self) -> None:
        """Take no more orders to stop: what is done now is the stopping. The loss of the session still counts."""
        self._settling = True
        if self.verdict == STOPPED:
            self.verdict = None

    def _end(self, verdict: str) -> None:
        if self.verdict is not None or (self._settling and verdict == STOPPED):
            return
        self.verdict = verdict
        self._read_stop_file()

    def _read_stop_file(self) -> None:
        try:
            with open(self._stop_file, encoding="utf-8") as file:
                told = json.load(file)
            self.grace, self.reason = max(0.0, float(told["grace"])) * AGENTS_SHARE, told.get("reason")
        except (OSError, ValueError, KeyError, TypeError):
            return


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Let the wake-up pipe speak for the signal."""


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
