"""Markdown text -> a tree. Comments and lone tags are taken out first: nobody's work stands in them.

Next in the flow: `units` decides what in the tree is work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orange.core.plans.tree import Block, Code, Document, Item, Listing, Paragraph, Row, Section, Table

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_TAG = re.compile(r"\s*</?[A-Za-z][\w.-]*(\s[^<>]*)?/?>\s*")
_META = re.compile(r"([A-Za-z][\w -]*):\s*(.*?)\s*")
_BOX = re.compile(r"\[([ xX])\]\s+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_MARKS = re.compile(r"(\*\*\*|\*\*|__)(?=\S)(.+?)(?<=\S)\1|(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])")
#: Lists within one another that are told apart; what is deeper is text of the last one.
_DEEPEST = 20


def read(text: str) -> Document:
    """Read a document."""
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    meta, shown = _front_matter(lines, _without_comments(lines))
    root = Section("", 0, 1, max(len(lines), 1))
    stack = [root]
    for node in _nodes("\n".join(shown)):
        if node.type == "heading":
            section = _section(node)
            while stack[-1].level >= section.level:
                stack.pop().end = section.line - 1
            stack[-1].sections.append(section)
            stack.append(section)
        else:
            stack[-1].blocks.extend(_blocks(node, 0))
    for section in stack:
        section.end = len(lines)
    return Document(root, tuple(lines), meta)


def _nodes(text: str) -> Sequence[SyntaxTreeNode]:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST * 3}).enable("table").disable(["html_block", "reference"])
    parser.core.ruler.enableOnly(["normalize", "block"])  # inline marks are read here: half the time
    return SyntaxTreeNode(parser.parse(text)).children


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


def _section(node: SyntaxTreeNode) -> Section:
    first, end = node.map or (0, 1)
    return Section(plain(_inline(node)).rstrip("#: ").strip(), int(node.tag[1]), first + 1, end)


def _blocks(node: SyntaxTreeNode, depth: int) -> Iterator[Block]:
    first, end = node.map or (0, 1)
    if node.type in {"bullet_list", "ordered_list"}:
        items = [_item(child, depth + 1) for child in node.children] if depth < _DEEPEST else []
        yield Listing(items, first + 1, end)
    elif node.type == "table":
        yield _table(node, (first + 1, end))
    elif node.type in {"fence", "code_block"}:
        yield Code(node.content, node.info.strip(), first + 1, end)
    elif node.type == "blockquote":
        for child in node.children:
            yield from _blocks(child, depth)
    elif node.type in {"heading", "paragraph"}:  # one inside of a list or a quotation heads nothing
        yield Paragraph(_inline(node), first + 1, end)


def _inline(node: SyntaxTreeNode) -> str:
    return "\n".join(child.content for child in node.children if child.type == "inline")


def _item(node: SyntaxTreeNode, depth: int) -> Item:
    first, end = node.map or (0, 1)
    number = f"{node.info}" if node.info else None
    blocks = [block for child in node.children for block in _blocks(child, depth)]
    text = ""
    if blocks and isinstance(blocks[0], Paragraph):
        text = blocks[0].text
        blocks = blocks[1:]
    box = _BOX.match(text)
    if box:
        text = text[box.end() :]
    return Item(text, first + 1, end, box[1] != " " if box else None, number, blocks)


def _table(node: SyntaxTreeNode, lines: tuple[int, int]) -> Table:
    rows = [_row(row) for part in node.children for row in part.children]
    head = rows[0].cells if rows else []
    return Table(head, rows[1:], *lines)


def _row(node: SyntaxTreeNode) -> Row:
    return Row([plain(_inline(cell)) for cell in node.children], (node.map or (0, 1))[0] + 1)


def plain(text: str) -> str:
    """Take marks of emphasis and the targets of links out of a text, and make it one line."""
    found = " ".join(text.split())
    if "](" in found:
        found = _LINK.sub(r"\1", found)
    if "*" in found or "__" in found:
        found = _MARKS.sub(lambda match: match[2] or match[3], found)
    return found.strip()
