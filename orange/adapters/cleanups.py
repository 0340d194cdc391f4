"""Tasks whose workspace is not kept when they fail: `<runtime>/cleanup_on_fail.json`. Losing it keeps workspaces.

Next in the flow: `core.upkeep` returns the workspace of one that has failed.
"""

from __future__ import annotations

from orange.adapters.jsonfile import JsonFile
from orange.core.layout import Layout


class FileCleanups:
    """Satisfies `sharing.Cleanups`."""

    def __init__(self, layout: Layout) -> None:
        self._file = JsonFile(f"{layout.runtime}/cleanup_on_fail.json")

    def tasks(self) -> frozenset[str]:
        """The ids of those tasks."""
        return frozenset(self._file.read())

    def put(self, task: str, *, wanted: bool) -> None:
        """Say whether a task's workspace is not to be kept. Raises StorageFailed."""
        if wanted != (task in self.tasks()):
            self._file.change(lambda told: {**_without(told, task), **({task: True} if wanted else {})})


def _without(told: dict[str, object], task: str) -> dict[str, object]:
    return {name: value for name, value in told.items() if name != task}
