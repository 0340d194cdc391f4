"""The configuration files: read again when they have changed, layered, held back where nobody here trusted them yet.

A file with a mistake in it is a problem, and the last good one stays in force: its text is kept beside, so that the
daemon, the commands and the daemon after its restart all go by the same. Next in the flow: everything that reads
settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

from orange.adapters import trust
from orange.adapters.private import write_whole
from orange.core import config, config_commands, config_edit, config_view
from orange.core.config import Source
from orange.core.config_walk import Raw
from orange.core.home import Home
from orange.core.layout import Layout
from orange.core.problems import InvalidInput, Problem, StorageFailed
from orange.core.settings import Settings

#: How a file is recognised as unchanged: modification time, size, inode; None when it is not there.
Signature = tuple[int, int, int] | None


class Configuration:
    """One project's effective settings."""

    def __init__(self, layout: Layout, home: Home, environment: Mapping[str, str]) -> None:
        self.layout, self.home, self.environment = layout, home, environment
        self._seen: tuple[Signature, ...] | None = None
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
        path = self.home.settings if user else self.layout.config
        try:
            text = _bytes(path).decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(path, "the file is not UTF-8: mend that first") from error
        write_whole(path, config_edit.assign(text, name, value).encode())

    def _refresh(self) -> None:
        watched = (self.layout.config, self.home.settings, trust.path(self.layout))
        seen = tuple(_signature(path) for path in watched)
        if seen == self._seen:
            return
        project, project_problems = _read(self.layout.config, "config.yaml", self.layout.good_config)
        user, user_problems = _read(self.home.settings, self.home.settings, self.home.good_settings)
        held_back: tuple[Problem, ...] = ()
        if trust.read(self.layout).commands:  # whatever was edited since: the rest of them is still unseen
            project, held_back = config_commands.withheld(project), (_WAITS_FOR_TRUST,)
        self._settings, self._sources, problems = config.layer(project, user, self.environment, {})
        self._problems = (*project_problems, *user_problems, *problems, *held_back)
        self._seen = seen


def _read(path: str, name: str, kept: str) -> tuple[Raw, tuple[Problem, ...]]:
    """Read one file, and keep its text as the last good one; where something is wrong in it, read the one kept."""
    text = _bytes(path)
    raw, problems = config.read(text, name)
    good = _bytes(kept)
    if problems and good:
        return config.read(good, f"{name} (the last good one)")[0], problems
    if not problems and text != good:
        with suppress(StorageFailed):  # without it, a later mistake puts the defaults in force
            write_whole(kept, text)
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
