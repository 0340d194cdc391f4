"""How finished work leaves its branch, seen from the command line."""

from __future__ import annotations

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def test_a_forecast_names_a_conflict_before_it_happens(place: Place) -> None:
    """Two finished tasks that change one file are named with it; after one is merged, the other conflicts with main."""
    configure(place, "agent: script\n")
    one = place.create("one", "write shared.txt one\ncommit One")
    two = place.create("two", "write shared.txt two\ncommit Two")
    place.create("three", "write three.txt three\ncommit Three")
    place.start()
    place.settled({"one": "reviewing", "two": "reviewing", "three": "reviewing"})
    found = place.orange("forecast", "--json").json
    assert found["conflicts"] == [{"tasks": [one, two], "base": "main", "files": ["shared.txt"]}]
    assert {branch["name"]: branch["clear"] for branch in found["branches"]} == {
        "one": False,
        "two": False,
        "three": True,
    }
    said = place.orange("forecast").out
    assert f"one ({one}) and two ({two}) conflict in shared.txt" in said
    assert "no conflict: three" in said
    place.orange("task", "approve", "one")
    place.settled({"one": "done"})
    found = place.orange("forecast", "--json").json
    assert found["conflicts"] == [{"tasks": [two], "base": "main", "files": ["shared.txt"]}]
