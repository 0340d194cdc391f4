"""What this machine pushed: `<runtime>/publications.json`, small, and of no worth to any other machine.

Next in the flow: `project.world` reads it at each look, `project.publishing` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orange.adapters.jsonfile import JsonFile
from orange.core.layout import Layout
from orange.core.sharing import Publication


class FilePublications:
    """Satisfies `ports.Publications`."""

    def __init__(self, layout: Layout) -> None:
        self._file = JsonFile(f"{layout.runtime}/publications.json")

    def tasks(self) -> Mapping[str, Publication]:
        """By task id."""
        return _known(self._file.read().get("tasks"))

    def bases(self) -> Mapping[str, Publication]:
        """The bases with merges that are to be pushed, by name."""
        return _known(self._file.read().get("bases"))

    def put(self, task: str, known: Publication | None) -> None:
        """Set what is known of a task; None forgets it. Raises StorageFailed."""
        self._put("tasks", task, known)

    def put_base(self, base: str, known: Publication | None) -> None:
        """Set what is known of a base that is to be pushed; None: it was. Raises StorageFailed."""
        self._put("bases", base, known)

    def _put(self, kind: str, name: str, known: Publication | None) -> None:
        def change(told: dict[str, Any]) -> dict[str, Any]:
            entries = {key: asdict(value) for key, value in _known(told.get(kind)).items() if key != name}
            return told | {kind: entries | ({name: asdict(known)} if known else {})}

        self._file.change(change)


def _known(entries: object) -> dict[str, Publication]:
    found = {}
    for name, told in entries.items() if isinstance(entries, dict) else ():
        try:
            found[name] = Publication(**told | {"seen": tuple(told["seen"])})
        except (TypeError, KeyError):
            continue
    return found
