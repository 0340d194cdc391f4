"""What every implementation of the `Workspaces` port promises: the real adapter and the fake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from orange.adapters.workspaces import WorktreeWorkspaces
from orange.core.model import Task
from orange.core.ports import Workspaces
from orange.core.problems import WorkspaceFailed
from orange.core.settings import WorkspaceSettings
from orange.testing.fakeworkspaces import FakeWorkspaces
from orange.testing.repos import sample

TASK = Task("k3f9x2ab", "OAuth endpoints", "oauth")
OTHER = Task("h7d2m4qe", "Tokens", "tokens")
BRANCH = "orange/oauth-k3f9x2ab"


class _Still:
    """A clock that stands."""

    def now(self) -> float:
        return 4_000_000_000.0

    def monotonic(self) -> float:
        return 1.0


@dataclass
class World:
    """An implementation, and what a test must do around it."""

    workspaces: Workspaces
    #: A commit to start from.
    start: str
    #: Leave an uncommitted file in a workspace: path, name, text.
    write: Callable[[str, str, str], None]
    #: The tip of a branch.
    tip: Callable[[str], str]


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Each implementation in turn, with room for two workspaces."""
    if request.param == "fake":
        fake = FakeWorkspaces(size=2)
        return World(fake, "0" * 39 + "f", fake.write, lambda name: fake.branches[name])
    repo = sample(tmp_path / "repo")
    real = WorktreeWorkspaces(repo.layout, WorkspaceSettings(size=2), _Still())

    def write(path: str, name: str, text: str) -> None:
        Path(path, name).write_text(text)

    return World(real, repo.git("rev-parse", "HEAD"), write, lambda name: repo.git("rev-parse", name))


def test_a_task_has_one_path(world: World) -> None:
    """The path is known before the workspace exists, and it is bound there."""
    path = world.workspaces.path_for(TASK)
    assert path.endswith("/oauth-k3f9x2ab")
    bound = world.workspaces.acquire(TASK, BRANCH, world.start)
    assert (bound.path, bound.task, bound.branch, bound.conflicts) == (path, TASK.id, BRANCH, ())
    assert world.tip(BRANCH) == world.start


def test_acquiring_is_idempotent(world: World) -> None:
    """Acquiring again gives the same workspace."""
    first = world.workspaces.acquire(TASK, BRANCH, world.start)
    assert world.workspaces.acquire(TASK, BRANCH, world.start) == first
    assert [w.task for w in world.workspaces.list()] == [TASK.id]


def test_leftovers_are_committed_once(world: World) -> None:
    """Uncommitted work moves the branch; without any the tip stays."""
    path = world.workspaces.acquire(TASK, BRANCH, world.start).path
    assert world.workspaces.commit_leftovers(path, "Leftovers") == world.start
    world.write(path, "new.txt", "new")
    tip = world.workspaces.commit_leftovers(path, "Leftovers")
    assert tip == world.tip(BRANCH) != world.start
    assert world.workspaces.commit_leftovers(path, "Leftovers") == tip


def test_an_existing_branch_is_never_reset(world: World) -> None:
    """A branch keeps its commits through the return of its workspace."""
    path = world.workspaces.acquire(TASK, BRANCH, world.start).path
    world.write(path, "new.txt", "new")
    tip = world.workspaces.commit_leftovers(path, "Leftovers")
    assert world.workspaces.release(path) == ()
    world.workspaces.acquire(TASK, BRANCH, world.start)
    assert world.tip(BRANCH) == tip


def test_what_only_it_holds_is_saved(world: World) -> None:
    """Returning a workspace with uncommitted work says where that is now."""
    path = world.workspaces.acquire(TASK, BRANCH, world.start).path
    world.write(path, "new.txt", "new")
    assert world.workspaces.removable(path)[0] is False
    (said,) = world.workspaces.release(path)
    assert f"refs/orange/rescue/{TASK.id}/1" in said
    assert world.tip(BRANCH) == world.start
    assert world.workspaces.release(path) == ()


def test_a_workspace_without_uncommitted_work_is_removable(world: World) -> None:
    """With everything committed, removing is safe, and the branch that holds it is named."""
    path = world.workspaces.acquire(TASK, BRANCH, world.start).path
    assert world.workspaces.removable(path) == (True, f"everything in it is committed on {BRANCH}")


def test_a_returned_workspace_is_no_longer_bound(world: World) -> None:
    """After returning, only spares are listed."""
    path = world.workspaces.acquire(TASK, BRANCH, world.start).path
    world.workspaces.release(path)
    assert {w.task for w in world.workspaces.list()} <= {None}


def test_spares_fill_the_room_there_is(world: World) -> None:
    """Spares are made one at a time, as many as the size leaves room for; a workspace takes one."""
    assert [world.workspaces.refill() for _ in range(3)] == [True, True, False]
    assert [(w.task, w.branch) for w in world.workspaces.list()] == [(None, None)] * 2
    world.workspaces.acquire(TASK, BRANCH, world.start)
    assert sorted(str(w.task) for w in world.workspaces.list()) == ["None", TASK.id]
    assert not world.workspaces.refill()


def test_a_branch_has_one_workspace(world: World) -> None:
    """A second task cannot have the branch of a first, nor a workspace change its branch."""
    world.workspaces.acquire(TASK, BRANCH, world.start)
    with pytest.raises(WorkspaceFailed, match="checked out at"):
        world.workspaces.acquire(OTHER, BRANCH, world.start)
    with pytest.raises(WorkspaceFailed, match="still holds"):
        world.workspaces.acquire(TASK, "other", world.start)


def test_what_is_no_workspace_is_refused(world: World, tmp_path: Path) -> None:
    """Leftovers of a folder that is no workspace are refused with its path."""
    with pytest.raises(WorkspaceFailed, match=str(tmp_path)):
        world.workspaces.commit_leftovers(str(tmp_path), "Leftovers")


def test_ports_are_stable_and_shared_by_none(world: World) -> None:
    """A task keeps its ports until its workspace is returned; no two tasks have the same."""
    path = world.workspaces.acquire(TASK, BRANCH, world.start).path
    mine = world.workspaces.ports(TASK, 2)
    assert world.workspaces.ports(TASK, 2) == mine
    assert world.workspaces.ports(TASK, 1) == mine[:1]
    assert not {*mine} & {*world.workspaces.ports(OTHER, 2)} - {mine[1]}
    world.workspaces.release(path)
    assert world.workspaces.ports(TASK, 1)


def test_nothing_to_repair_says_nothing(world: World) -> None:
    """Repair is silent where everything is whole."""
    world.workspaces.acquire(TASK, BRANCH, world.start)
    world.workspaces.refill()
    assert world.workspaces.repair() == ()
