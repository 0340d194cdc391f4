"""Puts tasks below the parents that the document names: `Parent: T1`, `child-of: REQ-3`, a column `Parent`.

Next in the flow: `edges` finds the order among them.
"""

from __future__ import annotations

from orange.core.plans.targets import Index
from orange.core.plans.units import Unit, walk


def adopt(units: list[Unit], depth: int) -> None:
    """Move tasks below the parents they name, in place; one that would be too deep goes below its parent's parent."""
    everything = list(walk(units))
    if not any("parent" in unit.facts for unit in everything):
        return
    index = Index(everything)
    above = {id(below): unit for unit in everything for below in unit.units}
    for unit in everything:
        chain = _chain(_named(index, unit), above)
        if not chain or any(one is unit for one in chain) or _waits(index, unit, chain[0]):
            continue
        chain = chain[max(0, len(chain) - depth + 1) :]
        _move(unit, chain[0], units, above)
        for below in list(unit.units) if len(chain) + 1 >= depth else ():
            _move(below, chain[0], units, above)


def _named(index: Index, unit: Unit) -> Unit | None:
    text = unit.facts.get("parent", ("", 0))[0]
    found = index.named(text, unit, bare=True) if text else []
    titled = index.titled(text, unit, strong=True) if text and not found else None
    return found[0] if found else titled.unit if titled else None


def _chain(unit: Unit | None, above: dict[int, Unit]) -> list[Unit]:
    """Return a task with what it stands below, the topmost last."""
    chain: list[Unit] = []
    while unit is not None:
        chain.append(unit)
        unit = above.get(id(unit))
    return chain


def _waits(index: Index, unit: Unit, parent: Unit) -> bool:
    """Whether it also waits for the parent it names: then that is its order, and no part."""
    after = unit.facts.get("after", ("", 0))[0]
    return any(one is parent for one in index.named(after, unit, bare=True))


def _move(unit: Unit, parent: Unit, top: list[Unit], above: dict[int, Unit]) -> None:
    old = above[id(unit)].units if id(unit) in above else top
    old[:] = [one for one in old if one is not unit]
    parent.units.append(unit)
    above[id(unit)] = parent
