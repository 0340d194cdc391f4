"""The daemon of the command line: it also answers the fast lane's questions, from what it already has in memory.

Next in the flow: `served` carries a question out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orange import wiring
from orange.cli.doors import Keeper, RealDoors
from orange.core.home import Home
from orange.daemon.run import Daemon
from orange.daemon.session import Options
from orange.wiring.answers import MemoryKeeper, Remembered, speaker_of

if TYPE_CHECKING:
    from orange.project import Project


class DaemonDoors(RealDoors):
    """The doors, opened from within the daemon: a project it serves is not read anew."""

    def __init__(self, daemon: AnsweringDaemon, peer: int) -> None:
        self._daemon, self._peer = daemon, peer

    def open_project(self, path: str) -> Project:
        """Open a project on behalf of the process that asks, on the daemon's own parts where it has them."""
        from orange.project import Project

        parts = wiring.open_parts(path)
        speaker = speaker_of(parts.layout, path, self._peer)
        served = self._daemon.projects.get(parts.layout.root)
        return Project(served.reconciler.parts if served else parts, speaker)

    def keeper(self, project: Project) -> Keeper:
        """Keep answers in the daemon's memory."""
        return MemoryKeeper(project, self._daemon.answers, wiring.current_home())

    def daemon_status(self) -> Mapping[str, Any]:
        """Return the status of the daemon this is."""
        return self._daemon.status()


class AnsweringDaemon(Daemon):
    """The daemon, which knows one call more."""

    def __init__(self, home: Home, options: Options) -> None:
        super().__init__(home, options)
        #: The last answers, by repository.
        self.answers: dict[str, Remembered] = {}

    def answer(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer one call of the socket."""
        if name != "command":
            return super().answer(name, arguments)
        from orange.cli import served

        return served.command(arguments, DaemonDoors(self, int(arguments.get("peer") or 0)), os.environ)
