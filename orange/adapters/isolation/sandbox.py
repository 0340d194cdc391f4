"""Puts an agent's command into a bubblewrap sandbox."""

from __future__ import annotations

import shutil
from dataclasses import replace

from orange.adapters import process
from orange.adapters.isolation.cages import Surroundings, cage_of
from orange.core import sandbox
from orange.core.agents import Command
from orange.core.ports import RunSpec
from orange.core.problems import AgentUnusable, OrangeError

_MISSING = (
    "workspaces.isolation is sandbox, and bubblewrap is not installed: install it (`apt-get install bubblewrap`, or "
    "your system's package of that name), or set workspaces.isolation to worktree"
)
#: The smallest sandbox that needs what every one needs.
_PROBE = (
    "bwrap",
    "--unshare-user-try",
    "--unshare-pid",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "true",
)


def trouble() -> str | None:
    """Return why agents cannot be run in a sandbox here, and what to do; None where they can."""
    if shutil.which("bwrap") is None:
        return _MISSING
    try:
        tried = process.run(_PROBE, cwd="/", timeout=10.0)
    except OrangeError as error:
        return error.message
    if tried.status == 0:
        return None
    said = (tried.stderr.strip().splitlines() or [f"exit code {tried.status}"])[-1]
    return (
        f"workspaces.isolation is sandbox, and bubblewrap does not work here ({said}): let your user make user "
        "namespaces (sysctl, AppArmor or the container around decide that), or set workspaces.isolation to worktree"
    )


class Sandbox:
    """The sandboxes of one project."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def enclosed(self, spec: RunSpec, command: Command, folder: str) -> Command:
        """Return the command with its sandbox. Raises AgentUnusable where that cannot be done here."""
        if why := trouble():
            raise AgentUnusable(why)
        return replace(command, within=sandbox.bubblewrap(cage_of(self._around, spec, folder, [spec.agent])))
