"""What agents have in common: how they are found, and how a run of one is put together."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orange.core.agents import Command, Found, Inner
from orange.core.ports import RunSpec
from orange.core.settings import AgentSettings

#: Finds a program on the PATH.
Which = Callable[[str], str | None]

#: Shows what an agent does and keeps account of it. `-P`: a workspace may well have a folder called `orange`.
_HEADLESS = ("-P", "-m", "orange.adapters.runtimes.headless")
#: Reads what a program with its own screen kept of it; the time of its start is added.
_RECALL = ("-P", "-m", "orange.adapters.runtimes.recall")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
#: Bytes a prompt may have as an argument; the system refuses 128 KiB.
_LONGEST = 100_000
#: How far above a program its package is looked for.
_DEPTH = 4


def usable(name: str, version: str | None = None) -> Found:
    """Say that an agent can be used here."""
    return Found(name, usable=True, version=version, reason=None)


def unusable(name: str, reason: str, version: str | None = None) -> Found:
    """Say that an agent cannot be used here, and what to do, in one sentence."""
    return Found(name, usable=False, version=version, reason=reason)


@dataclass(frozen=True, slots=True)
class Program:
    """The program of an agent."""

    #: As it is called on the PATH.
    command: str
    #: The oldest version whose flags and stream are those this version of orange knows.
    oldest: tuple[int, int, int]
    #: The command that installs it.
    install: str
    #: Its npm package, whose description says the version without starting the program.
    package: str

    def found(self, name: str, which: Which) -> Found:
        """Say whether it is installed and new enough.

        Asked at every look of the daemon, so the program is not started: a version that only it could tell is unknown,
        and taken to be new enough.
        """
        path = which(self.command)
        if path is None:
            return unusable(name, f"there is no `{self.command}` on the PATH: install it with `{self.install}`")
        version = _packaged_version(os.path.realpath(path), self.package)
        if version and parse_version(version) < self.oldest:
            oldest = ".".join(map(str, self.oldest))
            return unusable(name, f"version {version} is too old, {oldest} is needed: `{self.install}`", version)
        return usable(name, version)


@dataclass(frozen=True, slots=True)
class Login:
    """How the user of an agent's program logs in."""

    #: What people call the program.
    program: str
    #: What to do, as part of a sentence.
    cure: str
    #: The program's exit code when nobody is; None where its stream says it.
    status: int | None = None

    def __str__(self) -> str:
        return f"{self.program} is not logged in, or not any more: {self.cure}"


def parse_version(text: str) -> tuple[int, int, int]:
    """Read the first version in a text; zeros where there is none."""
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def _packaged_version(program: str, package: str) -> str | None:
    """Return what the npm package around a program says; None where there is none."""
    folder = os.path.dirname(program)
    for _ in range(_DEPTH):
        try:
            with open(f"{folder}/package.json", encoding="utf-8") as file:
                told = json.load(file)
        except (OSError, ValueError):
            told = None
        if isinstance(told, dict) and str(told.get("name", "")).startswith(package):
            return str(told.get("version"))
        folder = os.path.dirname(folder)
    return None


def cli(  # noqa: PLR0913 - keyword-only but for the two forms of the command
    spec: RunSpec,
    fresh: tuple[str, ...],
    resumed: tuple[str, ...] | None = None,
    *,
    reader: str | None = None,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Command:
    """Put together how a program is run: in the terminal itself, or, with a reader of its stream, by `headless`."""
    given = {**(env or {}), **spec.agent_settings.env}
    if reader is None:
        return Command(fresh, given, files=files or {}, recall=(sys.executable, *_RECALL, spec.agent, spec.workspace))
    return Command((sys.executable, *_HEADLESS), given, files=files or {}, inner=Inner(reader, fresh, resumed))


def opening(spec: RunSpec, prompt_file: str) -> tuple[str, ...]:
    """Return the words an interactive program begins with; none where a person continues by hand."""
    text = spec.followup if spec.resume else spec.prompt
    if not text:
        return ()
    return (text,) if len(text.encode("utf-8", "replace")) < _LONGEST else (f"Read {prompt_file} and do what it says.",)


def beside(prompt_file: str, name: str) -> str:
    """Return the path of another file in the run's folder."""
    return f"{os.path.dirname(prompt_file)}/{name}"


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
