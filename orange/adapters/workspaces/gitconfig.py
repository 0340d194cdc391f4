"""A repository's git configuration, judged: what orange's own git calls may follow of it, and what it may not run.

Worktrees share one configuration that any agent can write, so commands in it (filters, merge drivers) are never run
by orange's calls; what the user configured for all repositories is. Settings that only say how text and files are
treated are followed.

Next in the flow: `shadow` writes the harmless part into a git directory of orange's own; `spares` and `binding` give
`neutral` to the calls that must work in the worktree itself.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from orange.adapters.git import Git

_FOLLOWED = (
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.filemode",
    "core.symlinks",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.protectntfs",
    "core.protecthfs",
    "core.bigfilethreshold",
    "core.compression",
    "core.excludesfile",
    "core.attributesfile",
    "core.checkroundtripencoding",
    "extensions.objectformat",
    "user.name",
    "user.email",
    "author.name",
    "author.email",
    "committer.name",
    "committer.email",
)
#: Who commits where nobody is configured.
_NOBODY = {"NAME": "orange", "EMAIL": "orange@localhost"}
_FILTERS = ("clean", "smudge", "process")


@dataclass(frozen=True, slots=True)
class GitConfig:
    """What `git config` says, by scope."""

    #: Effective values, by key as git prints it.
    values: Mapping[str, str] = field(default_factory=dict)
    #: Keys that the repository's own files set.
    own: frozenset[str] = frozenset()
    #: The files that said something, as git names them.
    files: frozenset[str] = frozenset()

    @property
    def includes(self) -> bool:
        """Whether other files are taken in, of which some may have said nothing, or only now."""
        return any(key.startswith(("include.", "includeif.")) for key in self.values)

    @property
    def followed(self) -> dict[str, str]:
        """The settings that are harmless, and needed to read the files as their user means them."""
        return {key: self.values[key] for key in _FOLLOWED if key in self.values}

    @property
    def filters(self) -> frozenset[str]:
        """Names of the filters that orange's calls do not run: the repository's own, and those not installed."""
        drivers = {_driver(key) for key in self.values if _is_filter(key)}
        return frozenset(name for name in drivers if self._own(name) or not self._installed(name))

    @property
    def plain(self) -> bool:
        """Whether a checkout through a git directory of orange's own gives what one by git itself does."""
        special = ("core.sparsecheckout", "extensions.partialclone", "extensions.refstorage")
        return not self.filters and not any(self.values.get(key, "false") != "false" for key in special)

    @property
    def partial(self) -> bool:
        """Whether objects may be missing here, to be fetched when needed."""
        return "extensions.partialclone" in self.values

    def identity(self) -> dict[str, str]:
        """Who commits where nobody is configured; what the environment says counts more."""
        if {"user.email", "author.email"} & self.values.keys() and {"user.name", "author.name"} & self.values.keys():
            return {}
        people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _NOBODY.items()}
        return {key: value for key, value in people.items() if key not in os.environ}

    def neutral(self) -> dict[str, str]:
        """The environment that keeps a git call from running commands out of the repository's own configuration."""
        settings = {"submodule.recurse": "false", "merge.verifysignatures": "false", "core.splitindex": "false"}
        for name in self.filters:
            settings |= {f"filter.{name}.{part}": "" for part in _FILTERS} | {f"filter.{name}.required": "false"}
        for key in self.own:
            if key.startswith("merge.") and key.endswith(".driver"):
                settings[key] = "git merge-file --marker-size=%L %A %O %B"
        return overrides(settings)

    def _own(self, name: str) -> bool:
        return any(f"filter.{name}.{part}" in self.own for part in _FILTERS)

    def _installed(self, name: str) -> bool:
        commands = [self.values.get(f"filter.{name}.{part}", "") for part in _FILTERS]
        return all(_runs(command) for command in commands if command)


def overrides(settings: Mapping[str, str]) -> dict[str, str]:
    """Say settings in the environment: unlike `-c`, it takes keys with any character in them."""
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def read(git: Git) -> GitConfig:
    """Read what is in force in a git directory. Raises GitFailed."""
    values: dict[str, str] = {}
    own: set[str] = set()
    files: set[str] = set()
    fields = git.run("config", "--list", "--show-scope", "--show-origin", "-z").text.split("\0")
    for scope, origin, entry in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if scope == "command":
            continue
        key, _, value = entry.partition("\n")
        values[key] = value
        files.add(origin.removeprefix("file:"))
        if scope in {"local", "worktree"}:
            own.add(key)
    return GitConfig(values, frozenset(own), frozenset(files))


def render(settings: Mapping[str, str]) -> str:
    """Write settings as a git configuration file."""
    lines = []
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'[{section}]\n\t{name} = "{quoted}"\n')
    return "".join(lines)


def _is_filter(key: str) -> bool:
    return key.startswith("filter.") and key.rpartition(".")[2] in _FILTERS


def _driver(key: str) -> str:
    return key.removeprefix("filter.").rpartition(".")[0]


def _runs(command: str) -> bool:
    try:
        words = shlex.split(command)
    except ValueError:
        return True
    return not words or shutil.which(words[0]) is not None
