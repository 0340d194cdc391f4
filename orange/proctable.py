"""The kernel's table of processes: who is still the same process, who descends from whom, who carries a run's mark.

A pid is no identity: it is given out again. (boot id, pid, start time) is, and a pidfd pins it while it is signalled.
Where there is no `/proc` (macOS) a process can only be proven gone, never proven to be the same one.

Used on both sides of a session: by its supervisor to find and end what the agent started, and by whoever must prove
that a run is dead. Imports nothing heavy: the supervisor starts with every run.
"""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = "/proc"
#: Kernel clock ticks a second, the unit of `Process.ticks`.
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Identity(NamedTuple):
    """One process, for good."""

    pid: int
    #: Clock ticks after boot; None where it could not be told.
    started: int | None
    #: The boot it lives in; empty where it could not be told.
    boot: str


class Process(NamedTuple):
    """A row of the table."""

    pid: int
    parent: int
    group: int
    session: int
    #: One letter, `Z` for a zombie.
    state: str
    #: CPU used by it and by the children it has waited for.
    ticks: int
    threads: int
    started: int

    @property
    def dead(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.state in "ZX" and self.threads <= 1


def boot_id() -> str:
    """Name this boot of the machine; empty where it has no name."""
    return _read(f"{_PROC}/sys/kernel/random/boot_id").decode("ascii").strip()


def identify(pid: int) -> Identity:
    """Name the process that has this pid now."""
    row = look(pid)
    return Identity(pid, row.started if row else None, boot_id())


def look(pid: int) -> Process | None:
    """Read one row; None when there is no such process, or no table."""
    return _parse(pid, _read(f"{_PROC}/{pid}/stat"))


def children(pid: int) -> frozenset[int] | None:
    """Name the children of a process, those included that nobody has waited for; None where it cannot be told."""
    try:
        with open(f"{_PROC}/{pid}/task/{pid}/children", "rb") as file:
            return frozenset(map(int, file.read().split()))
    except OSError:
        return None


def table() -> list[Process]:
    """Read every row; empty where there is no table."""
    try:
        names = os.listdir(_PROC)
    except OSError:
        return []
    rows = (look(int(name)) for name in names if name.isdigit())
    return [row for row in rows if row]


def alive(who: Identity) -> bool | None:
    """Say whether that very process still runs; None when it cannot be told."""
    if who.boot and who.boot != boot_id():
        return False
    row = look(who.pid)
    if row:
        return None if who.started is None else row.started == who.started and not row.dead
    return False if _no_such(who.pid) else None


def send(who: Identity, number: int) -> bool:
    """Signal that very process and no other that has its pid now; returns whether it was there."""
    try:
        fd = os.pidfd_open(who.pid)
    except AttributeError:  # not Linux
        return alive(who) is not False and _kill(who.pid, number)
    except OSError:
        return False
    try:
        if alive(who) is not True:
            return False
        signal.pidfd_send_signal(fd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)
    return True


def wait_gone(who: Identity, seconds: float) -> bool | None:
    """Wait until that process is gone, `seconds` at most; returns what `alive` would, negated."""
    deadline = time.monotonic() + seconds
    while (there := alive(who)) is not False:
        left = deadline - time.monotonic()
        if left <= 0:
            return None if there is None else False
        _pause(who.pid, min(left, 0.5))
    return True


def descendants(rows: Iterable[Process], root: int) -> list[Process]:
    """List everything below `root`, not itself."""
    below: dict[int, list[Process]] = {}
    for row in rows:
        below.setdefault(row.parent, []).append(row)
    found: list[Process] = []
    wanted = [root]
    while wanted:
        children = below.get(wanted.pop(), [])
        found += children
        wanted += [child.pid for child in children]
    return found


def carries(pid: int, marks: Iterable[bytes]) -> bool:
    """Say whether a process was started with all these `NAME=value` entries in its environment."""
    entries = set(_read(f"{_PROC}/{pid}/environ").split(b"\0"))
    return all(mark in entries for mark in marks)


def runs(pid: int, words: tuple[bytes, ...]) -> bool:
    """Say whether these words follow one another in a process's command line."""
    line = b"\0" + _read(f"{_PROC}/{pid}/cmdline")
    return b"\0" + b"\0".join(words) + b"\0" in line


def marked(marks: tuple[bytes, ...]) -> list[Process]:
    """List the living processes that carry all these environment entries."""
    return [row for row in table() if not row.dead and carries(row.pid, marks)]


def _parse(pid: int, stat: bytes) -> Process | None:
    # The command's name stands in parentheses and may contain anything, parentheses and newlines too.
    words = stat.rpartition(b")")[2].split()
    if len(words) < 20:
        return None
    state, numbers = words[0].decode("ascii"), [int(word) for word in words[1:20]]
    parent, group, session = numbers[0:3]
    return Process(pid, parent, group, session, state, sum(numbers[10:14]), numbers[16], numbers[18])


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
    except OSError:  # it ended meanwhile
        return b""
    finally:
        os.close(fd)
    return b"".join(parts)


def _no_such(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _kill(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _pause(pid: int, seconds: float) -> None:
    try:
        fd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        time.sleep(min(seconds, 0.02))
        return
    try:
        # Readable once the process has ended; a zombie whose parent is slow still reads as such.
        select.select([fd], [], [], seconds)
    finally:
        os.close(fd)
