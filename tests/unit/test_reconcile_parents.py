"""Parents: closing by their children, opening again, mending their lists. And seed 001's rows about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import Advance, Integrate, MendChildren, StartRun
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Merged, Outcome, Presence, Publish, Task, World
from orange.core.reconcile import decide
from orange.core.settings import ReviewSettings, Settings
from orange.core.waiting import why
from orange.testing.worlds import (
    AT,
    NOW,
    a_claim,
    a_run,
    a_stuck,
    a_task,
    a_world,
    released,
    settle_down,
    tip,
)

NO_REVIEW = Settings(review=ReviewSettings(by="none"))
OWN = tip("c1", unmerged=True)
NOTHING_OWN = tip("c1", unmerged=False)


def a_parent(status: Status = Status.DELEGATED, children: tuple[str, ...] = ("a", "b"), **keys: Any) -> Task:
    """Make a parent that was worked on before it delegated."""
    known: dict[str, Any] = {"claim": released(1), "branch": "orange/p"}
    return a_task("p", status, **(known | {"children": children} | keys))


def a_child(task_id: str, status: Status = Status.DONE, **keys: Any) -> Task:
    """Make a child of `p`."""
    return a_task(task_id, status, parent="p", **keys)


def family(parent: Task, *children: Task, **keys: Any) -> World:
    """Make a world of a parent and its children, with no slots, so that only parents move."""
    known: dict[str, Any] = {"branches": {"p": NOTHING_OWN}, "slots": 0}
    return a_world(parent, *children, **(known | keys))


def owed(world: World) -> list[object]:
    """List (kind, to) of what is owed."""
    return [getattr(action, "to", type(action)) for action in decide(world, NOW).actions]


BOTH = (a_child("a"), a_child("b"))


@pytest.mark.parametrize(
    ("parent", "branch", "settings", "to"),
    [
        (a_parent(), NOTHING_OWN, Settings(), Status.DONE),
        (a_parent(), OWN, Settings(), Status.REVIEWING),
        (a_parent(), OWN, NO_REVIEW, Status.REVIEWED),
        (a_parent(publish=Publish.NONE), OWN, NO_REVIEW, Status.DONE),
        (a_parent(publish=Publish.NONE), OWN, Settings(), Status.REVIEWING),
        (a_parent(acceptance="make check"), NOTHING_OWN, Settings(), Status.REVIEWING),
        (a_parent(acceptance="make check"), OWN, NO_REVIEW, Status.REVIEWING),
        (a_parent(branch=None, claim=None), None, Settings(), Status.DONE),
        (a_parent(), None, Settings(), None),  # where its branch stands could not be told
    ],
)
def test_a_parent_closes_when_all_its_children_are_done(
    parent: Task, branch: Any, settings: Settings, to: Status | None
) -> None:
    """Without work of its own it is done at once; with it, or an acceptance step, it is reviewed and published."""
    world = family(parent, *BOTH, settings=settings, branches={"p": branch} if branch else {})
    assert owed(world) == ([] if to is None else [to])


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
def test_a_parent_waits_for_every_child(status: Status) -> None:
    """While one child is not done, also when it is cancelled or stuck, the parent stays delegated and says why."""
    child = replace(a_stuck("b", StuckReason.FAILED), status=status, parent="p")
    world = family(a_parent(), a_child("a"), child, runs=[a_run("b", 0)])
    assert Status.DONE not in owed(world)
    (reason,) = why(world.board.tasks["p"], world, NOW)
    assert reason.code == "children"
    assert "delegated (1/2)" in reason.message
    if status in {Status.CANCELLED, Status.STUCK}:
        assert f"b ({status})" in reason.message
        assert reason.remedy is not None
        assert "b" in reason.remedy.split(",")[0].split()


def test_a_child_that_cannot_be_read_holds_its_parent() -> None:
    """A child whose file is broken is not gone: its parent neither closes nor forgets it."""
    parent = a_parent(children=("a", "broken"))
    world = family(parent, a_child("a"), frozen=frozenset({"broken"}))
    assert owed(world) == []
    (reason,) = why(parent, world, NOW)
    assert "delegated (1/2)" in reason.message
    assert reason.remedy == "orange doctor"


def test_a_child_whose_file_was_away_for_an_instant_does_not_close_its_parent() -> None:
    """A listed child without a file is looked for again, by mending the list, before the parent is judged."""
    world = family(a_parent(), a_child("a"))
    assert decide(world, NOW).actions == (MendChildren("p", ("a",)),)
    settled = settle_down(world)
    assert settled.world.board.tasks["p"].status is Status.DONE
    assert len(settled.plans) == 2


def test_a_parent_without_children_is_pending_again() -> None:
    """When its last child was removed, a delegated task may start again."""
    assert owed(family(a_parent(children=()))) == [Status.PENDING]
    gone = family(a_parent(children=("a",)))
    assert [type(action) for action in settle_down(gone).actions] == [MendChildren, Advance]


def test_a_parent_is_not_judged_while_its_run_lives() -> None:
    """Leftovers may still be committed while the run that delegated is being ended."""
    world = family(a_parent(), *BOTH, runs=[a_run("p")])
    assert Status.DONE not in owed(world)
    (reason,) = why(world.board.tasks["p"], world, NOW)
    assert reason.code == "stopping"


def test_another_hosts_parent_is_left_alone() -> None:
    """A delegated task that another machine holds again is not closed from here."""
    assert owed(family(a_parent(claim=a_claim("p", host="there")), *BOTH)) == []


@pytest.mark.parametrize("status", [Status.REVIEWING, Status.REVIEWED, Status.DONE])
@pytest.mark.parametrize("child", [Status.PENDING, Status.WORKING, Status.DELEGATED, Status.STUCK, Status.REVIEWING])
def test_a_reopened_child_opens_its_parent(status: Status, child: Status) -> None:
    """A child that had been done and is open again makes its closed parent delegated again."""
    again = replace(a_stuck("b", StuckReason.MANUAL), status=child, parent="p", reopened="m1", claim=a_claim("b", 2))
    world = family(a_parent(status), a_child("a"), again, runs=[a_run("b", 2)], branches={"p": OWN})
    assert Advance("p", Status.DELEGATED, "its child b was reopened", evidence="b") in decide(world, NOW).actions
    assert settle_down(world).world.board.tasks["p"].status is Status.DELEGATED


def test_a_child_that_never_was_done_does_not_open_its_parent() -> None:
    """An agent that files a follow-up and finishes is reviewed; its follow-up goes its own way."""
    world = family(a_parent(Status.REVIEWING), a_child("a"), a_child("b", Status.PENDING), branches={"p": OWN})
    assert owed(world) == []


def test_reopening_climbs_to_the_root() -> None:
    """A grandparent opens after the parent did, and all close again from the inside out."""
    tasks = (
        a_task("g", Status.DONE, children=("p",)),
        a_parent(Status.DONE, ("a",), branch=None, claim=None, parent="g"),
        a_child("a", Status.PENDING, reopened="m1"),
    )
    settled = settle_down(a_world(*tasks, slots=0)).world
    assert [settled.board.tasks[i].status for i in "gp"] == [Status.DELEGATED, Status.DELEGATED]
    done = a_child("a", merged=Merged("m2", "main", AT))
    closed = settle_down(replace(settled, board=replace(settled.board, tasks={**settled.board.tasks, "a": done}))).world
    assert [closed.board.tasks[i].status for i in "gp"] == [Status.DONE, Status.DONE]


def test_the_childs_word_rules() -> None:
    """A list that disagrees with its children is mended, for any status of the parent."""
    world = family(a_parent(Status.PENDING, ("x",)), a_child("a", Status.BACKLOG), a_child("b", Status.BACKLOG))
    assert decide(world, NOW).actions == (MendChildren("p", ("a", "b")),)


# -- seed 001's edge cases


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.BACKLOG])
def test_children_of_a_dropped_parent_go_on(status: Status) -> None:
    """Cancelling a parent leaves its children going on."""
    world = a_world(a_parent(status), a_child("a", Status.PENDING), a_child("b", Status.PENDING))
    starts = [action for action in decide(world, NOW).actions if isinstance(action, StartRun)]
    assert [start.task for start in starts] == ["a", "b"]


def test_children_of_a_deleted_parent_go_on() -> None:
    """A parent that has no file any more holds nobody back."""
    world = a_world(a_child("a", Status.PENDING))
    assert decide(world, NOW).actions == (StartRun("a", 0),)


def finish(world: World, task_id: str) -> World:
    """Return the world after the agent of a working task finished, with a commit of its own."""
    run = next(run for run in world.runs.values() if run.task == task_id and run.ended_at is None)
    over = replace(run, outcome=Outcome.FINISHED, ended_at=NOW, commit="c1", session=Presence.GONE)
    branches = {**world.branches, task_id: OWN}
    return settle_down(replace(world, runs={**world.runs, run.id: over}, branches=branches)).world


def test_phase_one_a_chain_runs_in_order() -> None:
    """Seed 001, phase 1: db starts, then api, then ui, each when the one before is done and integrated."""
    tasks = (a_task("db"), a_task("api", blocked_by=("db",)), a_task("ui", blocked_by=("api",)))
    world = settle_down(a_world(*tasks, settings=NO_REVIEW)).world
    for task_id in ("db", "api", "ui"):
        working = [task.id for task in world.board.tasks.values() if task.status is Status.WORKING]
        assert working == [task_id]
        world = finish(world, task_id)
    assert {task.status for task in world.board.tasks.values()} == {Status.DONE}
    assert world.board.tasks["ui"].blocked_by == ("api",)  # row 7: edges stay


def test_phase_two_delegation_nests_and_closes() -> None:
    """Seed 001, phase 2: delegated parents, one inside the other, close by themselves when the leaves are done."""
    tasks = (
        a_parent(branch=None, claim=None, children=("m", "x")),
        a_task("m", Status.DELEGATED, parent="p", children=("leaf",)),
        a_task("leaf", parent="m"),
        a_child("x", Status.PENDING, blocked_by=("m",)),
    )
    world = settle_down(a_world(*tasks, settings=NO_REVIEW)).world
    assert world.board.tasks["x"].status is Status.PENDING
    world = finish(world, "leaf")
    assert world.board.tasks["m"].status is Status.DONE
    assert world.board.tasks["p"].status is Status.DELEGATED
    world = finish(world, "x")
    assert {task.status for task in world.board.tasks.values()} == {Status.DONE}


def test_a_parents_own_work_is_integrated_after_its_children() -> None:
    """A parent with commits of its own is merged when its children are done, then it is done."""
    world = family(a_parent(), *BOTH, branches={"p": OWN}, settings=NO_REVIEW)
    settled = settle_down(world)
    assert [type(action) for action in settled.actions] == [Advance, Integrate]
    assert settled.world.board.tasks["p"].status is Status.DONE
