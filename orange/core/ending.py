"""How a run ended, and what is written of it: the result that the daemon acts on, and the error report for people.

The supervisor writes both; where it died before it could, the daemon does, so that every run that was begun has an end
on record. Imports next to nothing: a supervisor starts with every run.

Next in the flow: `runner.report` and `adapters.runs` write these into the run's folder, `settle` judges the result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from orange.core import runfiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The words of `model.Outcome`, which is too large to import here; a test holds them together.
FINISHED, FAILED, STALLED, TIMEOUT = "finished", "failed", "stalled", "timeout"
STOPPED, CRASHED, AGENT_MISSING = "stopped", "crashed", "agent_missing"
RATE_LIMITED, CHECKS_FAILED, APPROVAL = "rate_limited", "checks_failed", "approval"

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
    #: Whether the project's checks passed on what the agent made; None: none were run.
    checked: bool | None = None
    #: The percentages that coverage checks named, by check.
    figures: Mapping[str, float] | None = None

    @property
    def failed(self) -> bool:
        """Whether it needs an error report."""
        return self.outcome not in {FINISHED, STOPPED, RATE_LIMITED, APPROVAL}


class Subject(NamedTuple):
    """What an error report says of the run itself."""

    run: str
    task: str
    title: str
    attempt: int
    agent: str
    workspace: str
    branch: str | None
    base: str
    #: Seconds.
    stall: float
    #: Seconds.
    limit: float

    @classmethod
    def of(cls, spec: object) -> Subject:
        """Take it from what has fields of these names: `ports.RunSpec`, or the supervisor's own copy of it."""
        return cls(*(getattr(spec, name) for name in cls._fields))


def shown(argv: Sequence[str]) -> str:
    """Show a command as people configured it: the line itself where a shell runs it, else the words."""
    return argv[2] if tuple(argv[:2]) == ("sh", "-c") else " ".join(argv)


def readable(output: bytes) -> str:
    """Turn terminal output into text: escapes removed, other control characters made visible."""
    text = _ESCAPES.sub("", output.decode("utf-8", "replace"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join("".join(_visible(char) for char in line) for line in lines).strip("\n")


def signature(ending: Ending) -> str | None:
    """Name a failure so that equal ones have equal names; None for what is no failure.

    What was said before a crash does not count: the program that said it is not what failed.
    """
    if not ending.failed:
        return None
    from orange.core import retry  # not needed before the agent runs

    said = "" if ending.outcome == CRASHED else readable(ending.output)
    return retry.signature(f"{ending.stage}: {ending.message}\n{said}")


def result(
    ending: Ending, commit: str | None, ended_at: float, conversation: Mapping[str, object] | None
) -> Mapping[str, object]:
    """Compose the content of `RESULT`. `ended_at`: seconds since 1970; `conversation`: the content of `AGENT`."""
    return {
        "format": runfiles.FORMAT,
        "outcome": ending.outcome,
        "exit_code": ending.exit_code,
        "ended_at": ended_at,
        "signature": signature(ending),
        "message": ending.message,
        "commit": commit,
        "checked": ending.checked,
        "figures": ending.figures,
        "conversation": conversation or None,
    }


def error_text(root: str, subject: Subject, ending: Ending) -> str:
    """Compose the error report: what failed, the evidence, and what to do about it."""
    output = "\n".join(readable(ending.output).splitlines()[-QUOTED:]) or "(none)"
    fence = "`" * (1 + max(3, *(len(ticks) for ticks in re.findall("`+", output) or [""])))
    facts = {
        "Task": f"{subject.task} ({_line(subject.title)})",
        "Run": f"{subject.run}, attempt {subject.attempt}, agent {subject.agent}",
        "Stage": ending.stage,
        "Command": f"`{_line(ending.command)}`" if ending.command else "none was started",
        "Exit code": "none" if ending.exit_code is None else str(ending.exit_code),
        "Workspace": subject.workspace,
        "Branch": f"{subject.branch or 'none'}, base {subject.base}",
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
            *(f"- {suggestion}" for suggestion in _suggestions(subject, ending)),
            f"- Read the whole output: `orange task log {subject.task}`.",
            f"- Look at the files as they were left: `cd {subject.workspace}`.",
            f"- Try again, with the branch as it is: `orange task retry {subject.task}`.",
            "",
        ]
    )


def _suggestions(subject: Subject, ending: Ending) -> list[str]:
    match ending.outcome:
        case "agent_missing":
            return ["If its program is missing: `orange agents` says why. If nobody is logged in to it: log in."]
        case "stalled":
            return ["The agent may have waited for input, or for a service: look at its last output.",
                    f"Give it longer with `limits.stall` in the configuration (now {subject.stall:g} s)."]  # fmt: skip
        case "timeout":
            return ["The task may be too large for one run: split it into children.",
                    f"Give it longer with `limits.run` in the configuration (now {subject.limit:g} s)."]  # fmt: skip
        case "checks_failed":
            return ["Run the check by hand in the workspace. The agent is told what it said, as long as it may try."]
        case "crashed":
            return ["The session ended under the agent: somebody killed tmux, or the machine went down."]
    by_hand = "Run the failing command by hand in the workspace, and mend it or the configuration."
    look = "Find the cause in the last output; a task that is unclear is best answered by editing its text."
    return [by_hand if ending.stage.startswith("prepare") else look]


def _line(text: str) -> str:
    return " ".join("".join(_visible(char) for char in text).split())


def _visible(char: str) -> str:
    return char if char.isprintable() or char in "\t\n" else f"\\x{ord(char):02x}"
