"""The session's own terminal, as far as output is shown there. The log is the record; this is for looking.

A session that takes output slowly slows its program down; one that takes none at all (a stopped tmux) does not stop
it: after a moment it is shown nothing until it takes something again.
"""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Bytes waiting to be shown; beyond them the program waits.
BACKLOG = 1 << 18
#: Seconds after which a session that takes nothing is given up for the time being.
PATIENCE = 2.0


class Screen:
    """A non-blocking terminal to write to; None shows nothing."""

    def __init__(self, fd: int | None, clock: Callable[[], float]) -> None:
        self.fd = fd
        self._clock = clock
        self._pending = bytearray()
        self._muted = False
        self._taken = clock()

    @property
    def waiting(self) -> bool:
        """Whether it is to be shown more as soon as it takes something."""
        return bool(self._pending) or self._muted

    @property
    def behind(self) -> bool:
        """Whether the program has to wait."""
        return len(self._pending) >= BACKLOG

    def add(self, data: bytes) -> None:
        """Show output."""
        if self.fd is None or self._muted:
            return
        if not self._pending:
            self._taken = self._clock()
        self._pending += data
        self.show()

    def ready(self, _events: int) -> None:
        """Take note that it takes something again."""
        self._muted = False
        self.show()

    def show(self) -> None:
        """Show what is pending, as much as it takes now."""
        if self.fd is None or not self._pending:
            return
        try:
            del self._pending[: os.write(self.fd, self._pending)]
        except BlockingIOError:
            self._lose_patience()
        except OSError:  # the session is gone; SIGHUP says so
            self.fd = None
        else:
            self._taken = self._clock()

    def finish(self) -> None:
        """Show the rest, within the limits of patience."""
        deadline = self._clock() + PATIENCE
        while self.fd is not None and self._pending and self._clock() < deadline:
            select.select([], [self.fd], [], deadline - self._clock())
            self.show()

    def _lose_patience(self) -> None:
        if self._clock() - self._taken >= PATIENCE:
            self._pending.clear()
            self._muted = True
