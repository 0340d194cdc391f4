"""The files in which agents' programs keep their conversations: a JSON object a line, each with its time.

Read only, and as far as they can be understood; nothing here knows whose they are.

Next in the flow: each agent's module turns them into events for `recall`.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime

from orange.adapters.runtimes.events import Line


def changed(pattern: str, since: float) -> list[str]:
    """Return the files that were written since then (seconds since 1970), the latest last."""
    found = ((_changed_at(path), path) for path in glob.iglob(pattern, recursive=True))
    return [path for at, path in sorted(found) if at >= since]


def lines(path: str) -> Sequence[Line]:
    """Read what makes sense of a file. Raises OSError."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return tuple(found for found in map(_line, file) if found)


def later(entries: Sequence[Line], since: float) -> Iterator[Line]:
    """Yield the lines that were written since then."""
    return (entry for entry in entries if written_at(entry) >= since)


def is_in(folder: object, workspace: str) -> bool:
    """Whether something was said in a workspace, or in a folder below it."""
    return f"{folder}/".startswith(f"{workspace}/")


def written_at(entry: Line) -> float:
    """Return when a line was written; the beginning of time where it does not say."""
    try:
        return datetime.fromisoformat(str(entry.get("timestamp"))).timestamp()
    except ValueError:
        return 0.0


def _line(text: str) -> Line:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _changed_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
