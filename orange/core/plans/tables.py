"""Rows of a table become candidates where its head says that work stands in it; others are background.

Next in the flow: `collect` puts them where the table stands.
"""

from __future__ import annotations

from dataclasses import replace

from orange.core.plans import facts
from orange.core.plans.labels import label
from orange.core.plans.model import Span
from orange.core.plans.roles import Role
from orange.core.plans.tree import Table
from orange.core.plans.units import Evidence, Found, Place, Unit


def of_table(block: Table, place: Place, owner: Unit | None, found: Found) -> list[Unit]:
    """Return a table's rows where its head names a task or an id; others are background."""
    names = [facts.name_of(cell) for cell in block.head]
    if place.role in {Role.CONTEXT, Role.CRITERIA} or not facts.is_work(block.head):
        for row in block.rows if place.role is Role.ORDER or owner is None else []:
            found.said.append((" ".join(row.cells), row.line))
        return []
    return [unit for row in block.rows if (unit := _of_row(row.cells, names, row.line, place))]


def _of_row(cells: list[str], names: list[str | None], line: int, place: Place) -> Unit | None:
    given = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell.strip(" -–—")}
    title = given.pop("title", None) or given.pop("description", None)
    if not title and " " in given.get("id", ""):
        title = given.pop("id")  # `Issue` may head what it is, too
    if not title:
        return None
    tag, own = label(title), given.pop("id", "").strip("`*[] ")
    if not tag.title:
        return None
    if own.replace(".", "").isdigit():
        tag = replace(tag, number=own)
    elif own and len(own) <= 16 and " " not in own:
        tag = replace(tag, ref=own)
    marked = bool(own) or tag.is_single or "after" in given
    unit = Unit(
        tag,
        title,
        Span(line, line),
        Evidence.MARKED if marked or place.role is Role.WORK else Evidence.PLACED,
        feature=place.feature,
        done=facts.is_done(given.pop("status", "")),
        category=place.category,
        said=[(title, line)],
    )
    for name, text in given.items():
        unit.fill(name, [(text, line)])
    return unit
