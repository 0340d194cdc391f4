"""Tells a person something by a command of theirs, and keeps in `<runtime>/notified.json` what was told already.

Next in the flow: whatever the command does: a window on the desktop, a message to a telephone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from orange import recordfile
from orange.adapters import process
from orange.core import environment
from orange.core.layout import Layout
from orange.core.notices import Notice

#: Seconds a command may take.
PATIENCE = 30.0


class CommandNotices:
    """Satisfies `sharing.Notices`."""

    def __init__(self, layout: Layout, env: Mapping[str, str]) -> None:
        self._layout, self._env = layout, env
        self._path = f"{layout.runtime}/notified.json"

    def told(self) -> frozenset[str]:
        """Return the keys of what was told."""
        try:
            with open(self._path, encoding="utf-8") as file:
                return frozenset(map(str, json.load(file)["told"]))
        except (OSError, ValueError, TypeError, KeyError):
            return frozenset()

    def keep(self, keys: Iterable[str]) -> None:
        """Keep the keys of what was told. Raises OSError."""
        recordfile.replace(self._path, json.dumps({"format": 1, "told": sorted(keys)}).encode())

    def tell(self, command: str, notice: Notice) -> str | None:
        """Run the user's command; returns why it failed, in one sentence. Raises ProgramMissing, TimedOut."""
        told = {**notice._asdict(), "project": self._layout.root}
        del told["key"]
        env = environment.outside(self._env) | {f"ORANGE_{name.upper()}": text for name, text in told.items()}
        text = json.dumps(told).encode("utf-8", "surrogateescape")
        result = process.run(["sh", "-c", command], cwd=self._layout.root, env=env, stdin=text, timeout=PATIENCE)
        if result.status == 0:
            return None
        said = " ".join(result.stderr.split())[:200]
        return f"it ended with exit code {result.status}" + (f": {said}" if said else "")
