"""Which skills a run has, and where they come from. Pure.

Always orange's own for workers; all of the repository's, whichever agent they were put there for; and what the task or
a step of its pipeline names, wherever it is found. The first place that has a name decides what it stands for.

Imports next to nothing: a supervisor starts with every run. Next in the flow: the runner lays them into the workspace.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The file that makes a folder a skill.
FILE = "SKILL.md"
#: Orange's own skill for agents in a workspace.
WORKER = "orange-worker"
#: What a task says that is to be done by direct instructions.
AUTO = "auto"
#: Where a workspace's agents look for skills, each at one of them at least.
LINKED = (".agents/skills", ".claude/skills", ".gemini/skills")
#: Where a repository may have skills: the first is nobody's own.
PROJECT = ("skills", *LINKED, ".codex/skills", ".opencode/skills")
#: Where a user may have them, below the home folder.
USER = (*LINKED, ".codex/skills", ".config/opencode/skills", ".opencode/skills")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_name(text: str) -> bool:
    """Whether a text can be a skill's name, and so the name of a folder."""
    return len(text) <= 64 and _NAME.fullmatch(text) is not None


def named(task: str | None, steps: Iterable[str | None]) -> tuple[str, ...]:
    """Return the skills that a task and the steps of its pipeline name, once each."""
    return tuple(dict.fromkeys(name for name in (task, *steps) if name and name != AUTO))


def choose(
    wanted: Iterable[str], own: Mapping[str, str], project: Mapping[str, str], user: Mapping[str, str]
) -> dict[str, str]:
    """Choose the active skills, name -> folder, from what each place has; a wanted one may be missing."""
    active = {WORKER: own[WORKER]} if WORKER in own else {}
    active |= {name: folder for name, folder in project.items() if name not in active}
    for name in wanted:
        for place in (project, user, own):
            if name not in active and name in place:
                active[name] = place[name]
    return active


def missing(wanted: Iterable[str], active: Mapping[str, str], known: Iterable[str]) -> str | None:
    """Say which skill there is not, and which there are; None where nothing is missing."""
    for name in wanted:
        if name not in active:
            there = ", ".join(sorted({*active, *known})) or "none at all"
            return (
                f"there is no skill {name!r} here: put it into skills/{name}/{FILE} of the repository, or name one of "
                f"those there are ({there})"
            )
    return None
