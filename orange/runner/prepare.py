"""The first stage of a run: what the agent finds when it starts. Its context, its prompt, an `orange` on its PATH.

Next in the flow: `execute`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from orange.core import environment, runfiles
from orange.core.ending import AGENT_MISSING, FAILED, Ending
from orange.runner.hooks import run_hook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.terminal import Session


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
    write_launcher(folder)
    if job.refusal:
        return Ending(AGENT_MISSING, job.refusal, stage="prepare")
    if job.before_run:
        return run_hook("before_run", job.before_run, job, folder, session, env)
    return None


def agent_environment(job: Job, folder: RunFolder, inherited: Mapping[str, str], runtime: str) -> dict[str, str]:
    """Build what the agent's program gets: the user's environment, the project's, the agent's, and who it works for."""
    env = environment.outside(inherited) | dict(job.env) | dict(job.agent_env)
    env |= {
        "PATH": f"{folder.path(runfiles.BIN)}:{env.get('PATH') or os.defpath}",
        "PWD": job.workspace,
        "ORANGE_TASK": job.task,
        runfiles.RUN_MARK: job.run,
        runfiles.RUNTIME_MARK: runtime,
        "ORANGE_ATTEMPT": str(job.attempt),
        "ORANGE_WORKSPACE": job.workspace,
        "ORANGE_PROMPT_FILE": folder.path(runfiles.PROMPT if job.followup is None else runfiles.FOLLOWUP),
        "ORANGE_TASK_FILE": job.task_file,
    }
    if job.ports:
        env["ORANGE_PORT"] = str(job.ports[0])
    return env


def write_launcher(folder: RunFolder) -> None:
    """Put the `orange` that runs this very installation where the agent finds it. Raises OSError."""
    name = f"{runfiles.BIN}/orange"
    quoted = sys.executable.replace("'", "'\\''")
    folder.write(name, f"#!/bin/sh\nexec '{quoted}' -P -m orange \"$@\"\n".encode("utf-8", "surrogateescape"))
    os.chmod(folder.path(name), 0o700)


def _context(job: Job, stamp: str) -> dict[str, object]:
    return {
        "format": runfiles.FORMAT,
        "task": job.task,
        "title": job.title,
        "run": job.run,
        "attempt": job.attempt,
        "runtime": {"agent": job.agent, "model": job.model, "effort": job.effort},
        "branches": {"base": job.base, "working": job.branch},
        "workspace": job.workspace,
        "task_file": job.task_file,
        "ports": list(job.ports),
        "limits": {"stall": job.stall, "run": job.limit},
        "prepared_at": stamp,
    }
