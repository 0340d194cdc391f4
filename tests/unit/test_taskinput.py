"""What clients say of tasks becomes requests to the project."""

from __future__ import annotations

import pytest

from orange.core.problems import InvalidInput
from orange.project.requests import FREE, Edit
from orange.web.taskinput import CHANGES, UPDATE, edit


def test_what_is_not_said_is_left() -> None:
    """An empty change changes nothing, and sees nothing."""
    assert edit(CHANGES.read({}), None) == Edit()
    assert edit({}, "*") == Edit()


def test_null_clears_and_older_names_are_taken() -> None:
    """A parent that is null is none; an ETag is taken with or without its quotes."""
    said = CHANGES.read({"task_type": "bug", "parent_id": None, "agent": None, "labels": [], "sections": {"Plan": "a"}})
    assert edit(said, 'W/"abc"') == Edit(
        values={"type": "bug", "agent": None}, parent="", labels=(), sections={"Plan": "a"}, seen="abc"
    )


def test_every_free_key_is_described() -> None:
    """Each may be said alone; its status may not."""
    assert set(FREE) <= set(CHANGES.keys)
    assert set(CHANGES.keys) | {"task", "if_match"} == set(UPDATE.keys)
    wrong: tuple[dict[str, object], ...] = (
        {"status": "done"},
        {"sections": {"": "a"}},
        {"sections": []},
        {"type": None},
    )
    for refused in wrong:
        with pytest.raises(InvalidInput):
            CHANGES.read(refused)
