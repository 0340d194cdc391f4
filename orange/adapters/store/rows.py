"""Tasks as flat tuples and back: what the index keeps, cheap to load and to look at without making a task of it.

A row is the values of `index.COLUMNS` as plain strings and tuples, then a dict of every other key that is not at its
default, or None.

Next in the flow: `scan` makes rows of files, `view` makes tasks of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from orange.adapters.store.index import COLUMNS, Row
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Claim, Merged, Priority, Publish, Request, RequestKind, Stuck, Task

_STATUS = {status.value: status for status in Status}
_PRIORITY = {priority.value: priority for priority in Priority}
_DEFAULTS: dict[str, object] = {"publish": None, "budget": {}, "job": {}, "source": {}, "extra": {}}
#: The fields kept beside the columns, with their defaults; the path is the row's place and not in it.
_OTHERS = {
    field.name: _DEFAULTS.get(field.name, field.default)
    for field in fields(Task)
    if field.name not in {*COLUMNS, "path"}
}
_COLUMNS = frozenset(COLUMNS)
_RECORDS = {"claim": Claim, "stuck": Stuck, "request": Request, "approved": Approval, "merged": Merged}
#: What the rows look like: an index of other rows is not read.
FINGERPRINT = "|".join(
    (
        *COLUMNS,
        *_OTHERS,
        *(field.name for record in _RECORDS.values() for field in fields(record)),
    )
)


def flatten(task: Task) -> Row:
    """Make a task's row."""
    return row_of({field.name: getattr(task, field.name) for field in fields(Task)})


def row_of(values: Mapping[str, Any]) -> Row:
    """Make the row of what a file sets, as `document.values` reads it."""
    get = values.get
    rest = None
    if not values.keys() <= _COLUMNS:
        rest = {name: _plain(value) for name, value in values.items() if name in _OTHERS and value != _OTHERS[name]}
    return (
        values["id"], values["title"], values["name"], get("status", Status.PENDING).value, get("type", "task"),
        get("priority", Priority.MEDIUM).value, get("blocked_by", ()), get("parent"), get("assignee"),
        get("requires", ()), get("created_at", ""), get("updated_at", ""), rest or None,
    )  # fmt: skip


def build(row: Row, path: str) -> Task:
    """Make the task of a row."""
    (task_id, title, name, status, kind, priority, blocked_by, parent, assignee, requires, created, updated, rest) = row
    return Task(
        task_id, title, name, _STATUS[status], path, type=kind, priority=_PRIORITY[priority], blocked_by=blocked_by,
        parent=parent, assignee=assignee, requires=requires, created_at=created, updated_at=updated,
        **(_rich(rest) if rest else {}),
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """Turn a value into what `marshal` takes: it knows no subclasses."""
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(inner) for inner in value)
    if type(value) in _RECORDS.values():
        return tuple(_plain(getattr(value, field.name)) for field in fields(value))
    return value


def _rich(rest: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_typed(rest))


def _typed(rest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in rest.items():
        if name in _RECORDS:
            yield name, _record(name, value)
        elif name == "publish":
            yield name, Publish(value)
        else:
            yield name, value


def _record(name: str, values: tuple[Any, ...]) -> object:
    if name == "stuck":
        return Stuck(StuckReason(values[0]), *values[1:])
    if name == "request":
        return Request(RequestKind(values[0]), *values[1:])
    return _RECORDS[name](*values)
