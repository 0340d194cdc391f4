"""The last listing of sessions, for as long as it is certain that asking again would say the same.

Asking tmux takes a process, and the daemon looks often. A standing client in control mode would be cheaper, but tmux
up to 3.6 crashes, with all sessions, when a session begins or ends while such a client is still attaching, or when
that client is killed then (https://github.com/tmux/tmux/pull/4980, https://github.com/tmux/tmux/pull/5004).

So the server's children are looked at instead. Each session is one child; as long as the same ones run, no session has
begun or ended. Where the system does not tell of them (macOS), or somebody has split a window, tmux is asked each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orange import proctable
from orange.adapters.sessions import address


class Kept(NamedTuple):
    """A listing and what it holds for."""

    server: int
    #: Its start time, as the kernel has it.
    started: int
    children: frozenset[int]
    found: Mapping[str, str]


class Listing:
    """The sessions of one server. Safe for several threads: what is kept is replaced as a whole."""

    def __init__(self) -> None:
        self._kept: Kept | None = None
        #: The server, as of the last listing.
        self._server: int | None = None

    def still(self) -> Mapping[str, str] | None:
        """Return the last listing if it still holds; None where tmux has to be asked."""
        kept = self._kept
        if kept is None or _running(kept.server) != kept.started or _living(kept.server) != kept.children:
            return None
        return kept.found

    def forget(self) -> None:
        """Keep nothing: a session was just ended, whose child the server may not have waited for yet."""
        self._kept = None

    def before(self) -> frozenset[int] | None:
        """Look at the children before tmux is asked; None where they cannot be told."""
        return _living(self._server) if self._server is not None else None

    def take(self, lines: Sequence[str], before: frozenset[int] | None) -> Mapping[str, str]:
        """Read a listing, session name -> tmux's id; it is kept if each child of the server is one of its sessions."""
        rows = address.listed(lines)
        found = {row.name: row.session for row in rows}
        self._kept, self._server = None, rows[0].server if rows else None
        if self._server is None:
            return found
        started, panes = _running(self._server), frozenset(row.child for row in rows)
        if started is not None and before == panes == _living(self._server):
            self._kept = Kept(self._server, started, panes, found)
        return found


def _living(server: int) -> frozenset[int] | None:
    """Name the server's children that run; None where it cannot be told.

    One that has ended does not count: tmux sometimes never waits for it, though its session is gone.
    """
    found = proctable.children(server)
    if found is None:
        return None
    rows = {pid: proctable.look(pid) for pid in found}
    return frozenset(pid for pid, row in rows.items() if row is not None and not row.dead)


def _running(server: int) -> int | None:
    """Return the server's start time if it may answer; None for one that is gone, or was stopped."""
    row = proctable.look(server)
    return row.started if row and row.state not in "TtZX" else None
