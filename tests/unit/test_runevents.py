"""Stages and steps of a run as events: which ones, in which order, each once."""

from __future__ import annotations

from orange.core.runevents import events, noted
from orange.core.steps import APPROVAL, COMMIT, REVIEW, Result, Step, progress
from orange.core.storeports import Event

LINES = [
    {"at": "t1", "stage": "prepare", "step": None, "status": "started", "message": None},
    {"at": "t2", "stage": "prepare", "step": "before_run", "status": "started", "message": None},
    {"at": "t3", "stage": "prepare", "step": None, "status": "failed", "message": "no disk"},
    {"at": "t4", "stage": "execute", "step": None, "status": "started", "message": None},
    {"at": "t5", "stage": "execute", "step": "build", "status": "started", "message": None},
    {"at": "t6", "stage": "execute", "step": "build", "status": "finished", "message": None, "outcome": "skipped"},
    {},
    {"at": "t8", "stage": "execute", "step": None, "status": "finished", "message": None},
]


def test_stages_and_the_pipelines_steps_become_events() -> None:
    """Hooks and what makes no sense are passed over; how `execute` ended is told with the run's result."""
    found = [(event.at, event.type, dict(event.data)) for event in events("r-1", LINES, {"build"}, 0)]
    assert found == [
        ("t1", "task.prepare", {"run": "r-1", "line": 1, "status": "started"}),
        ("t3", "task.prepare", {"run": "r-1", "line": 3, "status": "failed", "message": "no disk"}),
        ("t4", "task.execute", {"run": "r-1", "line": 4, "status": "started"}),
        ("t5", "task.step_started", {"run": "r-1", "line": 5, "step": "build"}),
        ("t6", "task.step_completed", {"run": "r-1", "line": 6, "step": "build", "outcome": "skipped"}),
    ]


def test_each_is_told_once() -> None:
    """What the trail has of this run is not told again, whatever else is in it."""
    trail = [*events("r-1", LINES, {"build"}, 0)][:3]
    there = noted([*trail, Event("t", "task.updated", "daemon", {"run": "r-1"}), *events("r-2", LINES, (), 0)], "r-1")
    assert there == 4
    assert [event.data["line"] for event in events("r-1", LINES, {"build"}, there)] == [5, 6]
    assert noted([], "r-1") == 0


def test_progress_says_how_far_each_step_is() -> None:
    """Done, running, waiting for a person, failed, still to come."""
    steps = (Step("plan"), Step("go", APPROVAL), Step("build"), Step("review", REVIEW), Step("commit", COMMIT))
    done = [Result("plan", "done"), Result("go", "approved")]

    def states(results: list[Result], now: str | None = None) -> str:
        return " ".join(str(line["state"]) for line in progress(steps, results, now))

    assert states([]) == "pending pending pending pending pending"
    assert states([], "plan") == "running pending pending pending pending"
    assert states(done[:1]) == "done waiting pending pending pending"
    assert states(done, "build") == "done approved running pending pending"
    assert states([*done, Result("build", "failed")]) == "done approved failed pending pending"
    assert states([*done, Result("build", "failed")], "build") == "done approved running pending pending"
