"""The ports: what the inner rooms need from the outside, as Protocols. Adapters implement them, wiring picks them.

Every method says what it raises; anything else that escapes is a bug. Paths are absolute unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orange.core.agents import UNTOLD, Command, Conversation, Found, Resume
from orange.core.checks import Check
from orange.core.forecast import Forecast
from orange.core.inplace import Place
from orange.core.model import Base, BranchState, Outcome, Presence, Task, Workspace
from orange.core.problems import Problem
from orange.core.rules import Change
from orange.core.settings import AgentSettings, Settings
from orange.core.sharing import Candidate, Contents, Integrated, Remote, Reverting
from orange.core.steps import Pipeline, Result, Step


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> float:
        """Wall-clock seconds since 1970, for display and backoff."""

    def monotonic(self) -> float:
        """Seconds that never go back and do not count sleep of the machine."""


class Integration(Contents, Remote, Reverting, Protocol):
    """The integrated bases `refs/orange/base/<base>` and the user's branches that follow them."""

    def default_base(self) -> str:
        """The remote's default branch, else the branch current at init. Raises GitFailed."""

    def observe(self, names: Iterable[str], *, count: bool = True) -> Mapping[str, Base]:
        """Where each base stands. Without `count` commits may be counted as one, however many. Raises GitFailed."""

    def branch_states(self, wanted: Mapping[str, tuple[str, str, str | None]]) -> Mapping[str, BranchState]:
        """Task id -> state, for task id -> (branch, base, merged commit or None). Raises GitFailed."""

    def contains(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Presence]:
        """Whether the integrated base contains the commit, for each (commit, base). Raises GitFailed."""

    def tip(self, ref: str) -> str | None:
        """The commit a branch or full ref points to, or None. Raises GitFailed."""

    def diff(self, branch: str, base: str) -> str:
        """What the branch changes since it left the integrated base, as a patch. Raises GitFailed."""

    def changes(self, wanted: Mapping[str, tuple[str, str]]) -> Mapping[str, Change]:
        """What branches change since they left their base, for task id -> (branch, base). Raises GitFailed.

        A branch that does not exist, or has nothing in common with its base, is left out.
        """

    def forecast(self, wanted: Mapping[str, tuple[str, str]]) -> Forecast:
        """Trial merges into the integrated bases and of pairs, for task id -> (branch, base). Raises GitFailed."""

    def start_point(self, base: str) -> str:
        """The commit new work on `base` is cut from: the integrated base with the user's commits taken in."""

    def nest(self, branch: str, base: str) -> bool:
        """Make a parent's branch where it does not exist, and take its base in for the children cut from it.

        False where the base conflicts with what is there, which stays as it is. Raises InvalidInput, GitFailed.
        """

    def integrate(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        """Merge a branch into the integrated base, serially; `expect` is the approved tip.

        Raises StaleWrite when the branch has moved on from `expect`, GitFailed.
        """

    def propose(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        """Make what `integrate` would, and leave the base where it is. Raises as `integrate` does."""

    def adopt(self, candidate: Candidate, branch: str) -> None:
        """Move a base to what was proposed, if it and the branch did not move. Raises StaleWrite, GitFailed."""

    def follow(self, base: str) -> Base:
        """Take the user's commits in, and move the user's branch forward where that is safe. Raises GitFailed."""

    def repair(self) -> tuple[str, ...]:
        """Finish what a kill left half-done; returns a sentence for each thing mended."""


class Workspaces(Protocol):
    """Git worktrees for tasks: one fixed path each, spares moved in and out."""

    def path_for(self, task: Task) -> str:
        """The fixed path of a task's workspace."""

    def acquire(self, task: Task, branch: str, start_point: str) -> Workspace:
        """Bind the task's workspace to its branch (cut at `start_point` if new, else with it merged in). Idempotent.

        Copies, links and runs `after_create`. Raises WorkspaceFailed naming the step; a conflict of the merge
        leaves the merge in progress in the workspace for the agent and is not an error.
        """

    def commit_leftovers(self, path: str, message: str) -> str | None:
        """Commit what is uncommitted to the workspace's branch; returns the branch's tip (None when detached)."""

    def release(self, path: str) -> tuple[str, ...]:
        """Save what only it holds to a rescue ref, clean it for good and keep it as a spare, or remove it.

        Returns what was saved or kept and why. Raises WorkspaceFailed when that cannot be proven safe.
        """

    def check_out(self, purpose: str, commit: str, task: str) -> str:
        """Make a workspace in which a commit is looked at, detached: checked for a base, or reviewed; returns its path.

        One for each purpose: an earlier one is thrown away. Copies, links, runs `after_create`. Raises WorkspaceFailed.
        """

    def checked_out(self) -> Mapping[str, str]:
        """The workspaces that `check_out` made for tasks, not for plans, and that are there: path -> task."""

    def discard(self, path: str) -> None:
        """Throw away a workspace made by `check_out`; nothing where there is none. Raises WorkspaceFailed."""

    def removable(self, path: str) -> tuple[bool, str]:
        """Say whether it holds nothing that is not safe elsewhere, and why. Raises WorkspaceFailed."""

    def list(self) -> tuple[Workspace, ...]:
        """Every workspace and spare. Raises GitFailed."""

    def place(self, *, look: bool = True) -> Place | None:
        """The user's checkout, where a task has it or is to have it; else None. `look` for what is in the way, too.

        Raises WorkspaceFailed.
        """

    def refill(self) -> bool:
        """Prepare a spare ahead of need; returns whether one was made."""

    def repair(self) -> tuple[str, ...]:
        """Heal half-made and half-moved worktrees before anything else touches git; a sentence for each."""

    def ports(self, task: Task, count: int) -> tuple[int, ...]:
        """Reserve that many free ports for the task. Raises WorkspaceFailed."""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """How a run's supervisor lets an agent do one step."""

    agent: str
    model: str | None
    effort: str | None
    agent_settings: AgentSettings
    #: What an agent is told that knows nothing yet.
    prompt: str
    #: What it is told in the conversation of this run's earlier steps.
    followup: str
    #: What it is told in a conversation of an earlier run.
    taken_up: str


@dataclass(frozen=True, slots=True)
class Course:
    """The pipeline of a run, and where it begins."""

    pipeline: str
    steps: tuple[Step, ...]
    #: What came of its steps before this run, or, of a record, up to now.
    results: tuple[Result, ...] = ()
    #: Of the steps that an agent does, by name.
    specs: Mapping[str, StepSpec] = field(default_factory=dict)
    #: Of a record: the step under way; None when there is none.
    now: str | None = None


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What the supervisor in a session needs; written to the run's folder before the session starts."""

    run: str
    task: str
    name: str
    epoch: int
    attempt: int
    #: Empty for a run of hooks and checks alone.
    agent: str
    model: str | None
    effort: str | None
    workspace: str
    branch: str | None
    base: str
    title: str
    #: The prompt handed to the agent.
    prompt: str
    task_file: str
    ports: tuple[int, ...]
    env: Mapping[str, str]
    agent_settings: AgentSettings
    #: Seconds.
    stall: int
    #: Seconds.
    limit: int
    auto_commit: bool
    before_run: str | None
    after_run: str | None
    hook_timeout: int
    #: The conversation to continue; None to begin one.
    resume: Resume | None = None
    #: What is new since that conversation; `prompt` is for when it turns out not to be there any more.
    followup: str | None = None
    #: A command that prints more variables for the agent.
    environment_command: str | None = None
    #: What must pass on the agent's work.
    checks: tuple[Check, ...] = ()
    #: The skill that the task is to be carried out with; None for direct instructions.
    skill: str | None = None
    #: `none`, `worktree`, `sandbox` or `container`.
    isolation: str = "worktree"
    #: Whether a sandbox reaches the network.
    network: bool = True
    #: Folders that a sandbox may write, beside what it always may.
    writable: tuple[str, ...] = ()
    #: The steps; None: the agent alone.
    course: Course | None = None
    #: The commit whose review this is; None for a run that works.
    reviewed: str | None = None
    #: Whether its agent only answers: where its program can, it gets no means to run commands or to write files.
    answers: bool = False


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is on disk about a run."""

    spec: RunSpec
    launched: bool
    started_at: float | None
    ended_at: float | None
    outcome: Outcome | None
    exit_code: int | None
    signature: str | None
    message: str | None
    commit: str | None
    conversation: Conversation = UNTOLD
    #: Whether the project's checks passed at that commit; None when none were run.
    checked: bool | None = None
    #: The percentages that its coverage checks named, by check.
    figures: Mapping[str, float] = field(default_factory=dict)
    #: Its steps and what came of them; None for a run of an agent alone.
    course: Course | None = None

    @property
    def speaker(self) -> str:
        """The agent whose conversation this is: a step may have had another one than the run."""
        return self.conversation.agent or self.spec.agent


class Containers(Protocol):
    """The containers that agents of a project run in."""

    def remove(self, tasks: Collection[str]) -> int:
        """Remove what ended runs of these tasks left; returns how many there were. Raises AgentUnusable."""


class Pipelines(Protocol):
    """The pipelines and prompt templates of a project, its own over those that come with orange."""

    def get(self, name: str) -> Pipeline:
        """A pipeline. Raises PipelineUnusable."""

    def names(self) -> tuple[str, ...]:
        """The names of all pipelines."""

    def template(self, name: str) -> str:
        """A prompt template. Raises PipelineUnusable."""

    def has_template(self, name: str) -> bool:
        """Whether there is a prompt template of that name."""

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the project's own files."""


class Runs(Protocol):
    """The machine-local records of runs: `<git-common-dir>/orange/runs/<run>/`."""

    def prepare(self, spec: RunSpec) -> str:
        """Write the spec (idempotent for an equal run); returns the run's folder. Raises StorageFailed."""

    def record(self, run: str) -> RunRecord | None:
        """What is on disk about a run, or None."""

    def close(self, run: str, outcome: Outcome, message: str, commit: str | None) -> None:
        """Write how a run ended that is proven dead and left no result; one that has a result keeps it.

        Raises StorageFailed.
        """

    def planted(self, run: str) -> tuple[str, ...]:
        """What a run's agent left behind for git to run, in one sentence each."""

    def said(self, run: str) -> str:
        """What a run's agent said, without what it did where its program tells the two apart; the end of much."""

    def stages(self, run: str) -> Sequence[Mapping[str, object]]:
        """What a run's supervisor noted of its stages and steps, oldest first."""

    def published(self, run: str, code: str | None, line: str) -> None:
        """Note in a run's folder, where there is one, what came of publishing. Raises StorageFailed."""

    def last(self, task: str) -> int:
        """The highest epoch under which a run of the task left anything here; 0 when none did."""

    def recent(self, live: Iterable[str], tasks: Iterable[str], attempts: int) -> Mapping[str, RunRecord]:
        """Records of the named runs, and of each named task the latest: so many ended ones that used up an attempt.

        Runs that were told to end come on top: they say nothing about the work.
        """

    def command(self, spec: RunSpec) -> Command:
        """The program of a run's agent. Raises AgentUnusable, InvalidInput."""

    def review(self, run: str) -> Mapping[str, object] | None:
        """What a run that reviews came to, as `core.reviews.report` says it; None where it came to nothing."""

    def checks(self, run: str, *, of_merge: bool = False) -> Mapping[str, object] | None:
        """What the project's checks came to in a run, or on the merge of its work, as `core.checks.report` says it."""

    def report(self, run: str) -> Mapping[str, object] | None:
        """What a run says of itself at its end, as `core.artifacts.run_summary` describes it; None before that."""

    def keep(self, run: str, name: str, value: Mapping[str, object]) -> None:
        """Write a JSON artifact into a run's folder, where there is one. Raises StorageFailed."""

    def folder(self, run: str) -> str:
        """The run's folder, whether it exists or not."""


class Executor(Protocol):
    """Starts, observes and ends runs' sessions. Locally tmux; later a pool of machines."""

    def start(self, run: str, session: str) -> None:
        """Start the supervisor of a prepared run in a session of that exact name. Idempotent by name.

        Raises SessionFailed.
        """

    def observe(self) -> Mapping[str, str] | None:
        """Session name -> opaque address of every session, or None when that could not be told."""

    def stop(self, run: str, session: str, grace: float) -> Presence:
        """End the session and its process tree: terminate, wait `grace` seconds, kill; GONE only when proven."""

    def tail(self, session: str, lines: int) -> str | None:
        """The session's last screen lines, or None."""

    def say(self, session: str, text: str) -> bool:
        """Type text into the session and submit it; True only when it is proven to have arrived."""

    def attach(self, session: str) -> Sequence[str]:
        """The argv that joins the session from a terminal. Raises SessionFailed."""

    def shut_down(self) -> None:
        """Let go of whatever holds the sessions: it ends now where it has none, else soon after its last."""


class Configuration(Protocol):
    """The configuration files of the project and of its user."""

    def settings(self) -> Settings:
        """The effective settings. Raises NewerFormat."""

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files."""

    def rows(self) -> list[dict[str, object]]:
        """Every setting: `key`, `value`, `source`."""

    def assign(self, name: str, value: str, *, user: bool) -> None:
        """Set one key in the project's or the user's file. Raises InvalidInput, StorageFailed."""


class AgentRuntime(Protocol):
    """One kind of agent: a module listed in the registry's one dict."""

    @property
    def name(self) -> str:
        """Its word in the configuration."""

    def detect(self, settings: AgentSettings, which: Callable[[str], str | None]) -> Found:
        """Say whether it can be used here."""

    def command(self, spec: RunSpec, prompt_file: str) -> Command:
        """The program that runs the agent headless on a prepared run."""
