"""The daemon of the command line: it also answers the fast lane's questions, from what it already has in memory.

Next in the flow: `served` carries a question out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orange import wiring
from orange.cli.doors import RealDoors
from orange.daemon.run import Daemon

if TYPE_CHECKING:
    from orange.project import Project


class DaemonDoors(RealDoors):
    """The doors, opened from within the daemon: a project it serves is not read anew."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def open_project(self, path: str) -> Project:
        """Open a project for reading, on the daemon's own parts where it has them."""
        from orange.project import Project

        found = wiring.open_project(path)
        served = self._daemon.projects.get(found.layout.root)
        return Project(served.reconciler.parts, found.speaker) if served else found

    def daemon_status(self) -> Mapping[str, Any]:
        """Return the status of the daemon this is."""
        return self._daemon.status()


class AnsweringDaemon(Daemon):
    """The daemon, which knows one call more."""

    def answer(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer one call of the socket."""
        if name != "command":
            return super().answer(name, arguments)
        from orange.cli import served

        return served.command(arguments, DaemonDoors(self), os.environ)
