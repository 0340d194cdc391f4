"""One command line being carried out: which project it means, how it speaks, and the doors to everything else.

Next in the flow: the commands, one file per noun.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from orange.cli.doors import Doors
from orange.cli.output import Output
from orange.cli.render import Style

if TYPE_CHECKING:
    from orange.project import Project


@dataclass
class Call:
    """The command line's circumstances; commands get it as their first argument."""

    doors: Doors
    out: Output
    stdin: TextIO
    env: Mapping[str, str]
    #: Wall-clock seconds, for ages.
    now: float
    #: What `-C` or `--project` said; None for the current folder.
    chosen: str | None = None
    #: The folder the line is typed in; None for this process's own.
    folder: str | None = None
    _project: Project | None = field(default=None, init=False)

    @property
    def path(self) -> str:
        """The folder that chooses the project."""
        folder = self.folder or os.getcwd()
        return os.path.join(folder, self.chosen) if self.chosen else folder

    @property
    def project(self) -> Project:
        """The project, opened at first use. Raises NotAProject, NewerFormat."""
        if self._project is None:
            self._project = self.doors.open_project(self.path)
        return self._project

    def address(self, given: str | None) -> str:
        """Return the task's address, by default the one whose workspace this is. Raises click.UsageError."""
        found = given or self.project.here()
        if found is None:
            from click import UsageError

            raise UsageError("say which TASK: only inside a task's workspace it may be left out")
        return found

    @property
    def style(self) -> Style:
        """How lines may look where they go."""
        return Style(self.out.width, self.out.shade, self.out.unicode, self.now)

    def read_text(self, source: str) -> str:
        """Return a text given on the line, or standard input for `-`."""
        return self.stdin.read() if source == "-" else source


def words(values: Sequence[str]) -> tuple[str, ...]:
    """Make repeated options a tuple without blanks."""
    return tuple(value for value in values if value.strip())
