"""Cards: tasks as a board shows them, and the text of a whole board, put together of parts that seldom change. Pure.

A board has ten thousand tasks, and one of them has changed: what is in a task's file is written once for each content
of it; what is derived is written anew each time. Next in the flow: `orange.web.boards` keeps the parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from orange.core.lifecycle import BoardState
from orange.core.model import Task
from orange.core.present import plain
from orange.core.service.views import COUNT, TASK, TEXT, many, maybe, named, record

#: What of a task's file is on its card.
KEYS = (
    "id", "title", "name", "status", "type", "priority", "labels", "parent", "blocked_by", "children", "agent",
    "assignee", "attempts", "created_at", "updated_at",
)  # fmt: skip
#: Made once: `json.dumps` would make one for each card.
_json = json.JSONEncoder(separators=(",", ":")).encode
_SCHEMA: Mapping[str, Any] = TASK["properties"]

CARD = record(
    {key: _SCHEMA.get(key, maybe(TEXT)) for key in KEYS}
    | {key: _SCHEMA[key] for key in ("ready", "state", "progress")}
    | {"waiting": many(named("Waiting"))},
    more=False,
    about="A task as a board shows it.",
)
BOARD = record(
    {"columns": record({state.value: many(named("Card")) for state in BoardState}, more=False), "total": COUNT},
    more=False,
)


def fixed(task: Task) -> str:
    """Write what is in a task's file: the beginning of its card."""
    return _json({key: plain(getattr(task, key)) for key in KEYS})[:-1]


def card(begun: str, derived: Mapping[str, object]) -> str:
    """Write a whole card."""
    return f"{begun},{_json(derived)[1:]}"


def board(columns: Mapping[str, Iterable[str]], total: int) -> str:
    """Write a whole board of cards."""
    parts = ",".join(f'"{state}":[{",".join(cards)}]' for state, cards in columns.items())
    return f'{{"columns":{{{parts}}},"total":{total}}}'
