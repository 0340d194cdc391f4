"""Reads a file of jobs: JSON as it comes from a queue, an editor or a program. Pure.

Next in the flow: `jobs` reads each of them.
"""

from __future__ import annotations

from typing import Any

from orange.core.jobs import CANONICAL, JobRefused, Payload, shown


def envelopes(text: str) -> list[Payload]:
    """Read a file of jobs: one, a list of them, `{"jobs": [...]}`, or one a line. Raises JobRefused.

    A payload without an envelope is a canonical job's.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    whole = _json(text, 1) if not _one_a_line(lines) else [_json(line, number) for number, line in lines]
    found = whole.get("jobs", whole) if isinstance(whole, dict) else whole
    items = found if isinstance(found, list) else [found]
    if not items:
        raise JobRefused("jobs", "there is none")
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise JobRefused(f"job {number}", f"expected an object, found {shown(item)}")
    return [item if "payload" in item else {"type": CANONICAL, "payload": item} for item in items]


def _one_a_line(lines: list[tuple[int, str]]) -> bool:
    return len(lines) > 1 and all(line.strip()[0] == "{" and line.strip()[-1] == "}" for _, line in lines)


def _json(text: str, line: int) -> Any:
    import json

    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        where = f"line {line + error.lineno - 1}, column {error.colno}"
        raise JobRefused(where, f"it is not JSON: {error.msg}") from None
    except (RecursionError, ValueError):
        raise JobRefused(f"line {line}", "it is not JSON: a number is none, or it is nested too deeply") from None


def _no_number(word: str) -> None:
    raise ValueError(word)
