"""What a heading promises in its place: read together with what stands above it and what kind of points stand below.

Next in the flow: `collect` takes the section in accordingly.
"""

from __future__ import annotations

import re
from dataclasses import replace

from orange.core.plans.labels import Label, label
from orange.core.plans.markdown import plain
from orange.core.plans.roles import Role, is_later, names_part, names_phase, role_of
from orange.core.plans.tree import Item, Listing, Section

#: Points that make a heading the name of a group, and that make a document an outline.
_FEW = 2


def role_in(section: Section, tag: Label, above: Role) -> Role:
    """Say what a heading promises where `above` is what the one above it promises."""
    role = role_of(tag.title or section.title)
    if is_later(tag.title) and any(_boxes(part) for part in section.walk()):
        return Role.WORK
    if role is Role.WORK:
        return role
    if (role is Role.CONTEXT and above is Role.WORK and _holds_ids(section)) or _counts_on(section, tag):
        return Role.NEUTRAL
    return role


def is_work(section: Section) -> bool:
    """Whether the only heading of a document is no title but heads its work."""
    tag = label(section.title)
    alone = not section.sections
    return tag.is_group or (alone and (tag.is_single or role_of(tag.title) is Role.WORK))


def is_outline(root: Section) -> bool:
    """Whether most points of a document stand above its first heading: then they are what it is about."""
    first = sum(_count(item) for item in points(root))
    rest = sum(_count(item) for part in root.walk() if part is not root for item in points(part))
    return first >= _FEW and first > rest and any(item.blocks for item in points(root))


def names_group(section: Section, tag: Label) -> bool:
    """Whether a heading for work names a part of the product and not only the kind of work."""
    return not section.sections and names_part(tag.title) and len(points(section)) >= _FEW


def points(section: Section) -> list[Item]:
    """Return the points that stand right below a heading."""
    return [item for block in section.blocks if isinstance(block, Listing) for item in block.items]


def _count(item: Item) -> int:
    return 1 + sum(_count(below) for block in item.blocks if isinstance(block, Listing) for below in block.items)


def _boxes(section: Section) -> list[Item]:
    return [item for item in points(section) if item.checked is not None]


def _holds_ids(section: Section) -> bool:
    """Whether a list right below a heading has points with ids: then it is work, whatever the heading is called."""
    return any(label(plain(item.text)).ref for item in points(section))


def _counts_on(section: Section, tag: Label) -> bool:
    """Whether boxes below a heading count on from its number, `6.1` below `6`: then they are work."""
    boxes = [label(plain(item.text)).number or "" for item in _boxes(section)]
    return tag.number is not None and any(number.startswith(f"{tag.number}.") for number in boxes)


def as_group(tag: Label, section: Section) -> Label:
    """Read `M2` above parts that promise work as a milestone, and `Design phase` as a phase."""
    if tag.word is None and tag.ref is None and names_phase(tag.title):
        return replace(tag, word="phase")
    match = re.fullmatch(r"M-?(\d+)", tag.ref or "")
    parts = any(role_of(label(part.title).title) is Role.WORK for part in section.sections)
    return replace(tag, word="milestone", number=match[1]) if match and tag.word is None and parts else tag


def speaks_of_features(tag: Label, title: str) -> bool:
    """Whether what stands below is features."""
    words = title.lower()
    return any(word in words for word in ("feature", "user stor", "functional req", "capabilit")) or (
        tag.word in {"feature", "user story", "story", "use case"}
    )


def is_bare(title: str) -> bool:
    """Whether a heading says nothing but that work stands below it."""
    return title.strip().lower().rstrip("s") in {"task", "requirement", "feature", "todo", "to-do", "user storie"}
