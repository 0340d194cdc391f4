"""Doing a request once: the same `Idempotency-Key` again gets the answer of the first time.

Answers are kept in memory, the oldest going first: a daemon that was started anew has forgotten them, and what may
not be done twice is refused by the lifecycle anyway. Next in the flow: `app`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from orange.core.problems import InvalidInput, OrangeError, StorageFailed

Done = TypeVar("Done")
#: Answers that are kept.
MOST = 1000


class Once:
    """The answers that were given, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[object, Future[object]]] = OrderedDict()

    def do(self, key: str, request: object, work: Callable[[], Done]) -> Done:
        """Do the work, or return what it came to the first time; who comes meanwhile waits for it.

        Raises InvalidInput when the key was used for another request. A failure is not kept: it may be tried again.
        """
        with self._lock:
            known = self._known.get(key)
            if known is None:
                mine: Future[object] = Future()
                self._known[key] = (request, mine)
                while len(self._known) > MOST:
                    self._known.popitem(last=False)
        if known is None:
            return self._first(key, mine, work)
        if known[0] != request:
            raise InvalidInput("Idempotency-Key", "it was used for another request")
        return known[1].result()  # type: ignore[return-value]  # of the same request, so of the same kind

    def _first(self, key: str, mine: Future[object], work: Callable[[], Done]) -> Done:
        try:
            done = work()
            mine.set_result(done)
        except OrangeError as refused:
            mine.set_exception(refused)
            raise
        finally:
            if not mine.done():
                mine.set_exception(StorageFailed("the request", "the one it repeats came to no answer"))
            if mine.exception() is not None:
                with self._lock:
                    self._known.pop(key, None)
        return done
