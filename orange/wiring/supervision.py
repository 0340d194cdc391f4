"""What the supervisor in a session needs from the rest: made when it is needed, mostly when the agent has ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orange.adapters import secretplaces
from orange.wiring import open_parts


@dataclass(frozen=True, slots=True)
class RunnerParts:
    """What the supervisor in a session needs from the rest."""

    #: (workspace, message) -> the branch's tip.
    commit_leftovers: Callable[[str, str], str | None]
    #: (branch, base) -> the patch.
    diff: Callable[[str, str], str]
    #: Tells the daemon that there is something to see.
    nudge: Callable[[], bool]
    #: (variables, environment) -> the variables, references replaced.
    resolved: Callable[[Mapping[str, str], Mapping[str, str]], Mapping[str, str]]
    #: (command, folder, environment, seconds) -> the variables that it prints.
    printed: Callable[[str, str, Mapping[str, str], float], Mapping[str, str]]


def runner_parts(runtime: str) -> RunnerParts:
    """Make the supervisor's parts from the project's runtime folder."""
    parts = open_parts(os.path.dirname(runtime))
    return RunnerParts(
        parts.workspaces.commit_leftovers,
        parts.integration.diff,
        parts.nudge,
        secretplaces.resolved,
        secretplaces.printed,
    )
