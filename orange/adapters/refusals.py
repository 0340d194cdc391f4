"""What the providers of agents refused in any of a user's projects: a small JSON file, written whole by the daemon.

Its content is of no worth once the times in it are over; what makes no sense in it is passed over.

Next in the flow: `project.world` reads it at each look, `project.dispatching` adds to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from orange.adapters.private import write_whole
from orange.core.allowance import Refusal


class FileRefusals:
    """Satisfies `sharing.Refusals`, as one project sees them."""

    def __init__(self, path: str, root: str) -> None:
        self._path, self._root = path, root

    def known(self) -> tuple[Refusal, ...]:
        """Return what is known, over or not."""
        return tuple(replace(each, project="") if each.project == self._root else each for each in self._all())

    def add(self, refused: Iterable[Refusal], now: float) -> None:
        """Add what was refused here, and drop what is over. Raises StorageFailed."""
        found = {each.agent: each for each in self._all() if each.until > now}
        found |= {each.agent: replace(each, project=self._root) for each in refused}
        text = json.dumps({"format": 1, "refused": [asdict(each) for each in found.values()]}, indent=1)
        write_whole(self._path, text.encode("utf-8", "surrogateescape"))

    def _all(self) -> tuple[Refusal, ...]:
        try:
            with open(self._path, encoding="utf-8", errors="surrogateescape") as file:
                return tuple(_refusal(each) for each in json.load(file)["refused"])
        except (OSError, ValueError, TypeError, KeyError):
            return ()


def _refusal(told: Mapping[str, Any]) -> Refusal:
    met = told["met"]
    agent, run, project = (str(told[name]) for name in ("agent", "run", "project"))
    return Refusal(agent, float(told["until"]), run, None if met is None else float(met), project)
