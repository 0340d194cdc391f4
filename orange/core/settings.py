"""The configuration, typed: `.orange/config.yaml` over the user's file over the defaults declared here.

Only the shapes and defaults live here; `config` reads, validates and layers them. Durations are whole seconds.
Fields marked U are the user's alone: a project file that sets them is a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orange.core.checks import Check
from orange.core.rules import Rule
from orange.core.steps import Shape


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """How one agent is run."""

    #: For `command`: a shell command; `{prompt_file}`, `{workspace}`, `{task}` become positional parameters.
    run: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    #: `headless` or `interactive`.
    mode: str = "headless"
    #: The agent that is given new work while this one is rate-limited.
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What is bounded."""

    #: U: agents at once on this machine, over all projects.
    max_agents: int = 3
    per_project: int | None = None
    per_agent: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 3
    consecutive_failures: int = 3
    #: Seconds without output, events or work of the process tree.
    stall: int = 600
    #: Seconds a run may take.
    run: int = 7200
    same_failure: int = 3
    children: int = 20
    depth: int = 3
    descendants: int = 50
    spawns_per_minute: int = 6


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """Spending caps of a task and its subtree."""

    minutes: float | None = None
    tokens: int | None = None
    usd: float | None = None
    per_day: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Who reviews."""

    #: human, agent, both or none.
    by: str = "human"
    max_rounds: int = 2
    require_approval_for: tuple[str, ...] = ()
    open: str | None = None


@dataclass(frozen=True, slots=True)
class BranchSettings:
    """How task branches are named and cut."""

    pattern: str = "orange/{name}-{id}"
    hierarchical: bool = False


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Commands around a workspace's life; each runs as `sh -c`."""

    after_create: str | None = None
    before_run: str | None = None
    after_run: str | None = None
    before_remove: str | None = None
    #: Seconds.
    timeout: int = 60


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """Where agents work."""

    #: The folder that holds the workspaces; None for `<repo>/../<repo>.workspaces`.
    root: str | None = None
    #: Bound and spare workspaces kept before the oldest idle one is returned.
    size: int = 8
    copy: tuple[str, ...] = (".env",)
    link: tuple[str, ...] = ()
    #: Ports reserved for each.
    ports: int = 0
    #: none, worktree, sandbox or container.
    isolation: str = "worktree"
    #: For `sandbox`: host or none.
    network: str = "host"
    #: U: for `sandbox`: more that an agent may write.
    writable: tuple[str, ...] = ()
    #: `engine`, `image`, `memory`, `cpus`.
    container: Mapping[str, str | None] = field(default_factory=dict)
    hooks: HookSettings = HookSettings()


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """U: the daemon's own."""

    #: Seconds between looks when nothing hints at a change.
    poll: float = 2.0
    port: int = 7777


@dataclass(frozen=True, slots=True)
class Settings:
    """One project's effective configuration."""

    format: int = 1
    agent: str = "claude"
    model: str | None = None
    effort: str | None = None
    #: autopilot, supervised, collaborative or review_only.
    mode: str = "autopilot"
    base: str | None = None
    #: merge, branch, pr or none.
    publish: str = "merge"
    publish_push: bool = False
    #: `commit`, `pr_title`, `pr_body`.
    publish_templates: Mapping[str, str | None] = field(default_factory=dict)
    #: `tasks.default_status`: pending or backlog.
    default_status: str = "pending"
    #: `dependencies.cancelled_satisfies`.
    cancelled_satisfies: bool = False
    #: `dispatch.mode`: parallel or sequential.
    dispatch_mode: str = "parallel"
    #: `archive.after`, seconds.
    archive_after: int = 14 * 86400
    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    limits: Limits = Limits()
    budget: BudgetSettings = BudgetSettings()
    review: ReviewSettings = ReviewSettings()
    branches: BranchSettings = BranchSettings()
    workspaces: WorkspaceSettings = WorkspaceSettings()
    checks: tuple[Check, ...] = ()
    checks_required: bool = False
    auto_commit: bool = True
    rules: tuple[Rule, ...] = ()
    #: `environment.command`.
    environment_command: str | None = None
    #: `queue.legacy`.
    queue_legacy: bool = True
    #: U: `notify.command`.
    notify_command: str | None = None
    webhooks: tuple[Mapping[str, object], ...] = ()
    daemon: DaemonSettings = DaemonSettings()
    #: How the project's own pipelines end, by name: `.orange/pipelines/`, no key of the file.
    pipelines: Mapping[str, Shape] = field(default_factory=dict)
