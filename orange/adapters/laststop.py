"""How the daemon last stopped: a small file from its orderly end until its next start. A killed daemon leaves none.

Next in the flow: `orange daemon status` shows it while no daemon runs.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping

from orange.adapters.private import write_whole
from orange.core.home import Home


def write(home: Home, at: float, reason: str) -> None:
    """Note the end. `at`: seconds since 1970. Raises StorageFailed."""
    write_whole(home.stopped, json.dumps({"at": at, "reason": reason}).encode())


def read(home: Home) -> Mapping[str, object] | None:
    """Return `at` and `reason` of the last end; None when it was none in order."""
    try:
        with open(home.stopped, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"at", "reason"} <= found.keys() else None


def forget(home: Home) -> None:
    """Begin anew."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(home.stopped)
