"""A document as a tree: sections with their paragraphs, lists and tables, each with its lines. Formats end here.

Next in the flow: `markdown` makes it, `units` decides what in it is work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class Paragraph:
    """Running text."""

    text: str
    line: int
    end: int


@dataclass(slots=True)
class Item:
    """One point of a list, with what is nested in it."""

    text: str
    line: int
    end: int
    #: The state of its box; None where it has none.
    checked: bool | None = None
    #: Its number in a numbered list, as written.
    number: str | None = None
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Listing:
    """A list."""

    items: list[Item]
    line: int
    end: int


@dataclass(slots=True)
class Row:
    """One row of a table."""

    cells: list[str]
    line: int


@dataclass(slots=True)
class Table:
    """A table; its rows have as many cells as its head."""

    head: list[str]
    rows: list[Row]
    line: int
    end: int


@dataclass(slots=True)
class Code:
    """What is never read as work: fenced or indented code."""

    text: str
    #: What stands behind the opening fence: its language.
    info: str
    line: int
    end: int


Block: TypeAlias = Paragraph | Listing | Table | Code


@dataclass(slots=True)
class Section:
    """A heading with all that is below it; the root has level 0 and no heading."""

    title: str
    level: int
    line: int
    end: int
    blocks: list[Block] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def walk(self) -> Iterator[Section]:
        """Yield this section and all below it, in the document's order."""
        todo = [self]
        while todo:
            section = todo.pop()
            yield section
            todo.extend(reversed(section.sections))


@dataclass(frozen=True, slots=True)
class Document:
    """A read document."""

    root: Section
    #: Its lines as they stand in it.
    lines: tuple[str, ...]
    #: What its front matter says, as far as that is `key: text`.
    meta: dict[str, str]
