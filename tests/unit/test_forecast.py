"""Which pairs of branches a forecast tries, and which branches it calls clear."""

from __future__ import annotations

import pytest

from orange.core.forecast import Changes, Collision, Forecast, pairs

EDIT, ADD, DROP = ("1", "2"), ("", "2"), ("1", "")


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ({"src/a": EDIT}, {"src/a": EDIT}, True),
        ({"src/a": EDIT}, {"src/b": EDIT}, False),
        ({"src/a": EDIT}, {"src/b": ADD}, False),
        ({"src": ADD}, {"src/b": ADD}, True),
        ({"src/a/b/c": ADD}, {"src/a": EDIT}, True),
        ({"src/a": DROP, "lib/a": ADD}, {"src/b": ADD}, True),
        ({"src/a": DROP, "lib/a": ADD}, {"src/deep/b": ADD}, True),
        ({"src/a": DROP, "lib/a": ADD}, {"src/b": EDIT}, False),
        ({"a": DROP}, {"b": ADD}, False),
        ({"a": EDIT}, None, True),
        ({}, {"a": EDIT}, False),
    ],
)
def test_pairs_that_can_meet_are_tried(one: Changes | None, other: Changes | None, meet: bool) -> None:
    """Two branches are tried when they share a path, a file and a folder, or a folder that was moved; else not."""
    assert list(pairs({"x": one, "y": other})) == ([("x", "y")] if meet else [])
    assert list(pairs({"y": other, "x": one})) == ([("y", "x")] if meet else [])


def test_each_pair_comes_once_in_the_order_of_the_branches() -> None:
    """Branches that share several paths are one pair, the earlier branch first."""
    changes = {"a": EDIT, "b": EDIT}
    assert list(pairs({"z": changes, "m": changes, "a": changes})) == [("z", "m"), ("z", "a"), ("m", "a")]


def test_a_branch_is_clear_only_when_everything_about_it_is_known() -> None:
    """A branch in a conflict, or in a merge that could not be tried, is not called clear."""
    tried = dict.fromkeys("abcde", "0" * 40)
    forecast = Forecast(tried, (Collision(("a",), "main", ("x",)), Collision(("b", "c"), "main", ("y",))), (("d",),))
    assert forecast.clear == ("e",)
