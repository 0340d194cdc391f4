"""What a user has once for all projects: the daemon's socket and last words, and the registered repositories."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from orange.adapters import daemon_socket, laststop, registry
from orange.core.home import Home
from orange.core.problems import DaemonUnavailable


def daemon_up(home: Home) -> bool:
    """Whether a daemon of this user listens."""
    return daemon_socket.running(home.socket)


def daemon_call(home: Home, name: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Ask the daemon. Raises DaemonUnavailable."""
    return daemon_socket.call(home.socket, name, arguments)


def daemon_status(home: Home) -> dict[str, Any]:
    """Ask the daemon how it is; where none runs, say so and how the last one stopped."""
    try:
        return daemon_call(home, "status")
    except DaemonUnavailable:
        return {"running": False, "pid": None, "url": None, "projects": [], "stopped": laststop.read(home)}


def daemon_starts(home: Home) -> None:
    """Forget how the last daemon stopped. The caller holds the daemon's lock."""
    laststop.forget(home)


def daemon_stops(home: Home, reason: str) -> None:
    """Note why the daemon stops, for whoever asks later. Raises StorageFailed."""
    laststop.write(home, time.time(), reason)


def daemon_server(home: Home, handler: daemon_socket.Handler) -> daemon_socket.Server:
    """Make the daemon's socket server."""
    return daemon_socket.Server(home.socket, handler)


def detach_daemon(home: Home, argv: Sequence[str]) -> int:
    """Start the daemon's process in the background; returns its process id."""
    from orange.adapters import process
    from orange.core import environment

    os.makedirs(os.path.dirname(home.log), mode=0o700, exist_ok=True)
    return process.detach(argv, cwd="/", env=environment.outside(os.environ), log=home.log)


def registered(home: Home) -> tuple[str, ...]:
    """Return the registered repositories."""
    return registry.roots(home)


def register(home: Home, root: str) -> None:
    """Register a repository with the daemon."""
    registry.register(home, root)
