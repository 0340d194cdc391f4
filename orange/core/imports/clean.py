"""Foreign texts made fit for a task file: what no line, body or frontmatter may hold becomes visible instead.

Next in the flow: the readers make the parts of their items with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from orange.core.entries import ODD
from orange.core.present import escape

#: Characters of a title; what is longer goes into the body whole.
TITLE = 200
#: Bytes of one item's fields without a place, as JSON, and their levels: beyond, they are kept in the body.
_KEPT_BYTES = 16_000
_KEPT_LEVELS = 8
_ODD = re.compile(f"[{ODD}\r]")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def line(text: str) -> str:
    """Make one line of a text."""
    return _ODD.sub(escape, " ".join(text.split()))


def text(value: str) -> str:
    """Make a text that a body may hold."""
    return _NO_TEXT.sub(escape, value)


def title_and_rest(value: str) -> tuple[str, str]:
    """Make a title, and the whole text again where the title could not hold it."""
    whole = line(value)
    if len(whole) <= TITLE:
        return whole, ""
    return f"{whole[: TITLE - 3].rstrip()}...", text(value).strip()


def sections(*parts: tuple[str, str]) -> str:
    """Make a body of headings with their texts; what has no text gets no heading."""
    found = [
        (f"## {heading}\n\n" if heading else "") + text(part).strip("\n") for heading, part in parts if part.strip()
    ]
    return "".join(f"{part}\n\n" for part in found)[:-1]


def fence(value: object) -> str:
    """Show a JSON value as a block of code."""
    return f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```"


def kept(tool: str, fields: Mapping[str, object]) -> tuple[dict[str, object], str]:
    """Make the key that keeps fields without a place; and a section of the body for what is too much for a key."""
    if not fields:
        return {}, ""
    if _levels(fields) <= _KEPT_LEVELS and len(json.dumps(fields)) <= _KEPT_BYTES:
        return {f"x-{tool}": plain(fields)}, ""
    small = {name: value for name, value in fields.items() if _levels(value) < 2 and len(json.dumps(value)) <= 500}
    small = small if len(json.dumps(small)) <= _KEPT_BYTES else {}
    rest = {name: value for name, value in fields.items() if name not in small}
    return ({f"x-{tool}": plain(small)} if small else {}), sections((f"Kept from {tool}", fence(rest)))


def plain(value: Any) -> Any:
    """Make a JSON value that frontmatter may hold."""
    if isinstance(value, str):
        return _ODD.sub(escape, value.replace("\r\n", "\n"))
    if isinstance(value, Mapping):
        return {_ODD.sub(escape, str(name)) or "(empty)": plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def lines(values: Iterable[str]) -> tuple[str, ...]:
    """Make a list of lines, each once, without blanks."""
    return tuple(dict.fromkeys(found for found in map(line, values) if found))


def _levels(value: object) -> int:
    found, level = 0, [value]
    while level:
        found += 1
        level = [
            part
            for held in level
            if isinstance(held, (list, dict))
            for part in (held.values() if isinstance(held, dict) else held)
        ]
    return found
