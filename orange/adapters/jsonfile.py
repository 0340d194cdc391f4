"""A small JSON file that several processes change, each change whole: what this machine alone has to remember.

What cannot be understood in it is as good as lost, so nothing may be kept here that cannot be found out again.

Next in the flow: `candidates` and `publications` keep theirs this way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from orange import recordfile
from orange.adapters.git import repository_lock
from orange.core.problems import StorageFailed

_Told = dict[str, Any]


class JsonFile:
    """One JSON object in a file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> _Told:
        """Return what it says; nothing where it is missing or no object."""
        try:
            with open(self._path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def change(self, change: Callable[[_Told], _Told]) -> None:
        """Write what `change` makes of it; nobody else writes meanwhile. Raises StorageFailed."""
        try:
            with repository_lock(f"{self._path}.lock"):
                recordfile.replace(self._path, json.dumps(change(self.read())).encode())
        except OSError as error:
            raise StorageFailed(self._path, error.strerror or str(error)) from error
