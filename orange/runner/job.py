"""What the supervisor was told: the run's spec and the agent's command, as the run's folder has them.

A plain tuple instead of `ports.RunSpec`: importing the core's types costs more time than the rest of the start.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from orange.core import runfiles
from orange.core.checks import Check

if TYPE_CHECKING:
    from collections.abc import Mapping


class Job(NamedTuple):
    """One run. The fields up to `isolation` are fields of `ports.RunSpec`."""

    run: str
    task: str
    title: str
    attempt: int
    agent: str
    model: str | None
    effort: str | None
    workspace: str
    branch: str | None
    base: str
    prompt: str
    task_file: str
    ports: tuple[int, ...]
    env: Mapping[str, str]
    stall: float
    limit: float
    auto_commit: bool
    before_run: str | None
    after_run: str | None
    hook_timeout: float
    #: What is new since the conversation that is continued.
    followup: str | None
    #: A command that prints more variables for the agent.
    environment_command: str | None
    #: What must pass on the agent's work.
    checks: tuple[Check, ...]
    isolation: str
    #: The agent's program; empty when it was refused.
    argv: tuple[str, ...]
    #: Whether `argv` itself starts the agent's own program, within what encloses it.
    headless: bool
    #: The words that enclose what runs in the workspace.
    within: tuple[str, ...]
    #: What the agent's program needs beside the common environment.
    agent_env: Mapping[str, str]
    #: Whether the prompt is its standard input.
    stdin: bool
    #: Files to lay into the run's folder: name -> text.
    files: Mapping[str, str]
    #: Why there is no program to run, in one sentence; None when there is one.
    refusal: str | None


_FROM_SPEC = Job._fields[: Job._fields.index("argv")]


def load(folder: str) -> Job:
    """Read what a prepared run's folder says. Raises OSError, ValueError, KeyError."""
    with open(f"{folder}/{runfiles.SPEC}", encoding="utf-8", errors="surrogateescape") as file:
        told = json.load(file)
    if told["format"] != runfiles.FORMAT:
        raise ValueError(f"the run was prepared in format {told['format']}, this supervisor reads {runfiles.FORMAT}")
    command = told["command"]
    spec = {name: told["spec"][name] for name in _FROM_SPEC}
    spec["checks"] = tuple(Check(*check) for check in spec["checks"])
    return Job(
        **spec,
        argv=tuple(command["argv"]),
        headless=command["inner"] is not None,
        within=tuple(command["within"]),
        agent_env=command["env"],
        stdin=command["stdin"],
        files=command["files"],
        refusal=command["refusal"],
    )
