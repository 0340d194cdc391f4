"""A check of values against the part of JSON Schema that our published schemas use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
_KNOWN = {"$schema", "title", "description"}


def faults(value: Any, schema: Mapping[str, Any], at: str = "$") -> list[str]:
    """List where a value is not as its schema says. Raises KeyError for a word of the schema that is not known here."""
    found = []
    for word, wanted in schema.items():
        if word not in _KNOWN | {"required", "additionalProperties", "items"} and not _CHECKS[word](value, wanted):
            found.append(f"{at}: {word} {wanted}")
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        found += [f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{at}: {name} is unknown" for name in value if name not in known]
        told = {name: item for name, item in value.items() if name in known}
        found += [fault for name, item in told.items() for fault in faults(item, known[name], f"{at}.{name}")]
    if isinstance(value, list) and "items" in schema:
        found += [fault for n, item in enumerate(value) for fault in faults(item, schema["items"], f"{at}[{n}]")]
    return found


def _is_of(value: Any, wanted: str) -> bool:
    if wanted == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted == "boolean":
        return isinstance(value, bool)
    return isinstance(value, _TYPES[wanted]) and not isinstance(value, bool)


_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "type": _is_of,
    "anyOf": lambda value, wanted: any(not faults(value, schema) for schema in wanted),
    "enum": lambda value, wanted: value in wanted,
    "const": lambda value, wanted: value == wanted,
    "pattern": lambda value, wanted: isinstance(value, str) and re.search(wanted, value) is not None,
    "minimum": lambda value, wanted: not isinstance(value, (int, float)) or value >= wanted,
    "maximum": lambda value, wanted: not isinstance(value, (int, float)) or value <= wanted,
    "maxLength": lambda value, wanted: not isinstance(value, str) or len(value) <= wanted,
    "minItems": lambda value, wanted: not isinstance(value, list) or len(value) >= wanted,
    "minLength": lambda value, wanted: not isinstance(value, str) or len(value) >= wanted,
    "maxItems": lambda value, wanted: not isinstance(value, list) or len(value) <= wanted,
    "properties": lambda value, _wanted: isinstance(value, dict),
}
