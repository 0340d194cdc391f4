"""What an agent may have left behind in a repository that git would run: hooks, and settings that name commands.

Worktrees share both. Orange's own git calls never run them, but a person's do; so what changed during a run is said.

Next in the flow: the supervisor compares before and after the agent, `orange status` names what is still there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Settings whose value is run, or says where what is run lies. Sections and keys in lower case.
_COMMANDS = (
    r"core\.(fsmonitor|hookspath|sshcommand|editor|pager|askpass|gitproxy|alternaterefscommand|attributesfile|worktree)"
    r"|filter\..*\.(clean|smudge|process)|diff\.(external|.*\.(command|textconv))|merge\..*\.driver"
    r"|(difftool|mergetool|browser|man|guitool|trailer|tar)\..*\.(cmd|command|path)|credential\.(.*\.)?helper"
    r"|alias\..*|pager\..*|gpg\.(.*\.)?program|sequence\.editor|interactive\.difffilter|include\.path|includeif\..*\.path"
    r"|remote\..*\.(uploadpack|receivepack|vcs)|uploadpack\.packobjectshook|init\.templatedir|submodule\..*\.update"
    r"|protocol\.(.*\.)?allow|extensions\.worktreeconfig"
)
#: `[section]`, `[section "subsection"]`, then perhaps a setting on the same line.
_HEADING = r"\s*\[\s*([A-Za-z0-9.-]+)(?:\s+\"((?:\\.|[^\"\\])*)\")?\s*\](.*)"
_SETTING = r"\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*?))?\s*"


class Seen(NamedTuple):
    """What was in a repository at one moment."""

    #: Name of a hook that git would run -> its content.
    hooks: Mapping[str, bytes]
    #: Configuration file, below the git directory -> its content.
    configs: Mapping[str, bytes]


class Change(NamedTuple):
    """One difference."""

    #: `hooks/pre-commit`, or `config: core.fsmonitor`.
    place: str
    #: `added`, `changed` or `removed`.
    what: str
    #: What stands there now; empty for what was removed.
    now: bytes

    @property
    def sentence(self) -> str:
        """Say it."""
        kind = "the hook" if self.place.startswith("hooks/") else "the git setting"
        value = f" ({self.now.decode('utf-8', 'replace')[:200]})" if self.now and kind == "the git setting" else ""
        return f"{kind} {self.place}{value} was {self.what} during the run"


def changes(before: Seen, after: Seen) -> tuple[Change, ...]:
    """Return what git would run now and would not have run before, or the other way round."""
    return (*_compared(_hooks(before), _hooks(after)), *_compared(settings(before), settings(after)))


def places(seen: Seen) -> dict[str, bytes]:
    """Return everything that git would run, by the place a change names."""
    return {**_hooks(seen), **settings(seen)}


def settings(seen: Seen) -> dict[str, bytes]:
    """Return the settings that name commands, of all files, by place; those set several times in one."""
    found: dict[str, bytes] = {}
    for name, data in sorted(seen.configs.items()):
        for key, value in _settings(data.decode("utf-8", "surrogateescape")):
            if re.fullmatch(_COMMANDS, key):
                place, told = f"{name}: {key}", value.encode("utf-8", "surrogateescape")
                found[place] = found[place] + b"\n" + told if place in found else told
    return found


def _hooks(seen: Seen) -> dict[str, bytes]:
    return {f"hooks/{name}": data for name, data in seen.hooks.items()}


def _compared(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[Change]:
    for place in sorted(before.keys() | after.keys()):
        if place not in before:
            yield Change(place, "added", after[place])
        elif place not in after:
            yield Change(place, "removed", b"")
        elif before[place] != after[place]:
            yield Change(place, "changed", after[place])


def _settings(text: str) -> Iterator[tuple[str, str]]:
    """Yield `section.subsection.key` and value, in order; lines that make no sense to us are passed over."""
    section = ""
    for line in text.replace("\\\n", "").splitlines():
        rest = line
        if heading := re.fullmatch(_HEADING, line):
            section = heading[1].lower() + (f".{heading[2]}" if heading[2] is not None else "")
            rest = heading[3]
        if section and (setting := re.fullmatch(_SETTING, rest)):
            yield f"{section}.{setting[1].lower()}", "true" if setting[2] is None else setting[2]
