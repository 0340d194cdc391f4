"""JSON as other programs write it, read strictly: nothing of it is lost, and no text of it can exhaust the reader.

Next in the flow: the readers of formats that are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orange.core.imports.item import ImportRefused

#: Lists and maps within one another.
_DEEPEST = 64


def load(text: str, where: str, line: int = 1) -> Any:
    """Read one JSON value. Raises ImportRefused, naming line and column."""
    try:
        found = json.loads(text, parse_constant=_no_number, parse_float=_number, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise ImportRefused(f"{where}, {place}", f"it is not JSON: {error.msg}") from None
    except RecursionError:
        raise ImportRefused(f"{where}, line {line}", "its lists and maps are nested too deeply") from None
    except ValueError as error:
        raise ImportRefused(f"{where}, line {line}", f"it is not JSON that can be kept: {error}") from None
    if _is_deep(found):
        raise ImportRefused(f"{where}, line {line}", f"more than {_DEEPEST} lists and maps lie within one another")
    return found


def lines(text: str, where: str) -> Iterator[tuple[int, Any]]:
    """Read JSON values, one a line, with the numbers of their lines. Raises ImportRefused."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, load(line, where, number)


def is_lines(text: str) -> bool:
    """Whether a text holds several JSON objects, one a line."""
    found = [line.strip() for line in text.split("\n") if line.strip()]
    return len(found) > 1 and all(line[0] == "{" and line[-1] == "}" for line in found)


def records(text: str, where: str, name: str) -> list[tuple[str, Any]]:
    """Read a list of records: a JSON list, or one a line; each with the words for its place. Raises ImportRefused."""
    if is_lines(text):
        return [(f"{where}, line {number}", value) for number, value in lines(text, where)]
    found = load(text, where)
    if isinstance(found, dict) and isinstance(found.get(name), list):
        found = found[name]
    listed = found if isinstance(found, list) else [found]
    return [(f"{where}, {name} {number}", value) for number, value in enumerate(listed, 1)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} appears twice in one object; keep one of the two")
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _number(text: str) -> float | str:
    """Read a number with a fraction; one that no computer's number holds stays a text."""
    found = float(text)
    return text if found in {float("inf"), float("-inf")} else found


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            part
            for held in level
            if isinstance(held, (list, dict))
            for part in (held.values() if isinstance(held, dict) else held)
        ]
        if not level:
            return False
    return any(isinstance(held, (list, dict)) for held in level)
