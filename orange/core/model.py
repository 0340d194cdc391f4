"""The nouns: tasks and what surrounds them, as frozen values.

A `Task` is what the frontmatter of one TASK.md says, typed; `Run`, `Workspace` and `Base` are what this machine
observed; a `World` is all of it at one instant, the only input of `reconcile.decide`. Nothing here reads anything.

Next in the flow: `document` makes tasks from text, `graph` relates them, `reconcile` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from orange.core.allowance import NOTHING, Bill, Dispatch
from orange.core.lifecycle import Status, StuckReason
from orange.core.problems import Problem
from orange.core.rules import Change
from orange.core.settings import Settings
from orange.core.sharing import Candidate, Publication


class Priority(StrEnum):
    """Dispatch order: the order of declaration."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for critical up to 3 for low."""
        return _RANKS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}


class Publish(StrEnum):
    """How finished work leaves its branch."""

    MERGE = "merge"
    BRANCH = "branch"
    PR = "pr"
    NONE = "none"


class RequestKind(StrEnum):
    """Why a task that is not pending waits for a slot."""

    #: A reviewer asked for changes.
    CHANGES = "changes"
    #: A question was answered.
    ANSWER = "answer"
    #: The branch did not merge into the base.
    CONFLICT = "conflict"
    #: The project's checks failed, on the work or on the merged result.
    CHECKS = "checks"
    #: A person asked to start it now, ahead of order.
    RUN = "run"
    #: A person approved what a step had waited for.
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a task. A released claim keeps its epoch and has no run."""

    #: The run that holds the task: `<id>-<epoch>`, or `person-<id>-<epoch>` when a person took it.
    run: str | None
    #: Grows by one with every claim; a write carrying an older epoch is refused.
    epoch: int
    #: Random, so that two hosts claiming in the same second differ.
    nonce: str | None
    #: The clone that claimed (its random id), so that only the host that holds a claim may act on it.
    host: str | None
    #: When, RFC 3339 UTC.
    at: str | None

    @property
    def held(self) -> bool:
        """Whether somebody holds the task."""
        return self.run is not None

    @property
    def by_person(self) -> bool:
        """Whether the holder is a person."""
        return self.run is not None and self.run.startswith("person-")


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why a task needs someone."""

    reason: StuckReason
    message: str
    #: A path, a commit, an exit code, a question's text: what the reason was seen in.
    evidence: str | None
    #: RFC 3339 UTC.
    since: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved which commit of the task's branch."""

    commit: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Where the work was integrated."""

    #: The commit on the integrated base that contains the work.
    commit: str
    #: The base branch's short name.
    base: str
    at: str


@dataclass(frozen=True, slots=True)
class Request:
    """A wish, recorded on the task, to take it up again; it waits for a slot before new work of equal priority."""

    kind: RequestKind
    message: str
    since: str


@dataclass(frozen=True, slots=True)
class Task:
    """One TASK.md, typed: a field for every key of the file format's table, in its order.

    Strings are as written; lists are tuples; times are RFC 3339 UTC strings ending in Z.
    """

    id: str
    title: str
    name: str
    status: Status = Status.PENDING
    #: The task's file, relative to `.orange`, with forward slashes. Not a key of the file.
    path: str = ""
    ref: str | None = None
    type: str = "task"
    pipeline: str | None = None
    priority: Priority = Priority.MEDIUM
    blocked_by: tuple[str, ...] = ()
    parent: str | None = None
    children: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    category: str | None = None
    assignee: str | None = None
    session: str | None = None
    estimate: str | None = None
    acceptance_criteria: tuple[str, ...] = ()
    context_files: tuple[str, ...] = ()
    agent: str | None = None
    model: str | None = None
    effort: str | None = None
    skill: str = "auto"
    base: str | None = None
    branch: str | None = None
    publish: Publish | None = None
    requires: tuple[str, ...] = ()
    acceptance: str | None = None
    #: Caps: `minutes`, `tokens` (whole numbers) and `usd`.
    budget: Mapping[str, float] = field(default_factory=dict)
    job: Mapping[str, object] = field(default_factory=dict)
    #: `kind` (manual, prd_import, generated, promoted_quick_action, delegated, imported) and `reference`.
    source: Mapping[str, str] = field(default_factory=dict)
    workspace: str | None = None
    tmux_session: str | None = None
    run: str | None = None
    ports: tuple[int, ...] = ()
    claim: Claim | None = None
    attempts: int = 0
    review_round: int = 0
    stuck: Stuck | None = None
    request: Request | None = None
    approved: Approval | None = None
    merged: Merged | None = None
    #: Set while a task that had been done is open again: the commit it had been integrated as, or `unpublished`.
    reopened: str | None = None
    created_at: str = ""
    updated_at: str = ""
    #: Keys orange does not know, as parsed. They survive every write.
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """The number of the latest claim; 0 before the first."""
        return self.claim.epoch if self.claim else 0

    @property
    def held(self) -> bool:
        """Whether a run or a person holds it."""
        return self.claim is not None and self.claim.held

    @property
    def order(self) -> tuple[int, str, str]:
        """The dispatch order: priority, then age, then id."""
        return self.priority.rank, self.created_at, self.id

    @property
    def slug(self) -> str:
        """`<name>-<id>`: the folder, the workspace and the stem of branch and session names."""
        return f"{self.name}-{self.id}"

    def unbound(self) -> Task:
        """Return it with its run released. The claim keeps its epoch; the workspace stays until room is needed."""
        claim = Claim(None, self.epoch, None, None, None) if self.claim else None
        return replace(self, claim=claim, run=None, tmux_session=None)


#: Keys only orange writes: a hand edit of one is not believed.
ORANGE_ONLY = ("workspace", "tmux_session", "run", "ports", "claim", "attempts", "review_round", "stuck", "request",
    "approved", "merged", "reopened")  # fmt: skip
#: Keys fixed at creation.
FIXED = ("id", "name", "created_at")
#: Every key whose accepted value stays in force against a hand edit; `status` is judged by the lifecycle.
PROTECTED = (*FIXED, *ORANGE_ONLY)


@dataclass(frozen=True, slots=True)
class Board:
    """All tasks of a project at one instant, with what could not be understood."""

    #: By id. Broken files are not in it.
    tasks: Mapping[str, Task]
    problems: tuple[Problem, ...] = ()
    #: Ids whose file is broken or in dispute: they are frozen, shown, and nothing is dispatched for them.
    frozen: frozenset[str] = frozenset()


class Presence(StrEnum):
    """The three values of every observation: unknown is not absent."""

    THERE = "there"
    GONE = "gone"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How a run ended, by its own record."""

    #: The agent's program ended with exit code 0.
    FINISHED = "finished"
    #: It ended with another exit code, or could not be started.
    FAILED = "failed"
    #: No output and no work for `limits.stall`; ended and proven dead.
    STALLED = "stalled"
    #: It took longer than `limits.run`; ended and proven dead.
    TIMEOUT = "timeout"
    #: Ended because it was told to (cancelled, delegated, released).
    STOPPED = "stopped"
    #: No record of an end, and no session: the machine or the session died under it.
    CRASHED = "crashed"
    #: The agent's program is missing or unusable.
    AGENT_MISSING = "agent_missing"
    #: The model's provider refuses to go on until a given time; the conversation is continued then.
    RATE_LIMITED = "rate_limited"
    #: The agent finished, and a check of the project did not pass on what it made.
    CHECKS_FAILED = "checks_failed"
    #: A step of the pipeline waits for a person's approval.
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at one task, as its machine-local record and its session say."""

    id: str
    task: str
    epoch: int
    #: Wall-clock seconds since 1970; for display and backoff.
    started_at: float | None
    #: None while it runs.
    ended_at: float | None
    #: None while it runs.
    outcome: Outcome | None
    exit_code: int | None = None
    #: What the failure looks like with numbers, times and paths taken out; equal failures have equal signatures.
    signature: str | None = None
    #: One sentence for people.
    message: str | None = None
    #: The tip of the task's branch after leftovers were committed; None when the workspace was never bound.
    commit: str | None = None
    #: Whether every check of the project passed at that commit; None when none were run.
    checked: bool | None = None
    #: The percentages that coverage checks named there, by check.
    figures: Mapping[str, float] = field(default_factory=dict)
    #: Whether the supervisor got as far as starting the agent (its exclusive marker exists).
    launched: bool = False
    #: Whether its session exists.
    session: Presence = Presence.UNKNOWN
    #: How many consecutive observations found the session gone.
    gone_looks: int = 0
    #: The agent that ran it; empty when there is no record yet.
    agent: str = ""
    #: Until when that agent's provider refuses to go on, wall-clock seconds; None when it does not.
    limited_until: float | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """A git worktree bound to a task, or a spare."""

    #: Absolute.
    path: str
    #: The task it is bound to; None for a spare.
    task: str | None
    branch: str | None
    presence: Presence = Presence.THERE
    #: Wall-clock seconds of the last use.
    used_at: float = 0.0
    #: Files in conflict, left by the merge of the base for the agent; relative to the workspace.
    conflicts: tuple[str, ...] = ()
    #: What a person should know about how it was prepared, in one sentence each.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Base:
    """A base branch and its integrated counterpart `refs/orange/base/<name>`."""

    name: str
    #: The integrated commit; None when neither branch nor integrated base exists.
    integrated: str | None
    #: The user's branch; None when it does not exist.
    branch: str | None
    #: Whether the user's branch has not taken in the integrated base yet.
    behind: int = 0
    #: Whether the user's branch has commits that the integrated base has not.
    ahead: int = 0
    #: What keeps the user's branch from following, in one sentence; None when nothing does.
    reason: str | None = None
    #: When that was last seen to be in the way, wall-clock seconds; None when not known.
    tried_at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class BranchState:
    """What is known of a task's branch, for tasks whose next step depends on it."""

    #: The branch's tip; None when the branch does not exist.
    tip: str | None
    #: Whether the branch has commits or content that the integrated base has not.
    unmerged: bool
    #: Whether the task's merged commit is an ancestor of the integrated base; unknown when there is none.
    integrated: Presence = Presence.UNKNOWN


@dataclass(frozen=True, slots=True)
class World:
    """Everything `decide` may know, at one instant. Immutable; gathered by `reconciler.observe`."""

    board: Board
    settings: Settings
    dispatch: Dispatch
    #: This clone's random id: claims of other hosts are never acted on.
    host: str
    #: By run id: every live one, of each open task those that `limits` look back on, and the last of the tasks that
    #: were closed within a minute, or since failures that may pause dispatch.
    runs: Mapping[str, Run] = field(default_factory=dict)
    #: By path.
    workspaces: Mapping[str, Workspace] = field(default_factory=dict)
    #: By base branch name.
    bases: Mapping[str, Base] = field(default_factory=dict)
    #: By task id, for tasks that are working, delegated, reviewing, reviewed, stuck, or done and blocking an open one.
    branches: Mapping[str, BranchState] = field(default_factory=dict)
    #: What the branches of finished work change, by task id; only where rules ask for it.
    changes: Mapping[str, Change] = field(default_factory=dict)
    #: What the runs of a task used, by task id, where a cap asks for it; and those of the whole project on this day.
    spent: Mapping[str, Bill] = field(default_factory=dict)
    spent_today: Bill = NOTHING
    #: The percentages that coverage checks named on what was merged last, by base and check; where rules ask for it.
    coverage: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: What this machine can do: agents found, `git`, `docker`, labels. Lower case.
    capabilities: frozenset[str] = frozenset()
    #: Tasks and settings that arrived from elsewhere and wait for `orange trust`: task id -> what waits.
    untrusted: Mapping[str, str] = field(default_factory=dict)
    #: Since when each task has been in the condition it waits in: task id -> RFC 3339 UTC.
    since: Mapping[str, str] = field(default_factory=dict)
    #: Ids of tasks with acceptable hand edits that are not yet in history.
    hand_edits: tuple[str, ...] = ()
    #: What was pushed, by task id, for reviewed tasks; and the bases with merges that are to be pushed, by name.
    publications: Mapping[str, Publication] = field(default_factory=dict)
    pushes: Mapping[str, Publication] = field(default_factory=dict)
    #: The merges that are being checked, by task id, and the runs that do it, by run id.
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    checking: Mapping[str, Run] = field(default_factory=dict)
    #: The short name of the base branch of tasks that name none.
    default_base: str = "main"
    #: Whether a base contains a commit: (commit, base name) -> answer, for the pairs `landing.ancestry_wanted` names.
    ancestry: Mapping[tuple[str, str], Presence] = field(default_factory=dict)
    #: Tasks with a run not known to have ended, but no file: task id -> how many looks in a row found none.
    missing: Mapping[str, int] = field(default_factory=dict)
