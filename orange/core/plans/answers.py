"""What an agent answers that decomposes a document, read into the plan's tasks, or refused with all that is wrong.

An answer is data of somebody who may have been misled by what it read. It is held against the published schema, then
against what must hold in a plan; its texts become single lines of what can be seen. Pure, and bounded in time.

Next in the flow: `asking` asks again for what is refused, and makes a plan of what is not.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orange.core import jsonshape
from orange.core.jsonshape import NoJson, shown
from orange.core.model import Priority
from orange.core.plans import answerschema, digest
from orange.core.plans.circles import opened
from orange.core.plans.model import Doubt, Edge, PlanTask, Span
from orange.core.plans.schedule import cycle
from orange.core.present import without_hidden
from orange.core.redact import SHAPES

#: Bytes of an answer that are looked at.
MOST = 4 << 20
#: Faults that are told at once, and named in a sentence.
_TOLD, _NAMED = 20, 3
#: Cycles that are broken with a warning; whoever makes more of them has not understood the question.
MOST_CYCLES = 20
#: How hard a task is of which only the size was told.
_HARD = {"L": 6, "XL": 9}


@dataclass(frozen=True, slots=True)
class Rules:
    """What must hold for an answer beside its schema."""

    #: Lines of the document.
    lines: int
    #: Levels of tasks within one another.
    levels: int
    #: The tasks that the plan has already.
    before: tuple[PlanTask, ...] = ()
    #: Tasks that it has at least.
    least: int = 0
    #: The task that is to be split: all are parts of it. None at all leaves it whole.
    root: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was understood."""

    #: All of the plan's tasks by now, those before it first.
    tasks: tuple[PlanTask, ...]
    title: str = ""
    doubts: tuple[Doubt, ...] = ()
    #: How hard the new tasks are, as far as that was told: key -> 1 to 10.
    complexity: Mapping[str, int] = field(default_factory=dict)


class BadAnswer(ValueError):
    """An answer that is none: `faults` says all that is wrong, a clause each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        more = len(self.faults) - _NAMED
        super().__init__("; ".join(self.faults[:_NAMED]) + (f"; and {more} more" if more > 0 else ""))


def read(text: str, rules: Rules) -> Answer:
    """Read an answer. Raises BadAnswer."""
    if len(text) > MOST:
        raise BadAnswer([f"it is longer than {MOST >> 20} MiB"])
    try:
        told = jsonshape.object_in(text, "tasks")
    except NoJson as none:
        raise BadAnswer([str(none)]) from None
    _check(jsonshape.faults(told, answerschema.schema()))
    if SHAPES.line_of_first(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")) is not None:
        raise BadAnswer(["a secret stands in it in plain text (what looks like a token): leave it out"])
    _check(_misfits(told["tasks"], rules))
    tasks, cycles = _acyclic((*rules.before, *(_task(item, rules) for item in told["tasks"])))
    notes = [_note(item, tasks) for item in told.get("warnings") or ()]
    return Answer(tasks, _line(told.get("title")), (*notes, *cycles), _complexity(told["tasks"]))


def _check(faults: Iterator[str]) -> None:
    found = list(itertools.islice(faults, _TOLD))
    if found:
        raise BadAnswer(found)


# --- what must hold in a plan


def _misfits(items: list[dict[str, Any]], rules: Rules) -> Iterator[str]:
    """Yield what is wrong between the tasks, and between them and the document."""
    before = {task.key for task in rules.before}
    places: dict[str, int] = {}
    for at, item in enumerate(items):
        key = item["key"]
        if key in places:
            yield f"tasks[{at}].key: {key} is the key of tasks[{places[key]}] too"
        elif key in before:
            yield f"tasks[{at}].key: {key} is the key of a task that was answered before: leave it out, or rename it"
        places.setdefault(key, at)
        if not _line(item["title"]):
            yield f"tasks[{at}].title: there is nothing in it that can be seen"
        yield from _lines_wrong(item.get("lines"), f"tasks[{at}].lines", rules.lines)
    if len(items) < rules.least and (items or rules.root is None):
        yield f"tasks: expected {rules.least} at least, found {len(items)}"
    yield from _unknown(items, before | set(places))
    if rules.root is not None:
        yield from _elsewhere(items, {rules.root, *places})
    yield from _family(items, rules)


def _lines_wrong(lines: list[int] | None, where: str, last: int) -> Iterator[str]:
    if lines and not lines[0] <= lines[1] <= last:
        yield f"{where}: expected two lines of the document's {last}, the first one first, found {lines[0]}, {lines[1]}"


def _unknown(items: list[dict[str, Any]], known: set[str]) -> Iterator[str]:
    for at, item in enumerate(items):
        named = [("parent", item.get("parent"))]
        named += [(f"blocked_by[{n}].key", edge["key"]) for n, edge in enumerate(item.get("blocked_by") or ())]
        for where, key in named:
            if key is not None and key not in known:
                yield f"tasks[{at}].{where}: there is no task {shown(key)}"


def _elsewhere(items: list[dict[str, Any]], inside: set[str]) -> Iterator[str]:
    """Yield tasks that are a part of what is not to be split."""
    for at, item in enumerate(items):
        parent = item.get("parent")
        if parent is not None and parent not in inside:
            yield f"tasks[{at}].parent: {shown(parent)} is neither the task to be split nor one of this answer"


def _family(items: list[dict[str, Any]], rules: Rules) -> Iterator[str]:
    """Yield tasks that are parts of each other, and those that lie too deep."""
    parents = {task.key: task.parent for task in rules.before}
    parents |= {item["key"]: item.get("parent") or rules.root for item in items}
    levels: dict[str, int] = {}
    for at, item in enumerate(items):
        level = _level(item["key"], parents, levels)
        if not level:
            yield f"tasks[{at}].parent: {item['key']} is a part of itself, by way of {parents[item['key']]}"
        elif level > rules.levels:
            yield f"tasks[{at}].parent: it lies on level {level}, and {rules.levels} are wanted at most"


def _level(key: str, parents: Mapping[str, str | None], levels: dict[str, int]) -> int:
    """Return how deep a task lies, 1 at the top; 0 where its parents lead round in a circle."""
    way: list[str] = []
    at: str | None = key
    while at is not None and at not in levels:
        if at in way:
            levels.update(dict.fromkeys(way, 0))
            return 0
        way.append(at)
        at = parents.get(at)
    for one in reversed(way):
        above = levels[at] if at is not None else None
        levels[one] = 1 if above is None else above and above + 1
        at = one
    return levels[key]


def _acyclic(tasks: tuple[PlanTask, ...]) -> tuple[tuple[PlanTask, ...], list[Doubt]]:
    """Break cycles, with a warning each. Raises BadAnswer for too many."""
    doubts: list[Doubt] = []
    while edges := cycle(tasks):
        if len(doubts) == MOST_CYCLES:
            way = " -> ".join([*(task.key for task, _ in edges), edges[0][0].key])
            raise BadAnswer(
                [f"blocked_by: more than {MOST_CYCLES} circles of tasks wait for each other, such as {way}"]
            )
        tasks, doubt = opened(tasks, edges)
        doubts.append(doubt)
    return tasks, doubts


# --- what is made of it


def _task(item: Mapping[str, Any], rules: Rules) -> PlanTask:
    labels = (part for text in item.get("labels") or () for part in _line(text).split(","))
    text = without_hidden(item.get("description") or "").strip("\n")
    task = PlanTask(
        key=item["key"],
        title=_line(item["title"]),
        parent=item.get("parent") or rules.root,
        ref=_line(item.get("ref")) or None,
        type=item.get("type") or "task",
        priority=Priority(item.get("priority") or Priority.MEDIUM),
        estimate=item.get("estimate"),
        category=_line(item.get("category")) or None,
        labels=tuple(dict.fromkeys(label.strip() for label in labels if label.strip())),
        edges=tuple({edge["key"]: _edge(edge) for edge in item.get("blocked_by") or ()}.values()),
        criteria=tuple(dict.fromkeys(filter(None, map(_line, item.get("acceptance_criteria") or ())))),
        context=tuple(line.rstrip() for line in text.split("\n")) if text.strip() else (),
        lines=Span(*item["lines"]) if item.get("lines") else None,
        done=bool(item.get("done")),
    )
    return replace(task, digest=digest.of(task))


def _edge(told: Mapping[str, Any]) -> Edge:
    sure = told.get("confidence")
    return Edge(told["key"], 1.0 if sure is None else round(float(sure), 2), _line(told.get("reason")))


def _note(told: Mapping[str, Any], tasks: tuple[PlanTask, ...]) -> Doubt:
    """Take a warning over; what it is about may be none of the tasks."""
    key = told.get("key")
    return Doubt(
        "note", _line(told["message"]), key if any(task.key == key for task in tasks) else None, told.get("line")
    )


def _complexity(items: list[dict[str, Any]]) -> dict[str, int]:
    told = {item["key"]: item.get("complexity") or _HARD.get(item.get("estimate") or "") for item in items}
    return {key: hard for key, hard in told.items() if hard is not None}


def _line(text: str | None) -> str:
    """Make one line of what can be seen of a text."""
    return " ".join(without_hidden(text or "").split())
