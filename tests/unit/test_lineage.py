"""Which branch a task is cut from and merged into, where children build on their parent's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import Advance, Integrate, ReturnWorkspace, StartRun
from orange.core.lifecycle import Status
from orange.core.lineage import base_of, ground_of, line
from orange.core.model import Base, BranchState, Merged, Presence, Publish, Task, Workspace, World
from orange.core.reconcile import decide
from orange.core.settings import BranchSettings, ReviewSettings, Settings
from orange.core.waiting import why
from orange.testing.worlds import NOW, a_task, a_working, a_world, released

NESTED = Settings(branches=BranchSettings(hierarchical=True), review=ReviewSettings(by="none"))
EPIC = a_task("epic", Status.DELEGATED, children=("kid",), branch="orange/epic")
KID = a_task("kid", parent="epic", children=("grand",))
GRAND = a_task("grand", parent="kid")


def nested(*tasks: Task, **keys: Any) -> World:
    """Make a world with hierarchical branches."""
    return a_world(*tasks, **({"settings": NESTED} | keys))


def started(world: World) -> list[str]:
    """List what is started, in order."""
    return [action.task for action in decide(world, NOW).actions if isinstance(action, StartRun)]


@pytest.mark.parametrize(
    ("epic", "kid", "grand"),
    [
        ({}, "orange/epic", "orange/kid-kid"),
        ({"status": Status.DONE}, "main", "orange/kid-kid"),
        ({"status": Status.CANCELLED, "base": "side"}, "side", "orange/kid-kid"),
        ({"publish": Publish.NONE}, "main", "orange/kid-kid"),
        ({"branch": None}, "orange/epic-epic", "orange/kid-kid"),
        ({"parent": "grand"}, "orange/epic", "orange/kid-kid"),
    ],
)
def test_a_task_is_cut_from_the_nearest_parent_whose_branch_leads_somewhere(
    epic: dict[str, Any], kid: str, grand: str
) -> None:
    """Closed parents and those that publish nothing pass their children on; a circle ends somewhere."""
    tasks = {task.id: task for task in (replace(EPIC, **epic), KID, GRAND)}
    assert [base_of(tasks[name], NESTED, "main", tasks) for name in ("kid", "grand")] == [kid, grand]
    assert [base_of(tasks[name], Settings(), "main", tasks) for name in ("kid", "grand")] == ["main", "main"]
    assert base_of(replace(KID, base="own"), NESTED, "main", tasks) == "own"


def test_the_ground_is_what_all_parents_are_merged_into() -> None:
    """The topmost parent's own base."""
    tasks = {task.id: task for task in (replace(EPIC, base="side"), KID, GRAND)}
    assert [task.id for task in line(GRAND, NESTED, tasks)] == ["epic", "kid"]
    assert (ground_of(GRAND, NESTED, "main", tasks), ground_of(GRAND, Settings(), "main", tasks)) == ("side", "main")


@pytest.mark.parametrize(
    ("epic", "starts"),
    [
        (EPIC, True),
        (replace(EPIC, status=Status.PENDING), False),
        (replace(EPIC, status=Status.PENDING, blocked_by=("kid",)), True),
        (replace(EPIC, status=Status.PENDING, assignee="human"), True),
        (replace(EPIC, status=Status.BACKLOG), True),
        (a_working("epic", person=True, children=("kid",), branch="orange/epic"), False),
    ],
)
def test_a_child_waits_while_its_parents_own_turn_is_first(epic: Task, *, starts: bool) -> None:
    """What the parent itself does is on its branch before children are cut from it."""
    world = nested(epic, a_task("kid", parent="epic"))
    assert ("kid" in started(world)) is starts
    assert [line.evidence for line in why(world.board.tasks["kid"], world, NOW) if line.code == "parent"] == (
        [] if starts else ["epic"]
    )


def test_a_blocker_in_the_base_of_the_parents_is_enough() -> None:
    """It is brought into the parent's branch before the child is cut; one in a sibling's parent alone is not."""
    done = a_task("b", Status.DONE, merged=Merged("m1", "main", ""))
    kid = a_task("kid", parent="epic", blocked_by=("b",))
    state = BranchState("m1", unmerged=False, integrated=Presence.THERE)
    assert started(nested(EPIC, kid, done, branches={"b": state})) == ["kid"]
    other = replace(done, merged=Merged("m1", "orange/other", ""))
    gone = {("m1", "main"): Presence.GONE, ("m1", "orange/epic"): Presence.GONE}
    world = nested(EPIC, kid, other, branches={"b": state}, ancestry=gone)
    assert started(world) == []
    assert "it was merged into orange/other" in why(kid, world, NOW)[0].message


def test_a_parent_closes_once_its_branch_has_what_its_children_made() -> None:
    """Until then it waits, and says so; its workspace is returned, so that the branch can follow."""
    done = a_task("kid", Status.DONE, parent="epic", merged=Merged("m1", "orange/epic", ""))
    state = {"epic": BranchState("e1", unmerged=True)}
    behind = {"main": Base("main", "b", "b"), "orange/epic": Base("orange/epic", "e2", "e1", behind=1, reason="a file")}
    world = nested(EPIC, done, branches=state, bases=behind)
    assert not [action for action in decide(world, NOW).actions if isinstance(action, Advance)]
    (line,) = why(EPIC, world, NOW)
    assert (line.code, line.message) == (
        "base_behind",
        "its branch orange/epic has yet to take in what its children made: a file",
    )
    even = {"main": behind["main"], "orange/epic": Base("orange/epic", "e2", "e2")}
    actions = decide(nested(EPIC, done, branches=state, bases=even), NOW).actions
    assert [(a.task, a.to) for a in actions if isinstance(a, Advance)] == [("epic", Status.REVIEWED)]


def test_a_reviewed_parent_is_not_merged_without_what_its_children_made() -> None:
    """Also one that went on by itself while they worked; and it is not started again before."""
    epic = replace(EPIC, status=Status.REVIEWED, claim=released(1), workspace="/w/epic")
    behind = {"main": Base("main", "b", "b"), "orange/epic": Base("orange/epic", "e2", "e1", behind=1)}
    space = {"/w/epic": Workspace("/w/epic", "epic", "orange/epic")}
    state = {"epic": BranchState("e1", unmerged=True)}
    world = nested(epic, bases=behind, workspaces=space, branches=state)
    actions = decide(world, NOW).actions
    assert not [action for action in actions if isinstance(action, Integrate)]
    assert [action.task for action in actions if isinstance(action, ReturnWorkspace)] == ["epic"]
    assert [line.code for line in why(epic, world, NOW)] == ["base_behind"]
    again = replace(epic, status=Status.PENDING)
    assert started(nested(again, bases=behind)) == []


def test_a_childs_work_is_merged_whatever_the_project_publishes() -> None:
    """Into its parent's branch there is no pull request; the parent has one."""
    kid = a_task("kid", Status.REVIEWED, parent="epic", branch="orange/kid", claim=released(1))
    state = {"kid": BranchState("k1", unmerged=True), "epic": BranchState("e1", unmerged=False)}
    world = nested(EPIC, kid, settings=replace(NESTED, publish="pr"), branches=state)
    assert [a for a in decide(world, NOW).actions if isinstance(a, Integrate)] == [Integrate("kid", "orange/epic")]
