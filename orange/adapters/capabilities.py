"""What this machine can do: its usable agents and a few programs. Missing means never claimed here, and it says so."""

from __future__ import annotations

import shutil

from orange.adapters.runtimes.registry import RUNTIMES
from orange.core import container, runfiles
from orange.core.agents import Found
from orange.core.settings import AgentSettings, Settings

#: Capability -> the programs of which one must be there.
_PROGRAMS = {"git": ("git",), "gh": ("gh",), "docker": ("docker", "podman")}


def agents(settings: Settings) -> tuple[Found, ...]:
    """Detect every known agent. In a container they are the image's, and taken to be there."""
    which = _in_image if settings.workspaces.isolation == runfiles.CONTAINER else shutil.which
    return tuple(
        runtime.detect(settings.agents.get(name, AgentSettings()), which) for name, runtime in RUNTIMES.items()
    )


def _in_image(program: str) -> str:
    return f"/{program}"


def detect(settings: Settings) -> frozenset[str]:
    """Return the machine's capabilities, lower case."""
    programs = {word for word, any_of in _PROGRAMS.items() if any(shutil.which(program) for program in any_of)}
    box = settings.workspaces.container
    boxed = (
        {container.CAPABILITY} if box.get("image") and shutil.which(box.get("engine") or container.ENGINES[0]) else ()
    )
    return frozenset(programs.union(boxed, (found.name for found in agents(settings) if found.usable)))
