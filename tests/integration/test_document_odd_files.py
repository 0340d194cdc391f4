"""Editing files as people write them: one key changes, every other byte stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from orange.core import document
from orange.core.document import Document
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Claim, Priority, Stuck, Task
from tests.data.odd_files import TITLES, OddFile, odd_file

NOON = "2026-11-20T12:00:00Z"
CLAIM = Claim("k3f9x2ab-4", 4, "n0nce", "host", NOON)
STUCK = Stuck(StuckReason.FAILED, "it said: 'no'\nand \"stopped\"", None, NOON)


def _change(task: Task, random: Random) -> tuple[str, object]:
    """Choose a change that changes something."""
    options: dict[str, object] = {
        "title": random.choice(TITLES) + "!",
        "status": Status.STUCK,
        "priority": Priority.MEDIUM,
        "labels": random.choice([(*task.labels, "new: one"), task.labels[1:], task.labels[:-1], ("other",)]),
        "blocked_by": random.choice([(*task.blocked_by, "a2345678"), task.blocked_by[1:], ()]),
        "acceptance_criteria": random.choice([("works: yes",), (*task.acceptance_criteria, "x")]),
        "acceptance": random.choice([None, "make check", "two\nlines"]),
        "claim": random.choice([CLAIM, None]),
        "stuck": random.choice([STUCK, None]),
        "approved": Approval("abc123", "ada", NOON),
        "attempts": random.choice([0, 7]),
        "ref": random.choice([None, "T-002", "007"]),
        "updated_at": NOON,
        "workspace": "/tmp/a b",
        "estimate": random.choice([None, "3d"]),
        "budget": {"usd": 2.5, "tokens": 1000},
    }
    keys = sorted(key for key, value in options.items() if value != getattr(task, key))
    key = random.choice(keys)
    return key, options[key]


def _parsed(data: bytes) -> Document:
    found = document.parse(data, "tasks/x/TASK.md")
    assert isinstance(found, Document), found
    return found


def _check(odd: OddFile, random: Random) -> None:
    before = _parsed(odd.data)
    for key, value in odd.values.items():
        assert str(getattr(before.task, key)) == str(value), key
    key, value = _change(before.task, random)
    edited = document.edit(odd.data, {key: value})
    after = _parsed(edited)
    assert after.task == replace(before.task, **{key: value})  # type: ignore[arg-type] # one key of many types
    assert after.body == before.body
    head, tail = odd.around(key)
    assert edited.startswith(head)
    assert edited.endswith(tail)
    changed = edited[len(head) : len(edited) - len(tail)]
    assert odd.notes.get(key, "").strip().encode() in changed
    assert changed.count(b"\n") == (changed.count(b"\r\n") if odd.eol == "\r\n" else changed.count(b"\n"))
    assert b"\r" not in changed or odd.eol == "\r\n"


def test_a_change_of_one_key_leaves_every_other_byte(times: Callable[[int], int]) -> None:
    """In 500 odd files one key changes; all bytes outside its lines, and its trailing comment, are the same."""
    for seed in range(times(500)):
        random = Random(seed)
        odd = odd_file(random)
        try:
            _check(odd, random)
        except Exception as error:
            error.add_note(f"seed {seed}:\n{odd.data.decode()}")
            raise
