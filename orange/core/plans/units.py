"""What in a document may be work: a forest of candidates, each with what the document says about it.

A heading, a point of a list or a row of a table becomes a `Unit`; how strong the evidence is that it is work stays with
it, and `grain` decides. Next in the flow: `collect` makes them of a tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from orange.core.plans.labels import Label
from orange.core.plans.model import Span
from orange.core.plans.roles import Role


class Evidence(IntEnum):
    """How sure it is that a candidate is work."""

    #: A point below something that may be work.
    LOOSE = 0
    #: It reads like work: a verb first, a wish, a demand.
    WORDED = 1
    #: It stands where work stands.
    PLACED = 2
    #: It has a box.
    BOXED = 3
    #: It has an id, or calls itself a task.
    MARKED = 4


@dataclass(slots=True)
class Unit:
    """A candidate."""

    label: Label
    #: Its whole text.
    text: str
    lines: Span
    evidence: Evidence
    #: Whether it is a heading without an id: it may give way to what is below it.
    heading: bool = False
    #: Whether it is only the name of a group of others.
    group: bool = False
    #: Whether the document speaks of features here.
    feature: bool = False
    #: Whether its box is ticked.
    done: bool = False
    category: str | None = None
    criteria: list[str] = field(default_factory=list)
    #: Fields such as `priority` and `type` that the document gives it: name -> text, line.
    facts: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: What the document says about it.
    context: list[str] = field(default_factory=list)
    #: Sentences with the line they stand in, its own text first.
    said: list[tuple[str, int]] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    #: Set once it is a task of the plan.
    key: str = ""

    @property
    def title(self) -> str:
        """What it is called."""
        return self.label.title

    def fill(self, name: str, texts: Sequence[tuple[str, int]]) -> None:
        """Take in a field that the document gives it, with the lines of its texts."""
        if name == "id":
            self.label = replace(self.label, ref=self.label.ref or texts[0][0])
            self.evidence, self.heading = Evidence.MARKED, self.group
        elif name == "criteria":
            self.criteria += [text for text, _ in texts]
        elif name == "description":
            self.context += [text for text, _ in texts]
            self.said += texts
        elif texts:
            joined = "; ".join(text for text, _ in texts)
            had = self.facts.get(name)
            self.facts[name] = (f"{had[0]}; {joined}", had[1]) if had else (joined, texts[0][1])

    def walk(self) -> Iterator[Unit]:
        """Yield it and all below it, in the document's order."""
        todo = [self]
        while todo:
            unit = todo.pop()
            yield unit
            todo.extend(reversed(unit.units))


def walk(units: list[Unit]) -> Iterator[Unit]:
    """Yield units and all below them, in the document's order."""
    for unit in units:
        yield from unit.walk()


@dataclass(frozen=True, slots=True)
class Place:
    """What the headings above promise."""

    role: Role = Role.NEUTRAL
    category: str | None = None
    feature: bool = False
    #: Whether chapters about the order of work hold the work itself.
    ordered: bool = False
    #: Whether the document is points within points, and the outer ones only name groups.
    outline: bool = False
    #: Whether the document is a list of work, so that its points are work below any heading.
    listed: bool = False


@dataclass(slots=True)
class Found:
    """What a document holds: candidates, and what is said beside them."""

    units: list[Unit]
    #: Sentences outside of candidates, with their lines: some say in which order things go.
    said: list[tuple[str, int]]
    #: The name of a task -> what a chapter about the order of work says of it.
    about: list[tuple[str, list[tuple[str, int]]]] = field(default_factory=list)
    #: Candidates that go on one after another, with the sentence that says so and its line.
    sequences: list[tuple[list[Unit], str, int]] = field(default_factory=list)
    #: Lists in chapters about order, each point with its number, text and line: they name each other by number.
    counted: list[list[tuple[str, str, int]]] = field(default_factory=list)
