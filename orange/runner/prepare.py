"""The first stage of a run: what the agent finds when it starts. Its context, its prompt, an `orange` on its PATH.

Next in the flow: `execute`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Protocol

from orange.core import environment, redact, references, runfiles
from orange.core.ending import AGENT_MISSING, FAILED, Ending
from orange.runner import shellclient
from orange.runner.activating import activate
from orange.runner.hooks import run_hook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.terminal import Session


class Places(Protocol):
    """Where variables come from."""

    @property
    def resolved(self) -> Callable[[Mapping[str, str], Mapping[str, str]], Mapping[str, str]]:
        """(variables, environment) -> the variables with references replaced. Raises OrangeError."""

    @property
    def printed(self) -> Callable[[str, str, Mapping[str, str], float], Mapping[str, str]]:
        """(command, folder, environment, seconds) -> the variables it prints. Raises OrangeError."""


def prepare(job: Job, folder: RunFolder, session: Session, env: Mapping[str, str]) -> Ending | None:
    """Make everything ready; returns how the run ended if it cannot go on. Raises OSError when the disk refuses."""
    with folder.stage("prepare") as stage:
        ending = _prepare(job, folder, session, env)
        stage.failed = ending.message if ending else None
    return ending


def _prepare(job: Job, folder: RunFolder, session: Session, env: Mapping[str, str]) -> Ending | None:
    if not os.path.isdir(job.workspace):
        return Ending(FAILED, f"the workspace {job.workspace} is not there", stage="prepare")
    folder.note("prepare", f"attempt {job.attempt} at task {job.task} in {job.workspace}")
    folder.write_json(runfiles.CONTEXT, _context(job, folder.stamp()))
    texts = {**job.files, runfiles.PROMPT: job.prompt}
    if job.followup is not None:
        texts[runfiles.FOLLOWUP] = job.followup
    for name, text in texts.items():
        folder.write(name, text.encode("utf-8", "surrogateescape"))
    write_launcher(folder, job.isolation)
    if job.refusal:
        return Ending(AGENT_MISSING, job.refusal, stage="prepare")
    if job.agent and (ending := activate(job, folder, env.get("HOME"))):
        return ending
    if job.before_run:
        return run_hook("before_run", job.before_run, job, folder, session, env)
    return None


def given_environment(
    job: Job, inherited: Mapping[str, str], places: Callable[[], Places]
) -> Mapping[str, str] | Ending:
    """Gather what it needs of the user's environment, the project's and the agent's, secrets looked up.

    An Ending where one of those is not to be had. Without secrets nothing is loaded for them.
    """
    user = environment.outside(inherited)
    env = environment.minimal(user, job.agent, enclosed=job.isolation in runfiles.ENCLOSED) | dict(job.env)
    if not job.environment_command and not references.among(job.agent_env):
        return env | dict(job.agent_env)
    from orange.core.problems import OrangeError

    try:
        made = places()
        if job.environment_command:
            env |= made.printed(job.environment_command, job.workspace, user, job.hook_timeout)
        return {**env, **made.resolved(job.agent_env, user)}
    except OrangeError as refused:
        return Ending(AGENT_MISSING, refused.message, stage="prepare")


def agent_environment(job: Job, folder: RunFolder, given: Mapping[str, str], runtime: str) -> dict[str, str]:
    """Build what the agent's program gets: what is `given` to it, and who it works for."""
    env = dict(given) | {
        "PATH": f"{folder.path(runfiles.BIN)}:{given.get('PATH') or os.defpath}",
        "PWD": job.workspace,
        "ORANGE_TASK": job.task,
        runfiles.RUN_MARK: job.run,
        runfiles.RUNTIME_MARK: runtime,
        "ORANGE_ATTEMPT": str(job.attempt),
        "ORANGE_WORKSPACE": job.workspace,
        "ORANGE_PROMPT_FILE": folder.path(runfiles.PROMPT if job.followup is None else runfiles.FOLLOWUP),
        "ORANGE_TASK_FILE": job.task_file,
    }
    if job.isolation in runfiles.ENCLOSED:
        env[runfiles.MAILBOX_MARK] = folder.path(runfiles.MAILBOX)
    if secrets := references.among(job.agent_env):
        env[redact.NAMES] = ",".join(secrets)
    if job.ports:
        env["ORANGE_PORT"] = str(job.ports[0])
    return env


def write_launcher(folder: RunFolder, isolation: str) -> None:
    """Put the `orange` of this very installation where the agent finds it. Raises OSError."""
    name, quoted = f"{runfiles.BIN}/orange", sys.executable.replace("'", "'\\''")
    module = "orange.runner.client" if isolation == runfiles.SANDBOX else "orange"
    started = f"#!/bin/sh\nexec '{quoted}' -P -m {module} \"$@\"\n"
    text = shellclient.TEXT if isolation == runfiles.CONTAINER else started
    folder.write(name, text.encode("utf-8", "surrogateescape"))
    os.chmod(folder.path(name), 0o700)


def _context(job: Job, stamp: str) -> dict[str, object]:
    return {
        "format": runfiles.FORMAT,
        "task": job.task,
        "title": job.title,
        "run": job.run,
        "attempt": job.attempt,
        "pipeline": job.pipeline,
        "steps": [step.name for step in job.steps],
        "runtime": {"agent": job.agent, "model": job.model, "effort": job.effort},
        "branches": {"base": job.base, "working": job.branch},
        "workspace": job.workspace,
        "task_file": job.task_file,
        "ports": list(job.ports),
        "limits": {"stall": job.stall, "run": job.limit},
        "prepared_at": stamp,
    }
