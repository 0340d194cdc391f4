"""What a person is told who looks at no terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orange.core.graph import Graph
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Board, RequestKind, Stuck, Task
from orange.core.notices import notices
from orange.core.settings import ReviewSettings, Settings
from orange.testing.worlds import a_request, a_task


def _stuck(reason: StuckReason) -> Task:
    return replace(a_task("stuck234", Status.STUCK), stuck=Stuck(reason, "why", None, "2026-11-20T09:00:00Z"))


def _told(*tasks: Task, by: str = "human") -> list[tuple[str, str, str]]:
    graph = Graph(Board({task.id: task for task in tasks}))
    found = notices(graph, Settings(review=ReviewSettings(by=by)))
    return [(notice.event, notice.task, notice.message) for notice in found]


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (_stuck(StuckReason.QUESTION), [("question", "stuck234", "why")]),
        (_stuck(StuckReason.APPROVAL), [("review", "stuck234", "why")]),
        (_stuck(StuckReason.FAILED), [("stuck", "stuck234", "why")]),
        (_stuck(StuckReason.BUDGET), [("stuck", "stuck234", "why")]),
        (replace(_stuck(StuckReason.QUESTION), request=a_request(RequestKind.ANSWER)), []),
        (a_task("review23", Status.REVIEWING), [("review", "review23", "it waits for a review")]),
        (a_task("working2", Status.WORKING), []),
        (a_task("pending2"), []),
        (a_task("dropped2", Status.CANCELLED), []),
    ],
)
def test_what_needs_a_person_is_told(task: Task, told: list[tuple[str, str, str]]) -> None:
    """A question, a gate, anything stuck, a review; not what somebody has answered already."""
    assert _told(task) == told


def test_a_review_by_agents_is_no_persons() -> None:
    """Nobody is called for it."""
    assert _told(a_task("review23", Status.REVIEWING), by="agent") == []


def test_the_end_of_all_work_is_told() -> None:
    """Once nothing is open, and something was done."""
    done = a_task("done2345", Status.DONE)
    assert _told(done, a_task("open2345")) == []
    assert _told(done, a_task("dropped2", Status.CANCELLED)) == [
        ("all_done", "", "nothing is left to do; tasks done: 1")
    ]


def test_the_same_occasion_is_the_same_notice() -> None:
    """An edit is no new occasion; being stuck again is."""
    first = _stuck(StuckReason.FAILED)
    later = replace(first, stuck=Stuck(StuckReason.FAILED, "why", None, "2026-11-20T10:00:00Z"))
    keys = [
        notices(Graph(Board({task.id: task})), Settings())[0].key for task in (first, replace(first, title="x"), later)
    ]
    assert keys[0] == keys[1] != keys[2]
