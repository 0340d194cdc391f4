"""Agent Skills: what a `SKILL.md` must say, and where each agent looks for them.

The places were found by putting marked skills everywhere and reading what the agents really sent (November 2026).
Next in the flow: `orange skill install` copies orange's own skills there, a run's `prepare` links a task's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orange.core.activeskills import FILE, WORKER, is_name
from orange.core.problems import InvalidInput

#: Orange's own: one for agents that plan, one for agents in a workspace.
OWN = ("orange", WORKER)
_KEY = re.compile(r"([a-z-]+):[ \t]*(\S.*)?")


@dataclass(frozen=True, slots=True)
class Places:
    """Where one agent reads skills; the first of each is where orange puts them."""

    #: Relative to the repository.
    project: tuple[str, ...]
    #: Relative to the home folder.
    user: tuple[str, ...]


#: Agent -> its places. `.agents/skills` is shared by all that read it, so one copy there serves three of the four.
PLACES: Mapping[str, Places] = {
    "claude": Places((".claude/skills",), (".claude/skills",)),
    "codex": Places((".agents/skills", ".codex/skills"), (".agents/skills", ".codex/skills")),
    "gemini": Places((".agents/skills", ".gemini/skills"), (".agents/skills", ".gemini/skills")),
    "opencode": Places(
        (".agents/skills", ".claude/skills", ".opencode/skills"),
        (".agents/skills", ".claude/skills", ".config/opencode/skills", ".opencode/skills"),
    ),
}


def folders(agents: Iterable[str], *, user: bool) -> tuple[str, ...]:
    """List the fewest folders, relative to the home folder or the repository, that serve these agents."""
    found: dict[str, None] = {}
    for agent in agents:
        places = PLACES.get(agent)
        if places is not None:
            found[(places.user if user else places.project)[0]] = None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill, read."""

    name: str
    #: What it does and when to use it: all an agent sees until it opens the skill.
    description: str
    body: str


def read(text: str, folder: str) -> Skill:
    """Read a SKILL.md; `folder` is the name of the folder it lies in. Raises InvalidInput naming what is wrong."""
    head, keys = text.partition("\n---\n"), {}
    if not text.startswith("---\n") or not head[1]:
        raise InvalidInput(FILE, "it must begin with `---`, its name and description, and a second `---` line")
    for line in head[0].splitlines()[1:]:
        found = _KEY.fullmatch(line)
        if found:
            keys[found[1]] = (found[2] or "").strip().strip("\"'")
    name, description = keys.get("name", ""), keys.get("description", "")
    if not is_name(name) or name != folder:
        raise InvalidInput("name", f"expected the folder's name {folder!r} (lower case, digits, -), found {name!r}")
    if not 1 <= len(description) <= 1024:
        raise InvalidInput("description", "expected 1 to 1024 characters: what the skill does and when to use it")
    return Skill(name, description, head[2])
