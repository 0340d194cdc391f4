"""What in a document may be work: a forest of candidates, each with what the document says about it.

A heading, a point of a list or a row of a table becomes a `Unit`; how strong the evidence is that it is work stays with
it, and `grain` decides. Next in the flow: `collect` makes them of a tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from orange.core.plans.labels import Label
from orange.core.plans.model import Span


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
