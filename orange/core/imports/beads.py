"""Beads' `issues.jsonl`: one issue a line, with its dependencies of several kinds.

Kinds that hold an issue up become blockers, `parent-child` a parent; the others are kept. Next in the flow: `resolve`.
"""

from __future__ import annotations

from typing import NamedTuple

from orange.core.imports import clean, jsontext
from orange.core.imports.fields import Fields, blank, item
from orange.core.imports.item import Item, Reading, Source

FORMAT = "beads"
_BLOCKING = frozenset({"blocks", "conditional-blocks", "waits-for"})
_PARENT = "parent-child"


class _Edges(NamedTuple):
    """The dependencies of an issue, by what they mean here."""

    blockers: list[str]
    parents: list[str]


def read(source: Source) -> Reading:
    """Read all issues. Raises ImportRefused."""
    found = jsontext.records(source.text, source.name, "issues")
    return Reading.of(_item(Fields(record, where)) for where, record in found)


def _item(fields: Fields) -> Item:
    key = fields.text("id")
    kind = fields.kind("issue_type", "type")
    priority, notes = fields.priority("priority")
    edges = _edges(fields)
    status = fields.text("status")
    draft = blank(
        ref=clean.line(key) or None,
        type=kind,
        priority=priority,
        labels=clean.lines(fields.texts("labels")),
        assignee=clean.line(fields.text("assignee")) or None,
        estimate=_estimate(fields),
        created_at=fields.time("created_at"),
    )
    return item(
        fields,
        FORMAT,
        key=key or fields.where,
        title=fields.text("title"),
        draft=draft,
        status=status,
        parts=_parts(fields),
        blockers=edges.blockers,
        parent=_parent(fields, edges),
        notes=notes,
        skip="it was deleted there" if status == "tombstone" else None,
    )


def _parts(fields: Fields) -> tuple[tuple[str, str], ...]:
    return (
        ("Context", fields.text("description")),
        ("Design", fields.text("design")),
        ("Acceptance criteria", fields.text("acceptance_criteria")),
        ("Notes", fields.text("notes")),
        ("Closed there", fields.text("close_reason")),
        ("Comments", comments(fields, "comments")),
    )


def comments(fields: Fields, name: str) -> str:
    """Take comments as a text; what is none of the usual form is left."""
    found = fields.take(name)
    if not isinstance(found, list):
        fields.keep(name, found)
        return ""
    said = [_comment(Fields(comment, f"{fields.where}, {name}")) for comment in found]
    return "\n\n".join(said)


def _comment(comment: Fields) -> str:
    author = comment.take("author") or comment.take("user") or ""
    name = author.get("login", "") if isinstance(author, dict) else author
    at = comment.time("created_at", "createdAt")
    who = clean.line(", ".join(str(part) for part in (name, at) if part))
    return f"{who}:\n\n{comment.text('text', 'body')}" if who else comment.text("text", "body")


def _parent(fields: Fields, edges: _Edges) -> str | None:
    """Take the parent: that of the edges; a field that names another one is left."""
    named = fields.text("parent", "parent_id")
    found = next(iter(edges.parents), named)
    if named != found:
        fields.keep("parent", named)
    return found or None


def _edges(fields: Fields) -> _Edges:
    found, left = _Edges([], []), []
    for record in fields.records("dependencies"):
        if isinstance(record, str):
            found.blockers.append(record)
            continue
        edge = Fields(record, f"{fields.where}, dependencies")
        kind, other = edge.text("type", "dep_type", "dependency_type") or "blocks", edge.text("depends_on_id", "id")
        if kind in _BLOCKING and other:
            found.blockers.append(other)
        elif kind == _PARENT and other and not found.parents:
            found.parents.append(other)
        else:
            left.append(record)
    fields.keep("dependencies", left)
    return found


def _estimate(fields: Fields) -> str | None:
    """Read minutes as a duration; what is no whole number of them is left."""
    minutes = fields.take("estimated_minutes")
    if isinstance(minutes, int) and 0 < minutes < 1_000_000:
        return f"{minutes}m"
    fields.keep("estimated_minutes", minutes)
    return None
