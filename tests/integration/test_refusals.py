"""What providers refused, shared by a user's projects in one file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters.refusals import FileRefusals
from orange.core.allowance import Refusal

HERE = Refusal("claude", 200.0, "k3f9x2ab-1", 90.0)


def test_each_project_sees_what_all_met(tmp_path: Path) -> None:
    """What is one's own names no project; the later word on an agent counts, and what is over is dropped."""
    path = str(tmp_path / "state" / "refusals.json")
    one, two = FileRefusals(path, "/one"), FileRefusals(path, "/two")
    assert one.known() == ()
    one.add([HERE], 100.0)
    assert one.known() == (HERE,)
    assert two.known() == (replace(HERE, project="/one"),)
    two.add([Refusal("codex", 400.0, "h7d2m4qe-2")], 150.0)
    two.add([replace(HERE, until=300.0)], 150.0)
    assert two.known() == (replace(HERE, until=300.0), Refusal("codex", 400.0, "h7d2m4qe-2"))
    one.add([], 350.0)
    assert one.known() == (Refusal("codex", 400.0, "h7d2m4qe-2", project="/two"),)


BROKEN = {"agent": "claude", "run": "r", "project": "", "met": None}


@pytest.mark.parametrize("found", [None, [], {}, {"refused": 1}, {"refused": [{}]}, {"refused": [BROKEN]},
                                   {"refused": [{**BROKEN, "until": "x"}]},
                                   {"refused": [{**BROKEN, "until": 1, "met": []}]}])  # fmt: skip
def test_a_file_that_makes_no_sense_holds_nothing_back(tmp_path: Path, found: object) -> None:
    """It is passed over, and the next word replaces it."""
    path = tmp_path / "refusals.json"
    path.write_text(json.dumps(found) if found is not None else "{")
    refusals = FileRefusals(str(path), "/one")
    assert refusals.known() == ()
    refusals.add([HERE], 100.0)
    assert refusals.known() == (HERE,)
