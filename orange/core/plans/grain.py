"""Which candidates become tasks: by their evidence, the wanted granularity and depth. The rest become criteria.

Next in the flow: `tasks` makes plan tasks of what is left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from orange.core.plans.labels import label, titled
from orange.core.plans.model import Granularity, Parameters, Span
from orange.core.plans.roles import is_worklike
from orange.core.plans.units import Evidence, Found, Unit, walk

#: Levels of tasks within one another, where nothing else is asked for.
_DEPTHS = {Granularity.COARSE: 1, Granularity.BALANCED: 2, Granularity.FINE: 3}
_RECURSIVE = 8
#: How sure a heading must be, and how small tasks are to be.
_Sieve: TypeAlias = tuple[Evidence, Granularity]
#: A document has tasks where it has so many.
_FEW = 2
#: Sentences that are looked at one by one, where a document is nothing else: more than any plan has tasks.
_MANY = 10_000


def depth_of(parameters: Parameters) -> int:
    """Return how many levels of tasks are wanted."""
    return parameters.max_depth or (_RECURSIVE if parameters.recursive else _DEPTHS[parameters.granularity])


def chosen(found: Found, parameters: Parameters) -> list[Unit]:
    """Return the candidates that are tasks, as a forest. The candidates are used up."""
    explicit = sum(unit.evidence >= Evidence.PLACED for unit in walk(found.units)) >= _FEW
    floor = Evidence.PLACED if explicit else Evidence.LOOSE
    kept = _kept(found.units, None, (floor, parameters.granularity), found)
    if _count(kept) < _FEW:
        kept += _of_sentences(found, kept)
    depth = depth_of(parameters)
    if depth == 1 and len(kept) < _FEW:
        depth = 2  # one task that holds everything would be no plan
    return _capped(kept, depth, fold=parameters.granularity is Granularity.COARSE)


def _count(units: Sequence[Unit]) -> int:
    return sum(not unit.units for unit in walk(list(units)))


def _kept(units: Sequence[Unit], owner: Unit | None, sieve: _Sieve, found: Found) -> list[Unit]:
    """Return what of these is a task; of the rest the owner takes in what it says, or the whole document."""
    floor, granularity = sieve
    kept = []
    for unit in units:
        unit.units = _below(unit, floor, granularity, found)
        if unit.heading and not unit.group and unit.units and all(below.group for below in unit.units):
            kept += _promoted(unit)  # it only heads groups, such as phases
        elif not unit.heading or unit.evidence >= floor or (unit.units and len(unit.units) > 1):
            kept.append(unit)
        elif unit.units:
            kept += _promoted(unit)
        elif owner is not None:
            fold(owner, unit)
        else:
            found.said += unit.said
    if floor is Evidence.PLACED:  # of the points, only those that stand where work stands
        found.said += [said for unit in kept if _is_weak(unit) for said in unit.said]
        kept = [unit for unit in kept if not _is_weak(unit)]
    return kept


def _is_weak(unit: Unit) -> bool:
    return not unit.heading and not unit.units and unit.evidence < Evidence.PLACED


def _below(unit: Unit, floor: Evidence, granularity: Granularity, found: Found) -> list[Unit]:
    """Return the tasks below a candidate; its other points become its criteria."""
    headings = [below for below in unit.units if below.heading]
    points = [below for below in unit.units if not below.heading]
    least = _least(unit, points, floor, granularity)
    tasks = [below for below in points if below.evidence >= least or any(_marked(deep) for deep in below.units)]
    kept_ids = {id(below) for below in tasks}
    for below in points:
        if id(below) not in kept_ids:
            fold(unit, below)
    for below in tasks:
        below.units = _below(below, floor, granularity, found)
    kept = _kept(headings, unit, (_floor_below(unit, floor, granularity), granularity), found)
    order = {id(below): i for i, below in enumerate(unit.units)}
    return sorted(tasks + kept, key=lambda below: order.get(id(below), 0))


def _floor_below(unit: Unit, floor: Evidence, granularity: Granularity) -> Evidence:
    """Say how sure headings below a candidate must be: below work, all are work, but for the parts of one task."""
    if _is_task(unit) and granularity is not Granularity.FINE:
        return min(floor, Evidence.PLACED)
    return Evidence.LOOSE if unit.evidence >= floor else floor


def _marked(unit: Unit) -> bool:
    return unit.evidence is Evidence.MARKED or any(_marked(below) for below in unit.units)


def _is_task(unit: Unit) -> bool:
    return unit.label.is_single


def _least(unit: Unit, points: Sequence[Unit], floor: Evidence, granularity: Granularity) -> Evidence:
    """Say how sure the points below a candidate must be to become tasks of their own."""
    if unit.heading and unit.evidence < floor:
        return Evidence.PLACED
    if granularity is Granularity.FINE:
        return Evidence.WORDED
    if _is_task(unit):
        return Evidence.MARKED
    worded = sum(point.evidence >= Evidence.WORDED for point in points)
    mostly = unit.heading and worded >= _FEW and worded * 2 > len(points)
    return Evidence.WORDED if mostly else Evidence.PLACED


def _promoted(unit: Unit) -> list[Unit]:
    """Let a heading's parts take its place."""
    for below in unit.units:
        below.category = below.category or unit.title
        below.feature = below.feature or unit.feature
    return unit.units


def fold(into: Unit, unit: Unit) -> None:
    """Make a point a criterion of what it stands below."""
    deeper = "; ".join(below.text for below in unit.units)
    if unit.heading and unit.criteria:
        into.criteria += [f"{unit.title}: {criterion}" for criterion in unit.criteria]
    else:
        into.criteria += [f"{unit.text}: {deeper}" if deeper else unit.text, *unit.criteria]
    into.context += unit.context
    into.said += [said for below in unit.walk() for said in below.said]
    for name, (text, line) in unit.facts.items():
        into.facts.setdefault(name, (text, line))


def _capped(units: list[Unit], depth: int, *, fold: bool) -> list[Unit]:
    """Cut the forest to so many levels: headings give way to the tasks below them, points become criteria."""
    kept: list[Unit] = []
    for unit in units:
        if depth > 1:
            unit.units = _capped(unit.units, depth - 1, fold=fold)
            kept.append(unit)
        elif not fold and not _is_task(unit) and (unit.heading or unit.group) and unit.units:
            kept += _capped(_promoted(unit), 1, fold=fold)
        else:
            _fold_all(unit)
            kept.append(unit)
    return kept


def _fold_all(unit: Unit) -> None:
    for below in unit.units:
        _fold_all(below)
        fold(unit, replace_units(below))
    unit.done = unit.done or (bool(unit.units) and all(below.done for below in unit.units))
    unit.units = []


def replace_units(unit: Unit) -> Unit:
    """Return a candidate without what is below it: that is told already."""
    return replace(unit, units=[])


def _of_sentences(found: Found, kept: Sequence[Unit]) -> list[Unit]:
    """Make candidates of plain sentences, for a document that has nothing else: those that ask for something."""
    taken = {line for unit in walk(list(kept)) for line in range(unit.lines.first, unit.lines.last + 1)}
    parts = [
        (sentence.strip(), line)
        for text, line in found.said
        if line not in taken
        for sentence in re.split(r"(?<=[.!?;])\s+", text)
        if len(sentence.split()) >= 2
    ]
    if len(parts) > _MANY:  # what says so much says much of it twice, or is no plan
        parts = list(dict(reversed(parts)).items())[::-1][:_MANY]
    parts = [part for part in parts if label(part[0]).title]
    asking = [part for part in parts if is_worklike(part[0])]
    return [_sentence(text, line) for text, line in (asking if len(asking) + len(kept) >= _FEW else parts)]


def _sentence(text: str, line: int) -> Unit:
    tag = label(text)
    return Unit(replace(tag, title=titled(tag.title)), text, Span(line, line), Evidence.LOOSE, said=[(text, line)])
