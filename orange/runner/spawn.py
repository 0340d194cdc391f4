"""Starts a program as the leader of a terminal session of its own.

By hand, because what the standard library offers either reports no failure to start, or leaves signals ignored that
Python ignores for itself (a shell pipeline would never see SIGPIPE).

Next in the flow: `terminal` reads what the program says and ends it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What Python sets to be ignored, or this supervisor does.
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)


class Program(NamedTuple):
    """What to run."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    #: The file that is its standard input; None for the terminal.
    stdin: str | None = None


class Started(NamedTuple):
    """A running program and both ends of its terminal."""

    pid: int
    #: Does not block.
    master: int
    #: Kept open while the program runs, so that one which closes its terminal and opens it again can still be read.
    slave: int


def in_terminal(program: Program, size: bytes) -> Started:
    """Start a program. Raises OSError when it cannot be started."""
    master, slave = os.openpty()
    try:
        resize(master, size)
        os.set_blocking(master, False)
        return Started(_fork(program, slave), master, slave)
    except OSError:
        os.close(master)
        os.close(slave)
        raise


def _fork(program: Program, slave: int) -> int:
    """Start the program on its terminal; returns its process id. Raises what the exec raised."""
    told, tell = os.pipe()
    try:
        pid = os.fork()
        if pid == 0:
            _become(program, slave, tell)
    finally:
        os.close(tell)
    with os.fdopen(told, "rb") as answer:  # closed by the exec, or told why there was none
        failure = answer.read()
    if failure:
        os.waitpid(pid, 0)
        raise OSError(int(failure), os.strerror(int(failure)), program.argv[0])
    return pid


def _become(program: Program, slave: int, tell: int) -> None:
    try:
        os.login_tty(slave)
        if program.stdin is not None:
            os.dup2(os.open(program.stdin, os.O_RDONLY), 0)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_DFL)
        os.chdir(program.cwd)
        os.execvpe(program.argv[0], list(program.argv), program.env)  # noqa: S606 - argv, never a shell string
    except OSError as error:
        os.write(tell, str(error.errno).encode("ascii"))
    finally:
        os._exit(127)


def size_of(fd: int | None) -> bytes:
    """Read a terminal's size as the system packs it; 200 columns by 50 rows where there is none."""
    try:
        return fcntl.ioctl(-1 if fd is None else fd, termios.TIOCGWINSZ, b"\0" * 8)
    except (OSError, ValueError):
        return b"".join(number.to_bytes(2, sys.byteorder) for number in (50, 200, 0, 0))


def resize(fd: int, size: bytes) -> None:
    """Give a terminal that size; its foreground program is told."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, size)
