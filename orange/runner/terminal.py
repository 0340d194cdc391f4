"""Runs one program in a terminal of its own inside the session's: its output is recorded and shown, keys reach it.

The program leads a session, so that whatever it starts can be found and ended with it. Nothing it wrote is lost when
it ends quickly: the terminal is read to its end.

Next in the flow: `execute` runs the agent here, `hooks` what stands around it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
from typing import TYPE_CHECKING, NamedTuple, Protocol

from orange.runner import spawn
from orange.runner.screen import PATIENCE, Screen
from orange.runner.tree import ASK, FORCE, Tree, adopt_orphans, reap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orange.runner.orders import Orders
    from orange.runner.patience import Patience

#: Bytes read at once.
CHUNK = 1 << 16
#: Seconds that processes which outlive their program get to end by themselves; then to die; between attempts.
AFTERLIFE, DEATH, INSIST = 1.0, 5.0, 0.2
#: Seconds without output after which a terminal that somebody still holds open counts as read.
SILENCE = 0.05
#: How often it is read at most once its program has ended. No clock decides: a machine may stand still meanwhile.
LAST_WORDS = 64


class Log(Protocol):
    """Where a program's output is recorded."""

    def add(self, data: bytes) -> None:
        """Record output."""


class Ended(NamedTuple):
    """How a program went."""

    #: The exit code, negative for a signal; None when it could not be started.
    status: int | None
    #: What it was ended for (an outcome's word); None when it ended by itself.
    verdict: str | None
    #: Why it could not be started.
    error: OSError | None


class Session(NamedTuple):
    """What surrounds a program: the outer terminal, the orders, the clock."""

    #: Where keys come from and output is shown; None for nowhere. Both do not block.
    keys: int | None
    screen: int | None
    orders: Orders
    #: Monotonic seconds.
    clock: Callable[[], float]
    #: The environment entries that mark the run's processes.
    marks: Sequence[bytes]
    #: A file whose existence stops the program's clocks.
    parked: str


def run(
    program: spawn.Program,
    session: Session,
    transcript: Log,
    patience: Patience,
    started: Callable[[int], None],
) -> Ended:
    """Run a program to its end, and its whole tree with it. `started` is told its process id."""
    adopt_orphans()  # before there can be any
    try:
        running = spawn.in_terminal(program, spawn.size_of(session.screen))
    except OSError as error:
        return Ended(None, None, error)
    try:
        started(running.pid)
        with selectors.DefaultSelector() as selector:
            return _Terminal(session, transcript, patience, running, selector).run()
    finally:
        os.close(running.master)


class _Terminal:
    """The loop around one running program."""

    def __init__(
        self,
        session: Session,
        transcript: Log,
        patience: Patience,
        running: spawn.Started,
        selector: selectors.BaseSelector,
    ) -> None:
        self._session, self._transcript, self._patience, self._selector = session, transcript, patience, selector
        self._pid, self._master, self._slave = running
        self._orders, self._clock = session.orders, session.clock
        self._tree = Tree(self._pid, session.marks)
        self._screen = Screen(session.screen, session.clock)
        self._keys = bytearray()
        self._status: int | None = None
        self._verdict: str | None = None
        self._insist_at = 0.0
        self._forced = False
        self._open = True

    def run(self) -> Ended:
        self._want(self._orders.fd, selectors.EVENT_READ, self._signalled)
        self._want(self._session.keys, selectors.EVENT_READ, self._keys_ready)
        self._orders.look()
        while self._status is None:
            self._judge()
            self._turn(self._patience.due if self._verdict is None else self._insist_at)
        self._end_the_rest()
        self._read_to_the_end()
        return Ended(self._status, self._verdict, None)

    # -- one turn

    def _turn(self, until: float) -> None:
        self._want(self._screen.fd, selectors.EVENT_WRITE if self._screen.waiting else 0, self._screen.ready)
        self._want(self._master if self._open else None, self._of_master(), self._master_ready)
        timeout = max(0.0, until - self._clock())
        for key, events in self._selector.select(min(timeout, PATIENCE) if self._screen.waiting else timeout):
            key.data(events)
        self._screen.show()
        if (status := reap().get(self._pid)) is not None:
            self._status = status

    def _of_master(self) -> int:
        """Ask for output only when it can be shown, and for room only when there are keys to give."""
        reading = 0 if self._screen.behind else selectors.EVENT_READ
        return reading | (selectors.EVENT_WRITE if self._keys else 0)

    def _want(self, fd: int | None, events: int, ready: Callable[[int], None]) -> None:
        if fd is None:
            return
        if fd not in self._selector.get_map():
            if events:
                self._selector.register(fd, events, ready)
        elif events:
            self._selector.modify(fd, events, ready)
        else:
            self._selector.unregister(fd)

    def _signalled(self, _events: int) -> None:
        self._orders.take()
        if self._orders.resized:
            self._orders.resized = False
            spawn.resize(self._master, spawn.size_of(self._session.screen))

    def _master_ready(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            with contextlib.suppress(OSError):
                del self._keys[: os.write(self._master, self._keys)]
        if events & selectors.EVENT_READ:
            self._read()

    def _read(self) -> bool:
        """Read what there is; False when there was nothing. A terminal that everybody has left reads as an error."""
        try:
            data = os.read(self._master, CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._want(self._master, 0, _nothing)
            self._open = False
            return False
        self._patience.heard(self._clock())
        self._transcript.add(data)
        self._screen.add(data)
        return True

    def _keys_ready(self, _events: int) -> None:
        try:
            data = os.read(self._session.keys or 0, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._want(self._session.keys, 0, _nothing)
        elif len(self._keys) < CHUNK:  # a program that reads none of it gets no more
            self._keys += data

    # -- ending it

    def _judge(self) -> None:
        now = self._clock()
        if self._verdict is None:
            self._verdict = self._reason_to_end(now)
            if self._verdict:
                self._tree.signal(ASK)
                self._insist_at = now + self._orders.grace
        elif now >= self._insist_at:
            self._tree.signal(FORCE)
            self._forced, self._insist_at = True, now + INSIST

    def _reason_to_end(self, now: float) -> str | None:
        if self._patience.wants_sample(now):
            self._orders.look()
            if os.path.exists(self._session.parked):
                self._patience.parked(now)
            else:
                self._patience.sample(now, self._tree.ticks())
        return self._orders.verdict or self._patience.verdict(now)

    def _end_the_rest(self) -> None:
        """End what the program left running: ask, wait a moment, then make sure."""
        if self._forced or not self._gone_within(AFTERLIFE, ASK):
            self._gone_within(DEATH, FORCE)

    def _gone_within(self, seconds: float, number: int) -> bool:
        deadline = self._clock() + seconds
        asked = False
        while self._tree.members():
            if self._clock() >= deadline:
                return False
            if not asked or number == FORCE:
                self._tree.signal(number)
                asked = True
            self._turn(min(deadline, self._clock() + SILENCE))
        return True

    def _read_to_the_end(self) -> None:
        os.close(self._slave)
        quiet = 0
        for _ in range(LAST_WORDS):
            if not self._open or quiet == 2:
                break
            quiet = 0 if self._read() else quiet + 1
            self._screen.finish()
            if quiet == 1:
                self._wait_for_words()
        self._screen.finish()

    def _wait_for_words(self) -> None:
        self._want(self._master, selectors.EVENT_READ, self._master_ready)
        for key, events in self._selector.select(SILENCE):
            key.data(events)


def _nothing(_events: int) -> None:
    """Wake the loop up, which then does what is due."""
