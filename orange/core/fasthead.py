"""The lines that every file of orange's begins with, read and typed at one stroke: they are most of a large board.

It knows them in the order of the format and as they are mostly written, with those that often follow at once; anything
else is no answer. What it accepts, `fastyaml` and `schema` read the same.

Next in the flow: `fastyaml` reads the lines behind them, `document` puts both together.
"""

from __future__ import annotations

import re
from typing import Any

from orange.core.entries import NULLS
from orange.core.fastyaml import PLAIN
from orange.core.lifecycle import Status
from orange.core.model import Priority
from orange.core.names import ID_PATTERN, SLUG_PATTERN
from orange.core.times import USUAL_TIME

_STATUS = {status.value: status for status in Status}
_PRIORITY = {priority.value: priority for priority in Priority}
_SOME = rf"(?!(?:{'|'.join(NULLS)})\n)"
_HEAD = re.compile(
    rf"""---
id: ({ID_PATTERN})
title: {_SOME}({PLAIN})
name: {_SOME}({SLUG_PATTERN})
status: ({"|".join(_STATUS)})
type: {_SOME}([A-Za-z0-9_][A-Za-z0-9_-]{{0,63}})
priority: ({"|".join(_PRIORITY)})
blocked_by: \[((?:{ID_PATTERN}(?:, {ID_PATTERN})*)?)\]
parent: (?:null|({ID_PATTERN}))(?=\n)(?:
assignee: {_SOME}({PLAIN})(?=\n))?(?:
created_at: ({USUAL_TIME})(?=\n))?(?:
updated_at: ({USUAL_TIME})(?=\n))?"""
)


def read(text: str) -> tuple[dict[str, Any], int] | None:
    """Read a file's first lines: the values they set and where the last of them ends, or None when unsure."""
    found = _HEAD.match(text)
    if found is None:
        return None
    task_id, title, name, status, kind, priority, blocked_by, parent, assignee, created_at, updated_at = found.groups()
    values = {
        "id": task_id,
        "title": title,
        "name": name,
        "status": _STATUS[status],
        "type": kind,
        "priority": _PRIORITY[priority],
        "blocked_by": tuple(blocked_by.split(", ")) if blocked_by else (),
        "parent": parent,
    }
    if assignee:
        values["assignee"] = assignee
    if created_at:
        values["created_at"] = created_at
    if updated_at:
        values["updated_at"] = updated_at
    return values, found.end()
