"""Replaces the bytes of single keys in a file's text, and of nothing else.

A value is replaced where it stands: the space before it and the comment behind it stay. A list with a line for each
item keeps the lines (and comments) of the items that remain. New keys go to the end of the frontmatter.

Next in the flow: `document.edit` reads the result again and compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orange.core import emit
from orange.core.emit import Written
from orange.core.entries import Entry, Frontmatter, Raw

_HEADER = re.compile(r"[|>][-+0-9]*([ \t]+#[^\r\n]*)?")


class _Patch(NamedTuple):
    """Replace `text[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one key is to hold: its text, and for a list its items; None takes the key out."""

    written: Written | None
    plain: Raw = None


def splice(text: str, front: Frontmatter, changes: Mapping[str, Change]) -> str:
    """Return the text with the changed keys replaced, added or taken out."""
    editor = _Editor(text)
    patches: list[_Patch] = []
    added: list[str] = []
    indent = editor.indent(front)
    for key, change in changes.items():
        entry = front.entries.get(key)
        if entry:
            patches.extend(editor.patches(entry, front.raw[key], change))
        elif change.written:
            added.extend(line + editor.eol for line in emit.entry(key, change.written, indent))
    patches.append(_Patch(front.end, front.end, "".join(added)))
    patches.sort(key=lambda patch: patch[:2])
    for patch in reversed(patches):  # of two at one place, the later one ends up behind
        text = text[: patch.start] + patch.text + text[patch.end :]
    return text


class _Editor:
    """Makes patches for one text; the text itself stays as it is meanwhile."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.eol = "\r\n" if text[: text.find("\n") + 1].endswith("\r\n") else "\n"

    def indent(self, front: Frontmatter) -> str:
        """Give the indentation of the frontmatter's keys."""
        start = min((entry.start for entry in front.entries.values()), default=front.end)
        return self.text[self._line(start) : start]

    def patches(self, entry: Entry, old: Raw, change: Change) -> Iterator[_Patch]:
        """Make the patches that bring one key from its old value to the new one."""
        if change.written is None:
            yield from self._removal(entry)
        elif entry.block:
            yield from self._kept_items(entry, old, change.plain) or self._from_block(entry, change.written)
        else:
            yield from self._from_inline(entry, change.written)

    def _removal(self, entry: Entry) -> Iterator[_Patch]:
        """Take the key's lines out, or write null where a comment of somebody's would go with them."""
        first, last = entry.value
        around = self.text[entry.colon : first] + self.text[last : self._end(last)] + self._header_comment(entry)
        if "#" not in around:
            yield _Patch(self._line(entry.start), self._next(max(last, entry.colon)), "")
        elif entry.block:
            yield from self._from_block(entry, emit.NULL)
        else:
            yield from self._from_inline(entry, emit.NULL)

    def _from_inline(self, entry: Entry, new: Written) -> Iterator[_Patch]:
        first, last = entry.value
        comment = self._header_comment(entry)
        if first == last:  # no value yet: an empty one has no place of its own
            first = last = entry.colon
        if new.inline is not None:
            gap = "" if first > entry.colon else " "
            yield _Patch(first, last, f"{gap}{new.inline}{comment}")
            return
        if "\n" not in self.text[entry.colon : first]:
            first = entry.colon
        end = self._end(last)
        yield _Patch(first, last, comment)
        yield _Patch(end, end, self._indented(new, " " * (self._column(entry.start) + 2)))

    def _from_block(self, entry: Entry, new: Written) -> Iterator[_Patch]:
        first, last = entry.value
        start, end = self._line(first), self._next(last)
        if new.inline is not None:
            yield _Patch(entry.colon, entry.colon, f" {new.inline}")
            yield _Patch(start, end, "")
            return
        margin = self.text[start:first]
        if len(margin) <= self._column(entry.start) and not new.lines[0].startswith("- "):
            margin = " " * (self._column(entry.start) + 2)  # only a list may stand as far left as its key
        yield _Patch(start, end, "".join(f"{margin}{line}{self.eol}" for line in new.lines))

    def _kept_items(self, entry: Entry, old: Raw, new: Raw) -> list[_Patch]:
        """Drop and append lines of a block list; nothing when that does not make the new list, or keeps no line."""
        if not isinstance(old, list) or not isinstance(new, list) or not self._has_line_each(entry, old):
            return []
        patches, wanted = [], list(new)
        for item, (first, last) in zip(old, entry.items, strict=True):
            if wanted and item == wanted[0]:
                wanted.pop(0)
            else:
                patches.append(_Patch(self._line(first), self._next(last), ""))
        if len(patches) == len(old) or not all(isinstance(item, str) for item in wanted):
            return []
        margin = self.text[self._line(entry.value[0]) : entry.value[0]]
        lines = "".join(f"{margin}- {emit.scalar(str(item))}{self.eol}" for item in wanted)
        end = self._next(entry.value[1])
        return [*patches, _Patch(end, end, lines)]

    def _has_line_each(self, entry: Entry, old: list[Raw]) -> bool:
        dashes = (self.text[self._line(first) : first].strip() for first, _ in entry.items)
        return len(old) == len(entry.items) and all(isinstance(i, str) for i in old) and all(d == "-" for d in dashes)

    def _header_comment(self, entry: Entry) -> str:
        """Give the comment in the first line of a text with lines of its own (`|` or `>`)."""
        header = None if entry.block else _HEADER.match(self.text, *entry.value)
        return (header[1] or "") if header else ""

    def _indented(self, new: Written, margin: str) -> str:
        return "".join(f"{self.eol}{margin}{line}" for line in new.lines)

    def _line(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def _column(self, offset: int) -> int:
        return offset - self._line(offset)

    def _end(self, offset: int) -> int:
        """Where the line's text ends, before its line break."""
        end = self.text.find("\n", offset)
        return end - 1 if self.text[end - 1] == "\r" and end > offset else end

    def _next(self, offset: int) -> int:
        return self.text.find("\n", offset) + 1
