"""What holds dispatch up in a project: its switch, and what the providers of agents refused, which all projects share.

The switch is a small file that says whether new work may start, who said otherwise, and why.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from orange.core import times
from orange.core.model import World
from orange.core.refusals import news
from orange.project.parts import Parts


def read(path: str) -> Mapping[str, object]:
    """Return what the switch says; an absent or unreadable file means: go on."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: str, state: Mapping[str, object]) -> None:
    """Replace the switch."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def share_refusals(parts: Parts, world: World) -> None:
    """Let all projects of the user know what providers refused here. Raises StorageFailed."""
    now = parts.clock.now()
    found = news(world.runs.values(), world.dispatch.refused, now)
    if found:
        parts.refusals.add(found, now)


def paused(now: float, reason: str | None, *, draining: bool) -> dict[str, object]:
    """Make the state of a pause."""
    return {"paused": True, "draining": draining, "reason": reason, "at": times.stamp(now)}
