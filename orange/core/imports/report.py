"""The report of an import: every item accounted for, every field without a place named. JSON and lines for people.

Next in the flow: `orange task import` prints it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from orange.core.imports.item import Item
from orange.core.imports.resolve import Fate, Outcome, Resolved
from orange.core.present import visible_line

#: Lines of one kind that people are shown before the rest is only counted.
_SHOWN = 20


def view(resolved: Resolved) -> dict[str, object]:
    """Make the JSON of a report."""
    return {
        "counts": counts(resolved),
        "items": [_fate(fate) for fate in resolved.fates],
        "warnings": [{"key": note.key or None, "message": note.message} for note in resolved.warnings],
        "kept": [{"field": name, "items": count} for name, count in sorted(kept(resolved).items())],
    }


def counts(resolved: Resolved) -> dict[str, int]:
    """Count the items by what became of them."""
    found = Counter(fate.outcome for fate in resolved.fates)
    return {outcome.value: found[outcome] for outcome in Outcome}


def kept(resolved: Resolved) -> Mapping[str, int]:
    """Count the fields that have no place and are kept, over the tasks that are made."""
    fields: Counter[str] = Counter()
    for task, _ in resolved.tasks:
        for name, value in task.extra.items():
            inner = value if isinstance(value, Mapping) and name.startswith("x-") else {}
            fields.update([f"{name}.{part}" for part in inner] or [name])
    return fields


def _fate(fate: Fate) -> dict[str, object]:
    item = fate.item
    return {
        "key": item.key,
        "where": item.where,
        "title": item.draft.title,
        "outcome": fate.outcome.value,
        "task": fate.task,
        "reason": fate.reason or None,
    }


def lines(resolved: Resolved, *, dry_run: bool) -> Iterator[str]:
    """Tell people what became of a source."""
    return map(visible_line, _told(resolved, dry_run=dry_run))


def _told(resolved: Resolved, *, dry_run: bool) -> Iterator[str]:
    found = counts(resolved)
    would = "would create" if dry_run else "created"
    shown = [_line(would, fate) for fate in resolved.fates if fate.outcome is Outcome.CREATED]
    yield from _some(shown, "more tasks")
    yield f"{would} {found['created']} of {len(resolved.fates)} items"
    if found["existing"]:
        yield f"here already, left as they are: {found['existing']}"
    if found["skipped"]:
        yield f"skipped: {found['skipped']}"
        yield from _some([f"  {_name(fate.item)}: {fate.reason}" for fate in _skipped(resolved)], "more")
    if resolved.warnings:
        yield f"to look at: {len(resolved.warnings)}"
        yield from _some([f"  {note.key}: {note.message}".replace("  : ", "  ") for note in resolved.warnings], "more")
    fields = kept(resolved)
    if fields:
        yield "kept, although a task has no place for it:"
        yield from _some([f"  {name} ({count})" for name, count in sorted(fields.items())], "more")


def _skipped(resolved: Resolved) -> Iterator[Fate]:
    return (fate for fate in resolved.fates if fate.outcome is Outcome.SKIPPED)


def _line(would: str, fate: Fate) -> str:
    at = "" if would.startswith("would") else f" {fate.task}"
    return f"{would}{at}: {fate.item.draft.title}"


def _name(item: Item) -> str:
    return item.key or item.where


def _some(found: list[str], more: str) -> Iterator[str]:
    yield from found[:_SHOWN]
    if len(found) > _SHOWN:
        yield f"  ... and {len(found) - _SHOWN} {more} (--json lists all)"
