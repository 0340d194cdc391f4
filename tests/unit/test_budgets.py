"""Budgets: whose caps count for a task, what is stopped, what is not started."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core import budgets
from orange.core.actions import Advance, StartRun, StopRun
from orange.core.allowance import Bill
from orange.core.graph import Graph
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Task, World
from orange.core.reconcile import decide
from orange.core.settings import BudgetSettings, Settings
from orange.core.waiting import why
from orange.testing.worlds import HOST, NOW, a_run, a_task, a_working, a_world, settle_down

FAMILY = (
    a_task("p", Status.DELEGATED, children=("c", "d"), budget={"usd": 2.0}),
    a_task("c", parent="p"),
    a_task("d", Status.DONE, parent="p"),
)


def overrun(world: World, task_id: str) -> str | None:
    """Ask for one task."""
    graph = Graph(world.board)
    return budgets.overrun(world, graph, graph.tasks[task_id])


def priced(*tasks: Task, spent: dict[str, Bill], **keys: Any) -> World:
    """Make a world in which tasks have used something."""
    return replace(a_world(*tasks, **keys), spent=spent)


@pytest.mark.parametrize(
    ("caps", "used", "over"),
    [
        ({}, Bill(1e6, 10**9, 1e6), None),
        ({"usd": 2.0}, Bill(usd=1.99), None),
        ({"usd": 2.0}, Bill(usd=2.0), "its budget is used up: 2.00 USD of 2"),
        ({"tokens": 1000}, Bill(tokens=1500), "its budget is used up: 1,500 tokens of 1000"),
        ({"minutes": 0.5}, Bill(minutes=0.6), "its budget is used up: 0.6 min of 0.5"),
        ({"minutes": 9, "usd": 1, "tokens": 5}, Bill(1, 5, 3), "its budget is used up: 3.00 USD of 1, 5 tokens of 5"),
        ({"usd": 0.0}, Bill(), "its budget is used up: 0.00 USD of 0"),
    ],
)
def test_a_cap_is_reached_or_not(caps: dict[str, float], used: Bill, over: str | None) -> None:
    """The sentence names the measure and both figures."""
    assert overrun(priced(a_task("t", budget=caps), spent={"t": used}), "t") == over


def test_a_family_shares_the_budget_of_its_head() -> None:
    """What any child used counts for all, closed ones too; a stranger is not concerned."""
    world = priced(*FAMILY, a_task("x"), spent={"p": Bill(usd=0.5), "d": Bill(usd=1.5)})
    said = "the budget of p (Task p) is used up: 2.00 USD of 2"
    assert [overrun(world, task) for task in "pcdx"] == [
        said.replace("the budget of p (Task p)", "its budget"),
        said,
        said,
        None,
    ]
    assert overrun(priced(*FAMILY, spent={"p": Bill(usd=0.5)}), "c") is None


def test_a_tasks_own_cap_goes_before_the_projects() -> None:
    """Measure by measure."""
    settings = Settings(budget=BudgetSettings(usd=1.0, tokens=10))
    tasks = (a_task("a"), a_task("b", budget={"usd": 5.0}))
    world = priced(*tasks, settings=settings, spent={"a": Bill(usd=2.0), "b": Bill(usd=2.0, tokens=10)})
    assert overrun(world, "a") == "its budget is used up: 2.00 USD of 1"
    assert overrun(world, "b") == "its budget is used up: 10 tokens of 10"


def test_a_working_task_without_a_budget_is_stopped_and_stuck() -> None:
    """First the task, then, because it is stuck, its run; nothing goes on by itself."""
    world = priced(a_working("t", budget={"usd": 1.0}), runs=[a_run("t")], spent={"t": Bill(usd=1.2)})
    said = "its budget is used up: 1.20 USD of 1"
    assert decide(world, NOW).actions == (Advance("t", Status.STUCK, said, StuckReason.BUDGET, "t-1"),)
    after = settle_down(world).world
    task = after.board.tasks["t"]
    assert task.stuck is not None
    assert (task.status, task.stuck.reason, task.stuck.message) == (Status.STUCK, StuckReason.BUDGET, said)
    assert not task.held


def test_a_stopped_run_is_ended_because_its_task_is_stuck() -> None:
    """The run has a session until it is told."""
    world = priced(a_working("t", budget={"usd": 1.0}), runs=[a_run("t")], spent={"t": Bill(usd=1.2)})
    stuck = replace(world.board.tasks["t"], status=Status.STUCK)
    world = replace(world, board=replace(world.board, tasks={"t": stuck}))
    assert StopRun("t", "t-1", "its task is stuck") in decide(world, NOW).actions


@pytest.mark.parametrize("keys", [{"person": True}, {"host": "elsewhere"}])
def test_people_and_other_machines_are_left_alone(keys: dict[str, Any]) -> None:
    """A cap is for this machine's agents."""
    world = priced(a_working("t", budget={"usd": 1.0}, **keys), runs=[a_run("t")], spent={"t": Bill(usd=9)})
    assert not [action for action in decide(world, NOW).actions if isinstance(action, Advance)]
    assert HOST != "elsewhere"


def test_nothing_is_started_without_a_budget_and_why_says_so() -> None:
    """The gate is the explanation."""
    world = priced(*FAMILY, spent={"d": Bill(usd=3.0)})
    assert not decide(world, NOW).actions
    (reason,) = why(world.board.tasks["c"], world, NOW)
    assert (reason.code, reason.evidence) == ("budget", "3.00 USD of 2")
    assert "orange config set" in str(reason.remedy)
    assert StartRun("c", 0, None) in decide(priced(*FAMILY, spent={}), NOW).actions


def test_a_day_has_its_own_budget() -> None:
    """It concerns every task, and ends with the day."""
    settings = Settings(budget=BudgetSettings(per_day={"minutes": 60.0}))
    world = replace(a_world(a_task("t"), a_working("w"), runs=[a_run("w")], settings=settings), spent_today=Bill(61.0))
    stopped, *others = decide(world, NOW).actions
    assert isinstance(stopped, Advance)
    assert stopped.task == "w"
    assert "this day is used up: 61.0 min of 60" in stopped.reason
    assert not [action for action in others if isinstance(action, StartRun)]
    assert budgets.day_of(1795176000.5) == "2026-11-20T00:00:00Z"


def test_only_bills_that_a_cap_concerns_are_asked_for() -> None:
    """Nobody looks through the records of a project without budgets."""
    tasks = {task.id: task for task in (*FAMILY, a_task("x"), a_working("w"))}
    graph = Graph(a_world(*tasks.values()).board)
    assert budgets.wanted(graph, Settings()) == {"p", "c", "d"}
    assert budgets.wanted(graph, Settings(budget=BudgetSettings(usd=1.0))) == {"p", "c", "d", "w"}
    assert budgets.wanted(Graph(a_world(a_task("x"), a_working("w")).board), Settings()) == frozenset()
