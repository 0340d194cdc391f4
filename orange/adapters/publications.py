"""What this machine pushed: `<runtime>/publications.json`, small, and of no worth to any other machine.

Next in the flow: `project.world` reads it at each look, `project.publishing` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orange import recordfile
from orange.adapters.git import repository_lock
from orange.core.layout import Layout
from orange.core.problems import StorageFailed
from orange.core.sharing import Publication


class FilePublications:
    """Satisfies `ports.Publications`."""

    def __init__(self, layout: Layout) -> None:
        self._path = f"{layout.runtime}/publications.json"

    def tasks(self) -> Mapping[str, Publication]:
        """By task id."""
        return _known(self._read().get("tasks"))

    def bases(self) -> Mapping[str, Publication]:
        """The bases with merges that are to be pushed, by name."""
        return _known(self._read().get("bases"))

    def put(self, task: str, known: Publication | None) -> None:
        """Set what is known of a task; None forgets it. Raises StorageFailed."""
        self._put("tasks", task, known)

    def put_base(self, base: str, known: Publication | None) -> None:
        """Set what is known of a base that is to be pushed; None: it was. Raises StorageFailed."""
        self._put("bases", base, known)

    def _put(self, kind: str, name: str, known: Publication | None) -> None:
        try:
            with repository_lock(f"{self._path}.lock"):
                told = self._read()
                entries = {key: asdict(value) for key, value in _known(told.get(kind)).items() if key != name}
                told[kind] = entries | ({name: asdict(known)} if known else {})
                recordfile.replace(self._path, json.dumps(told).encode())
        except OSError as error:
            raise StorageFailed(self._path, error.strerror or str(error)) from error

    def _read(self) -> dict[str, Any]:
        """Read the file; what cannot be understood is as good as lost."""
        try:
            with open(self._path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _known(entries: object) -> dict[str, Publication]:
    found = {}
    for name, told in entries.items() if isinstance(entries, dict) else ():
        try:
            found[name] = Publication(**told | {"seen": tuple(told["seen"])})
        except (TypeError, KeyError):
            continue
    return found
