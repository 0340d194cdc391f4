"""The configured commands around a run. Each runs in the workspace as `sh -c`, time-boxed, with a log of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orange.core import runfiles
from orange.core.ending import FAILED, Ending
from orange.runner import terminal
from orange.runner.patience import TIMEOUT, Patience
from orange.runner.spawn import Program
from orange.runner.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.terminal import Ended, Session


def run_hook(  # noqa: PLR0913, PLR0917 - the run's four parts, and which hook
    name: str, command: str, job: Job, folder: RunFolder, session: Session, env: Mapping[str, str]
) -> Ending | None:
    """Run a hook; returns how it failed, or None. Raises OSError when the disk refuses its log."""
    stage = "prepare" if name.startswith("before") else "execute"
    with folder.stage(stage, name) as step:
        log = folder.path(f"{runfiles.LOGS}/steps/{name}.log")
        os.makedirs(os.path.dirname(log), mode=0o700, exist_ok=True)
        transcript = Transcript(log, folder.secrets)
        patience = Patience(session.clock(), limit=job.hook_timeout)
        program = Program(("sh", "-c", command, "orange"), env, job.workspace)
        ended = terminal.run(program, session, transcript, patience, _unnoticed)
        transcript.close()
        step.failed = _failure(name, ended, job.hook_timeout)
        folder.note(stage, step.failed or f"the hook {name} succeeded")
    if not step.failed:
        return None
    outcome = FAILED if ended.verdict in {None, TIMEOUT} else ended.verdict
    return Ending(outcome, step.failed, ended.status, f"{stage}, hook {name}", command, transcript.tail)


def _failure(name: str, ended: Ended, limit: float) -> str | None:
    if ended.error:
        return f"the hook {name} could not be started: {ended.error.strerror}"
    if ended.verdict == TIMEOUT:
        return f"the hook {name} took longer than {limit:g} s (`workspaces.hooks.timeout`) and was ended"
    if ended.verdict:
        return f"the hook {name} was ended with the run"
    return f"the hook {name} ended with exit code {ended.status}" if ended.status else None


def _unnoticed(_pid: int) -> None:
    """Record nothing: only the agent's process is known by name."""
