"""A session out of its lines, and what is new on a board."""

from __future__ import annotations

from typing import Any

import pytest

from orange.core.allowance import Bill, Terms
from orange.core.effective import agreed
from orange.core.graph import Graph
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Board, Task
from orange.core.sessions import FAILED, Line, first_look, fold, news, status, view
from orange.core.settings import Limits, Settings
from orange.core.times import stamp
from orange.testing.worlds import NOW, a_stuck, a_task

BEGAN: Line = {"kind": "began", "id": "abcd2345", "at": NOW, "process": [7, 70, "boot"], "options": {"agent": "codex"}}


def _line(kind: str, what: str, project: str = "/p") -> Line:
    return {"kind": kind, kind: what, "project": project}


def test_a_session_is_what_its_lines_say() -> None:
    """What failed and was finished later is done; each is told once; a torn line says nothing."""
    lines: list[Line] = [
        BEGAN,
        _line("run", "a-1"),
        _line("failed", "a"),
        {},
        _line("run", "a-2"),
        _line("done", "a"),
        _line("failed", "b", "/q"),
        _line("failed", "b", "/q"),
        {"kind": "ended", "at": NOW + 60, "reason": "told to"},
    ]
    found = fold(lines)
    assert found is not None
    told = view(found, "completed", Bill(1.0, 2, 3.0))
    assert (told["done"], told["failed"], told["runs"]) == (["a"], ["b"], ["a-1", "a-2"])
    assert (told["agent"], told["projects"], told["reason"]) == ("codex", ["/p", "/q"], "told to")
    assert (told["started_at"], told["ended_at"]) == (stamp(NOW), stamp(NOW + 60))


@pytest.mark.parametrize(
    "lines", [[], [{}], [{**BEGAN, "at": "soon"}], [{**BEGAN, "process": [1]}], [{**BEGAN, "at": 1e300}], [{"id": 3}]]
)
def test_a_session_without_a_beginning_is_none(lines: list[Line]) -> None:
    """A file that was torn in its first line hides no other."""
    assert fold(lines) is None


def test_a_session_is_over_when_it_said_so_or_its_process_is_gone() -> None:
    """One that ended without a word has failed."""
    live, over = fold([BEGAN]), fold([BEGAN, {"kind": "ended", "at": NOW, "reason": "x"}])
    assert live is not None
    assert over is not None
    assert status(over, alive=False, paused=True) == "completed"
    assert status(live, alive=False, paused=True) == "failed"
    assert status(live, alive=True, paused=True) == "paused"
    assert status(live, alive=True, paused=False) == "active"


def _graph(*tasks: Task) -> Graph:
    return Graph(Board({task.id: task for task in tasks}))


def _done(task_id: str, seconds: float, state: Status = Status.DONE) -> Task:
    return a_task(task_id, state, updated_at=stamp(NOW + seconds))


def test_only_what_is_over_since_the_first_look_is_news() -> None:
    """Told once; in the same second as the one before too; cancelled tasks are neither done nor failed."""
    seen = first_look(_graph(_done("a", 0), a_stuck("s", StuckReason.FAILED)))
    later = _graph(
        _done("a", 5), _done("b", 5), _done("c", 5, Status.CANCELLED), a_stuck("s", StuckReason.FAILED),
        a_stuck("t", StuckReason.BUDGET), a_stuck("q", StuckReason.QUESTION),
    )  # fmt: skip
    assert sorted(news(later, seen)) == [("done", "b"), ("failed", "t")]
    assert list(news(later, seen)) == []
    more = _graph(_done("b", 5), _done("d", 5))
    assert list(news(more, seen)) == [("done", "d")]


def test_what_is_begun_again_is_news_again() -> None:
    """A task that failed, was retried and is done; one that was done before, and reopened."""
    seen = first_look(_graph(_done("a", 0)))
    assert list(news(_graph(_done("a", 0), a_stuck("b", StuckReason.FAILED)), seen)) == [("failed", "b")]
    seen.begun("a")
    seen.begun("b")
    assert sorted(news(_graph(_done("a", 9), _done("b", 9)), seen)) == [("done", "a"), ("done", "b")]


@pytest.mark.parametrize("reason", StuckReason)
def test_waiting_for_a_word_is_no_failure(reason: StuckReason) -> None:
    """A question, an approval and a person's own hand are none."""
    assert (reason in FAILED) is (reason not in {StuckReason.QUESTION, StuckReason.APPROVAL, StuckReason.MANUAL})


@pytest.mark.parametrize(
    ("terms", "most", "required"),
    [
        ({}, 3, False),
        ({"max_parallel": 2}, 2, False),
        ({"max_parallel": 9}, 3, False),
        ({"require_checks": True}, 3, True),
    ],
)
def test_a_daemon_may_be_told_to_be_stricter_than_the_settings(
    terms: dict[str, Any], most: int, required: bool
) -> None:
    """Never to be laxer."""
    found = agreed(Settings(limits=Limits(max_agents=3)), Terms(**terms))
    assert (found.limits.max_agents, found.checks_required) == (most, required)
    assert agreed(Settings(checks_required=True), Terms(max_parallel=1)).checks_required
