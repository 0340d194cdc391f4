"""Runs that vanish, and files put back to an older state: both are counted, and no run's name is used twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.acceptance.place import Place


def record(place: Place, run: str, name: str) -> Path:
    """Return the path of a file of a run's record."""
    return place.repo / ".git" / "orange" / "runs" / run / name


def result(place: Place, run: str) -> dict[str, Any]:
    """Return how a run ended, once that is written."""
    path = record(place, run, "result.json")
    place.until(path.exists, f"{run} to have an end")
    return dict(json.loads(path.read_text()))


def test_a_task_put_back_by_hand_never_uses_a_runs_name_again(place: Place) -> None:
    """Task and history are rewound to before the first run: the next claim's number lies beyond every run's."""
    ledger = place.home / "ledger"
    task = place.create("again", f"ledger {ledger}\nwrite again.txt x\ncommit Again")
    path = place.repo / ".orange" / place.task(task)["path"]
    before, tip = path.read_bytes(), place.git("rev-parse", "orange-tasks")
    daemon = place.start()
    place.settled({"again": "done"})
    daemon.terminate()
    daemon.wait()
    path.write_bytes(before)
    place.git("update-ref", "refs/heads/orange-tasks", tip)
    assert (place.task(task)["status"], place.task(task)["claim"]) == ("pending", None)
    run = place.orange("task", "run", task, "--json").json["task"]["claim"]["run"]
    assert run == f"{task}-2"
    assert result(place, run)["outcome"] == "finished"
    assert [line.split()[1] for line in ledger.read_text().splitlines()] == [f"{task}-1", f"{task}-2"]
