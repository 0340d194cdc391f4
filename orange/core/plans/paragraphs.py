"""Paragraphs that name a task become points of a list: `REQ-7` above its sentence, `**2. Import**` above its points.

Next in the flow: `collect` makes candidates of the points.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from orange.core.plans.labels import label
from orange.core.plans.markdown import plain
from orange.core.plans.tree import Block, Item, Listing, Paragraph, Section

#: One paragraph with an id is a sentence about something; so many are a list.
_FEW = 2
_BEHIND_ID = re.compile(r"[\])]?\s*(?:[:.–—-]\s.*|:?)", re.DOTALL)
_BOLD = re.compile(r"(\*\*|__)(?P<head>.+?)\1\s*(?:\([^()]*\))?\s*:?", re.DOTALL)


def itemised(root: Section) -> Section:
    """Return a tree in which such paragraphs are points; what follows one in its section belongs to it."""
    named = sum(_names(block, after) for part in root.walk() for block, after in _followed(part.blocks))
    return _section(root) if named >= _FEW else root


def _section(section: Section) -> Section:
    return replace(section, blocks=_blocks(section.blocks), sections=[_section(part) for part in section.sections])


def _followed(blocks: Sequence[Block]) -> list[tuple[Block, Block | None]]:
    """Pair every block with the one behind it."""
    return list(zip_longest(blocks, blocks[1:]))


def _blocks(blocks: Sequence[Block]) -> list[Block]:
    found: list[Block] = []
    items: list[Item] = []
    for block, after in _followed(blocks):
        if isinstance(block, Paragraph) and _names(block, after):
            if not items:
                found.append(Listing(items, block.line, block.end))
            items.append(_item(block))
        elif items:
            _add(items[-1], block)
        else:
            found.append(block)
    return found


def _names(block: Block, after: Block | None) -> bool:
    """Whether a block is a paragraph that names a task."""
    if not isinstance(block, Paragraph):
        return False
    first = block.text.split("\n")[0]
    tag = label(plain(first))
    if tag.ref is not None:
        behind = plain(first).lstrip("[(").removeprefix(tag.ref)
        return behind != plain(first) and _BEHIND_ID.fullmatch(behind) is not None
    bold = _BOLD.fullmatch(block.text)
    return bold is not None and tag.number is not None and isinstance(after, Listing)


def _item(block: Paragraph) -> Item:
    """Make a point of a paragraph: its first line, or the second one where the first is only an id."""
    first, *rest = block.text.split("\n")
    tag = label(plain(first))
    if rest and tag.title == tag.ref:
        first, rest = f"{tag.ref}: {rest[0]}", rest[1:]
    item = Item(first, block.line, block.end)
    if rest:
        item.blocks.append(Paragraph("\n".join(rest), block.end - len(rest) + 1, block.end))
    return item


def _add(item: Item, block: Block) -> None:
    """Put a block below a point; the first text below a bare id is the point's own."""
    item.end = block.end
    tag = label(plain(item.text))
    if isinstance(block, Paragraph) and not item.blocks and tag.title == tag.ref:
        item.text = f"{tag.ref}: {block.text}"
    else:
        item.blocks.append(block)
