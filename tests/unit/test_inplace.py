"""Work in the user's own checkout: when a task may begin there, why not, and when the checkout is given back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import ReturnWorkspace, StartRun
from orange.core.inplace import Place, hindrance, uncommitted
from orange.core.lifecycle import Status
from orange.core.model import BranchState, RequestKind, Task, Workspace, World
from orange.core.reconcile import decide
from orange.core.settings import ReviewSettings, Settings, WorkspaceSettings
from orange.core.waiting import why
from orange.testing.worlds import NOW, a_request, a_run, a_task, a_working, a_world, released

HOME = Place("/repo", "main")
IN_PLACE = Settings(workspaces=WorkspaceSettings(isolation="none"))


def in_place(*tasks: Task, place: Place = HOME, settings: Settings = IN_PLACE, **keys: Any) -> World:
    """Make a world whose tasks are worked on in the user's checkout."""
    world = a_world(*tasks, settings=settings, **keys)
    return replace(world, dispatch=replace(world.dispatch, place=place))


def started(world: World) -> list[str]:
    """List what is started, in order."""
    return [action.task for action in decide(world, NOW).actions if isinstance(action, StartRun)]


@pytest.mark.parametrize(
    ("place", "said", "remedy"),
    [
        (HOME, None, None),
        (Place("/repo", "orange/t", "t"), None, None),
        (Place("/repo", "orange/o", "o"), "and o has it", "orange task why o"),
        (Place("/repo", "main", None, "it is busy"), "but it is busy", "git -C /repo status"),
        (Place("/repo", "side"), "which is on side, not on its base main", "git -C /repo switch main"),
        (Place("/repo", None), "which is on no branch, not on its base main", "git -C /repo switch main"),
    ],
)
def test_what_is_in_the_way_is_said_with_the_command_that_helps(
    place: Place, said: str | None, remedy: str | None
) -> None:
    """A gate: it keeps the task from starting, and `why` says the same sentence."""
    world = in_place(a_task("t"), a_task("o", Status.BACKLOG), place=place)
    assert started(world) == (["t"] if said is None else [])
    waits = [line for line in why(world.board.tasks["t"], world, NOW) if line.code == "checkout"]
    assert [line.remedy for line in waits] == ([] if remedy is None else [remedy])
    assert all(str(said) in line.message and "isolation: none" in line.message for line in waits)


def test_one_task_at_a_time_has_the_checkout() -> None:
    """The second of two ready tasks waits for the first, whatever slots there are; with worktrees it does not."""
    world = in_place(a_task("a"), a_task("b"))
    assert started(world) == ["a"]
    (line,) = why(world.board.tasks["b"], world, NOW)
    assert (line.code, line.evidence, line.remedy) == (
        "sequential",
        "a",
        "orange config set workspaces.isolation worktree",
    )
    assert started(in_place(a_task("a"), a_task("b"), settings=Settings())) == ["a", "b"]


def test_what_keeps_the_checkout_of_a_task_that_rests_is_told_to_who_waits() -> None:
    """While somebody works there, uncommitted files are the work; afterwards they are what is in the way."""
    place = Place("/repo", "orange/o", "o", "it holds x")
    resting = in_place(a_task("t"), a_task("o", Status.BACKLOG), place=place)
    at_work = in_place(a_task("t"), a_working("o"), place=place, runs=[a_run("o")])
    messages = [why(world.board.tasks["t"], world, NOW)[0].message for world in (resting, at_work)]
    assert ["it holds x" in message for message in messages] == [True, False]


def test_a_review_needs_no_checkout_but_changes_do() -> None:
    """An agent that reviews has a folder of its own; one that is to change something waits for the user's."""
    settings = replace(IN_PLACE, review=ReviewSettings(by="agent"))
    away = Place("/repo", "side")
    task = a_task("t", Status.REVIEWING, claim=released(1), branch="orange/t")
    asked = replace(task, request=a_request(RequestKind.CHANGES))
    known = {"t": BranchState("c1", unmerged=True)}
    assert started(in_place(task, place=away, settings=settings, branches=known)) == ["t"]
    assert started(in_place(asked, place=away, settings=settings)) == []


@pytest.mark.parametrize(
    ("task", "returned"),
    [
        (a_working("t"), False),
        (a_task("t", claim=released(1), attempts=1), True),
        (a_task("t", Status.REVIEWING, claim=released(1)), True),
        (a_task("t", Status.DELEGATED, children=("c",)), True),
    ],
)
def test_the_checkout_goes_back_as_soon_as_nobody_works_there(task: Task, returned: bool) -> None:
    """Room or not: it is the user's."""
    space = Workspace("/repo", "t", "orange/t")
    place = Place("/repo", "orange/t", "t")
    child = a_task("c", Status.BACKLOG, parent="t")
    world = in_place(task, child, place=place, workspaces={"/repo": space}, slots=0)
    actions = [action for action in decide(world, NOW).actions if isinstance(action, ReturnWorkspace)]
    assert [action.path for action in actions] == (["/repo"] if returned else [])


@pytest.mark.parametrize(
    ("keys", "returned"),
    [
        ({}, True),
        ({"runs": [a_run("gone")]}, False),
        ({"frozen": frozenset({"gone"})}, False),
        ({"reason": "it holds x"}, False),
    ],
)
def test_a_task_that_is_no_more_does_not_keep_the_checkout(keys: dict[str, Any], *, returned: bool) -> None:
    """Removed by hand; unless its run goes on, its file only cannot be read, or something in there would be lost."""
    space = Workspace("/repo", "gone", "orange/gone")
    place = Place("/repo", "orange/gone", "gone", keys.get("reason"))
    keys = {name: value for name, value in keys.items() if name != "reason"}
    actions = decide(in_place(place=place, workspaces={"/repo": space}, slots=0, **keys), NOW).actions
    assert [a.path for a in actions if isinstance(a, ReturnWorkspace)] == (["/repo"] if returned else [])
    waits = why(a_task("t"), in_place(a_task("t"), place=place, **keys), NOW)
    assert waits[0].code == "checkout"


def test_files_in_the_way_are_named_up_to_three() -> None:
    """The rest is counted."""
    assert "(a, b)" in uncommitted(("a", "b"))
    assert "(a, b, c and 2 more)" in uncommitted(tuple("abcde"))
    assert hindrance(HOME, "t", "main") is None
