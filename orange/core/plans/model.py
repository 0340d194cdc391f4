"""The nouns of planning, as frozen values: a plan, its tasks, the order among them, and what is doubtful about it.

Next in the flow: `decompose` makes a plan of a document, `planfile` writes and reads it, `schedule` says what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orange.core.entries import Raw
from orange.core.model import Priority


class Granularity(StrEnum):
    """How small the tasks are."""

    #: Only the topmost parts; what is below them becomes their criteria.
    COARSE = "coarse"
    #: Groups and their tasks.
    BALANCED = "balanced"
    #: Also the points below tasks.
    FINE = "fine"


class PlanStatus(StrEnum):
    """How far a plan has come."""

    DRAFT = "draft"
    #: Somebody is at it.
    REVIEWING = "reviewing"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was asked for when the document was decomposed."""

    granularity: Granularity = Granularity.BALANCED
    #: Go down as far as the document does.
    recursive: bool = False
    #: Levels of tasks within one another; None for what the granularity says.
    max_depth: int | None = None
    #: Import as pending instead of backlog.
    auto_ready: bool = False
    #: How many tasks are worked on at once, for the waves; None for no bound.
    max_parallelism_hint: int | None = None
    #: The agent that read the document; None where its own structure was enough.
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of the document, from 1, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Edge:
    """Something that must be done before the task that has this edge."""

    #: Key of the blocker.
    blocker: str
    #: From 0 to 1, two digits: how sure it is that the document means this.
    confidence: float = 1.0
    #: The sentence that says so; empty where a person said it.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlanTask:
    """One task of a plan."""

    #: Unique in the plan and the same for the same thing in a later version of the document: a slug.
    key: str
    title: str
    parent: str | None = None
    #: The document's own id of it, such as REQ-12.
    ref: str | None = None
    type: str = "task"
    priority: Priority = Priority.MEDIUM
    #: XS, S, M, L, XL or a duration.
    estimate: str | None = None
    #: The heading it stands under.
    category: str | None = None
    labels: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    criteria: tuple[str, ...] = ()
    #: What the document says about it; lines.
    context: tuple[str, ...] = ()
    #: Where it stands in the document; None for a task that a person added.
    lines: Span | None = None
    #: Its pages, where the document has any.
    pages: Span | None = None
    #: Whether the document says that it is done already: it is not imported.
    done: bool = False
    #: What `digest.of` said of it when it was decomposed, so that a later edit shows; None for a person's own.
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something a person should look at."""

    #: cycle, vague, duplicate, unresolved or unreachable.
    kind: str
    message: str
    #: The task it is about, where it is about one.
    key: str | None = None
    #: Where in the document.
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A decomposed document."""

    #: A slug; the file's name.
    id: str
    title: str
    #: The document, relative to the repository where it lies in it.
    source_file: str
    #: What the document's text was, as a digest.
    source_digest: str = ""
    status: PlanStatus = PlanStatus.DRAFT
    parameters: Parameters = Parameters()
    #: RFC 3339 UTC.
    created_at: str = ""
    #: RFC 3339 UTC: when its tasks were made last.
    imported_at: str = ""
    tasks: tuple[PlanTask, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    #: Keys of the frontmatter that orange does not know; they are kept.
    extra: Mapping[str, Raw] = field(default_factory=dict)

    def by_key(self) -> dict[str, PlanTask]:
        """Return the tasks by key."""
        return {task.key: task for task in self.tasks}

    def children(self) -> dict[str, list[str]]:
        """Return the keys of every parent's children, in order."""
        found: dict[str, list[str]] = {}
        for task in self.tasks:
            if task.parent is not None:
                found.setdefault(task.parent, []).append(task.key)
        return found
