"""What the supervisor was told: the run's spec and the agent's command, as the run's folder has them.

A plain tuple instead of `ports.RunSpec`: importing the core's types costs more time than the rest of the start.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from orange.core import runfiles
from orange.core.checks import Check
from orange.core.steps import Result, Step

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
    #: The skill that the task names; None for direct instructions.
    skill: str | None
    isolation: str
    #: The agent's program; empty when it was refused.
    argv: tuple[str, ...]
    #: Whether `argv` itself starts the agent's own program, within what encloses it.
    headless: bool
    #: The words that enclose what runs in the workspace.
    within: tuple[str, ...]
    #: Commands that make what encloses it, before anything else of the run, and remove it afterwards.
    begin: tuple[str, ...]
    end: tuple[str, ...]
    #: What the agent's program needs beside the common environment.
    agent_env: Mapping[str, str]
    #: Whether the prompt is its standard input.
    stdin: bool
    #: The command that says afterwards what an agent with its own screen did.
    recall: tuple[str, ...]
    #: Files to lay into the run's folder: name -> text.
    files: Mapping[str, str]
    #: Why there is no program to run, in one sentence; None when there is one.
    refusal: str | None
    #: The name of the pipeline; None for a run of an agent alone.
    pipeline: str | None = None
    steps: tuple[Step, ...] = (Step("agent"),)
    #: What came of the steps before this run.
    results: tuple[Result, ...] = ()
    #: The step that does the work.
    main: str | None = "agent"
    #: Step -> what its agent is told: `agent`, `prompt`, `followup`, `taken_up`.
    told: Mapping[str, Mapping[str, str]] = {}
    #: Step -> its program, where that is not the run's.
    commands: Mapping[str, Mapping[str, Any]] = {}
    #: The commit whose review this is; None for a run that works.
    reviewed: str | None = None

    def of_step(self, step: str) -> Job:
        """Return the job with the program of one of its steps."""
        command = self.commands.get(step)
        return self if command is None else self._replace(agent=self.told[step]["agent"], **_program(command))


_FROM_SPEC = Job._fields[: Job._fields.index("argv")]


def load(folder: str) -> Job:
    """Read what a prepared run's folder says. Raises OSError, ValueError, KeyError."""
    with open(f"{folder}/{runfiles.SPEC}", encoding="utf-8", errors="surrogateescape") as file:
        told = json.load(file)
    if told["format"] != runfiles.FORMAT:
        raise ValueError(f"the run was prepared in format {told['format']}, this supervisor reads {runfiles.FORMAT}")
    spec = {name: told["spec"][name] for name in _FROM_SPEC}
    spec["checks"] = tuple(Check(*check) for check in spec["checks"])
    job = Job(**spec, **_program(told["command"]), reviewed=told["spec"].get("reviewed"))
    return _with_course(job, told["course"]) if told.get("course") else job


def _program(command: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "argv": tuple(command["argv"]),
        "headless": command["inner"] is not None,
        "within": tuple(command["within"]),
        "begin": tuple(command["begin"]),
        "end": tuple(command["end"]),
        "agent_env": command["env"],
        "stdin": command["stdin"],
        "recall": tuple(command.get("recall", ())),
        "files": command["files"],
        "refusal": command["refusal"],
    }


def _with_course(job: Job, course: Mapping[str, Any]) -> Job:
    steps = course["steps"]
    return job._replace(
        pipeline=course["pipeline"],
        steps=tuple(Step(**{name: step[name] for name in Step._fields}) for step in steps),
        results=tuple(Result(**result) for result in course["results"]),
        main=course["main"],
        told={step["name"]: step["told"] for step in steps if "told" in step},
        commands={step["name"]: step["command"] for step in steps if step.get("command")},
    )
