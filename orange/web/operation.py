"""Operations: what the API can do, each declared once. From the declaration it is checked, carried out and described.

Next in the flow: `routes` declare them, `app` carries them out, `openapi` describes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from orange.core.problems import InvalidInput
from orange.core.service import metrics
from orange.core.service.admission import SAFE, Door, Scope
from orange.core.service.shapes import Record, Schema, Text

if TYPE_CHECKING:
    from orange.project import Project
    from orange.web.boards import Boards
    from orange.web.feed import Feed

#: Bytes of a body, unless an operation takes more.
LARGEST = 1 << 20
#: Which project, where there are several; every operation on one takes it.
PROJECT = Text("The project's name or folder; needed where the daemon serves several.", least=1, longest=4096)
NOTHING = Record({})


class Face(Protocol):
    """What the service face shows: the daemon, as far as it concerns its callers."""

    @property
    def boards(self) -> Boards:
        """The boards, kept until something changes."""

    def revision(self, root: str) -> str:
        """Name how things are beside the tasks, as far as the daemon has seen: another name, another board."""

    @property
    def feed(self) -> Feed:
        """What happens, for whoever follows."""

    def look(self) -> None:
        """Look at the projects soon: somebody wants to know how they are."""

    def door(self) -> Door:
        """Return who is let in."""

    def projects(self) -> Mapping[str, str]:
        """Return the projects that are served: folder -> name."""

    def open(self, root: str, caller: int | None) -> Project:
        """Return a project on behalf of whoever holds the port `caller`; None: of the person whose daemon this is.

        Raises NotAllowed for another user of the machine.
        """

    def status(self) -> Mapping[str, Any]:
        """Return how the daemon is."""

    def login(self, code: str, caller: int | None) -> str:
        """Return the full token for a one-time code. Raises NotAllowed."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its parts checked."""

    face: Face
    #: What stands in the path's places.
    places: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    #: The `If-Match` header; None where there is none.
    if_match: str | None = None
    #: The `If-None-Match` header.
    if_none_match: str | None = None
    #: The port of this machine it comes from, where it may change something: an agent may do less than a person.
    caller: int | None = None

    @property
    def project(self) -> Project:
        """The project meant. Raises InvalidInput where that is not clear."""
        served, wanted = self.face.projects(), self.query.get("project")
        found = [root for root, name in served.items() if wanted in {None, root, name}]
        if len(found) == 1:
            return self.face.open(found[0], self.caller)
        known = ", ".join(sorted(served.values())) or "none"
        if wanted is None:
            raise InvalidInput("project", f"say which one; the daemon serves {known}")
        why = "more than one is called so: give its folder" if found else f"it is not served; served: {known}"
        raise InvalidInput("project", f"{wanted!r}: {why}")

    @property
    def task(self) -> str:
        """The task's address in the path."""
        return self.places["task"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that needs more than its value."""

    #: A JSON value, or its text as it is sent.
    value: object
    headers: Mapping[str, str] = field(default_factory=dict)


class Kind(Enum):
    """How an operation is answered, and what `run` returns for it."""

    #: With JSON: the value, or an `Answer`.
    JSON = "application/json"
    #: With text: it, or an `Answer`.
    TEXT = "text/plain"
    #: With figures in the format of Prometheus, as text.
    FIGURES = metrics.KIND
    #: With server-sent events: the name of the project, None for all.
    EVENTS = "text/event-stream"
    #: With a WebSocket: the screen to show.
    SOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the API can do."""

    #: Its name in the description; unique.
    id: str
    method: str
    #: With `{places}`.
    path: str
    #: One sentence.
    about: str
    #: What it answers, as JSON Schema.
    answer: Schema
    #: Carries it out; returns what its kind says. Raises OrangeError.
    run: Callable[[Request], object]
    query: Record = NOTHING
    body: Record | None = None
    #: Status of the answer.
    status: int = 200
    #: Bytes the body may have.
    largest: int = LARGEST
    #: Whether it is about a project.
    of_project: bool = True
    #: Whether it may be left out: nothing is required in it.
    body_optional: bool = False
    #: Whether nobody needs a token for it.
    public: bool = False
    #: How it is answered.
    kind: Kind = Kind.JSON

    @property
    def scope(self) -> Scope:
        """What a token must be good for."""
        if self.public:
            return Scope.NONE
        return Scope.READ if self.method in SAFE else Scope.FULL

    @property
    def parameters(self) -> Record:
        """Its query's shape, with the project."""
        if not self.of_project:
            return self.query
        return Record({**self.query.keys, "project": PROJECT}, self.query.required)

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the places in its path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))
