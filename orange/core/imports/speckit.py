"""GitHub Spec Kit's `tasks.md`: numbered lines in phases; `[P]` may run beside its neighbours, `[US1]` names a story.

Within a phase a line waits for what stands before it, but lines with `[P]` in a row wait only for what stands before
the row. Set-up comes first, then the foundation, then the stories beside each other, then the rest. Words such as
"depends on T012" are edges too. Next in the flow: `resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from orange.core.imports import clean
from orange.core.imports.checklist import Box, body_of, boxes
from orange.core.imports.fields import Fields, blank, item
from orange.core.imports.item import ImportRefused, Item, Reading, Source

FORMAT = "spec-kit"
_LINE = re.compile(r"(?:\*\*)?(T\d{1,6}[a-z]?)(?:\*\*)?:?\s+((?:\[[^\]]{1,40}\]\s*)*)(.*)", re.DOTALL)
_WORDS = re.compile(r"\[([^\]]+)\]")
_STORY = re.compile(r"US\d+", re.IGNORECASE)
_TITLE = re.compile(r"^#[ \t]+Tasks:?[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_PHRASE = re.compile(
    r"\b(?:depends on|blocked by|requires|after)\b[:*]*[ \t]+((?:T\d{1,6}[a-z]?(?:[ \t]*(?:,|and|&|[-–])[ \t]*)?)+)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(T\d{1,6}[a-z]?)(?:[ \t]*[-–][ \t]*(T\d{1,6}[a-z]?))?", re.IGNORECASE)


@dataclass(slots=True)
class _Line:
    """One task of the list."""

    id: str
    words: tuple[str, ...]
    text: str
    box: Box
    phase: str
    story: str
    waits: list[str] = field(default_factory=list)

    @property
    def beside(self) -> bool:
        """Whether it may run beside its neighbours."""
        return "P" in self.words


def read(source: Source) -> Reading:
    """Read all tasks of a list. Raises ImportRefused."""
    lines = list(_lines(source.text))
    if not is_one(source.text):
        raise ImportRefused(source.name, "there is no line such as `- [ ] T001 something to do` in it")
    _order(lines)
    title = _TITLE.search(source.text)
    home = source.folder if source.folder not in {"", "."} else clean.line(title[1]) if title else ""
    return Reading.of(_item(line, source.name, f"{home} " if home else "") for line in lines)


def is_one(text: str) -> bool:
    """Whether a list has numbered lines."""
    return any(_LINE.fullmatch(box.title) for box in boxes(text))


def _lines(text: str) -> Iterator[_Line]:
    """Find the lines; a box without a number belongs to the line it is indented beneath, else it is one itself."""
    found = boxes(text)
    owners: dict[int, Box] = {}
    for number, box in enumerate(found):
        match = _LINE.fullmatch(box.title)
        owner = owners.get(box.above) if box.above is not None else None
        if owner is not None and not match:
            owners[number] = owner
            owner.lines += [f"{' ' * box.indent}- [{box.mark}] {box.title}", *box.lines]
            continue
        owners[number] = box
        yield _line(box, match)


def _line(box: Box, match: re.Match[str] | None) -> _Line:
    words = tuple(_WORDS.findall(match[2])) if match else ()
    story = next((word.upper() for word in words if _STORY.fullmatch(word)), "")
    phase = next((one for one in box.headings if one.lower().startswith("phase")), "") or (box.headings or ("",))[-1]
    name, text = (match[1].upper(), match[3]) if match else (clean.line(box.title), box.title)
    return _Line(name, words, text, box, phase, story)


def _order(lines: list[_Line]) -> None:
    """Let each line wait for what has to come before it."""
    before: list[str] = []  # the last lines of the phases that every later one waits for
    stories: list[str] = []
    for _, found in groupby(lines, key=lambda line: line.phase):
        phase = list(found)
        is_story = any(line.story for line in phase)
        start = before if is_story else stories or before
        last = _within(phase, start)
        if is_story:
            stories += last
        else:
            before, stories = last, []
    ids = [line.id for line in lines]
    for line in lines:
        line.waits += [one for one in _said(f"{line.text}\n{body_of(line.box)}", ids) if one != line.id]


def _within(phase: list[_Line], start: list[str]) -> list[str]:
    """Order the lines of a phase; returns the last of them."""
    waits = start
    for beside, found in groupby(phase, key=lambda line: line.beside):
        row = list(found)
        for line in row:
            line.waits += waits
            if not beside:
                waits = [line.id]
        if beside:
            waits = [line.id for line in row]
    return waits


def _said(text: str, ids: list[str]) -> Iterator[str]:
    """Find the lines that a text says it depends on; a range names all between."""
    for phrase in _PHRASE.finditer(text):
        for match in _RANGE.finditer(phrase[1]):
            first, last = match[1].upper(), (match[2] or match[1]).upper()
            if first in ids and last in ids:
                yield from ids[ids.index(first) : ids.index(last) + 1]
            else:
                yield from dict.fromkeys((first, last))


def _item(line: _Line, name: str, home: str) -> Item:
    fields = Fields({}, f"{name}, line {line.box.line}")
    left = [word for word in line.words if word != "P" and not _STORY.fullmatch(word)]
    return item(
        fields,
        FORMAT,
        key=f"{home}{line.id}",
        title=line.text,
        draft=blank(
            ref=line.id if line.box.title != line.text else None,
            labels=clean.lines((line.story, *left)),
            category=clean.line(line.phase) or None,
        ),
        status=line.box.status,
        parts=(("", body_of(line.box)),),
        blockers=[f"{home}{one}" for one in line.waits],
    )
