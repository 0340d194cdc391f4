"""What agents have in common."""

from __future__ import annotations

from collections.abc import Callable

from orange.core.ports import Command, Found, RunSpec
from orange.core.settings import AgentSettings

#: Finds a program on the PATH.
Which = Callable[[str], str | None]


def usable(name: str, version: str | None = None) -> Found:
    """Say that an agent can be used here."""
    return Found(name, usable=True, version=version, reason=None)


def unusable(name: str, reason: str) -> Found:
    """Say that an agent cannot be used here, and what to do, in one sentence."""
    return Found(name, usable=False, version=None, reason=reason)


class Broken:
    """Stands in for an agent from elsewhere that cannot even be loaded."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = f"the package that offers agent {name!r} cannot be loaded: {reason}"

    def detect(self, _settings: AgentSettings, _which: Which) -> Found:
        """Say why it cannot be used."""
        return unusable(self.name, self._reason)

    def command(self, _spec: RunSpec, _prompt_file: str) -> Command:
        """Refuse. Raises AgentUnusable."""
        from orange.core.problems import AgentUnusable

        raise AgentUnusable(self._reason)
