"""An agent's step: its program runs to its end, and how that was is told by its exit code.

Next in the flow: `walk` decides what comes after it.
"""

from __future__ import annotations

import os
import shlex
import signal
from typing import TYPE_CHECKING, NamedTuple

from orange import proctable
from orange.core import runfiles
from orange.core.ending import (
    AGENT_MISSING,
    CRASHED,
    FAILED,
    FINISHED,
    RATE_LIMITED,
    STALLED,
    STOPPED,
    TIMEOUT,
    Ending,
    shown,
)
from orange.runner import terminal
from orange.runner.hooks import Around, run_command, step_log
from orange.runner.patience import Patience
from orange.runner.spawn import Program
from orange.runner.transcript import Transcripts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.orders import Orders
    from orange.runner.terminal import Ended, Session


#: Seconds that looking into the files of an agent's program may take.
RECALL_TIME = 30.0


def execute(job: Job, folder: RunFolder, session: Session, env: Mapping[str, str], stage: str) -> Executed:
    """Run the agent of a step to its end. Raises OSError when the disk refuses its log."""
    folder.note("execute", f"start {shown(job.argv)}")
    step = stage.rpartition(" ")[2]
    os.makedirs(folder.path(f"{runfiles.LOGS}/steps"), mode=0o700, exist_ok=True)
    transcript = Transcripts(folder.secrets, folder.path(runfiles.OUTPUT), folder.path(step_log(step)))
    patience = Patience(session.clock(), limit=job.limit, stall=job.stall, ticks_per_second=proctable.TICKS_PER_SECOND)
    argv = job.argv if job.headless else (*job.within, *job.argv)
    program = Program(argv, env, job.workspace, folder.path(runfiles.PROMPT) if job.stdin else None)
    begun = folder.stamp()
    ended = terminal.run(program, session, transcript, patience, folder.identify)
    transcript.close()
    if job.recall and not ended.error:
        _recall((*job.recall, begun), Around(folder, session, env, job.workspace), step)
    outcome, message = _outcome(job, ended, session.orders, folder)
    folder.note("execute", message)
    if transcript.trouble:
        folder.note("execute", transcript.trouble)
    ending = Ending(outcome, message, ended.status, stage, shown(job.argv), transcript.tail)
    return Executed(ending, patience.left(session.clock()))


def _recall(argv: Sequence[str], around: Around, step: str) -> None:
    """Have written down what the program itself kept of its conversation; without it, that is unknown."""
    ran = run_command(shlex.join(argv), RECALL_TIME, (step_log(f"{step}.recall"),), around)
    if ran.status != 0:
        around.folder.note("execute", "what the agent's program kept of its conversation could not be read")


class Executed(NamedTuple):
    """What came of an agent's program."""

    ending: Ending
    #: Seconds that were left of its time; None where it had no limit.
    left: float | None


def _outcome(job: Job, ended: Ended, orders: Orders, folder: RunFolder) -> tuple[str, str]:
    if ended.error:
        missing = isinstance(ended.error, FileNotFoundError | PermissionError)
        program = f"the agent's program {job.argv[0]!r} could not be started: {ended.error.strerror}"
        return AGENT_MISSING if missing else FAILED, program
    match ended.verdict:
        case "stopped":
            return STOPPED, orders.reason or "the run was told to end"
        case "crashed":
            return CRASHED, "the session ended under the run, and the agent was ended with it"
        case "stalled":
            return STALLED, f"the agent was ended: no output and no work for {job.stall:g} s"
        case "timeout":
            return TIMEOUT, f"the agent was ended: it took longer than {job.limit:g} s"
    return _by_status(ended.status or 0, folder.read_json(runfiles.AGENT))


def _by_status(status: int, conversation: Mapping[str, object]) -> tuple[str, str]:
    """Judge a program that ended by itself; `conversation` is what its stream told, where it has one."""
    if status == 0:
        return FINISHED, _finished(conversation)
    if conversation.get("limited_until"):
        return RATE_LIMITED, "the model's provider refuses to go on for a while"
    if conversation.get("logged_out"):
        return AGENT_MISSING, str(conversation.get("error"))
    if status > 0 and conversation.get("error"):
        return FAILED, f"the agent ended with exit code {status}: {conversation['error']}"
    if status > 0:
        return FAILED, f"the agent ended with exit code {status}"
    return FAILED, f"the agent was killed by {_signal_name(-status)}"


def _finished(conversation: Mapping[str, object]) -> str:
    """Say of a program that ended with 0 how much of its end its stream has told, where it has one."""
    if conversation.get("ended") is not False:
        return "the agent finished"
    if conversation.get("session") or conversation.get("turns"):
        return "the agent's program ended with exit code 0, but did not tell the end of its turn"
    return "the agent's program ended with exit code 0, but told nothing of what it did"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
