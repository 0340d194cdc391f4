"""A document's text becomes a plan: read, collect, choose, relate. Pure, and the same for the same text.

Next in the flow: `planfile` writes it, `project.planning` keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orange.core import names
from orange.core.model import Priority
from orange.core.plans import digest, pagination, plaintext
from orange.core.plans.adoption import adopt
from orange.core.plans.circles import acyclic
from orange.core.plans.collect import collect
from orange.core.plans.duplicates import folded
from orange.core.plans.edges import MOST_ORDERS, Order, orders
from orange.core.plans.facts import parts
from orange.core.plans.grain import chosen, depth_of
from orange.core.plans.labels import estimate, label, priority, titled
from orange.core.plans.markdown import read
from orange.core.plans.model import Doubt, Edge, Parameters, Plan, PlanTask
from orange.core.plans.paragraphs import itemised
from orange.core.plans.roles import is_worklike, type_of, vague_word
from orange.core.plans.schedule import schedule
from orange.core.plans.tree import Document
from orange.core.plans.units import Unit, walk
from orange.core.problems import InvalidInput

#: Bytes of a document.
LARGEST = 8 << 20
#: Tasks of a plan; lines of a document that may become some, or a part of one; bars of tables.
MOST, _MOST_MARKED, _MOST_BARS = 5000, 50_000, 200_000
_MOST_LINES = 400_000
_LONGEST_REASON = 240
_TYPES = frozenset({"task", "feature", "bug", "refactor", "chore", "docs", "test", "research", "spike"})
_KIND = re.compile(r"^(prd|spec|tasks|plan|product requirements document)\s*[:–—-]\s*", re.IGNORECASE)
_MARKED = re.compile(r"^[ \t>]*(?:#{1,6}[ \t]|[-*+][ \t]|\d{1,9}[.)][ \t]|\|)", re.MULTILINE)
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def decompose(text: str, source: str, parameters: Parameters) -> Plan:
    """Make a plan of a document. Raises InvalidInput for one that holds no two things to do."""
    _check_size(text, source)
    document = read(plaintext.as_markdown(shown_text(text), source))
    found = collect(itemised(document.root), source.rsplit("/", 1)[-1])
    units = chosen(found, parameters)
    doubts = folded(units)
    adopt(units, depth_of(parameters))
    everything = list(walk(units))
    check_count(len(everything), source)
    _give_keys(everything)
    found_orders, unresolved = orders(units, found)
    if len(found_orders) > MOST_ORDERS:
        raise InvalidInput(source, f"its tasks wait for more than {MOST_ORDERS} others: say less, or split it")
    tasks = _tasks(everything, found_orders)
    tasks, cycles = acyclic(with_pages(tasks, text))
    title = _title(document, source)
    plan = Plan(names.slug(title), title, source, digest.of_text(text), parameters=parameters, tasks=tasks)
    doubts += [*unresolved, *cycles, *_vague(everything), *_unreachable(plan)]
    return replace(plan, doubts=tuple(sorted(doubts, key=lambda doubt: doubt.line or 0)))


def _check_size(text: str, source: str) -> None:
    """Refuse what takes long to read and is no plan at the end."""
    marked, bars, lines = sum(1 for _ in _MARKED.finditer(text)), text.count("|"), text.count("\n")
    if lines > _MOST_LINES:
        said = f"{lines} lines, more than {_MOST_LINES}"
    elif marked > _MOST_MARKED:
        said = f"{marked} headings, points and rows, more than {_MOST_MARKED}"
    elif bars > _MOST_BARS:
        said = f"tables of {bars} cells, more than {_MOST_BARS}"
    else:
        return
    raise InvalidInput(source, f"it has {said}: split it (a plan has {MOST} tasks at most)")


def shown_text(text: str) -> str:
    """Return a document's text with its lines as they are and a space for what cannot be shown."""
    return _ODD.sub(" ", pagination.without(_lined(text)))


def _lined(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_count(count: int, source: str) -> None:
    """Refuse a plan of too little or too much. Raises InvalidInput."""
    if count < 2:
        said = "nothing to do" if not count else "only one thing to do"
        raise InvalidInput(source, f"it says {said}: a plan has two tasks at least (`orange task create` makes one)")
    if count > MOST:
        raise InvalidInput(
            source, f"it says {count} things to do, more than {MOST}: use a coarser --granularity or split it"
        )


def _title(document: Document, source: str) -> str:
    heads = document.root.sections
    stem = re.sub(r"\.[^.]*$", "", source.rsplit("/", 1)[-1])
    first = label(heads[0].title).title if heads and (len(heads) == 1 or heads[0].level == 1) else ""
    found = document.meta.get("title") or first or stem
    return titled(_KIND.sub("", found)) or stem


def _give_keys(units: Iterable[Unit]) -> None:
    """Give every task its key: its own id where the document has one, else its title's slug."""
    taken: dict[str, int] = {}
    for unit in units:
        tag = unit.label
        own = tag.ref or (f"{tag.word}-{tag.number}" if tag.word and tag.number else None)
        base = names.slug(own or titled(tag.title))
        taken[base] = taken.get(base, 0) + 1
        unit.key = base if taken[base] == 1 else f"{base[:44]}-{taken[base]}"
        while unit.key != base and unit.key in taken:
            taken[base] += 1
            unit.key = f"{base[:44]}-{taken[base]}"
        taken.setdefault(unit.key, 1)


def _tasks(everything: Sequence[Unit], found: Sequence[Order]) -> tuple[PlanTask, ...]:
    parents = {below.key: unit.key for unit in everything for below in unit.units}
    edges: dict[str, list[Edge]] = {}
    for order in sorted(found, key=lambda order: order.line):
        reason = order.reason if len(order.reason) <= _LONGEST_REASON else f"{order.reason[: _LONGEST_REASON - 1]}…"
        edges.setdefault(order.waiting.key, []).append(
            Edge(order.awaited.key, round(order.confidence, 2), " ".join(reason.split()))
        )
    return tuple(_task(unit, parents, tuple(edges.get(unit.key, ()))) for unit in everything)


def with_pages(tasks: tuple[PlanTask, ...], text: str) -> tuple[PlanTask, ...]:
    """Say on which pages tasks stand, where a document's text has pages."""
    starts = pagination.starts_of(_lined(text))
    if not starts:
        return tasks
    return tuple(replace(task, pages=pagination.pages_of(task.lines, starts)) if task.lines else task for task in tasks)


def _task(unit: Unit, parents: Mapping[str, str], edges: tuple[Edge, ...]) -> PlanTask:
    tag, given = unit.label, {name: text for name, (text, _) in unit.facts.items()}
    title = titled(tag.title)
    level = tag.priority or priority(given.get("priority", "")) or priority(unit.category or "")
    size = tag.estimate or estimate(given.get("estimate", "")) or estimate(f"{given.get('estimate', '')} points")
    context = tuple(line.rstrip() for text in _context(unit, title) for line in text.split("\n"))
    task = PlanTask(
        key=unit.key,
        title=title,
        parent=parents.get(unit.key),
        ref=tag.ref,
        type=_type(given.get("type", ""), title, feature=unit.feature),
        priority=level or Priority.MEDIUM,
        estimate=size or _guessed(unit),
        category=" ".join(unit.category.split()) if unit.category else None,
        labels=tuple(dict.fromkeys([*parts(given.get("labels", "")), *tag.stories])),
        edges=edges,
        criteria=tuple(dict.fromkeys(" ".join(text.split()) for text in unit.criteria if text.strip())),
        context=context,
        lines=unit.lines,
        done=unit.done,
    )
    return replace(task, digest=digest.of(task))


def _context(unit: Unit, title: str) -> list[str]:
    whole = [] if label(unit.text).title.rstrip(" .:;,") == title else [unit.text]
    traces = unit.facts.get("traces")
    return [*whole, *unit.context, *([f"See also: {traces[0]}"] if traces else [])]


def _type(given: str, title: str, *, feature: bool) -> str:
    word = given.strip().lower()
    return word if word in _TYPES else type_of(title, feature=feature)


def _guessed(unit: Unit) -> str | None:
    """Guess a size by how much the document says; groups have none."""
    if unit.units:
        return None
    weight = len(unit.criteria) + len(" ".join(unit.context).split()) // 60
    return "S" if weight < 2 else "M" if weight < 5 else "L"


def _vague(units: Iterable[Unit]) -> list[Doubt]:
    found = []
    for unit in units:
        word = vague_word(unit.title)
        short = len(unit.title.split()) < 2 and not is_worklike(unit.title)
        if unit.units or unit.criteria or unit.context or not (word or short):
            continue
        why = f"{word!r} says little" if word else "one word"
        found.append(
            Doubt("vague", f"{why}, and nothing says when it is done: {unit.title}", unit.key, unit.lines.first)
        )
    return found


def _unreachable(plan: Plan) -> list[Doubt]:
    return [Doubt("unreachable", f"{key} can never start", key) for key in schedule(plan).unreachable]
