"""The text of a board: what is put together of parts is the same JSON as what is written whole."""

from __future__ import annotations

import json

from orange.core.model import Priority, Task
from orange.core.service import cards

TASK = Task("aaaaaaaa", 'Say "hi" \\ é\ud800', "hi", priority=Priority.HIGH, labels=("a", "b"))
DERIVED = {"ready": True, "state": "ready", "progress": {"done": 1, "total": 2}, "waiting": []}


def test_a_card_is_its_parts() -> None:
    """Texts of every kind stay what they are, and every key of the description is there, no other."""
    found = json.loads(cards.card(cards.fixed(TASK), DERIVED))
    assert set(found) == set(cards.CARD["properties"]) == set(cards.CARD["required"])
    assert (found["title"], found["priority"], found["labels"]) == (TASK.title, "high", ["a", "b"])
    assert found["progress"] == {"done": 1, "total": 2}


def test_a_board_is_its_cards() -> None:
    """Columns keep their order, empty ones are there."""
    text = cards.card(cards.fixed(TASK), DERIVED)
    found = json.loads(cards.board({"ready": [text, text], "done": []}, 2))
    assert [len(column) for column in found["columns"].values()] == [2, 0]
    assert found["total"] == 2
