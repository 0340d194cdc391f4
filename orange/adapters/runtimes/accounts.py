"""What is known of a run's conversation, on disk: `agent.json` in the run's folder.

Next in the flow: the supervisor puts it into the run's result, the daemon reads it while the run goes on.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from orange import recordfile
from orange.adapters.runtimes.events import Account, Event
from orange.core import runfiles
from orange.core.redact import Secrets


def read(folder: str) -> dict[str, Any]:
    """Read what this run's earlier steps told; empty for the first."""
    try:
        with open(f"{folder}/{runfiles.AGENT}", encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def save(folder: str, agent: str, told: Mapping[str, Any], secrets: Secrets) -> None:
    """Write what is known; a full disk loses the account, not the work."""
    text = json.dumps(secrets.mask_value({"agent": agent, **told}), indent=1) + "\n"
    with contextlib.suppress(OSError):
        recordfile.replace(f"{folder}/{runfiles.AGENT}", text.encode(), sync=False)


def take(account: Account, events: Iterable[Event]) -> None:
    """Take note of what a program's own files say, as far as they can be read: their form is nobody's promise."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        account.take(events)
