"""Orange's own task objects, as `orange task export` and every `--json` print them.

Ids are kept. What only this machine's daemon may say (claims, approvals, merges) was said of another project: it is
kept under `x-orange`, and a task that was bound to a run may start anew.

Next in the flow: `resolve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orange.core import names, schema
from orange.core.fieldtypes import Misfit
from orange.core.imports import clean, jsontext
from orange.core.imports.fields import Fields, blank
from orange.core.imports.item import ImportRefused, Item, Reading, Source
from orange.core.lifecycle import AT_REST, Status
from orange.core.model import ORANGE_ONLY
from orange.core.problems import InvalidInput

FORMAT = "orange"
#: What a task object holds beside the keys of the file: derived anew, or this machine's.
_DERIVED = (
    "project", "path", "ready", "state", "progress", "waiting", "steps", "checks", "reviews", "comments", "spent",
)  # fmt: skip


def read(source: Source) -> Reading:
    """Read task objects: `{"tasks": [...]}`, a list, or one a line. Raises ImportRefused."""
    found = jsontext.records(source.text, source.name, "tasks")
    return Reading.of(_item(Fields(record, where), number) for number, (where, record) in enumerate(found, 1))


def _item(fields: Fields, number: int) -> Item:
    if "task" in fields and "title" not in fields:
        fields = Fields(fields.take("task"), fields.where)
    body = _body(fields)
    evidence = _mapping(fields.take("x-orange"))
    for name in _DERIVED:
        fields.take(name)
    found, extra = _typed(fields)
    key = clean.line(str(found.get("id") or found.get("ref") or f"task {number}"))
    note = _set_aside(found, evidence)
    blockers, parent = found.pop("blocked_by", ()), found.pop("parent", None)
    if not names.is_id(str(found.get("id"))):
        evidence |= {"source": dict(found["source"])} if "source" in found else {}
        found["source"] = {"kind": "imported", "format": FORMAT, "reference": key}
    if evidence:
        extra["x-orange"] = clean.plain(evidence)
    draft = replace(blank(), **found, extra=extra)
    skip = None if draft.title.strip() else "it has no title"
    return Item(key, fields.where, draft, body, blockers=blockers, parent=parent, notes=note, skip=skip)


def _body(fields: Fields) -> str:
    body = fields.take("body")
    if body is not None and not isinstance(body, str):
        raise ImportRefused(fields.where, "body: expected a text")
    return clean.text(body or "")


def _set_aside(found: dict[str, Any], evidence: dict[str, object]) -> tuple[str, ...]:
    """Move what was true only where the task came from; say so where that changes its status."""
    for name in ORANGE_ONLY:
        value = schema.plain_of(name, found.pop(name)) if name in found and name != "stuck" else None
        if value:
            evidence[name] = value
    status = found.get("status", Status.PENDING)
    if status is not Status.STUCK:
        found.pop("stuck", None)
    if status in AT_REST:
        return ()
    evidence["status"], found["status"] = status.value, Status.PENDING
    return (f"it was {status}: here it starts anew",)


def _mapping(evidence: object) -> dict[str, object]:
    """Take over what an earlier import set aside."""
    return dict(evidence) if isinstance(evidence, Mapping) else {"kept": evidence} if evidence else {}


def _typed(fields: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Type the keys of the file format, and keep the others."""
    found: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in fields.rest().items():
        if name not in schema.READERS:
            extra[name] = clean.plain(value)
        else:
            part = _key(fields.where, name, value)
            if part is not None:
                found[name] = part
    return found, extra


def _key(where: str, name: str, value: Any) -> Any:
    if name == "id" and isinstance(value, (str, int)) and not names.is_id(str(value)):
        return clean.line(str(value))
    if name in {"blocked_by", "parent", "children"}:
        return _references(where, name, value)
    try:
        return schema.READERS[name](schema.as_read(name, schema.plain_of(name, value)))
    except Misfit as misfit:
        raise ImportRefused(where, f"{name}: {misfit.message}; {misfit.hint}") from None
    except InvalidInput as invalid:
        raise ImportRefused(where, invalid.message) from None


def _references(where: str, name: str, value: Any) -> Any:
    """Read keys of other records: ids, or whatever else this file calls them."""
    found = Fields({name: value}, where)
    return clean.line(found.text(name)) or None if name == "parent" else clean.lines(found.texts(name))
