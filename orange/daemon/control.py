"""Starting, asking and stopping the daemon from a command."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from orange.core.home import Home
from orange.core.problems import DaemonUnavailable
from orange.wiring import user

#: Seconds the daemon may take to answer after it was started, or to end after it was told to.
PATIENCE = 20.0


def start(home: Home, root: str | None) -> Mapping[str, Any]:
    """Start the daemon in the background, registering the repository; returns its status. Idempotent."""
    if root:
        user.register(home, root)
    if user.daemon_up(home):
        user.daemon_call(home, "look")
        return user.daemon_status(home)
    user.detach_daemon(home, [sys.executable, "-m", "orange", "daemon", "run", "--registered"])
    if not _until(lambda: user.daemon_up(home)):
        raise DaemonUnavailable(f"the daemon did not start: see {home.log}")
    return user.daemon_status(home)


def dashboard(home: Home, root: str | None) -> str:
    """Start the daemon and return an address of its page that lets one browser in. Raises DaemonUnavailable."""
    start(home, root)
    found: dict[str, Any] = {}

    def known() -> bool:
        found.update(user.daemon_call(home, "dashboard", {"root": root}))
        return bool(found["url"] or found["failed"])

    if not _until(known) or not found["url"]:
        raise DaemonUnavailable(f"the daemon serves no dashboard: see {home.log}")
    return str(found["url"])


def stop(home: Home, reason: str | None) -> bool:
    """Stop the daemon and wait for its end; False when none was running. Agents go on. Raises DaemonUnavailable."""
    if not user.daemon_up(home):
        return False
    pid = int(user.daemon_call(home, "stop", {"reason": reason})["pid"])
    if not _until(lambda: not _alive(pid)):
        raise DaemonUnavailable(f"the daemon (process {pid}) has not ended yet: see {home.log}")
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
