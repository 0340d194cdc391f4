"""Holds JSON against a schema, and finds the JSON in what somebody says. Pure.

It knows the part of JSON Schema that orange publishes; each fault is one clause that names its place and what was
expected there. What is found is bounded: hostile data costs no more than a look.

Next in the flow: `plans.answers` reads an agent's answer with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Places where JSON seems to begin and does not, up to which it is looked for: each may cost a look at all the rest.
_TRIED = 2000
_BEGINS = re.compile(r'\{\s*"')
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "an object"),
    "array": ((list,), "a list"),
    "string": ((str,), "a text"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
    "null": ((type(None),), "null"),
}


class NoJson(ValueError):
    """A text without the JSON that was asked for; says why in one clause."""


def object_in(text: str, key: str) -> dict[str, Any]:
    """Return the last JSON object in a text that has this key: alone, in a fence, or among words. Raises NoJson."""
    decoder = json.JSONDecoder(parse_constant=_refused)
    found: dict[str, Any] | None = None
    fault: str | None = None
    at = failed = 0
    while failed < _TRIED and (begun := _BEGINS.search(text, at)):
        try:
            value, at = decoder.raw_decode(text, begun.start())
        except (ValueError, RecursionError) as error:
            fault, at, failed = fault or _told(error, text), begun.end(), failed + 1
        else:
            found = value if key in value else found
    if found is None:
        raise NoJson(fault or f'there is no JSON object with "{key}" in it')
    return found


def _refused(word: str) -> object:
    raise ValueError(f"{word} is no number")


def _told(error: Exception, text: str) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return f"it is no JSON: {error}"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return "its JSON is cut off before its end"
    return f"it is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"


def faults(value: object, schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield where a value is not as its schema says; below what has the wrong type or size nothing is looked at."""
    either = schema.get("anyOf")
    if either is not None:
        if value is not None:
            yield from faults(value, either[0], at)
        return
    wrong = _wrong(value, schema)
    if wrong:
        yield f"{at or 'the answer'}: expected {wrong}, found {shown(value)}"
    elif isinstance(value, dict):
        yield from _in_object(value, schema, at)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(item, schema["items"], f"{at}[{number}]")


def _in_object(value: Mapping[str, object], schema: Mapping[str, Any], at: str) -> Iterator[str]:
    known, inside = schema["properties"], f"{at}." if at else ""
    yield from (f"{inside}{name}: it is missing" for name in schema["required"] if name not in value)
    for name, item in value.items():
        if name in known:
            yield from faults(item, known[name], f"{inside}{name}")
        elif not schema["additionalProperties"]:
            yield f"{inside}{shown(name)}: there is no such key (there are {', '.join(known)})"


def _wrong(value: object, schema: Mapping[str, Any]) -> str | None:
    """Say what was expected in the place of a value; None where it fits, as far as it is no matter of its parts."""
    if "enum" in schema:
        return None if value in schema["enum"] else f"one of {', '.join(schema['enum'])}"
    types, name = _TYPES[schema["type"]]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        return name
    if isinstance(value, str):
        return _wrong_text(value, schema)
    if isinstance(value, list):
        return _wrong_size(len(value), schema.get("minItems", 0), schema["maxItems"])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _wrong_number(value, schema)
    return None


def _wrong_text(value: str, schema: Mapping[str, Any]) -> str | None:
    if not schema.get("minLength", 0) <= len(value) <= schema["maxLength"]:
        return f"a text of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        return f"a text that matches {schema['pattern']}"
    return None


def _wrong_size(count: int, least: int, most: int) -> str | None:
    return None if least <= count <= most else f"{least} to {most} of them"


def _wrong_number(value: float, schema: Mapping[str, Any]) -> str | None:
    fits = schema["minimum"] <= value <= schema["maximum"]
    return None if fits else f"a number from {schema['minimum']} to {schema['maximum']}"


def shown(value: object) -> str:
    """Show a value in a message, cut to a readable length."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    text = json.dumps(value if not isinstance(value, str) else value[:80], ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:57]}..."
