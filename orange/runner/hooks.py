"""The configured commands around a run. Each runs in the workspace as `sh -c`, time-boxed, with a log of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from orange.core import runfiles
from orange.core.ending import FAILED, Ending
from orange.runner import terminal
from orange.runner.patience import TIMEOUT, Patience
from orange.runner.spawn import Program
from orange.runner.transcript import Transcripts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.terminal import Session


class Ran(NamedTuple):
    """How a command went."""

    status: int | None
    #: What it was ended for; None when it ended by itself.
    verdict: str | None
    #: Why it could not be started, in the system's words.
    error: str | None
    #: Seconds that were left of its time; None where it had no limit.
    left: float | None
    output: bytes

    @property
    def trouble(self) -> str | None:
        """Why it could not be started, in words."""
        return self.error and f"it could not be started: {self.error}"


def run_command(command: str, limit: float, logs: Sequence[str], around: Around) -> Ran:
    """Run a shell command in the workspace, recorded in files of the run's folder. Raises OSError for those."""
    paths = [around.folder.path(log) for log in logs]
    for path in paths:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    transcript = Transcripts(around.folder.secrets, *paths)
    patience = Patience(around.session.clock(), limit=limit)
    program = Program((*around.within, "sh", "-c", command, "orange"), around.env, around.workspace)
    ended = terminal.run(program, around.session, transcript, patience, _unnoticed)
    transcript.close()
    error = ended.error.strerror if ended.error else None
    return Ran(ended.status, ended.verdict, error, patience.left(around.session.clock()), transcript.tail)


class Around(NamedTuple):
    """Where a command runs."""

    folder: RunFolder
    session: Session
    env: Mapping[str, str]
    workspace: str
    #: The words that enclose the command.
    within: tuple[str, ...] = ()


def step_log(name: str) -> str:
    """Return the name of the log of a step or hook, in the run's folder."""
    return f"{runfiles.LOGS}/steps/{name}.log"


def run_hook(  # noqa: PLR0913, PLR0917 - the run's four parts, and which hook
    name: str, command: str, job: Job, folder: RunFolder, session: Session, env: Mapping[str, str]
) -> Ending | None:
    """Run a hook; returns how it failed, or None. Raises OSError when the disk refuses its log."""
    stage = "prepare" if name.startswith("before") else "execute"
    with folder.stage(stage, name) as step:
        around = Around(folder, session, env, job.workspace)
        ran = run_command(command, job.hook_timeout, (step_log(name),), around)
        step.failed = _failure(name, ran, job.hook_timeout)
        folder.note(stage, step.failed or f"the hook {name} succeeded")
    if not step.failed:
        return None
    outcome = FAILED if ran.verdict in {None, TIMEOUT} else ran.verdict
    return Ending(outcome, step.failed, ran.status, f"{stage}, hook {name}", command, ran.output)


def _failure(name: str, ended: Ran, limit: float) -> str | None:
    if ended.trouble:
        return f"the hook {name}: {ended.trouble}"
    if ended.verdict == TIMEOUT:
        return f"the hook {name} took longer than {limit:g} s (`workspaces.hooks.timeout`) and was ended"
    if ended.verdict:
        return f"the hook {name} was ended with the run"
    return f"the hook {name} ended with exit code {ended.status}" if ended.status else None


def _unnoticed(_pid: int) -> None:
    """Record nothing: only the agent's process is known by name."""
