"""YAML frontmatter as people write it: finds the block in the file, reads it under guard, names the line of a fault.

The `frontmatter` package is called through a handler of ours, after what it gets wrong by itself is settled here: a
BOM, an unclosed block, a list instead of keys and a list of nothing are silently no metadata to it, CRLF is lost.

Next in the flow: `schema` types what was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import frontmatter
from frontmatter.default_handlers import BaseHandler

from orange.core.entries import MAX_FRONTMATTER, ODD, Entry, Frontmatter, Unreadable
from orange.core.yamltree import Member, Misread, read_tree

_OPENING = re.compile(r"---[ \t]*(?:\r?\n|\Z)")
_CLOSING = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
#: How far behind the start of the largest block the end of its closing line may lie.
_WINDOW = MAX_FRONTMATTER + 1024
_ODD = re.compile(rf"[{ODD}]|\r(?!\n)")
_SHAPE = "a task file begins with a `---` line, then come `key: value` lines, then a second `---` line"


class TaskHandler(BaseHandler):
    """Gives the frontmatter package the block as it is in the file, and reads it under guard."""

    FM_BOUNDARY = re.compile(r"^---[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "---"

    def __init__(self, block: str) -> None:
        super().__init__()
        self._block = block

    def split(self, text: str) -> tuple[str, str]:  # noqa: ARG002 - the package normalised it: offsets would be lost
        """Return the exact block; bodies never go this way."""
        return self._block, ""

    def load(self, fm: str) -> dict[str, Any]:
        """Read the block as members. Raises Misread."""
        return dict(read_tree(fm))


def read(text: str) -> Frontmatter:
    """Read the frontmatter of a file's text. Raises Unreadable, never anything else."""
    start, end, body = _bounds(text)
    block = text[start:end]
    odd = _ODD.search(block)
    if odd:
        raise Unreadable(_line(text, start + odd.start()), _about(odd[0]), "delete that character")
    try:
        members, _ = frontmatter.parse(f"---\n{block}---\n", handler=TaskHandler(block))
    except Misread as misread:
        raise Unreadable(_line(text, start + misread.offset), misread.message, misread.hint) from None
    return _located(members, (start, end, body))


def _bounds(text: str) -> tuple[int, int, int]:
    """Find where the block starts, where its closing line starts, and where the body starts."""
    opening = _OPENING.match(text, 1 if text.startswith("\ufeff") else 0)
    if not opening:
        raise Unreadable(1, "it does not begin with a `---` line" if text.strip() else "it is empty", _SHAPE)
    start = opening.end()
    limit = start + _WINDOW
    closing = _CLOSING.search(text, start, limit)
    if not closing or (closing.end() == limit < len(text)):
        beyond = f" within {MAX_FRONTMATTER >> 10} KiB" if len(text) > limit else ""
        raise Unreadable(1, f"the frontmatter is not closed by a second `---` line{beyond}", _SHAPE)
    if len(text[start : closing.start()].encode()) > MAX_FRONTMATTER:
        message = f"the frontmatter is larger than {MAX_FRONTMATTER >> 10} KiB"
        raise Unreadable(1, message, "move the bulk of it into the body")
    return start, closing.start(), closing.end()


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _about(character: str) -> str:
    if character == "\r":
        return "a line ends in a lone carriage return"
    return f"the frontmatter contains the character U+{ord(character):04X}"


def _located(members: Mapping[str, object], bounds: tuple[int, int, int]) -> Frontmatter:
    start, end, body = bounds
    known = {key: member for key, member in members.items() if isinstance(member, Member)}
    raw = {key: member.node.value for key, member in known.items()}
    return Frontmatter(raw, {key: _entry(member, start) for key, member in known.items()}, end, body)


def _entry(member: Member, base: int) -> Entry:
    """Turn places in the block into places in the file."""
    node = member.node
    items = tuple((base + first, base + last) for first, last in node.items) if node.block else ()
    value = (base + node.start, base + node.end)
    return Entry(base + member.start, base + member.colon, value, block=node.block, items=items)
