"""The vocabulary of effects: what `decide` may ask for and `apply` carries out.

Each action is a value that says what and why. Applying one is idempotent: it looks again under the lock, and does
nothing when the world has moved on meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Outcome, RequestKind


@dataclass(frozen=True, slots=True)
class StartRun:
    """Claim the task under the next epoch and start a run of its agent."""

    task: str
    #: The epoch seen; the claim is refused if it has grown.
    epoch: int
    #: What the run is for; None for a fresh start or a retry.
    request: RequestKind | None = None
    #: Whether it reviews what was made.
    review: bool = False
    #: Another agent than the task's own, which is refused by its provider.
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class LaunchRun:
    """Give an already claimed run that never got a session its workspace and session (after a crash in between)."""

    task: str
    run: str
    #: As in `StartRun`.
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class StopRun:
    """End a run's session, after its uncommitted work is committed, and prove it dead."""

    task: str
    run: str
    reason: str


@dataclass(frozen=True, slots=True)
class CloseRun:
    """Prove a vanished run dead, save what it left uncommitted, and write its end into its record."""

    task: str
    run: str
    outcome: Outcome
    message: str


@dataclass(frozen=True, slots=True)
class SettleRun:
    """Bring an ended run's result into the task."""

    task: str
    run: str
    #: The status the task moves to.
    to: Status
    reason: str
    #: Set when `to` is stuck.
    stuck: StuckReason | None = None
    #: Counts as a failed attempt.
    failed: bool = False
    #: What the agent is asked to change, where a rule rejects its work.
    request: str | None = None


@dataclass(frozen=True, slots=True)
class SettleReview:
    """Let go of a review that is over, and do what follows from it while its task still waits for that."""

    task: str
    run: str


@dataclass(frozen=True, slots=True)
class Advance:
    """Move a task that no run holds to another status (a parent closing, an approval void, nothing to publish)."""

    task: str
    to: Status
    reason: str
    stuck: StuckReason | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Integrate:
    """Merge a reviewed task's branch into the integrated base, then close the task; a conflict becomes a request.

    Where the project has checks, the base is moved to the very commit that passed them.
    """

    task: str
    base: str


@dataclass(frozen=True, slots=True)
class CheckMerge:
    """Make what the base would become with a reviewed task's work, and have the project's checks run on it."""

    task: str
    base: str


@dataclass(frozen=True, slots=True)
class SendBack:
    """Ask a reviewed task's agent to mend what the checks of its merge did not pass."""

    task: str
    base: str


@dataclass(frozen=True, slots=True)
class DropCandidate:
    """End the checks of a merge that is not wanted any more, and throw their workspace away."""

    task: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Push a reviewed task's branch, open or follow its pull request, and take in a remote base that has its work."""

    task: str


@dataclass(frozen=True, slots=True)
class PushBase:
    """Push what was merged into a base."""

    base: str


@dataclass(frozen=True, slots=True)
class FollowBase:
    """Take the user's commits into the integrated base and let the user's branch follow, where that is safe."""

    base: str


@dataclass(frozen=True, slots=True)
class ReturnWorkspace:
    """Save what only this workspace holds, make it clean for good, and put it among the spares."""

    path: str
    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class MendChildren:
    """Write a parent's `children` list as its children's `parent` keys say."""

    parent: str
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcceptEdits:
    """Record accepted hand edits in history, with an event each."""

    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArchiveTask:
    """Move a finished task's files to the archive folder."""

    task: str


@dataclass(frozen=True, slots=True)
class PauseDispatch:
    """Stop starting new work, and say why."""

    reason: str


Action: TypeAlias = (
    StartRun
    | LaunchRun
    | StopRun
    | CloseRun
    | SettleRun
    | SettleReview
    | Advance
    | Integrate
    | CheckMerge
    | SendBack
    | DropCandidate
    | Publish
    | PushBase
    | FollowBase
    | ReturnWorkspace
    | MendChildren
    | AcceptEdits
    | ArchiveTask
    | PauseDispatch
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is owed now, in order, and when to look again by itself."""

    actions: tuple[Action, ...] = ()
    #: Wall-clock seconds since 1970, or None when only a change can matter.
    wake_at: float | None = None
    #: The same, as far as something may then start: nobody has to do anything for it.
    start_at: float | None = None
    #: Facts worth a line in the log, by task id.
    notes: Mapping[str, str] = field(default_factory=dict)
