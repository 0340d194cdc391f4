"""Makes candidates of a document's tree: what stands below which heading, and what its lists and tables say.

Next in the flow: `grain` keeps what is to be a task.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from orange.core.plans import facts
from orange.core.plans.headings import (
    as_group,
    is_bare,
    is_outline,
    is_work,
    names_group,
    role_in,
    speaks_of_features,
)
from orange.core.plans.labels import Label, label
from orange.core.plans.markdown import plain
from orange.core.plans.model import Span
from orange.core.plans.phrases import is_sequence
from orange.core.plans.roles import Role, is_later, is_list_of_work, is_story, is_worklike, names_part, role_of
from orange.core.plans.tables import of_table
from orange.core.plans.tree import Block, Code, Item, Listing, Paragraph, Section, Table
from orange.core.plans.units import Evidence, Found, Place, Unit, walk

#: Words of a point that only names the group of the points below it.
_MOST_WORDS = 6


def collect(root: Section, name: str = "") -> Found:
    """Collect the candidates of a document; of one that names work only where it says its order, those."""
    listed = is_list_of_work(name) or (len(root.sections) == 1 and is_list_of_work(root.sections[0].title))
    found = _collect(root, Place(listed=listed))
    if _is_sure(found):
        return found
    ordered = _collect(root, Place(ordered=True))
    return ordered if _is_sure(ordered) else found


def _is_sure(found: Found) -> bool:
    return any(unit.evidence >= Evidence.PLACED for unit in walk(found.units))


def _collect(root: Section, place: Place) -> Found:
    found = Found([], [])
    if is_outline(root):
        place = replace(place, role=Role.WORK, outline=True)
    while len(root.sections) == 1 and not place.outline and not is_work(root.sections[0]):  # the document's own title
        _of_section(replace(root, sections=[]), place, None, found)
        root = root.sections[0]
    found.units = _of_section(root, place, None, found)
    return found


def _of_section(section: Section, place: Place, owner: Unit | None, found: Found) -> list[Unit]:
    """Return the candidates that stand directly in a section; what only describes goes to its owner."""
    units: list[Unit] = []
    _of_blocks(section.blocks, place, (owner, units, found))
    for below in section.sections:
        units += _below(
            below, replace(place, role=Role.NEUTRAL, outline=False) if place.outline else place, owner, found
        )
    return units


def _below(section: Section, place: Place, owner: Unit | None, found: Found) -> list[Unit]:
    """Return what a subsection comes to: a candidate, or the candidates in it where it is only a heap."""
    tag = label(section.title)
    role = role_in(section, tag, place.role)
    role = Role.WORK if role is Role.ORDER and place.ordered else role
    named = tag.is_single or tag.is_group
    if place.role is Role.CRITERIA or (owner is not None and not named and _is_field(section, owner)):
        return _of_section(section, place, owner, found)
    if not named and role in {Role.CONTEXT, Role.ORDER, Role.CRITERIA}:
        return _of_section(section, replace(place, role=role), owner, found)
    feature = place.feature or speaks_of_features(tag, section.title)
    if not named and role is Role.WORK and names_group(section, tag):
        return [_heading(section, tag, replace(place, role=Role.WORK, category=None, feature=feature), found)]
    if not named and role is Role.WORK:
        category = place.category if is_bare(section.title) else tag.title
        heap = replace(place, role=Role.WORK, category=category, feature=feature)
        return _of_section(section, heap, None if place.role is Role.CONTEXT else owner, found)
    if not named and place.role in {Role.CONTEXT, Role.ORDER}:
        return _of_section(section, place, owner, found)
    return [_heading(section, tag, replace(place, feature=feature), found)]


def _is_field(section: Section, owner: Unit) -> bool:
    """Take in a heading that is a field of what it stands below, such as `Estimate: 2 days`."""
    name, text = facts.field_of(section.title) or ("", "")
    if text:
        owner.fill(name, [(text, section.line)])
    return bool(text)


def _heading(section: Section, tag: Label, place: Place, found: Found) -> Unit:
    if not tag.title:
        tag = replace(tag, title=section.title if re.search(r"\w", section.title) else f"Line {section.line}")
    tag = as_group(tag, section)
    placed = Evidence.PLACED if place.role is Role.WORK else Evidence.LOOSE
    unit = Unit(
        tag,
        section.title,
        Span(section.line, max(section.line, section.end)),
        Evidence.MARKED if tag.is_single or tag.is_group else placed,
        heading=not tag.is_single,
        group=tag.is_group,
        feature=place.feature,
        category=place.category,
        said=[(section.title, section.line)],
    )
    work = tag.is_group or names_part(tag.title)
    inside = replace(place, role=Role.WORK if work else Role.NEUTRAL, category=None)
    unit.units = _of_section(section, inside, unit, found)
    return unit


def _of_blocks(blocks: Sequence[Block], place: Place, into: tuple[Unit | None, list[Unit], Found]) -> None:
    """Take in what stands below a heading or a point."""
    _, units, found = into
    if place.listed and place.role is Role.NEUTRAL:
        place = replace(place, role=Role.WORK)
    expecting: str | None = None
    for before, block in zip([None, *blocks], blocks, strict=False):
        count = len(units)
        expecting = _block(block, place, into, expecting)
        if isinstance(before, Paragraph) and len(units) > count and is_sequence(before.text):
            found.sequences.append((units[count:], plain(before.text), before.line))


def _block(
    block: Block, place: Place, into: tuple[Unit | None, list[Unit], Found], expecting: str | None
) -> str | None:
    """Take in one block; returns the field that the next block is the text of."""
    owner, units, found = into
    if isinstance(block, Listing):
        if expecting is not None and owner is not None:
            owner.fill(expecting, [(plain(_whole(item)), item.line) for item in block.items])
        else:
            units += _of_list(block, place, owner, found)
    elif isinstance(block, Table):
        units += of_table(block, place, owner, found)
    elif isinstance(block, Paragraph):
        return _of_paragraph(block, place, owner, found)
    elif owner is not None:
        owner.context += _fenced(block)
    return None


def _fenced(block: Code) -> list[str]:
    mark = "````" if "```" in block.text else "```"
    return [f"{mark}{block.info}", *block.text.rstrip("\n").split("\n"), mark]


def _of_paragraph(block: Paragraph, place: Place, owner: Unit | None, found: Found) -> str | None:
    """Take in running text: fields of its owner, or sentences. Returns a field whose text is still to come."""
    if owner is None or place.role is Role.ORDER:
        _said(block.text, block.line, place, (owner, found))
        return None
    given, rest = facts.fields_of(block.text)
    for name, text, offset in given:
        if text:
            owner.fill(name, [(text, block.line + offset)])
    if rest:
        owner.context.append(plain(" ".join(line for line, _ in rest)))
        owner.said += _sentences("\n".join(line for line, _ in rest), block.line + rest[0][1])
    return next((name for name, text, _ in given if not text or text.endswith(":")), None)


def _said(text: str, line: int, place: Place, to: tuple[Unit | None, Found]) -> None:
    """Note what is said where no work stands: of the owner's order, of the owner, or of the whole document."""
    owner, found = to
    if owner is None:
        found.said += _sentences(text, line)
    elif place.role is Role.ORDER:
        owner.fill("after", [(plain(text), line)])
    else:
        owner.context.append(f"- {plain(text)}")
        owner.said += _sentences(text, line)


def _sentences(text: str, line: int) -> list[tuple[str, int]]:
    return [(plain(text), line)] if text.strip() else []


def _of_list(block: Listing, place: Place, owner: Unit | None, found: Found) -> list[Unit]:
    """Return the points of a list that may be work; the others go to the owner."""
    if place.role is Role.CRITERIA and owner is not None:
        owner.criteria += [plain(_whole(item)) for item in block.items if _whole(item).strip()]
        return []
    if place.role is Role.ORDER:
        found.counted.append([(item.number or "", plain(item.text), item.line) for item in block.items])
    units = [unit for item in block.items for unit in _of_item(item, place, owner, found)]
    return _nested(units)


def _nested(units: list[Unit]) -> list[Unit]:
    """Put `2.1` below `2` where a list counts so."""
    top: list[Unit] = []
    numbered: dict[str, Unit] = {}
    for unit in units:
        number = unit.label.number or ""
        above = numbered.get(number.rpartition(".")[0])
        (above.units if above else top).append(unit)
        if number:
            numbered[number] = unit
    return top


def _of_item(item: Item, place: Place, owner: Unit | None, found: Found) -> list[Unit]:
    given = facts.field_of(item.text.split("\n")[0]) if item.checked is None else None
    if given is not None and (owner is not None or not given[1]):
        texts = ([(given[1], item.line)] if given[1] else []) + _told(item)
        if owner is not None:
            owner.fill(given[0], texts)
        return []
    text = plain(item.text)
    tag = label(text)
    if place.role is Role.ORDER and tag.title and (said := _told(item)):
        found.about.append((text, said))
        return []
    if (
        not tag.title
        or _is_later(item, tag)
        or (place.role in {Role.CONTEXT, Role.ORDER, Role.CRITERIA} and not _is_task(item, tag, place))
    ):
        _said(_whole(item), item.line, place, (owner, found))
        return []
    if _heads_work(item, tag, place, owner):
        heap: list[Unit] = []
        _of_blocks(item.blocks, replace(place, role=Role.WORK), (owner, heap, found))
        return heap
    grouped = tag.is_group or (place.outline and _names_points(item, tag))
    placed = (
        Evidence.PLACED if place.role is Role.WORK else Evidence.WORDED if is_worklike(tag.title) else Evidence.LOOSE
    )
    if item.number and tag.number is None and tag.ref is None:
        tag = replace(tag, number=item.number)
    unit = Unit(
        tag,
        text,
        Span(item.line, max(item.line, item.end)),
        Evidence.MARKED if tag.is_single or tag.is_group else Evidence.BOXED if item.checked is not None else placed,
        group=grouped,
        feature=place.feature or is_story(tag.title),
        done=bool(item.checked),
        category=place.category,
        said=[(_unnumbered(text, tag), item.line)],
    )
    _of_blocks(
        item.blocks, Place(Role.WORK if grouped else Role.NEUTRAL, None, unit.feature), (unit, unit.units, found)
    )
    return [unit]


def _heads_work(item: Item, tag: Label, place: Place, owner: Unit | None) -> bool:
    """Whether a point only says that its points are work: `MVP requirements:`."""
    heads = place.role is Role.WORK or owner is None or owner.group
    return heads and _is_plain(item, tag) and role_of(tag.title) is Role.WORK and not names_part(tag.title)


def _is_later(item: Item, tag: Label) -> bool:
    """Whether a point only tells what is left for later: `Future enhancements: accounts, reminders`."""
    lead, colon, _ = tag.title.partition(":")
    return item.checked is None and colon != "" and is_later(lead)


def _names_points(item: Item, tag: Label) -> bool:
    """Whether a point only names the group of the points below it."""
    return _is_plain(item, tag) and len(tag.title.split()) <= _MOST_WORDS


def _is_plain(item: Item, tag: Label) -> bool:
    marked = item.checked is not None or tag.ref is not None or tag.number is not None or item.number is not None
    return not marked and any(isinstance(block, Listing) for block in item.blocks)


def _told(item: Item) -> list[tuple[str, int]]:
    """Return the points below a point as text."""
    below = [part for block in item.blocks if isinstance(block, Listing) for part in block.items]
    return [(plain(_whole(part)), part.line) for part in below]


def _unnumbered(text: str, tag: Label) -> str:
    """Take a point's own number off its text: it names no other task."""
    return re.sub(rf"^{re.escape(tag.number)}[.):]?\s+", "", text) if tag.number else text


def _is_task(item: Item, tag: Label, place: Place) -> bool:
    """Whether a point is work although its heading says that nothing below it is."""
    return place.role is Role.CONTEXT and item.checked is not None and tag.ref is not None


def _whole(item: Item) -> str:
    """Return a point's text with everything nested in it."""
    parts = [item.text]
    for block in item.blocks:
        if isinstance(block, Paragraph):
            parts.append(block.text)
        elif isinstance(block, Listing):
            parts += [_whole(nested) for nested in block.items]
    return "; ".join(part.strip() for part in parts if part.strip()) if len(parts) > 1 else item.text
