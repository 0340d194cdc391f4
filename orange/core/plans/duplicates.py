"""Folds what a document says twice: the same id, or the same words. The first one stays and takes in the rest.

Next in the flow: `edges` finds each thing once.
"""

from __future__ import annotations

from dataclasses import replace

from orange.core.plans.model import Doubt
from orange.core.plans.targets import normal, tokens
from orange.core.plans.units import Unit

#: Words of a title that is the same thing wherever it stands; shorter ones only beside each other.
_TELLING = 4


def folded(units: list[Unit]) -> list[Doubt]:
    """Fold duplicates in a forest, in place; returns what was folded."""
    doubts: list[Doubt] = []
    _fold(units, "", {}, doubts)
    return doubts


def _fold(units: list[Unit], where: str, seen: dict[tuple[str, ...], Unit], doubts: list[Doubt]) -> None:
    kept: list[Unit] = []
    for unit in units:
        first = next((seen[name] for name in _names(unit, where) if name in seen), None)
        if first is None or not _may_be_one(first, unit):
            for name in _names(unit, where):
                seen.setdefault(name, unit)
            kept.append(unit)
            _fold(unit.units, f"{where}/{len(kept)}", seen, doubts)
            continue
        _take_in(first, unit)
        doubts.append(
            Doubt("duplicate", f"line {unit.lines.first} says the same as line {first.lines.first}: {unit.title}", None,
                unit.lines.first)
        )  # fmt: skip
        first.units += unit.units
    units[:] = kept


def _names(unit: Unit, where: str) -> list[tuple[str, ...]]:
    words = tuple(sorted(tokens(unit.title)))
    title = ("title", *words) if len(words) >= _TELLING else ("beside", where, unit.title.lower())
    return [("id", normal(unit.label.ref)), title] if unit.label.ref else [title]


def _may_be_one(first: Unit, second: Unit) -> bool:
    refs = (first.label.ref, second.label.ref)
    same_id = None in refs or normal(str(refs[0])) == normal(str(refs[1]))
    return same_id and not (first.label.ref is None and first.units and second.units)


def _take_in(first: Unit, second: Unit) -> None:
    first.label = replace(
        first.label,
        ref=first.label.ref or second.label.ref,
        number=first.label.number or second.label.number,
        priority=first.label.priority or second.label.priority,
        estimate=first.label.estimate or second.label.estimate,
    )
    if len(first.title) < 4 < len(second.title):
        first.label = replace(first.label, title=second.title)
    first.group = first.group or second.group
    first.done = first.done or second.done
    first.evidence = max(first.evidence, second.evidence)
    first.context += [text for text in second.context if text not in first.context]
    first.criteria += [text for text in second.criteria if text not in first.criteria]
    first.said += second.said
    for name, fact in second.facts.items():
        first.facts.setdefault(name, fact)
