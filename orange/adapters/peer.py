"""Finds the process at the other end of a connection on this machine, by the kernel's own tables."""

from __future__ import annotations

import glob
import os
from typing import NamedTuple

_TABLE = "/proc/net/tcp"
#: Columns of a row: its own address, the other's, the user, the inode of its socket.
_OWN, _OTHER, _USER, _INODE = 1, 2, 7, 9


class Peer(NamedTuple):
    """Who is at the other end."""

    #: User id.
    user: int
    #: Process id; None where it cannot be seen from here.
    process: int | None


def peer(port: int, served: int) -> Peer | None:
    """Return who holds this port of ours towards the one that is served; None where nobody can tell."""
    row = _row(port, served)
    if row is None:
        return None
    return Peer(int(row[_USER]), _holder(row[_INODE]))


def _row(port: int, served: int) -> list[str] | None:
    try:
        with open(_TABLE, encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return None
    own, other = f":{port:04X}", f":{served:04X}"
    return next((row for row in rows if row[_OWN].endswith(own) and row[_OTHER].endswith(other)), None)


def _holder(inode: str) -> int | None:
    """Find a process that has the socket open, among those of this user."""
    wanted = f"socket:[{inode}]"
    for folder in glob.iglob("/proc/[0-9]*/fd"):
        try:
            if any(_link(entry.path) == wanted for entry in os.scandir(folder)):
                return int(folder.split("/")[2])
        except OSError:
            continue  # it ended, or is somebody else's
    return None


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
