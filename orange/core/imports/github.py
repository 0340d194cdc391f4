"""GitHub issues as JSON: what `gh issue list --json ...` prints, and what the REST API answers.

A line such as "Blocked by #12" in an issue's text is an edge. Pull requests are no tasks. Next in the flow: `resolve`.
"""

from __future__ import annotations

import re
from typing import Any

from orange.core.imports import clean, jsontext, words
from orange.core.imports.beads import comments
from orange.core.imports.fields import Fields, blank, item
from orange.core.imports.item import ImportRefused, Item, Reading, Source

FORMAT = "github"
_ADDRESS = re.compile(r"https?://[^/\s]+/(?:repos/)?([^/\s]+/[^/\s]+)/(?:issues|pull)/\d+")
_PHRASE = re.compile(
    r"\b(?:depends on|blocked by|requires)\b:?[ \t]+((?:#\d{1,9}(?:[ \t]*(?:,|and|&)[ \t]*)?)+)", re.IGNORECASE
)
_PRIORITY = re.compile(r"(?:priority|prio)[ :/_-]*(.+)|(p[0-4])", re.IGNORECASE)


def read(source: Source) -> Reading:
    """Read all issues. Raises ImportRefused."""
    found = jsontext.records(source.text, source.name, "issues")
    return Reading.of(_item(Fields(record, where)) for where, record in found)


def _item(fields: Fields) -> Item:
    number = fields.text("number")
    if not number:
        raise ImportRefused(fields.where, "number: it is missing; name it in `gh issue list --json`")
    address = str(fields.take("html_url") or fields.take("url") or "")
    match = _ADDRESS.match(address)
    home = match[1] if match else ""
    fields.keep("url", address)
    labels = clean.lines(_names(fields, "labels", "name"))
    body = fields.text("body")
    draft = blank(
        ref=f"#{clean.line(number)}",
        labels=labels,
        type=words.kind(*labels),
        priority=next((found for label in labels for found in [_priority(label)] if found), blank().priority),
        assignee=clean.line(", ".join(_names(fields, "assignees", "login"))) or None,
        category=clean.line(_name(fields, "milestone", "title")) or None,
        created_at=fields.time("createdAt", "created_at"),
    )
    return item(
        fields,
        FORMAT,
        key=f"{home}#{number}",
        title=fields.text("title"),
        draft=draft,
        status=_status(fields),
        parts=(("", body), ("Comments", comments(fields, "comments"))),
        blockers=[f"{home}#{other}" for found in _PHRASE.finditer(body) for other in re.findall(r"\d+", found[1])],
        skip="it is a pull request" if "pull_request" in fields or "/pull/" in address else None,
    )


def _status(fields: Fields) -> str:
    state, reason = fields.text("state").lower(), fields.text("stateReason", "state_reason").lower().replace("_", "-")
    if state == "closed" and reason in {"not-planned", "duplicate"}:
        return reason
    return state


def _priority(label: str) -> Any:
    match = _PRIORITY.fullmatch(label)
    return words.priority(match[1] or match[2]) if match else None


def _names(fields: Fields, name: str, part: str) -> list[str]:
    """Take a list of names: texts, or objects that hold one."""
    found = fields.records(name)
    if any(isinstance(one, dict) and part not in one for one in found):
        raise ImportRefused(fields.where, f"{name}: an object without {part}")
    return [str(one[part]) if isinstance(one, dict) else str(one) for one in found]


def _name(fields: Fields, name: str, part: str) -> str:
    held = fields.take(name)
    if isinstance(held, dict) and isinstance(held.get(part), str):
        return str(held[part])
    fields.keep(name, held)
    return ""
