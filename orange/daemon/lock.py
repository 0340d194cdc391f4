"""The lock of a user's one daemon: a file that is never removed, held by its process for as long as it lives."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orange.core.home import Home
from orange.core.problems import DaemonUnavailable
from orange.wiring import user

#: Seconds in which the lock of a killed daemon comes free: a program it was just starting shares the open file until
#: it runs.
_PATIENCE = 5.0
_PACE = 0.02


@contextmanager
def daemon_lock(home: Home) -> Iterator[None]:
    """Hold the lock of this user's one daemon. Raises DaemonUnavailable when another one holds it."""
    os.makedirs(home.state, mode=0o700, exist_ok=True)
    fd = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(fd, home)
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(fd)


def _take(fd: int, home: Home) -> None:
    """Take the lock; one that is held while nobody answers may be a dead daemon's."""
    end = time.monotonic() + _PATIENCE
    while not _taken(fd):
        if time.monotonic() > end or user.daemon_up(home):
            raise DaemonUnavailable("a daemon of this user is already running: `orange daemon status`")
        time.sleep(_PACE)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
