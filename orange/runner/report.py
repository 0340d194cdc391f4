"""What a run leaves to be read: the error report for people, the summary, and the result that the daemon acts on.

Next in the flow: the daemon finds the result and settles the task.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from orange.core import runfiles

if TYPE_CHECKING:
    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.supervise import Saved

#: The words of `core.model.Outcome`, which is too large to import here; a test holds them together.
FINISHED, FAILED, STALLED, TIMEOUT = "finished", "failed", "stalled", "timeout"
STOPPED, CRASHED, AGENT_MISSING = "stopped", "crashed", "agent_missing"

#: Lines of output quoted in an error report.
QUOTED = 40
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class Ending(NamedTuple):
    """How a run ended."""

    outcome: str
    #: One sentence for people.
    message: str
    exit_code: int | None = None
    #: Where it ended: `prepare` or `execute`, with the step.
    stage: str = "execute"
    #: The command that failed, as configured.
    command: str = ""
    #: The last output.
    output: bytes = b""

    @property
    def failed(self) -> bool:
        """Whether it needs an error report."""
        return self.outcome not in {FINISHED, STOPPED}


def readable(output: bytes) -> str:
    """Turn terminal output into text: escapes removed, other control characters made visible."""
    text = _ESCAPES.sub("", output.decode("utf-8", "replace"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join("".join(_visible(char) for char in line) for line in lines).strip("\n")


def signature(ending: Ending) -> str | None:
    """Name a failure so that equal ones have equal names; None for what is no failure."""
    if not ending.failed:
        return None
    from orange.core import retry  # not needed before the agent runs

    return retry.signature(f"{ending.stage}: {ending.message}\n{readable(ending.output)}")


def write_result(folder: RunFolder, ending: Ending, commit: str | None, ended_at: float) -> None:
    """Write how the run ended, for good. Raises OSError."""
    result = {
        "format": runfiles.FORMAT,
        "outcome": ending.outcome,
        "exit_code": ending.exit_code,
        "ended_at": ended_at,
        "signature": signature(ending),
        "message": ending.message,
        "commit": commit,
    }
    folder.write_json(runfiles.RESULT, result, sync=True)


def write_summary(folder: RunFolder, job: Job, ending: Ending, saved: Saved) -> None:
    """Write outcome, stages and durations. Raises OSError."""
    summary = {
        "run": job.run,
        "task": job.task,
        "attempt": job.attempt,
        "agent": job.agent,
        "outcome": ending.outcome,
        "code": _code(ending, saved.patch),
        "message": ending.message,
        "exit_code": ending.exit_code,
        "commit": saved.commit,
        "stages": folder.stages,
        "ended_at": folder.stamp(),
    }
    folder.write_json(runfiles.SUMMARY, summary)


def _code(ending: Ending, patch: str | None) -> str:
    """Name the outcome as job queues do; what was published is known later, and to others."""
    if ending.outcome == STOPPED:
        return "CANCELLED"
    if ending.failed:
        return "FAILED"
    return "NO_CHANGES" if patch == "" else "EXECUTED"


def write_error(folder: RunFolder, job: Job, ending: Ending) -> None:
    """Write what failed, the evidence, and what to do about it. Raises OSError."""
    folder.write(runfiles.ERROR, error_text(folder.root, job, ending).encode("utf-8", "replace"))


def error_text(root: str, job: Job, ending: Ending) -> str:
    """Compose the error report."""
    output = "\n".join(readable(ending.output).splitlines()[-QUOTED:]) or "(none)"
    fence = "`" * (1 + max(3, *(len(ticks) for ticks in re.findall("`+", output) or [""])))
    facts = {
        "Task": f"{job.task} ({_line(job.title)})",
        "Run": f"{job.run}, attempt {job.attempt}, agent {job.agent}",
        "Stage": ending.stage,
        "Command": f"`{_line(ending.command)}`" if ending.command else "none was started",
        "Exit code": "none" if ending.exit_code is None else str(ending.exit_code),
        "Workspace": job.workspace,
        "Branch": f"{job.branch or 'none'}, base {job.base}",
        "Records": root,
    }
    return "\n".join(
        [
            f"# {_line(ending.message)}",
            "",
            *(f"- {name}: {value}" for name, value in facts.items()),
            "",
            "## Last output",
            "",
            f"{fence}text",
            output,
            fence,
            "",
            "## What to do",
            "",
            *(f"- {suggestion}" for suggestion in _suggestions(job, ending)),
            f"- Read the whole output: `orange task log {job.task}`.",
            f"- Look at the files as they were left: `cd {job.workspace}`.",
            f"- Try again, with the branch as it is: `orange task retry {job.task}`.",
            "",
        ]
    )


def _suggestions(job: Job, ending: Ending) -> list[str]:
    match ending.outcome:
        case "agent_missing":
            return ["See which agents can be used here, and why one cannot: `orange agents`."]
        case "stalled":
            return ["The agent may have waited for input, or for a service: look at its last output.",
                    f"Give it longer with `limits.stall` in the configuration (now {job.stall:g} s)."]  # fmt: skip
        case "timeout":
            return ["The task may be too large for one run: split it into children.",
                    f"Give it longer with `limits.run` in the configuration (now {job.limit:g} s)."]  # fmt: skip
        case "crashed":
            return ["The session ended under the agent: somebody killed tmux, or the machine went down."]
    if ending.stage.startswith("prepare"):
        return ["Run the failing command by hand in the workspace, and mend it or the configuration."]
    return ["Find the cause in the last output; a task that is unclear is best answered by editing its text."]


def _line(text: str) -> str:
    return " ".join("".join(_visible(char) for char in text).split())


def _visible(char: str) -> str:
    return char if char.isprintable() or char in "\t\n" else f"\\x{ord(char):02x}"
