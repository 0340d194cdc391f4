"""What runs left behind for git to run, as far as it is still there and nobody has looked at it.

Next in the flow: `orange status` shows it among the problems; `orange trust` says that a person knows.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

from orange import gitfiles
from orange.core import plants, runfiles
from orange.core.layout import Layout
from orange.core.problems import Problem

_HINT = "look at it and take it out, or keep it: `orange trust`"


def problems(layout: Layout) -> tuple[Problem, ...]:
    """Name what is still as a run left it."""
    return tuple(dict.fromkeys(_problems(layout)))


def _problems(layout: Layout) -> Iterator[Problem]:
    hashes = functools.cache(functools.partial(_hashes, layout))
    for path in _records(layout):
        for entry in _read(path):
            with contextlib.suppress(KeyError, TypeError):
                place = str(entry["place"])
                if entry["hash"] == hashes(str(entry["workspace"])).get(place):
                    yield Problem(f"{layout.common}/{place.partition(':')[0]}", 0, str(entry["message"]), _HINT)


def forget(layout: Layout) -> int:
    """Take everything as known; returns how many runs' records that were."""
    found = _records(layout)
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    return len(found)


def _hashes(layout: Layout, workspace: str) -> dict[str, str]:
    """The hash of each place's content as it is now, by place; of those that there are."""
    seen = plants.Seen(gitfiles.hooks(layout.common), gitfiles.configs(layout.common, workspace))
    return {place: hashlib.sha256(content).hexdigest() for place, content in plants.places(seen).items()}


def _records(layout: Layout) -> list[str]:
    folder = f"{layout.runtime}/{runfiles.PLANTS}"
    try:
        return sorted(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".json"))
    except OSError:
        return []


def _read(path: str) -> list[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
