"""What tmux is called by: the socket's path, exact targets, safe arguments. Computes only."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orange.core import runfiles
from orange.core.home import SOCKET_LIMIT
from orange.core.problems import SessionFailed

#: Columns and rows of a session, whoever looks at it.
COLUMNS, ROWS = 200, 50

#: Seconds the server goes on without a session, so that the next one need not start it first.
LINGER = 5

#: The tmux command that ends a server without sessions, and does nothing to any other.
END_IF_EMPTY = ("if-shell", "-F", "#{S:yes}", "", "kill-server")

_AT_LAST = shlex.join(END_IF_EMPTY).replace("#", "##")

#: The server's configuration. `window-size manual` is not in it: as a global option it crashes tmux 3.3 at the next
#: detached session; each window gets it as it is resized. What a session shows is kept by its supervisor, so nothing
#: remains on exit. The hook's format is doubled, so that it is filled in after the delay and not before.
CONFIG = f"""\
set-hook -g session-closed "run-shell -b -d {LINGER} -C \\"{_AT_LAST}\\"" ; set -s exit-empty off
set -s escape-time 0
set -g default-shell /bin/sh
set -g default-command ''
set -g default-size {COLUMNS}x{ROWS}
set -g default-terminal screen-256color
set -g destroy-unattached off
set -g remain-on-exit off
set -g history-limit 10000
set -g set-titles off
set -g allow-rename off
set -g automatic-rename off
set -g visual-activity off
set -g status-left '#S '
set -g status-left-length 80
set -g status-right ''
set -g window-status-format ''
set -g window-status-current-format ''
"""

#: What a look asks for: session, server, the session's process, and its name, which may be a stranger's.
LISTING = "#{session_id} #{pid} #{pane_pid} #{session_name}"

_UNREACHABLE = ("no server running", "No such file or directory", "Connection refused")
_PASSING = ("server exited", "lost server", *_UNREACHABLE)


def socket_path(common: str, folder: str, user: int) -> str:
    """Choose the socket of the project with that git directory: in `folder`, or where its path would be too long.

    A name for each clone: two clones on one machine share task ids.
    """
    name = f"{hashlib.sha256(common.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.tmux"
    wanted = f"{folder}/{name}"
    if len(wanted.encode("utf-8", "surrogateescape")) < SOCKET_LIMIT:
        return wanted
    return f"/tmp/orange-{user}/{name}"  # noqa: S108 - made private before use


def exact(session: str) -> str:
    """Return the target that means the session of exactly this name. Raises SessionFailed for an unsafe name."""
    return f"={checked(session)}"


def pane_of(session: str) -> str:
    """Return the target of the session's pane. Raises SessionFailed for an unsafe name."""
    return f"={checked(session)}:"


def checked(name: str) -> str:
    """Return a run's or session's name if it is safe. Raises SessionFailed."""
    if not runfiles.is_safe(name):
        raise SessionFailed(f"{name!r} is no name for a session: orange's own consist of a-z, 0-9 and dashes")
    return name


def argument(text: str) -> str:
    """Return a value such that tmux takes it as one argument: a `;` at its end would end the command."""
    return f"{text[:-1]}\\;" if text.endswith(";") else text


class Listed(NamedTuple):
    """A session as tmux lists it."""

    #: tmux's id.
    session: str
    #: The process of the server.
    server: int
    #: The session's own process.
    child: int
    name: str


def listed(lines: Iterable[str]) -> Sequence[Listed]:
    """Read a listing."""
    rows = (line.split(" ", 3) for line in lines if line)
    return [Listed(session, int(server), int(child), name) for session, server, child, name in rows]


def no_server(errors: Iterable[str]) -> bool:
    """Whether tmux said that no server runs, which means that no session does."""
    return any(word in line for line in errors for word in _UNREACHABLE)


def passing(errors: Iterable[str]) -> bool:
    """Whether what tmux said may be over at the next try: its server was just ending."""
    return any(word in line for line in errors for word in _PASSING)


def duplicate(errors: Iterable[str]) -> bool:
    """Whether tmux said that a session of that name exists."""
    return any("duplicate session" in line for line in errors)
