"""What people and agents may ask of a project, as values: the arguments of the facade's methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orange.core.lifecycle import Actor, Status
from orange.core.model import Priority, Publish
from orange.core.reviews import is_review


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who asks. Decided by evidence where the request enters (process tree, workspace), never by the request itself."""

    actor: Actor
    #: A user name, `daemon`, or the run id for an agent.
    name: str
    #: The task whose workspace or run the request comes from; None elsewhere.
    task: str | None = None
    #: The run it comes from.
    run: str | None = None

    @property
    def reviews(self) -> bool:
        """Whether it is an agent that reviews another's work."""
        return is_review(self.run)

    @property
    def label(self) -> str:
        """`person:ada`, `agent:k3f9x2ab-1`, `daemon`: as events carry it."""
        return self.actor.value if self.actor is Actor.DAEMON else f"{self.actor.value}:{self.name}"


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to create. `title` or `name` must be given; the other is derived."""

    title: str | None = None
    name: str | None = None
    body: str = ""
    #: pending or backlog; None for the project's default.
    status: Status | None = None
    #: Addresses, not only ids.
    blocked_by: tuple[str, ...] = ()
    parent: str | None = None
    #: Do not become a child of the workspace's task.
    no_parent: bool = False
    type: str = "task"
    priority: Priority = Priority.MEDIUM
    labels: tuple[str, ...] = ()
    agent: str | None = None
    model: str | None = None
    effort: str | None = None
    base: str | None = None
    branch: str | None = None
    publish: Publish | None = None
    requires: tuple[str, ...] = ()
    acceptance_criteria: tuple[str, ...] = ()
    context_files: tuple[str, ...] = ()
    assignee: str | None = None
    skill: str = "auto"
    estimate: str | None = None
    category: str | None = None
    session: str | None = None
    ref: str | None = None
    #: The parts of a job that have no other place.
    job: Mapping[str, object] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    #: What whoever asks was warned of; noted in its trail.
    warnings: tuple[str, ...] = ()


#: Keys of a task that a person may set at any time, besides those with a rule of their own.
FREE = ("type", "agent", "model", "effort", "skill", "base", "publish", "requires", "acceptance_criteria",
    "context_files", "assignee", "estimate", "category", "session", "ref")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes to a task's free keys; None leaves a key as it is."""

    title: str | None = None
    priority: Priority | None = None
    #: All of its labels; None leaves them, and the next two change them.
    labels: tuple[str, ...] | None = None
    add_labels: tuple[str, ...] = ()
    remove_labels: tuple[str, ...] = ()
    #: Addresses to add to and drop from `blocked_by`.
    block: tuple[str, ...] = ()
    unblock: tuple[str, ...] = ()
    #: Other free keys that only people set: key of the task -> its value, None to clear it. `FREE` names them.
    values: Mapping[str, object] = field(default_factory=dict)
    #: Address of its new parent; an empty text for none; None leaves it.
    parent: str | None = None
    #: Sections of the body by name.
    sections: Mapping[str, str] = field(default_factory=dict)
    #: Where to go; the lifecycle decides whether.
    status: Status | None = None
    #: The revision of the task as the asker saw it (`core.present.revision`); None: whatever it is now.
    seen: str | None = None
    #: Structured reason when `status` is stuck.
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks a list shows. Conditions are ANDed; an empty one is no condition."""

    ready: bool = False
    statuses: tuple[Status, ...] = ()
    blocked: bool = False
    #: Address of the parent.
    parent: str | None = None
    label: str | None = None
    session: str | None = None
    #: Also done and cancelled ones.
    all: bool = False
    #: Ids; those that are not there are passed over.
    ids: tuple[str, ...] = ()
