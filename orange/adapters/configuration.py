"""The configuration files: read again when they have changed, layered, held back where nobody here trusted them yet.

A file that cannot be understood leaves the last good values in force and is a problem. Next in the flow: everything
that reads settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from orange.adapters import trust
from orange.adapters.private import write_whole
from orange.core import config, config_commands, config_edit, config_view
from orange.core.config import Source
from orange.core.config_walk import Raw
from orange.core.layout import Layout
from orange.core.problems import InvalidInput, Problem
from orange.core.settings import Settings

#: How a file is recognised as unchanged: modification time, size, inode; None when it is not there.
Signature = tuple[int, int, int] | None


class Configuration:
    """One project's effective settings."""

    def __init__(self, layout: Layout, user_file: str, environment: Mapping[str, str]) -> None:
        self.layout, self.user_file, self.environment = layout, user_file, environment
        self._seen: tuple[Signature, ...] | None = None
        self._good: dict[str, Raw] = {}
        self._settings = Settings()
        self._sources: Mapping[str, Source] = {}
        self._problems: tuple[Problem, ...] = ()

    def settings(self) -> Settings:
        """Return the effective settings. Raises NewerFormat."""
        self._refresh()
        return self._settings

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the files."""
        self._refresh()
        return self._problems

    def rows(self) -> list[dict[str, object]]:
        """List every setting with its value and where that came from."""
        self._refresh()
        return config_view.rows(self._settings, self._sources)

    def commands(self) -> str | None:
        """Return the fingerprint of the commands that the project's file sets, trusted or not; None without any."""
        project, _ = config.read(_bytes(self.layout.config), "config.yaml")
        settings, sources, _ = config.layer(project, {}, {}, {})
        return config_commands.fingerprint(config_commands.command_bearing(settings, sources))

    def assign(self, name: str, value: str, *, user: bool) -> None:
        """Set one key in the project's or the user's file. Raises InvalidInput, StorageFailed."""
        path = self.user_file if user else self.layout.config
        try:
            text = _bytes(path).decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(path, "the file is not UTF-8: mend that first") from error
        write_whole(path, config_edit.assign(text, name, value).encode())

    def _refresh(self) -> None:
        watched = (self.layout.config, self.user_file, trust.path(self.layout))
        seen = tuple(_signature(path) for path in watched)
        if seen == self._seen:
            return
        project, project_problems = self._read(self.layout.config, "config.yaml")
        user, user_problems = self._read(self.user_file, self.user_file)
        held_back: tuple[Problem, ...] = ()
        if trust.read(self.layout).commands:  # whatever was edited since: the rest of them is still unseen
            project, held_back = config_commands.withheld(project), (_WAITS_FOR_TRUST,)
        self._settings, self._sources, problems = config.layer(project, user, self.environment, {})
        self._problems = (*project_problems, *user_problems, *problems, *held_back)
        self._seen = seen

    def _read(self, path: str, name: str) -> tuple[Raw, tuple[Problem, ...]]:
        """Read one file; where it cannot be read as a whole, its last good values stay."""
        raw, problems = config.read(_bytes(path), name)
        if problems and not raw and path in self._good:
            return self._good[path], problems
        self._good[path] = raw
        return raw, problems


_WAITS_FOR_TRUST = Problem(
    "config.yaml",
    0,
    "it came with commands that nobody on this machine has looked at; they are not in force",
    "read them in `.orange/config.yaml`, then run `orange trust`",
)


def _signature(path: str) -> Signature:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError:
        return b""
