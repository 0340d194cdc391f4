"""The project lock: an exclusive flock on a file that is never removed nor replaced.

The file also holds three numbers: of the last journal entry, so that numbers only grow and a reader can tell whether
anything was written while it looked; of the entry being applied, 0 when none is; of the last entry that was dropped.
"""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

#: How the numbers are written: in a fixed width, so that they are overwritten in one piece.
_FORMAT, _WIDTH = b"%012d %012d %012d\n", 39

_held: weakref.WeakSet[ProjectLock] = weakref.WeakSet()


class Counts(NamedTuple):
    """The numbers in the lock file."""

    last: int
    applying: int
    dropped: int


class ProjectLock:
    """A lock between processes and between threads. Not re-entrant: a transaction inside another is a mistake."""

    def __init__(self, path: str, step: Callable[[str, str], None]) -> None:
        #: `step` is called before each file operation (see `durable`).
        self._path, self._step = path, step
        self._fd = -1
        self._owner: int | None = None
        self._mutex = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it, waiting as long as it takes."""
        self._refuse_nesting()
        with self._mutex:
            self._take(wait=True)
            try:
                yield
            finally:
                self._give_back()

    @contextmanager
    def tried(self) -> Iterator[bool]:
        """Hold it if it is free at once; yields whether it is held."""
        if not self._mutex.acquire(blocking=False):
            yield False
            return
        try:
            if not self._take(wait=False):
                yield False
                return
            try:
                yield True
            finally:
                self._give_back()
        finally:
            self._mutex.release()

    @property
    def mine(self) -> bool:
        """Whether this thread holds it."""
        return self._owner == threading.get_ident()

    def _refuse_nesting(self) -> None:
        if self.mine:
            raise RuntimeError("a transaction inside a transaction")

    def _take(self, *, wait: bool) -> bool:
        self._step("lock", self._path)
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        while True:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
                current = self._is_current(fd)
            except BlockingIOError:
                os.close(fd)
                return False
            except BaseException:
                os.close(fd)
                raise
            if current:
                self._fd, self._owner = fd, threading.get_ident()
                _held.add(self)
                return True
            os.close(fd)

    def _is_current(self, fd: int) -> bool:
        """Whether the locked file is still the one at the path: a replaced lock file would have two holders."""
        try:
            there = os.stat(self._path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        mine = os.fstat(fd)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def _give_back(self) -> None:
        fd, self._fd, self._owner = self._fd, -1, None
        _held.discard(self)
        # Unlocked before it is closed: a child forked meanwhile by another thread shares the lock with us.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)

    def state(self) -> Counts:
        """Read the numbers; zeros before the first entry. Needs no lock."""
        try:
            fd = self._fd if self.mine else os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return Counts(0, 0, 0)
        try:
            numbers = os.pread(fd, _WIDTH, 0).split()
        finally:
            if not self.mine:
                os.close(fd)
        return Counts(*map(int, numbers)) if len(numbers) == 3 and b"".join(numbers).isdigit() else Counts(0, 0, 0)

    def set_state(self, counts: Counts) -> None:
        """Write the numbers; only while it is held."""
        self._step("number", self._path)
        os.pwrite(self._fd, _FORMAT % counts, 0)

    def drop_after_fork(self) -> None:
        """Close the copy a forked child got: the lock stays with the parent."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._owner, self._mutex = -1, None, threading.Lock()


def _in_child() -> None:
    for lock in list(_held):
        lock.drop_after_fork()


os.register_at_fork(after_in_child=_in_child)
