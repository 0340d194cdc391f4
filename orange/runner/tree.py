"""Everything an agent started: found, measured, ended.

The supervisor is the subreaper of what it starts, so that a process that detaches itself stays its descendant. One
that detached itself *and* dropped the run's mark from its environment is somebody else's (orange's own daemon and
tmux server do so when an agent's command happens to start them) and is left alone.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from orange import proctable

if TYPE_CHECKING:
    from collections.abc import Sequence

_SET_CHILD_SUBREAPER = 36


class Tree:
    """The processes below this one that belong to a program it started as the leader of a terminal session."""

    def __init__(self, leader: int, marks: Sequence[bytes]) -> None:
        self._leader, self._marks = leader, tuple(marks)
        self._boot = proctable.boot_id()

    def members(self) -> list[proctable.Process]:
        """List its living processes."""
        below = proctable.descendants(proctable.table(), os.getpid())
        return [row for row in below if not row.dead and self._belongs(row)]

    def ticks(self) -> int:
        """Count the CPU all of them have used."""
        return sum(row.ticks for row in self.members())

    def signal(self, number: int) -> None:
        """Signal every member; without a table of processes, the leader's group."""
        for row in self.members():
            proctable.send(proctable.Identity(row.pid, row.started, self._boot), number)
        if not self._boot:
            self._signal_group(number)

    def _signal_group(self, number: int) -> None:
        try:
            os.killpg(self._leader, number)
        except OSError:
            return

    def _belongs(self, row: proctable.Process) -> bool:
        return row.session == self._leader or proctable.carries(row.pid, self._marks)


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends; returns whether the system can do that."""
    import ctypes  # the standard library has no other way

    try:
        return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (AttributeError, OSError):
        return False


def reap() -> dict[int, int]:
    """Wait for every child that has ended; returns exit codes (negative for signals) by pid."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


#: What ends a program: asked first, then made to.
ASK, FORCE = signal.SIGTERM, signal.SIGKILL
