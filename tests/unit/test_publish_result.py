"""The artifact that says what came of publishing: as its published schema says, and nothing else passes."""

from __future__ import annotations

from typing import Any

import pytest

from orange.core.publish_result import Outcome, result, schema
from tests.data.schemas import faults

COMMIT = "0123456789" * 4


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_as_the_schema_says(outcome: Outcome) -> None:
    """With every detail there is, and with none."""
    details = {"branch": "b", "base": "main", "commit": COMMIT, "remote": "origin", "url": "u", "number": 7}
    for told in ({}, {**details, "files": ["a"]}):
        assert faults(result("t", "t-1", outcome, "2026-11-20T09:00:00Z", told), schema()) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("outcome", "maybe"), ("commit", "abc"), ("files", "a"), ("files", [1]), ("number", "7"), ("color", "red")],
)
def test_anything_else_is_a_fault(key: str, value: Any) -> None:
    """An unknown outcome or key, a short commit, a value of another type."""
    told = result("t", "t-1", Outcome.MERGED, "2026-11-20T09:00:00Z", {})
    assert len(faults(told | {key: value}, schema())) == 1
    assert faults({name: told[name] for name in told if name != "run"}, schema()) == ["$: run is missing"]
