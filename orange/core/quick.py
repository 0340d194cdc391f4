"""Quick actions: one-off prompts that leave a record, a patch and a rescue ref, and nothing on the board. Pure.

    queued -> running -> completed | failed, and then its workspace is returned

Next in the flow: `reconciler.quick` asks what is owed to each, `project.quick` does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Protocol

from orange.core.model import Outcome, Presence, Task
from orange.core.problems import InvalidInput
from orange.core.scene import LOOKS

#: The word in the names of its workspace, branch and session.
NAME = "quick"
#: Characters of a task's title made from a prompt.
_TITLE = 80


class State(StrEnum):
    """How far a quick action is."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class QuickNotFound(InvalidInput):
    """No quick action answers to the given address."""

    code = "quick_run_not_found"
    http_status = 404


class NotCompleted(InvalidInput):
    """A quick action that cannot become a task: it is not over, or has failed."""

    code = "not_completed"
    http_status = 409


#: It is over, whatever came of it.
OVER = frozenset({State.COMPLETED, State.FAILED})


@dataclass(frozen=True, slots=True)
class QuickRun:
    """One quick action: what is kept of it. Times are RFC 3339 UTC."""

    id: str
    prompt: str
    agent: str
    base: str
    created_at: str
    #: Who asked.
    by: str
    #: Whether it becomes a task by itself once it is completed.
    promote: bool = False
    status: State = State.QUEUED
    started_at: str | None = None
    finished_at: str | None = None
    #: How its run ended; None before that, and where it could not be started.
    outcome: Outcome | None = None
    #: Why it failed, in one sentence.
    error: str | None = None
    #: The last that its agent said.
    result_summary: str | None = None
    #: Its branch and workspace, as long as it has them, and the commit they were cut from.
    branch: str | None = None
    workspace: str | None = None
    start: str | None = None
    #: How many files it changed; and where that is kept: the patch's path, and the ref that holds the commit.
    changed_files: int = 0
    patch: str | None = None
    rescue: str | None = None
    promoted_task_id: str | None = None

    @property
    def run(self) -> str:
        """Its run. No task's: those end in a number."""
        return f"{self.id}-q1"

    @property
    def session(self) -> str:
        """Its tmux session."""
        return f"{NAME}-{self.run}"

    @property
    def title(self) -> str:
        """The first line of its prompt, cut to a title's length."""
        first = next((line.strip() for line in self.prompt.splitlines() if line.strip()), "")
        return first if len(first) <= _TITLE else f"{first[: _TITLE - 1]}…"

    @property
    def as_task(self) -> Task:
        """What its workspace takes it for."""
        return Task(self.id, self.title, NAME)


class QuickRuns(Protocol):
    """The records of quick actions."""

    def all(self) -> tuple[QuickRun, ...]:
        """Every one, the oldest first."""

    def open(self) -> tuple[QuickRun, ...]:
        """Those that are not over, or still have a workspace."""

    def change(self, quick_id: str, change: Callable[[QuickRun], QuickRun]) -> QuickRun:
        """Write what `change` makes of it; nobody else writes meanwhile. Raises InvalidInput, StorageFailed."""

    def add(self, quick: QuickRun) -> None:
        """Record a new one. Raises StorageFailed."""

    def keep_patch(self, quick_id: str, patch: str) -> str:
        """Keep what it changed, secrets masked; returns the file's path. Raises StorageFailed."""

    def log(self, quick_id: str) -> str:
        """What its agent said; empty where it said nothing yet."""

    def rescue(self, quick_id: str, branch: str, start: str | None) -> str | None:
        """Give its branch's commit a rescue ref, read back; None where it has nothing beyond `start`.

        Raises GitFailed.
        """

    def drop_branch(self, branch: str, rescue: str | None, start: str | None) -> None:
        """Remove its branch, if what it holds is kept by the rescue ref or is its start. Raises GitFailed."""

    def offer(self, rescue: str, branch: str) -> None:
        """Make the branch, at what the rescue ref holds; one that is there stays as it is. Raises GitFailed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed of a quick action's run."""

    #: Whether its supervisor got as far as starting the agent.
    launched: bool
    #: Whether its record says how it ended.
    over: bool
    session: Presence
    #: How many looks in a row found its session gone.
    gone_looks: int = 0


class Step(StrEnum):
    """What is owed to a quick action."""

    BEGIN = "begin"
    #: Write the end of a run that died without one.
    CLOSE = "close"
    #: Record what came of it.
    FINISH = "finish"
    #: Give its workspace back.
    RETURN = "return"


def owed(quick: QuickRun, seen: Seen) -> Step | None:
    """Say what is owed; nothing that could destroy anything follows from what could not be told."""
    gone = seen.session is Presence.GONE
    if quick.status is State.QUEUED:
        return Step.BEGIN
    if quick.status in OVER:
        return Step.RETURN if quick.workspace and gone else None
    if seen.over:
        return Step.FINISH
    if not gone:
        return None
    if not seen.launched:  # begun, and then something died: begin again, it starts once
        return Step.BEGIN
    return Step.CLOSE if seen.gone_looks >= LOOKS else None


def ended(quick: QuickRun, outcome: Outcome | None, message: str, at: str) -> QuickRun:
    """Return it with how it ended."""
    done = outcome is Outcome.FINISHED
    state, error = (State.COMPLETED, None) if done else (State.FAILED, message)
    return replace(quick, status=state, outcome=outcome, error=error, finished_at=at)


def find(address: str, known: Iterable[QuickRun]) -> QuickRun:
    """Find one by its id, or a beginning of it that no other has. Raises InvalidInput."""
    found = [quick for quick in known if quick.id == address or (len(address) >= 4 and quick.id.startswith(address))]
    if not found:
        raise QuickNotFound("quick action", f"{address!r} is none: `orange quick list` shows their ids")
    if len(found) > 1:
        some = ", ".join(quick.id for quick in found)
        raise InvalidInput("quick action", f"{address!r} may be any of {some}: `orange quick list` shows their ids")
    return found[0]


def task_body(quick: QuickRun) -> str:
    """Compose the text of the task that a quick action becomes."""
    kept = "What it changed is on the task's branch.\n" if quick.rescue else ""
    return f"## Context\n\n{quick.prompt.strip()}\n\nTried before as quick action {quick.id}.\n{kept}"


def prompt_text(quick: QuickRun) -> str:
    """Compose what its agent is told."""
    return (
        f"{quick.prompt.rstrip()}\n\n"
        "---\nThis is a one-off request, outside of any task. You are in a git worktree of your own; what you change "
        "in it is kept as a patch and is not merged. Say in a few words what came of it, then end.\n"
    )


def view(quick: QuickRun, logs: str | None) -> dict[str, object]:
    """Return it as JSON."""
    told = {key: value for key, value in asdict(quick).items() if key not in {"branch", "start"}}
    return {**told, "title": quick.title, "run": quick.run, "logs_ref": logs}
