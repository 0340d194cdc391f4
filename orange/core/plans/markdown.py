"""Markdown text -> a tree. Comments and lone tags are taken out first: nobody's work stands in them.

Next in the flow: `units` decides what in the tree is work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from orange.core.plans.tree import Block, Code, Document, Item, Listing, Paragraph, Row, Section, Table

if TYPE_CHECKING:
    from markdown_it.token import Token

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_TAG = re.compile(r"\s*</?[A-Za-z][\w.-]*(\s[^<>]*)?/?>\s*")
_META = re.compile(r"([A-Za-z][\w -]*):\s*(.*?)\s*")
_BOX = re.compile(r"\[([ xX])\]\s+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_MARKS = re.compile(
    r"(\*\*\*|\*\*|__)(?=\S)((?:(?!\1).)+)(?<=\S)\1|(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])"
)
#: Lists within one another that are told apart; what is deeper stands beside the last one.
_DEEPEST = 20
#: Marks before a line's text, its indentation among them; and how many of them are looked at.
_COUNTED = re.compile(r"[ \t]*\d{1,3}[.)][ \t]+\S")
_DOTTED = re.compile(r"([ \t]*)\d{1,3}(?:\.\d{1,3})+[.)]?[ \t]+(?=[A-Z`*\[\"'(])")
_PREFIX = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+)*")
_DEEPEST_QUOTE = 8
_QUOTED = re.compile(rf"(?:>[ \t]?){{{_DEEPEST_QUOTE},}}")
_LAST_MARK = re.compile(r"(?:[-*+>]|\d{1,9}[.)])[ \t]+$")
_LONGEST_PREFIX, _KEPT_PREFIX = 160, 80


def read(text: str) -> Document:
    """Read a document."""
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    meta, shown = _front_matter(lines, _without_comments(lines))
    root = Section("", 0, 1, max(len(lines), 1))
    stack = [root]
    for block in _Reader("\n".join(_shallow(line) for line in _pointed(shown))).top():
        if isinstance(block, Section):
            while stack[-1].level >= block.level:
                stack.pop().end = block.line - 1
            stack[-1].sections.append(block)
            stack.append(block)
        else:
            stack[-1].blocks.append(block)
    for section in stack:
        section.end = len(lines)
    return Document(root, tuple(lines), meta)


def _pointed(lines: Sequence[str]) -> Iterator[str]:
    """Make points of lines such as `2.1 Login` right below `2. Users`, or below each other: Markdown knows none."""
    fenced, above, shift = False, "", ""
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        fenced ^= _FENCE.match(line) is not None
        match = None if fenced else _DOTTED.match(line)
        counted = _COUNTED.match(above)
        if match is None or not (counted or _DOTTED.match(above) or _DOTTED.match(below)):
            shift = ""
            yield line
        else:
            shift = "   " if counted else shift
            yield f"{max(match[1], shift, key=len)}- {line[match.end(1) :]}"
        above = line


def _shallow(line: str) -> str:
    """Take marks out where so many stand before a text that a reader of them would be lost."""
    if line.startswith(">") and (quoted := _QUOTED.match(line)):
        line = "> " * _DEEPEST_QUOTE + line[quoted.end() :]
    match = _PREFIX.match(line) if len(line) > _LONGEST_PREFIX else None
    if match is None or match.end() <= _LONGEST_PREFIX:
        return line
    last = _LAST_MARK.search(match[0])
    return f"{match[0][:_KEPT_PREFIX].rstrip('0123456789')}{last[0] if last else ''}{line[match.end() :]}"


class _Reader:
    """Walks over the marks of a text: what opens, what closes, and the text between."""

    def __init__(self, text: str) -> None:
        from markdown_it import MarkdownIt

        options = {"maxNesting": 2 * _LONGEST_PREFIX}
        parser = MarkdownIt("commonmark", options).enable("table").disable(["html_block", "reference"])
        parser.core.ruler.enableOnly(["normalize", "block"])  # inline marks are read here: half the time
        self.tokens = iter(parser.parse(text))

    def top(self) -> Iterator[Block | Section]:
        """Yield the headings and blocks that stand in nothing else."""
        for token in self.tokens:
            if token.type == "heading_open":
                first, end = token.map or (0, 1)
                title = plain(self._text()).rstrip("#: ").strip()
                yield Section(title, int(token.tag[1]), first + 1, end)
            else:
                yield from self._block(token, 0)

    def _inside(self, depth: int) -> list[Block]:
        """Read up to where what is open closes."""
        found: list[Block] = []
        for token in self.tokens:
            if token.nesting < 0:
                break
            found += self._block(token, depth)
        return found

    def _text(self) -> str:
        """Read the text of a paragraph, heading or cell, and past its end."""
        content = next(self.tokens).content
        next(self.tokens)
        return content

    def _block(self, token: Token, depth: int) -> list[Block]:
        first, end = token.map or (0, 1)
        if token.type in {"paragraph_open", "heading_open"}:  # a heading inside of something heads nothing
            return [Paragraph(self._text(), first + 1, end)]
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            return [Listing(self._items(depth + 1), first + 1, end)]
        if token.type in {"fence", "code_block"}:
            return [Code(token.content, token.info.strip(), first + 1, end)]
        if token.type == "table_open":
            return [self._table((first + 1, end))]
        return self._inside(depth) if token.nesting > 0 else []

    def _items(self, depth: int) -> list[Item]:
        found: list[Item] = []
        for token in self.tokens:
            if token.nesting < 0:
                break
            item = _item(token, self._inside(depth))
            found.append(item)
            if depth >= _DEEPEST:
                found += [deeper for block in item.blocks if isinstance(block, Listing) for deeper in block.items]
                item.blocks = [block for block in item.blocks if not isinstance(block, Listing)]
        return found

    def _table(self, lines: tuple[int, int]) -> Table:
        rows: list[Row] = []
        for token in self.tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append(Row([], (token.map or (0, 1))[0] + 1))
            elif token.type in {"th_open", "td_open"}:
                rows[-1].cells.append(plain(self._text()))
        return Table(rows[0].cells if rows else [], rows[1:], *lines)


def _item(token: Token, blocks: list[Block]) -> Item:
    first, end = token.map or (0, 1)
    text = ""
    if blocks and isinstance(blocks[0], Paragraph):
        text = blocks[0].text
        blocks = blocks[1:]
    box = _BOX.match(text)
    if box:
        text = text[box.end() :]
    return Item(text, first + 1, end, box[1] != " " if box else None, token.info or None, blocks)


def _without_comments(lines: Sequence[str]) -> list[str]:
    """Blank out comments and lines that are one tag, outside of code."""
    found, fence, comment = [], "", False
    for line in lines:
        opening = None if comment else _FENCE.match(line)
        if fence:
            fence = "" if opening and opening[1].startswith(fence) and not line.strip().strip(fence[0]) else fence
            found.append(line)
            continue
        if opening:
            fence = opening[1]
        kept, comment = _outside(line, inside=comment)
        found.append("" if _TAG.fullmatch(kept) else kept)
    return found


def _outside(line: str, *, inside: bool) -> tuple[str, bool]:
    """Return what of a line is outside of comments, and whether one is open at its end."""
    if not inside and "<!--" not in line:
        return line, False
    kept, rest = "", line
    while rest:
        before, mark, rest = rest.partition("-->" if inside else "<!--")
        kept += "" if inside else before
        if not mark:
            break
        inside = not inside
    return kept.rstrip(), inside


def _front_matter(lines: Sequence[str], shown: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take the front matter out; what stands in it is not work."""
    end = next((i for i in range(1, min(len(lines), 200)) if lines[i].rstrip() in {"---", "..."}), 0)
    if not end or lines[0].rstrip() != "---":
        return {}, shown
    found = [_META.fullmatch(line) for line in lines[1:end]]
    meta = {match[1].strip().lower(): match[2].strip("\"'") for match in found if match}
    return meta, [""] * (end + 1) + shown[end + 1 :]


def plain(text: str) -> str:
    """Take marks of emphasis and the targets of links out of a text, and make it one line."""
    found = " ".join(text.split())
    if "](" in found:
        found = _LINK.sub(r"\1", found)
    if "*" in found or "__" in found:
        found = _MARKS.sub(lambda match: match[2] or match[3], found)
    return found.strip()
