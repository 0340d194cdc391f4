"""What a run leaves to be read: the error report for people, the summary, and the result that the daemon acts on.

Next in the flow: the daemon finds the result and settles the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orange.core import runfiles
from orange.core.ending import APPROVAL, RATE_LIMITED, STOPPED, Ending, Subject, error_text, result

if TYPE_CHECKING:
    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.supervise import Saved


def write_result(folder: RunFolder, ending: Ending, commit: str | None, ended_at: float) -> None:
    """Write how the run ended, for good. Raises OSError."""
    folder.write_json(runfiles.RESULT, result(ending, commit, ended_at, folder.read_json(runfiles.AGENT)), sync=True)


def write_summary(folder: RunFolder, job: Job, ending: Ending, saved: Saved) -> None:
    """Write outcome, stages and durations. Raises OSError."""
    done = folder.read_json(runfiles.STEPS).get("results")
    summary = {
        "format": runfiles.FORMAT,
        "run": job.run,
        "task": job.task,
        "attempt": job.attempt,
        "agent": job.agent,
        "outcome": ending.outcome,
        "code": _code(ending, saved.patch),
        "message": ending.message,
        "exit_code": ending.exit_code,
        "commit": saved.commit,
        "conversation": folder.read_json(runfiles.AGENT) or None,
        "stages": folder.stages,
        "steps": [result for result in done if result["run"] == job.run] if isinstance(done, list) else [],
        "ended_at": folder.stamp(),
    }
    folder.write_json(runfiles.SUMMARY, summary)


def _code(ending: Ending, patch: str | None) -> str:
    """Name the outcome as job queues do; what was published is known later, and to others."""
    if ending.outcome == STOPPED:
        return "CANCELLED"
    if ending.outcome == RATE_LIMITED:
        return "RATE_LIMITED"
    if ending.outcome == APPROVAL:
        return "WAITING"
    if ending.failed:
        return "FAILED"
    return "NO_CHANGES" if patch == "" else "EXECUTED"


def write_error(folder: RunFolder, job: Job, ending: Ending) -> None:
    """Write what failed, the evidence, and what to do about it. Raises OSError."""
    folder.write_text(runfiles.ERROR, error_text(folder.root, Subject.of(job), ending))
