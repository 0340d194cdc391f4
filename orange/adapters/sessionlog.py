"""The sessions' lines: `<state>/sessions/<id>.jsonl`, one line after the other, never changed.

Next in the flow: `core.sessions` puts them together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from orange.adapters.private import private_folder
from orange.core.home import Home
from orange.core.problems import StorageFailed
from orange.core.sessions import Line


def add(home: Home, session: str, lines: list[Mapping[str, object]]) -> None:
    """Add lines to a session. Raises StorageFailed."""
    path = f"{home.sessions}/{session}.jsonl"
    try:
        private_folder(home.sessions)
        with open(path, "ab") as file:
            file.write("".join(f"{json.dumps(line)}\n" for line in lines).encode())
    except OSError as error:
        raise StorageFailed(path, error.strerror or str(error)) from error


def every(home: Home) -> Iterator[list[Line]]:
    """Yield each session's lines, in no order of sessions."""
    try:
        names = os.listdir(home.sessions)
    except FileNotFoundError:
        return
    for name in names:
        if name.endswith(".jsonl"):
            with open(f"{home.sessions}/{name}", "rb") as file:
                yield [line for text in file.read().split(b"\n") if (line := _line(text))]


def _line(text: bytes) -> Line:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
