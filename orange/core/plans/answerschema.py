"""What an agent answers that decomposes a document, described as JSON Schema, with its limits. Pure.

Strict: what it does not name is refused, and each thing has a bound, so that an answer can only be a plan.

Next in the flow: `prompts` gives it to the agent, `answers` holds the answer against it, the docs publish it.
"""

from __future__ import annotations

from collections.abc import Mapping

from orange.core import names
from orange.core.model import Priority
from orange.core.steps import SHAPES

#: Tasks in one answer, and characters of a title.
MOST_TASKS, LONGEST_TITLE = 500, 200
#: From here on a task is taken to be more than one, on the scale from 1 to 10.
COMPLEX = 6


def schema() -> dict[str, object]:
    """Describe an answer."""
    known = {
        "title": _or_null(_text(LONGEST_TITLE, "What the document is about.")),
        "tasks": _list(_object(_task(), ["key", "title"]), MOST_TASKS),
        "warnings": _or_null(_list(_object(_warning(), ["message"]), 50)),
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A plan, as an agent answers it"}
    return {**head, **_object(known, ["tasks"])}


def _task() -> dict[str, object]:
    hard = f"How hard it is, 10 is hardest. From {COMPLEX} on it is more than one task."
    return {
        "key": {**_KEY, "description": "Unique, short, and the same for the same thing in a later version."},
        "title": _text(LONGEST_TITLE, "One line that says what is to be done.", least=1),
        "parent": _or_null({**_KEY, "description": "The task that this one is a part of."}),
        "ref": _or_null(_text(60, "The document's own id of it, such as REQ-12.")),
        "type": _or_null({"enum": list(SHAPES)}),
        "priority": _or_null({"enum": [level.value for level in Priority]}),
        "estimate": _or_null({**_text(8, "A size or a duration."), "pattern": "^(XS|S|M|L|XL|[1-9][0-9]{0,5}[smhd])$"}),
        "complexity": _or_null({"type": "integer", "minimum": 1, "maximum": 10, "description": hard}),
        "category": _or_null(_text(100, "The part of the document it belongs to.")),
        "labels": _or_null(_list(_text(50, least=1), 20)),
        "blocked_by": _or_null(_list(_object(_edge(), ["key"]), 100)),
        "acceptance_criteria": _or_null(_list(_text(1000, least=1), 50)),
        "description": _or_null(_text(10_000, "What the document says about it, for whoever does it.")),
        "lines": _or_null(_lines()),
        "done": _or_null({"type": "boolean", "description": "Whether the document says that it is done already."}),
    }


def _edge() -> dict[str, object]:
    sure = {"type": "number", "minimum": 0, "maximum": 1, "description": "How sure it is that the document means it."}
    return {
        "key": {**_KEY, "description": "The task that must be done before."},
        "reason": _or_null(_text(500, "The sentence of the document that says so.")),
        "confidence": _or_null(sure),
    }


def _warning() -> dict[str, object]:
    return {
        "message": _text(500, "What a person should look at: vague, contradictory, missing.", least=1),
        "key": _or_null({**_KEY, "description": "The task it is about."}),
        "line": _or_null(_LINE),
    }


_KEY = {"type": "string", "pattern": f"^{names.SLUG_PATTERN}$", "minLength": 1, "maxLength": 48}
_LINE = {"type": "integer", "minimum": 1, "maximum": 10_000_000}


def _lines() -> dict[str, object]:
    about = "The first and the last line of the document that it comes from."
    return {"type": "array", "items": _LINE, "minItems": 2, "maxItems": 2, "description": about}


def _text(most: int, about: str = "", *, least: int = 0) -> dict[str, object]:
    told = {"description": about} if about else {}
    return {"type": "string", **({"minLength": least} if least else {}), "maxLength": most, **told}


def _list(items: Mapping[str, object], most: int) -> dict[str, object]:
    return {"type": "array", "items": dict(items), "maxItems": most}


def _object(known: Mapping[str, object], required: list[str]) -> dict[str, object]:
    return {"type": "object", "properties": dict(known), "required": required, "additionalProperties": False}


def _or_null(described: Mapping[str, object]) -> dict[str, object]:
    return {"anyOf": [dict(described), {"type": "null"}]}
