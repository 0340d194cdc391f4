"""Where a user's own things lie: registered projects, the daemon's lock, log and socket, the user's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: A socket path of this many bytes or more cannot be bound.
SOCKET_LIMIT = 108


@dataclass(frozen=True, slots=True)
class Home:
    """The absolute folders of one user."""

    #: `$XDG_STATE_HOME/orange`.
    state: str
    #: `$XDG_RUNTIME_DIR/orange`, or a private folder below the system's temporary one.
    sockets: str
    #: `$XDG_CONFIG_HOME/orange`.
    config: str

    @property
    def lock(self) -> str:
        """Held by the one daemon of this user; never removed."""
        return f"{self.state}/daemon.lock"

    @property
    def log(self) -> str:
        """The daemon's log."""
        return f"{self.state}/logs/daemon.log"

    @property
    def stopped(self) -> str:
        """How the daemon last stopped; absent while it runs."""
        return f"{self.state}/stopped.json"

    @property
    def sessions(self) -> str:
        """What each run of the daemon did: a file each."""
        return f"{self.state}/sessions"

    @property
    def projects(self) -> str:
        """The registered projects."""
        return f"{self.state}/projects.json"

    @property
    def ports(self) -> str:
        """The ports that all projects have reserved."""
        return f"{self.state}/ports.json"

    @property
    def refusals(self) -> str:
        """What providers refused in any project."""
        return f"{self.state}/refusals.json"

    @property
    def token(self) -> str:
        """The token of the HTTP API; with `.read` behind it, the one that may only read."""
        return f"{self.state}/tokens/token"

    @property
    def socket(self) -> str:
        """The daemon's unix socket."""
        return f"{self.sockets}/daemon.sock"

    @property
    def settings(self) -> str:
        """The user's settings."""
        return f"{self.config}/config.yaml"

    @property
    def good_settings(self) -> str:
        """The user's settings as they were when nothing was wrong in them."""
        return f"{self.state}/config.good.yaml"


def home(environment: Mapping[str, str], user: int) -> Home:
    """Work out a user's folders from the environment; `user` is the numeric user id."""
    base = environment.get("HOME") or "/"
    state = environment.get("XDG_STATE_HOME") or f"{base}/.local/state"
    config = environment.get("XDG_CONFIG_HOME") or f"{base}/.config"
    runtime = environment.get("XDG_RUNTIME_DIR")
    sockets = f"{runtime}/orange" if runtime else f"/tmp/orange-{user}"  # noqa: S108 - made private before use
    return Home(f"{state}/orange", _short(sockets, user), f"{config}/orange")


def _short(folder: str, user: int) -> str:
    """Fall back to a short private folder where a socket in `folder` could not be bound."""
    fits = len(f"{folder}/{'x' * 24}.sock".encode()) < SOCKET_LIMIT
    return folder if fits else f"/tmp/orange-{user}"  # noqa: S108 - made private before use
