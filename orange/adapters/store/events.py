"""A task's audit trail: one JSON line an event, appended to `events.jsonl` beside its TASK.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orange.core.redact import SHAPES, Secrets
from orange.core.storeports import Event

#: The trail's file in a task's folder.
EVENTS = "events.jsonl"


def line_of(event: Event, secrets: Secrets = SHAPES) -> bytes:
    """Write an event's line, without secrets."""
    parts = {"at": event.at, "type": event.type, "by": event.by, "data": secrets.mask_value(dict(event.data))}
    return json.dumps(parts, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"


def read(data: bytes) -> Iterator[Event]:
    """Read a trail; lines that cannot be read are skipped."""
    for line in data.decode("utf-8", "replace").split("\n"):
        event = _event(line)
        if event is not None:
            yield event


def _event(line: str) -> Event | None:
    try:
        parts: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, dict) or not all(isinstance(parts.get(key), str) for key in ("at", "type", "by")):
        return None
    data = parts.get("data")
    return Event(parts["at"], parts["type"], parts["by"], data if isinstance(data, dict) else {})
