"""The order among a document's tasks: what its fields and sentences say, and what its phases and marks imply.

Next in the flow: `acyclic` breaks cycles, `tasks` puts the edges into the plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orange.core.plans.facts import parts
from orange.core.plans.labels import label, titled
from orange.core.plans.model import Doubt
from orange.core.plans.phrases import Claim, claims
from orange.core.plans.targets import Index, Target
from orange.core.plans.units import Found, Unit, walk

#: Of an order that nobody put into words: phases in a row, and what `[P]` is missing from.
_PHASES, _UNMARKED = 0.6, 0.5
#: How sure a list is that is said to go on in its order, and how sure a name in a chapter about order must be.
_SEQUENCE, _NAMED = 0.9, 0.7
#: Orders of a plan; nobody reads on where there are more.
MOST_ORDERS = 20_000
#: Characters of a text that are looked at for ids at its beginning.
_LONGEST = 200
_NOTHING = re.compile(r"(none|no|n/?a|nothing|-+|–|—|tbd|all|any|no dependencies)?\W*(\(.*\))?", re.IGNORECASE)
_KINDS = frozenset({"user", "story", "stories", "task", "phase", "step", "epic", "feature"})
_NUMBERS = re.compile(r"(?:steps? |items? |points? |#)?\d+(?:(?:\s*(?:,|&|and)\s*)+#?\d+)*", re.IGNORECASE)
_JOINTS = frozenset({"and", "to"})


@dataclass(frozen=True, slots=True)
class Order:
    """One unit after another."""

    waiting: Unit
    awaited: Unit
    confidence: float
    reason: str
    line: int


def orders(units: list[Unit], found: Found) -> tuple[list[Order], list[Doubt]]:
    """Return the order among tasks, the surest first of each pair, and what could not be resolved."""
    reader = _Reader(units)
    for unit in walk(units):
        reader.read_facts(unit)
        for text, line in unit.said:
            reader.read(text, line, unit)
    for text, line in found.said:
        reader.read(text, line, None)
    for name, sentences in found.about:
        about = reader.about(name)
        for text, line in sentences:
            reader.read(text, line, about)
    reader.read_sequences(found.sequences)
    for listing in found.counted:
        reader.read_counted(listing)
    explicit = list(reader.orders)
    waiting = {id(order.waiting) for order in explicit}
    implied = [order for order in (*_phases(units), *_unmarked(units)) if id(order.waiting) not in waiting]
    return _best([*explicit, *implied]), reader.doubts


class _Reader:
    """Reads one document's claims."""

    def __init__(self, units: list[Unit]) -> None:
        self.index = Index(walk(units))
        self.above = {id(below): unit for unit in walk(units) for below in unit.units}
        self.orders: list[Order] = []
        self.doubts: list[Doubt] = []

    def read_facts(self, unit: Unit) -> None:
        """Read the fields that name other tasks."""
        for name in ("after", "before"):
            text, line = unit.facts.get(name, ("", 0))
            if _NOTHING.fullmatch(text):
                continue
            found = self._field(text, unit)
            reason = f"{'Depends on' if name == 'after' else 'Blocks'}: {text}"
            for target in found:
                pair = (unit, target.unit) if name == "after" else (target.unit, unit)
                self._add(*pair, target.confidence, (reason, line))
            if not found:
                self._unresolved(unit, text, line)

    def _field(self, text: str, unit: Unit) -> list[Target]:
        named = self.index.named(text, unit, bare=True)
        if named:
            return [Target(one, 1.0) for one in named]
        found = [self.index.titled(part, unit, strong=True) for part in (text, *parts(text))]
        return [target for target in found if target]

    def read(self, text: str, line: int, unit: Unit | None) -> None:
        """Read sentences, of a task or of the whole document."""
        for claim in claims(text):
            waiting = self._side(claim.waiting, claim, unit, subject=claim.awaited != "")
            awaited = self._side(claim.awaited, claim, unit, subject=False)
            for first in waiting:
                for second in awaited:
                    self._add(first.unit, second.unit, min(first.confidence, second.confidence), (claim.sentence, line))
            if unit is not None and claim.strong and not awaited and claim.awaited and not claim.waiting:
                self._unresolved(unit, claim.awaited, line)

    def about(self, name: str) -> Unit | None:
        """Return the task that a chapter about order means by a name."""
        named = self.index.named(name, None)
        whole = self.index.titled(label(titled(name)).title, None, strong=True)
        return named[0] if len(named) == 1 else whole.unit if whole and whole.confidence >= _NAMED else None

    def read_sequences(self, sequences: Sequence[tuple[list[Unit], str, int]]) -> None:
        """Read lists whose points go on one after another, as far as these are tasks."""
        kept = {id(unit) for unit in self.index.units}
        for units, sentence, line in sequences:
            for before, then in pairwise([unit for unit in units if id(unit) in kept]):
                self._add(then, before, _SEQUENCE, (sentence, line))

    def read_counted(self, listing: Sequence[tuple[str, str, int]]) -> None:
        """Read a list whose points name each other by number: `5. Pay (depends on 3 & 4)`."""
        said = [
            (number, claim, line)
            for number, text, line in listing
            for claim in claims(text)
            if claim.strong and _NUMBERS.fullmatch(claim.awaited)
        ]
        names = {number: self.about(text) for number, text, _ in listing} if said else {}
        for number, claim, line in said:
            for awaited in re.findall(r"\d+", claim.awaited):
                first, second = names.get(number), names.get(awaited)
                if first and second:
                    self._add(first, second, _SEQUENCE, (claim.sentence, line))

    def _side(self, text: str, claim: Claim, unit: Unit | None, *, subject: bool) -> list[Target]:
        """Return what one side of a claim names; the task it is said of where it names nothing."""
        own = [Target(unit, 1.0)] if unit is not None else []
        if not text or (unit is not None and subject and not claim.least and not _is_ids(text)):
            return own
        named = self.index.named(text, unit)
        if named:
            return [Target(one, 0.95 if claim.strong else 0.9) for one in named]
        several = [self.index.titled(part, unit, strong=claim.strong) for part in parts(text)]
        whole = None if len(several) > 1 and all(several) else self.index.titled(text, unit, strong=claim.strong)
        found = [whole] if whole else several
        sure = [target for target in found if target and target.confidence >= claim.least]
        return sure or (own if subject and not claim.least else [])

    def _unresolved(self, unit: Unit, text: str, line: int) -> None:
        self.doubts.append(Doubt("unresolved", f"it waits for {text!r}, which is no task of this plan", unit.key, line))

    def _add(self, waiting: Unit, awaited: Unit, confidence: float, why: tuple[str, int]) -> None:
        if (
            len(self.orders) > 2 * MOST_ORDERS
            or waiting is awaited
            or self._is_above(awaited, waiting)
            or self._is_above(waiting, awaited)
        ):
            return
        self.orders.append(Order(waiting, awaited, confidence, why[0], why[1]))

    def _is_above(self, unit: Unit, below: Unit) -> bool:
        up = self.above.get(id(below))
        while up is not None:
            if up is unit:
                return True
            up = self.above.get(id(up))
        return False


def _is_ids(text: str) -> bool:
    """Whether a text is ids and hardly anything else: `T1, T2 must`, `User Story 1 (P1)`."""
    words = [word for word in re.split(r"[\s,&+()\[\]–—]+", text[:_LONGEST]) if word]
    while words and words[0].lower().rstrip("s") in _KINDS:
        words = words[1:]
    named = [word for word in words if any(map(str.isdigit, word))]
    others = [word for word in words if word not in named and word.lower() not in _JOINTS]
    return bool(named) and words[0] == named[0] and len(others) < 2


def _phases(units: Sequence[Unit]) -> Iterator[Order]:
    """Yield that each phase comes after the one before it."""
    for siblings in (units, *(unit.units for unit in walk(list(units)))):
        phases = [
            unit
            for unit in siblings
            if unit.label.word in {"phase", "milestone", "sprint", "stage", "iteration", "step"}
        ]
        for before, then in pairwise(phases):
            if before.label.word == then.label.word and _counts(before.label.number, then.label.number):
                reason = f"{then.text} comes after {before.text}"
                yield Order(then, before, _PHASES, reason, then.lines.first)


def _counts(first: str | None, second: str | None) -> bool:
    """Whether one number follows another."""
    if not first or not second:
        return False
    return (len(first), first) < (len(second), second) if first.isdigit() and second.isdigit() else first < second


def _unmarked(units: list[Unit]) -> Iterator[Order]:
    """Yield, where a document marks what may go on at the same time, that the rest goes on one by one."""
    if not any(unit.label.parallel for unit in walk(units)):
        return
    for siblings in (units, *(unit.units for unit in walk(units))):
        last, since = None, list[Unit]()
        for unit in (unit for unit in siblings if not unit.group):
            if unit.label.parallel:
                before = [last] if last else []
                since.append(unit)
            else:
                before, last, since = since or ([last] if last else []), unit, []
            for other in before:
                yield Order(
                    unit,
                    other,
                    _UNMARKED,
                    f"{_called(unit)} follows {_called(other)} and [P] marks what need not",
                    unit.lines.first,
                )


def _called(unit: Unit) -> str:
    return unit.label.ref or unit.title


def _best(found: Sequence[Order]) -> list[Order]:
    """Keep the surest order of each pair."""
    best: dict[tuple[int, int], Order] = {}
    for order in found:
        pair = (id(order.waiting), id(order.awaited))
        if pair not in best or best[pair].confidence < order.confidence:
            best[pair] = order
    return list(best.values())
