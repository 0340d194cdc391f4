"""A project as the daemon serves it: its reconciler, and the watch that says when to look."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from orange.core.allowance import Terms
from orange.core.home import Home
from orange.core.lifecycle import Actor
from orange.project.requests import Speaker
from orange.wiring import Wired, open_parts

if TYPE_CHECKING:
    from orange.adapters.watch import FolderWatch
    from orange.reconciler.loop import Reconciler


@dataclass(slots=True)
class Served:
    """A project the daemon serves."""

    reconciler: Reconciler
    parts: Wired
    #: Told of edits.
    edited: Callable[[str | None], None]
    _watch: FolderWatch | None = None

    def agree(self, terms: Terms) -> None:
        """Let the project be served on these terms from now on."""
        self.parts.terms = terms

    def watch(self) -> None:
        """Watch for edits from now on: after the first turn, which setting it up beside would only slow down."""
        from orange.adapters.watch import FolderWatch

        if self._watch is None and os.environ.get("ORANGE_WATCH") != "off":
            self._watch = FolderWatch()
            self._watch.start(self.reconciler.parts.layout.tree, self.edited)

    def stop_watching(self) -> None:
        """Watch no longer."""
        if self._watch is not None:
            self._watch.stop()


class Shown(Protocol):
    """The daemon, as far as it is anybody's business."""

    @property
    def projects(self) -> Mapping[str, Served]:
        """The projects, by folder."""

    def status(self) -> Mapping[str, Any]:
        """Say who serves what, since when."""

    def look(self) -> None:
        """Look at the projects soon."""

    def revision(self, root: str) -> str:
        """Name how a project is beside its tasks, as of the last look."""


@dataclass(frozen=True, slots=True)
class Hints:
    """How a project tells the daemon that there is something to see."""

    #: Orange itself did something.
    nudge: Callable[[], None]
    #: Somebody changed a file: its path below the folder of records; None where it could be any.
    edited: Callable[[str | None], None]


def serve(root: str, home: Home, hints: Hints, pool: ThreadPoolExecutor) -> Served:
    """Make a project's reconciler, and mend what a kill left. Raises OrangeError."""
    from orange.reconciler.loop import Reconciler

    parts = open_parts(root, home, daemon=True)
    reconciler = Reconciler(parts, Speaker(Actor.DAEMON, "daemon"), hints.nudge, pool)
    reconciler.repair()
    return Served(reconciler, parts, hints.edited)
