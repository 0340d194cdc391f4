"""Plain Markdown checklists: every `- [ ]` line is a task, what is indented beneath it belongs to it.

A line has no id of its own: it is known again by its file, its heading and its words. Next in the flow: `resolve`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from orange.core.imports import clean
from orange.core.imports.fields import Fields, blank, item
from orange.core.imports.item import ImportRefused, Item, Reading, Source

FORMAT = "checklist"
_LINE = re.compile(
    r"(?P<indent>[ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+\[(?P<mark>[ xX]|[^\w\s\]])\](?:[ \t]+(?P<title>.*))?$"
)
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t#]*$")
_FENCE = re.compile(r"[ \t]*(```+|~~~+)")
_STATUSES = {
    " ": "todo",
    "x": "done",
    "X": "done",
    "-": "cancelled",
    "/": "in progress",
    "~": "in progress",
    ">": "later",
}
#: Characters of a key before it is cut and told apart by a digest.
_LONGEST_KEY = 160


@dataclass(slots=True)
class Box:
    """One line with a box, and the lines that belong to it."""

    line: int
    indent: int
    #: A space, an x, or a sign that says more; no other letter: `- [P] ...` is no box.
    mark: str
    title: str
    #: The nearest heading above, and all of them.
    headings: tuple[str, ...]
    #: Its number among the boxes of the file; that of the box it is indented beneath.
    above: int | None
    lines: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Its status in words."""
        return _STATUSES.get(self.mark, self.mark)


def read(source: Source) -> Reading:
    """Read every box of a Markdown text. Raises ImportRefused."""
    found = boxes(source.text)
    if not found:
        raise ImportRefused(source.name, "there is no line such as `- [ ] something to do` in it")
    keys = _keys(source.name, found)
    return Reading.of(_item(source.name, box, number, keys) for number, box in enumerate(found))


def boxes(text: str) -> list[Box]:
    """Find the boxes of a Markdown text with what belongs to each; code fences hold none."""
    return _Boxes().read(text)


class _Boxes:
    """Walks the lines once."""

    def __init__(self) -> None:
        self.found: list[Box] = []
        self.headings: dict[int, str] = {}
        #: The numbers of the boxes that enclose the present line, the innermost last.
        self.open: list[int] = []
        self.fence = ""

    def read(self, text: str) -> list[Box]:
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
            self._line(number, line)
        return self.found

    def _line(self, number: int, line: str) -> None:
        fence = _FENCE.match(line)
        if fence:
            self.fence = "" if self.fence and fence[1].startswith(self.fence) else self.fence or fence[1]
        elif not self.fence:
            match = _LINE.match(line)
            if match:
                self._box(number, match)
                return
            heading = _HEADING.match(line)
            if heading:
                self._heading(len(heading[1]), heading[2])
                return
        self._text(line)

    def _box(self, number: int, match: re.Match[str]) -> None:
        indent = len(match["indent"].expandtabs(4))
        while self.open and self.found[self.open[-1]].indent >= indent:
            self.open.pop()
        above = self.open[-1] if self.open else None
        headings = tuple(self.headings[level] for level in sorted(self.headings))
        self.open.append(len(self.found))
        self.found.append(Box(number, indent, match["mark"], (match["title"] or "").strip(), headings, above))

    def _heading(self, level: int, text: str) -> None:
        self.open.clear()
        self.headings = {other: held for other, held in self.headings.items() if other < level}
        self.headings[level] = clean.line(text)

    def _text(self, line: str) -> None:
        """Give a line to the innermost box it is indented beneath; blank ones to the last."""
        if not line.strip():
            if self.open:
                self.found[self.open[-1]].lines.append("")
            return
        indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
        while self.open and self.found[self.open[-1]].indent >= indent and not self.fence:
            self.open.pop()
        if self.open:
            self.found[self.open[-1]].lines.append(line)


def body_of(box: Box) -> str:
    """Give the lines that belong to a box, without their common indentation."""
    lines = [line.expandtabs(4) for line in box.lines]
    least = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[least:].rstrip() for line in lines).strip("\n")


def _item(name: str, box: Box, number: int, keys: list[str]) -> Item:
    return item(
        Fields({}, f"{name}, line {box.line}"),
        FORMAT,
        key=keys[number],
        title=box.title,
        draft=blank(category=box.headings[-1] or None if box.headings else None),
        status=box.status,
        parts=(("", body_of(box)),),
        parent=keys[box.above] if box.above is not None else None,
    )


def _keys(name: str, found: list[Box]) -> list[str]:
    """Name each box by its file, headings and words; the same words again get a number."""
    keys: list[str] = []
    seen: dict[str, int] = {}
    for box in found:
        above = keys[box.above] if box.above is not None else " > ".join((name, *box.headings))
        key = _short(clean.line(f"{above} > {box.title}"))
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key} ({seen[key]})")
    return keys


def _short(key: str) -> str:
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:_LONGEST_KEY]}... {hashlib.sha256(key.encode()).hexdigest()[:12]}"
