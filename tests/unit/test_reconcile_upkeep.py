"""Housekeeping: hand edits, workspaces, the archive."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import AcceptEdits, ArchiveTask, ReturnWorkspace
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Presence, Run, Task, Workspace, World
from orange.core.reconcile import decide
from orange.core.settings import Settings, WorkspaceSettings
from orange.core.times import stamp
from orange.testing.worlds import (
    NOW,
    YESTERDAY,
    a_claim,
    a_run,
    a_stuck,
    a_task,
    a_working,
    a_world,
    an_ended_run,
    released,
    settle_down,
)

OLD = stamp(NOW - 15 * 86400)
WEEK = 7 * 86400


def test_hand_edits_are_recorded() -> None:
    """Accepted hand edits go into history; what cannot be understood does not."""
    world = a_world(a_task("a", Status.BACKLOG), hand_edits=("b", "a", "x"), frozen=frozenset({"x"}))
    assert decide(world, NOW).actions == (AcceptEdits(("a", "b")),)
    assert decide(a_world(hand_edits=("x",), frozen=frozenset({"x"})), NOW).actions == ()


# -- workspaces


def housed(*tasks: Task, size: int = 0, runs: tuple[Run, ...] = (), **keys: Any) -> World:
    """Make a world in which every task has a workspace, the first the oldest."""
    spaces = {f"/w/{t.id}": Workspace(f"/w/{t.id}", t.id, None, used_at=float(n)) for n, t in enumerate(tasks)}
    settings = Settings(workspaces=WorkspaceSettings(size=size))
    return a_world(*tasks, workspaces=spaces, settings=settings, runs=runs, slots=0, **keys)


def returned(world: World) -> list[str | None]:
    """List whose workspaces are returned, in order."""
    return [action.task for action in decide(world, NOW).actions if isinstance(action, ReturnWorkspace)]


def test_workspaces_stay_until_room_is_needed() -> None:
    """Up to `workspaces.size` workspaces stay where they are; beyond, the oldest idle ones are returned."""
    tasks = [a_task(i, Status.REVIEWING) for i in "abcd"]
    assert returned(housed(*tasks, size=4)) == []
    assert returned(housed(*tasks, size=2)) == ["a", "b"]
    assert len(settle_down(housed(*tasks, size=2)).plans) == 1


def test_delegating_returns_the_workspace_at_once() -> None:
    """A delegated task has no workspace, however much room there is; it counts as room made."""
    parent = a_task("p", Status.DELEGATED, children=("c",), claim=released(1))
    world = housed(parent, a_task("c", Status.BACKLOG, parent="p"), a_task("o", Status.REVIEWING), size=3)
    assert returned(world) == ["p"]
    assert returned(replace(world, runs={"p-1": a_run("p", session=Presence.UNKNOWN)})) == []


def test_a_failed_task_keeps_its_workspace_unless_it_was_started_otherwise() -> None:
    """Returned at once where that was asked for; never while it asks, or a run of it may be live."""
    failed, asks = a_stuck("f", StuckReason.FAILED, claim=released(1)), a_stuck("q", StuckReason.QUESTION)
    other = a_stuck("o", StuckReason.FAILED)
    world = housed(failed, asks, other, size=3)
    assert returned(world) == []
    told = replace(world, dispatch=replace(world.dispatch, cleanup=frozenset({"f", "q", "gone"})))
    assert returned(told) == ["f"]
    assert returned(replace(told, runs={"f-1": a_run("f", session=Presence.UNKNOWN)})) == []


@pytest.mark.parametrize(
    ("task", "runs"),
    [
        (a_working("t"), (a_run("t"),)),
        (a_working("t", person=True), ()),
        (a_working("t", host="there"), ()),
        (a_stuck("t", StuckReason.QUESTION, claim=a_claim("t")), (a_run("t"),)),
        (a_task("t", Status.CANCELLED, claim=released(1)), (a_run("t", session=Presence.UNKNOWN),)),
        (a_task("t", Status.DONE, claim=released(1)), (a_run("t", session=Presence.GONE, gone_looks=1),)),
    ],
)
def test_a_workspace_in_use_is_never_returned(task: Task, runs: tuple[Run, ...]) -> None:
    """While somebody has the task, or a run of it is live or could not be looked at, its workspace stays."""
    assert returned(housed(task, runs=runs)) == []


@pytest.mark.parametrize("status", [Status.DONE, Status.CANCELLED, Status.STUCK, Status.REVIEWED, Status.BACKLOG])
def test_any_idle_workspace_may_be_returned(status: Status) -> None:
    """When room is needed, a task at rest gives its workspace up; its branch keeps the work."""
    task = replace(a_stuck("t", StuckReason.FAILED), status=status, claim=released(1))
    assert returned(housed(task, runs=(an_ended_run("t"),))) == ["t"]


def test_what_is_not_known_is_not_returned() -> None:
    """A workspace that is away or could not be looked at, of an unknown or broken task, or a spare, stays."""
    spaces = {
        "/w/1": Workspace("/w/1", "a", None, Presence.UNKNOWN),
        "/w/2": Workspace("/w/2", "a", None, Presence.GONE),
        "/w/3": Workspace("/w/3", "nobody", None),
        "/w/4": Workspace("/w/4", "broken", None),
        "/w/5": Workspace("/w/5", None, None),
    }
    settings = Settings(workspaces=WorkspaceSettings(size=0))
    world = a_world(a_task("a", Status.DONE), workspaces=spaces, settings=settings, frozen=frozenset({"broken"}))
    assert decide(world, NOW).actions == ()


def test_a_task_that_starts_keeps_its_workspace() -> None:
    """The workspace of a task that the same plan starts is not returned under it."""
    world = housed(a_task("a"), size=0)
    assert returned(replace(world, dispatch=replace(world.dispatch, slots=1))) == []


# -- archive


def archived(*tasks: Task, now: float = NOW) -> list[str]:
    """List what is archived."""
    return [action.task for action in decide(a_world(*tasks, slots=0), now).actions if isinstance(action, ArchiveTask)]


@pytest.mark.parametrize(
    ("task", "is_archived"),
    [
        (a_task("t", Status.DONE, updated_at=OLD), True),
        (a_task("t", Status.CANCELLED, updated_at=OLD), True),
        (a_task("t", Status.DONE, updated_at="", created_at=OLD), True),
        (a_task("t", Status.DONE, updated_at=YESTERDAY, created_at=OLD), False),
        (a_task("t", Status.DONE, updated_at="", created_at=""), False),
        (a_task("t", Status.DONE, updated_at="0 days ago", created_at=OLD), False),
        (a_task("t", Status.DONE, updated_at=OLD, path="archive/2026/11/t/TASK.md"), False),
        (a_task("t", Status.STUCK, updated_at=OLD), False),
        (a_task("t", Status.BACKLOG, updated_at=OLD), False),
        (a_task("t", Status.DONE, updated_at=OLD, claim=a_claim("t", host="there")), False),
    ],
)
def test_finished_tasks_are_archived_when_old(task: Task, is_archived: bool) -> None:
    """Done and cancelled tasks go to the archive after `archive.after` without a change."""
    assert archived(task) == (["t"] if is_archived else [])


def test_what_open_tasks_refer_to_stays() -> None:
    """A finished task stays while its parent, a child or a dependant is open."""
    parent = a_task("p", Status.DELEGATED, children=("c",))
    assert archived(parent, a_task("c", Status.DONE, parent="p", updated_at=OLD)) == []
    assert archived(a_task("p", Status.CANCELLED, updated_at=OLD), a_task("c", Status.BACKLOG, parent="p")) == []
    assert archived(a_task("b", Status.DONE, updated_at=OLD), a_task("d", blocked_by=("b",))) == []
    assert archived(a_task("b", Status.DONE, updated_at=OLD), a_task("d", Status.CANCELLED, blocked_by=("b",))) == ["b"]


def test_archiving_goes_in_small_batches_and_wakes_when_due() -> None:
    """A large backlog of finished tasks is archived bit by bit; the next one due is awaited."""
    many = [a_task(f"t{i}", Status.DONE, updated_at=OLD) for i in range(50)]
    assert len(archived(*many)) == 20
    assert len(settle_down(a_world(*many)).actions) == 50
    young = a_task("y", Status.DONE, updated_at=stamp(NOW - WEEK))
    assert decide(a_world(young), NOW).wake_at == NOW + WEEK
    assert archived(young, now=NOW + WEEK + 1) == ["y"]


@pytest.mark.parametrize("now", [-1e9, 0.0, 1e18, float("inf"), float("nan")])
def test_any_clock_gets_an_answer(now: float) -> None:
    """A clock that is wrong makes no plan fail."""
    tasks = (a_task("t", Status.DONE, updated_at=OLD), a_task("u", claim=released(1), attempts=1))
    decide(a_world(*tasks, runs=[an_ended_run("u", ended_at=now)]), now)
