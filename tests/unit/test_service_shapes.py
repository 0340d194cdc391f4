"""Shapes: what is read, what is refused and where, and that the description says the same."""

from __future__ import annotations

from typing import Any

import pytest

from orange.core.lifecycle import Status
from orange.core.model import Priority
from orange.core.problems import InvalidInput
from orange.core.service.shapes import (
    Anything,
    Items,
    Nullable,
    Record,
    Shape,
    Text,
    Truth,
    Whole,
    choice_of,
    named,
)

_INNER = Record({"file": Text(least=1), "line": Whole(1, 9)}, ("file",))
_OUTER = Record(
    {"title": Text(least=1, longest=5), "at": _INNER, "tags": Items(Text(), most=2), "one": Items(Text(), single=True)},
    ("title",),
    {"name": "title"},
)


@pytest.mark.parametrize(
    ("shape", "value", "read"),
    [
        (Text(), "", ""),
        (Text(), "é\n😀", "é\n😀"),
        (Whole(0, 5), 5, 5),
        (Whole(0, 5), "5", 5),
        (Truth(), True, True),
        (Truth(), "false", False),
        (choice_of(Priority, P0="critical"), "P0", Priority.CRITICAL),
        (choice_of(Status), "done", Status.DONE),
        (Nullable(Text()), None, None),
        (Nullable(Text()), "a", "a"),
        (Anything(), {"a": 1}, {"a": 1}),
        (Items(Whole(0, 5)), [1, 2], (1, 2)),
        (_OUTER, {"name": "a", "one": "b"}, {"title": "a", "one": ("b",)}),
        (_OUTER, {"title": "a", "at": {"file": "f"}}, {"title": "a", "at": {"file": "f"}}),
    ],
)
def test_what_fits_is_read(shape: Shape, value: object, read: object) -> None:
    """Values become what the program uses."""
    assert shape.read(value, "x") == read


@pytest.mark.parametrize(
    ("shape", "value", "field"),
    [
        (Text(), 5, "x"),
        (Text(least=1), "", "x"),
        (Text(longest=2), "abc", "x"),
        (Text(), "a\0b", "x"),
        (Text(), "\ud800", "x"),
        (Whole(0, 5), 6, "x"),
        (Whole(0, 5), -1, "x"),
        (Whole(0, 5), True, "x"),
        (Whole(0, 5), 1.0, "x"),
        (Whole(0, 5), "٣", "x"),
        (Whole(0, 5), "9" * 100, "x"),
        (Truth(), 1, "x"),
        (Truth(), "yes", "x"),
        (choice_of(Status), "Done", "x"),
        (choice_of(Status), ["done"], "x"),
        (Anything(), [], "x"),
        (Items(Text()), "a", "x"),
        (Items(Text(), most=1), ["a", "b"], "x"),
        (Items(Text()), ["a", 1], "x[1]"),
        (_OUTER, {}, "title"),
        (_OUTER, {"title": "a", "at": {}}, "at.file"),
        (_OUTER, {"title": "a", "at": {"file": "f", "line": 0}}, "at.line"),
        (_OUTER, {"title": "a", "more": 1}, "more"),
        (_OUTER, {"title": "a", "name": "b"}, "name"),
        (_OUTER, None, "body"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(shape: Shape, value: object, field: str) -> None:
    """The refusal names where it is."""
    with pytest.raises(InvalidInput) as refused:
        shape.read(value, "" if isinstance(shape, Record) else "x")
    assert refused.value.field == field


def test_the_description_says_what_is_checked() -> None:
    """Every limit that refuses is in the schema, and so is every other name of a key."""
    schema: dict[str, Any] = _OUTER.schema()
    assert schema["required"] == ["title"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {"title", "at", "tags", "one", "name"}
    assert (schema["properties"]["title"]["minLength"], schema["properties"]["title"]["maxLength"]) == (1, 5)
    assert schema["properties"]["tags"]["maxItems"] == 2
    assert schema["properties"]["at"]["properties"]["line"] == {"type": "integer", "minimum": 1, "maximum": 9}


def test_long_values_are_named_shortly() -> None:
    """A refusal never repeats a whole text."""
    assert len(named("a" * 1000)) < 100
