"""The fields of a plan file: each is written on a line of its own and read back, or said to be wrong in one sentence.

Next in the flow: `planfile` puts the lines together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from orange.core import fieldtypes, names
from orange.core.entries import Raw
from orange.core.fieldtypes import Misfit, shown
from orange.core.model import Priority
from orange.core.plans.model import Doubt, Edge, Granularity, Parameters, Plan, PlanStatus, PlanTask, Span

__all__ = ["Misfit", "doubt", "field", "front", "heading", "nearest", "plan", "shown", "written"]

_KEY = names.SLUG_PATTERN
_HEADING = re.compile(rf"\s*`?({_KEY})`?:\s*(.*)")
_FIELD = re.compile(r"\s*[-*]\s+\**([A-Za-z_]+)\**\s*:\**\s*(.*)")
_AFTER = re.compile(rf"`?({_KEY})`?(?:\s*\(([0-9.]+)\))?(?:\s*:\s*(.*))?")
_DOUBT = re.compile(rf"([a-z]+)(?: \((?:line (\d+))?(?:, )?({_KEY})?\))?: (.*)")
_YES = {"yes": True, "true": True, "no": False, "false": False}


def written(task: PlanTask) -> Iterator[tuple[str, str]]:
    """Yield a task's fields as written; those at their default are left out."""
    if task.parent:
        yield "parent", task.parent
    yield "type", task.type
    yield "priority", task.priority.value
    for name in ("estimate", "ref", "category"):
        value = getattr(task, name)
        if value:
            yield name, value
    if task.labels:
        yield "labels", ", ".join(task.labels)
    if task.done:
        yield "done", "yes"
    for edge in task.edges:
        sure = "" if edge.confidence == 1 else f" ({edge.confidence:.2f})"
        yield "after", f"{edge.blocker}{sure}{f': {edge.reason}' if edge.reason else ''}"
    for name in ("pages", "lines", "digest"):
        value = getattr(task, name)
        if value:
            yield name, str(value)


def heading(text: str) -> tuple[str, str]:
    """Read `key: title`; a title alone gives its own key."""
    match = _HEADING.fullmatch(text.rstrip())
    if match:
        return match[1], " ".join(match[2].split())
    title = " ".join(text.split())
    return names.slug(title), title


def field(line: str, task: PlanTask) -> tuple[str, Any]:
    """Read one line of a task as the name and value of a field. Raises Misfit."""
    match = _FIELD.fullmatch(line)
    if match is None:
        hint = "a line is `- name: text`, `- [ ] criterion` or `> text`"
        raise Misfit(f"{shown(line.strip())} is no field", hint)
    name, text = match[1].lower(), " ".join(match[2].split())
    if name not in _READERS:
        raise Misfit(f"there is no field {name!r}", nearest(name, _READERS))
    try:
        value = _READERS[name](text, task)
    except Misfit as misfit:
        raise Misfit(f"{name}: {misfit.message}", misfit.hint) from None
    return name, value


def _key(text: str, _: PlanTask) -> str | None:
    key = text.strip("`")
    if key and not re.fullmatch(_KEY, key):
        raise Misfit(f"{shown(text)} is not a key", "a key is what stands before the colon of a `###` heading")
    return key or None


def _line(text: str, _: PlanTask) -> str | None:
    return text or None


def _kind(text: str, _: PlanTask) -> object:
    return fieldtypes.kind(text) or "task"


def _priority(text: str, _: PlanTask) -> object:
    return fieldtypes.word_of(Priority)(text.lower()) or Priority.MEDIUM


def _estimate(text: str, _: PlanTask) -> object:
    return fieldtypes.estimate(text)


def _labels(text: str, _: PlanTask) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _after(text: str, task: PlanTask) -> tuple[Edge, ...]:
    match = _AFTER.fullmatch(text)
    if match is None:
        raise Misfit(f"{shown(text)} names no task", "write `- after: key`, one line for each")
    sure = _confidence(match[2])
    if any(edge.blocker == match[1] for edge in task.edges):
        raise Misfit(f"{match[1]} is named twice", "delete one of the lines")
    return (*task.edges, Edge(match[1], sure, match[3] or ""))


def _confidence(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        found = round(float(text), 2)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise Misfit(f"{text} is no confidence", "it is a number from 0 to 1, or left out")
    return found


def _span(text: str, _: PlanTask) -> Span:
    match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)
    if match is None or int(match[1]) > int(match[2] or match[1]):
        raise Misfit(f"{shown(text)} are no lines", "it is `12` or `12-15`; the line may be deleted")
    return Span(int(match[1]), int(match[2] or match[1]))


def _yes(text: str, _: PlanTask) -> bool:
    if text.lower() not in _YES:
        raise Misfit(f"{shown(text)} is neither yes nor no", "write `yes`, or delete the line")
    return _YES[text.lower()]


_READERS: dict[str, Callable[[str, PlanTask], Any]] = {
    "parent": _key,
    "type": _kind,
    "priority": _priority,
    "estimate": _estimate,
    "ref": _line,
    "category": _line,
    "labels": _labels,
    "done": _yes,
    "after": _after,
    "pages": _span,
    "lines": _span,
    "digest": _line,
}


def doubt(text: str) -> Doubt:
    """Read a warning; whatever form it has."""
    match = _DOUBT.fullmatch(text)
    if match is None:
        return Doubt("note", text)
    return Doubt(match[1], match[4], match[3], int(match[2]) if match[2] else None)


# --- frontmatter


def front(key: str, value: Raw) -> object:
    """Read one key of the frontmatter; what orange does not know stays as it is. Raises Misfit."""
    reader = _FRONT.get(key)
    return reader(value) if reader and value is not None else value


def _format(value: Raw) -> object:
    if value != "1":
        raise Misfit(f"{shown(value)} is not known", "this orange reads format 1; a newer one may be needed")
    return value


def _truth(value: Raw) -> bool:
    word = str(value).lower()
    if word not in _YES:
        raise Misfit(f"{shown(value)} is neither true nor false", "write `true` or `false`")
    return _YES[word]


def _positive(value: Raw) -> int:
    found = fieldtypes.count(value)
    if not found:
        raise Misfit(f"{shown(value)} is no number above 0", "write digits, or `null` for no bound")
    return found


_FRONT: dict[str, Callable[[Raw], object]] = {
    "format": _format,
    "id": fieldtypes.name,
    "title": fieldtypes.line,
    "status": fieldtypes.word_of(PlanStatus),
    "source_file": fieldtypes.line,
    "source_digest": fieldtypes.line,
    "created_at": fieldtypes.time,
    "imported_at": fieldtypes.time,
    "granularity": fieldtypes.word_of(Granularity),
    "recursive": _truth,
    "max_depth": _positive,
    "auto_ready": _truth,
    "max_parallelism_hint": _positive,
    "agent": fieldtypes.line,
}


def plan(values: Mapping[str, Any]) -> Plan:
    """Make the plan that a frontmatter describes, without tasks."""
    given = {key: value for key, value in values.items() if value is not None}
    names_of = ("recursive", "max_depth", "auto_ready", "max_parallelism_hint", "agent")
    asked = {key: given[key] for key in names_of if key in given}
    return Plan(
        given.get("id", ""),
        given.get("title") or given.get("id", ""),
        given.get("source_file", ""),
        given.get("source_digest", ""),
        status=given.get("status", PlanStatus.DRAFT),
        parameters=Parameters(given.get("granularity", Granularity.BALANCED), **asked),
        created_at=given.get("created_at", ""),
        imported_at=given.get("imported_at", ""),
        extra={key: value for key, value in values.items() if key not in _FRONT},
    )


def nearest(given: str, known: Collection[str]) -> str:
    """Word the hint for a word that is not known."""
    from difflib import get_close_matches  # only where something is wrong already

    close = get_close_matches(given, list(known), 1, 0.5)
    some = ", ".join(list(known)[:12])
    return f"did you mean {close[0]!r}?" if close else f"there are {some}"
