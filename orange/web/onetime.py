"""Codes that let a page in: each is good once, and not for long. They are kept in memory only.

`orange dashboard` asks the daemon for one over its private socket, the page hands it in for the token: so no token
stands in an address, which browsers keep and other users of the machine may read off a command line.

Next in the flow: the operation `login`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from orange.core.service.admission import digest

#: Seconds a code is good for.
GOOD_FOR = 60.0
#: Codes that may wait to be used; beyond, the oldest goes.
_MOST = 100


class Codes:
    """The codes that were given out and not used."""

    def __init__(self, clock: Callable[[], float], draw: Callable[[], str]) -> None:
        """`clock`: seconds that only grow; `draw`: a text that nobody can guess."""
        self._clock, self._draw = clock, draw
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def make(self) -> str:
        """Make a code."""
        code = self._draw()
        with self._lock:
            while len(self._until) >= _MOST:
                del self._until[next(iter(self._until))]
            self._until[digest(code)] = self._clock() + GOOD_FOR
        return code

    def use(self, code: str) -> bool:
        """Use a code up; whether it was good."""
        with self._lock:
            until = self._until.pop(digest(code), None)
        return until is not None and self._clock() < until
