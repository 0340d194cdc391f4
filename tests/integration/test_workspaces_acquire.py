"""Acquiring workspaces: always the same path, an existing branch is never reset, nothing of anybody's is destroyed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from orange.core.model import Presence, Task
from orange.core.problems import BranchUnusable, WorkspaceFailed, WorkspaceForeign
from orange.core.settings import WorkspaceSettings
from orange.testing.repos import Repo, clone, make, sample
from tests.integration.workspaces_place import OTHER, TASK, Place, branch, place


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """A repository without spares."""
    return place(tmp_path)


def test_a_new_branch_is_cut_at_the_start_point(here: Place) -> None:
    """The workspace stands at its fixed path, clean, on a new branch cut at the start point."""
    start = here.repo.git("rev-parse", "HEAD~1")
    bound = here.bound(start=start)
    workspace = Repo(bound.path)
    assert bound.path == f"{here.repo.path}.workspaces/oauth-k3f9x2ab" == here.workspaces.path_for(TASK)
    assert (bound.task, bound.branch, bound.presence) == (TASK.id, branch(TASK), Presence.THERE)
    assert workspace.git("symbolic-ref", "HEAD") == f"refs/heads/{branch(TASK)}"
    assert workspace.git("rev-parse", "HEAD") == start
    assert workspace.git("status", "--porcelain", "--ignored") == ""
    here.healthy()


def test_a_spare_is_moved_into_place(here: Place) -> None:
    """A prepared spare becomes the workspace: the same files on disk, at the fixed path."""
    assert here.workspaces.refill()
    inode = (here.spare() / "README.md").stat().st_ino
    workspace = here.acquire()
    assert os.stat(f"{workspace.path}/README.md").st_ino == inode
    assert workspace.git("status", "--porcelain", "--ignored") == ""
    assert [w.task for w in here.workspaces.list()] == [TASK.id]
    here.healthy()


def test_a_spare_that_fell_behind_is_brought_up_to_date(here: Place) -> None:
    """A spare made at an older commit is handed over with the files of the start point."""
    here.workspaces.refill()
    here.repo.commit({"new.txt": "new", "src/a.txt": None, "README.md": "changed"})
    workspace = here.acquire()
    assert workspace.git("status", "--porcelain", "--ignored") == ""
    assert workspace.read("new.txt") == b"new"
    assert not os.path.exists(f"{workspace.path}/src/a.txt")
    workspace.write({"work.txt": "work"})
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") == workspace.rev(branch(TASK))
    assert "Leftovers" in workspace.git("log", "-1", "--format=%s", branch(TASK))


def test_a_workspaces_log_says_where_it_began(here: Place) -> None:
    """The reflog of a fresh workspace leads from the commit its files were at to the branch's."""
    here.workspaces.refill()
    before = here.repo.git("rev-parse", "HEAD")
    start = here.repo.commit({"new.txt": "new"})
    workspace = here.acquire()
    assert workspace.git("reflog", "--format=%H %gs", "-1") == f"{start} orange: check out {branch(TASK)}"
    assert workspace.git("rev-parse", "HEAD@{1}") == before


def test_acquiring_again_changes_nothing(here: Place) -> None:
    """A workspace that is there is used as it was left, uncommitted work included."""
    workspace = here.acquire()
    workspace.write({"README.md": "edited", "new.txt": "new", "a.log": "ignored"})
    workspace.git("add", "new.txt")
    before = workspace.git("status", "--porcelain", "--ignored")
    assert here.acquire() == workspace
    assert workspace.git("status", "--porcelain", "--ignored") == before


def test_an_existing_branch_is_never_reset(here: Place) -> None:
    """Work on a branch survives the loss of its workspace; the base is merged in when it is taken up again."""
    workspace = here.acquire()
    work = workspace.commit({"work.txt": "work"})
    here.workspaces.release(workspace.path)
    base = here.repo.commit({"base.txt": "base"})
    again = here.acquire()
    assert again.read("work.txt") == b"work"
    assert again.read("base.txt") == b"base"
    assert again.git("rev-list", "--parents", "-1", "HEAD").split()[1:] == [work, base]
    assert again.git("status", "--porcelain") == ""


def test_a_packed_branch_is_found(here: Place) -> None:
    """A branch that is only a line of `packed-refs` exists as much as any."""
    tip = here.repo.branch(branch(TASK), {"work.txt": "work"}, start="main")
    here.repo.git("pack-refs", "--all")
    assert here.acquire().rev() == tip


def test_a_branch_without_work_moves_forward(here: Place) -> None:
    """A branch that has nothing of its own takes the base in without a merge commit."""
    here.workspaces.release(here.acquire().path)
    base = here.repo.commit({"base.txt": "base"})
    assert here.acquire().git("rev-parse", "HEAD") == base


def test_a_conflict_is_left_to_the_agent(here: Place) -> None:
    """A base that does not merge leaves the merge in progress, names the files, and is no error."""
    workspace = here.acquire()
    work = workspace.commit({"README.md": "mine\n"})
    here.workspaces.release(workspace.path)
    here.repo.commit({"README.md": "theirs\n"})
    bound = here.bound()
    again = Repo(bound.path)
    assert bound.conflicts == ("README.md",)
    assert b"<<<<<<<" in again.read("README.md")
    assert again.git("rev-parse", "HEAD") == work
    assert again.rev("MERGE_HEAD") == here.repo.rev()
    assert here.bound().conflicts == ("README.md",)
    assert again.rev("MERGE_HEAD") == here.repo.rev()


def test_the_base_is_merged_into_a_clean_workspace_that_stands(here: Place) -> None:
    """Taking a task up again where its workspace still stands brings the base in, if nothing is in the way."""
    workspace = here.acquire()
    workspace.commit({"work.txt": "work"})
    here.repo.commit({"base.txt": "base"})
    assert here.acquire().read("base.txt") == b"base"
    assert workspace.git("status", "--porcelain") == ""


def test_the_base_is_not_merged_over_uncommitted_work(here: Place) -> None:
    """A workspace with uncommitted work is left exactly as it is."""
    workspace = here.acquire()
    workspace.write({"README.md": "edited"})
    tip = workspace.rev()
    here.repo.commit({"base.txt": "base"})
    here.acquire()
    assert workspace.rev() == tip
    assert workspace.read("README.md") == b"edited"


def test_a_branch_checked_out_by_the_user_is_refused(here: Place) -> None:
    """A branch that the user has checked out is refused with the place, and the checkout is left alone."""
    here.repo.git("switch", "-q", "-c", branch(TASK))
    with pytest.raises(BranchUnusable, match=r"checked out at .*my repo"):
        here.acquire()
    assert here.repo.git("status", "--porcelain") == ""
    assert [w for w in here.workspaces.list() if w.task] == []


@pytest.mark.parametrize("name", ["orange-tasks", "-x", "", "a b", "x..y", "HEAD", "ends.lock", "x/", "taken/below"])
def test_an_impossible_branch_is_refused(here: Place, name: str) -> None:
    """A reserved or impossible branch name is refused with its name, and nothing is made."""
    here.repo.git("branch", "taken")
    with pytest.raises(BranchUnusable, match="branch"):
        here.workspaces.acquire(TASK, name, here.repo.git("rev-parse", "HEAD"))
    assert here.workspaces.list() == ()


def test_a_missing_start_point_is_refused(here: Place) -> None:
    """A start point that does not exist is named."""
    with pytest.raises(BranchUnusable, match="does not exist"):
        here.bound(start="1" * 40)


def test_a_branch_that_is_being_rebased_elsewhere_is_refused(here: Place) -> None:
    """A branch that the user is rebasing is not checked out beneath the rebase."""
    tip = here.repo.branch(branch(TASK), {"README.md": "mine\n"}, start="main")
    here.repo.commit({"README.md": "theirs\n"})
    assert here.repo.attempt("rebase", "-q", "main", branch(TASK)).status != 0
    with pytest.raises(WorkspaceFailed, match="already"):
        here.bound(start=tip)


def test_two_tasks_cannot_share_a_branch(here: Place) -> None:
    """A branch that another task's workspace has checked out is refused with that place."""
    here.acquire()
    with pytest.raises(BranchUnusable, match="oauth-k3f9x2ab"):
        here.workspaces.acquire(OTHER, branch(TASK), here.repo.git("rev-parse", "HEAD"))


def test_another_branch_for_the_same_task_is_refused_while_its_workspace_stands(here: Place) -> None:
    """A workspace is not silently switched to another branch."""
    here.acquire()
    with pytest.raises(BranchUnusable, match="still holds"):
        here.workspaces.acquire(TASK, "other", here.repo.git("rev-parse", "HEAD"))


def test_a_folder_in_the_way_is_named_and_kept(here: Place) -> None:
    """Something of the user's at the workspace's path is never deleted."""
    path = Path(here.workspaces.path_for(TASK))
    path.mkdir(parents=True)
    (path / "mine.txt").write_text("mine")
    with pytest.raises(WorkspaceForeign, match=str(path)):
        here.acquire()
    assert (path / "mine.txt").read_text() == "mine"


def test_an_empty_folder_is_not_in_the_way(here: Place) -> None:
    """An empty folder at the path holds nothing and is used."""
    Path(here.workspaces.path_for(TASK)).mkdir(parents=True)
    assert here.acquire().git("status", "--porcelain") == ""


def test_a_worktree_of_the_users_outside_is_never_listed(here: Place, tmp_path: Path) -> None:
    """The user's own worktrees are none of orange's business."""
    mine = here.repo.worktree(tmp_path / "mine")
    assert here.workspaces.list() == ()
    with pytest.raises(WorkspaceForeign):
        here.workspaces.release(mine.path)
    with pytest.raises(WorkspaceForeign):
        here.workspaces.commit_leftovers(mine.path, "no")


def test_a_workspace_removed_by_hand_is_made_again(here: Place) -> None:
    """Removing the folder loses nothing that was committed or staged (beads#609: missing but registered)."""
    workspace = here.acquire()
    work = workspace.commit({"work.txt": "work"})
    workspace.write({"staged.txt": "staged"})
    workspace.git("add", "staged.txt")
    shutil.rmtree(workspace.path)
    assert [w.presence for w in here.workspaces.list()] == [Presence.GONE]
    here.workspaces.repair()
    again = here.acquire()
    assert again.rev() == work
    (ref,) = here.rescues()
    assert here.repo.tree(f"{ref}^2")["staged.txt"] == b"staged"
    here.healthy()


def test_a_pruned_workspace_is_made_again(here: Place) -> None:
    """`git worktree prune` after removing the folder leaves only a record, which is forgotten."""
    work = here.acquire().commit({"work.txt": "work"})
    shutil.rmtree(here.workspaces.path_for(TASK))
    here.repo.git("worktree", "prune")
    assert here.acquire().rev() == work


def test_lost_records_are_read_from_git(here: Place) -> None:
    """Without its records orange still knows the workspaces by their place and name."""
    workspace = here.acquire()
    workspace.write({"new.txt": "new"})
    shutil.rmtree(f"{here.repo.common}/orange")
    assert [(w.task, w.branch) for w in here.workspaces.list()] == [(TASK.id, branch(TASK))]
    assert here.acquire().read("new.txt") == b"new"
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") == workspace.rev()


def test_the_root_may_move(here: Place, tmp_path: Path) -> None:
    """With another `workspaces.root` a standing workspace moves there with all that is in it."""
    here.acquire().write({"new.txt": "new"})
    moved = replace(here, settings=replace(here.settings, root=str(tmp_path / "elsewhere")))
    again = moved.acquire()
    assert again.path == str(tmp_path / "elsewhere" / TASK.slug)
    assert again.read("new.txt") == b"new"
    assert again.git("status", "--porcelain") == "?? new.txt"


def test_a_relative_root_lies_in_the_repository(tmp_path: Path) -> None:
    """A relative `workspaces.root` is taken from the repository."""
    here = place(tmp_path, root="../w")
    assert here.acquire().path == str(tmp_path / "w" / TASK.slug)


def test_a_bare_repository_has_workspaces(tmp_path: Path) -> None:
    """A bare repository has no main checkout, and workspaces all the same (beads#639, #785)."""
    source = sample(tmp_path / "source")
    source.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    here = Place(Repo(str(tmp_path / "bare.git")))
    workspace = here.acquire()
    assert workspace.path == f"{tmp_path}/bare.git.workspaces/{TASK.slug}"
    workspace.write({"new.txt": "new"})
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") == workspace.rev()
    here.workspaces.release(workspace.path)
    here.healthy()


def _sha256(folder: Path) -> Repo:
    repo = make(folder / "repo", "--object-format=sha256")
    repo.commit({"README.md": "# Sample\n", ".gitignore": "*.log\n"})
    return repo


def _shared(folder: Path) -> Repo:
    return clone(sample(folder / "source"), folder / "repo", "--shared")


def _shallow(folder: Path) -> Repo:
    source = sample(folder / "source")
    source.commit({"two.txt": "2"})
    return _over_the_wire(source, folder / "repo", "--depth=1")


def _partial(folder: Path) -> Repo:
    source = sample(folder / "source")
    source.git("config", "uploadpack.allowFilter", "true")
    source.commit({"README.md": "# Two\n"})
    return _over_the_wire(source, folder / "repo", "--filter=blob:none", "--no-checkout")


def _over_the_wire(source: Repo, path: Path, *options: str) -> Repo:
    source.git("clone", "-q", *options, "--", f"file://{source.path}", str(path))
    return Repo(str(path))


@pytest.mark.parametrize("kind", [_sha256, _shared, _shallow, _partial], ids=lambda kind: kind.__name__.strip("_"))
def test_every_kind_of_repository_has_workspaces(tmp_path: Path, kind: Callable[[Path], Repo]) -> None:
    """Work goes all the way round in a repository with other hashes, borrowed objects, or not all of them."""
    here = Place(kind(tmp_path))
    workspace = here.acquire()
    workspace.write({"new.txt": "new", "a.log": "log"})
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") == workspace.rev()
    workspace.write({"README.md": "uncommitted"})
    here.workspaces.release(workspace.path)
    assert here.repo.tree(here.rescues()[0])["README.md"] == b"uncommitted"
    assert here.acquire().read("new.txt") == b"new"
    assert here.workspaces.repair() == ()


def test_a_repository_without_commits_has_no_spares(tmp_path: Path) -> None:
    """Nothing is made, and nothing fails, before the first commit."""
    here = Place(make(tmp_path / "repo"))
    assert not here.workspaces.refill()
    assert here.workspaces.repair() == ()


def test_a_sparse_checkout_stays_sparse(here: Place) -> None:
    """A workspace of a sparse repository is sparse, and what is not checked out is not taken for deleted."""
    here.repo.commit({"big/x.txt": "x", "small/y.txt": "y"})
    here.repo.git("sparse-checkout", "set", "small")
    workspace = here.acquire()
    assert not os.path.exists(f"{workspace.path}/big")
    workspace.write({"small/new.txt": "new"})
    tip = here.workspaces.commit_leftovers(workspace.path, "Leftovers")
    assert tip
    assert {"big/x.txt", "small/new.txt"} <= here.repo.tree(tip).keys()
    here.workspaces.release(workspace.path)
    assert not os.path.exists(f"{here.acquire(OTHER).path}/big")


def test_submodules_are_not_initialised(here: Place, tmp_path: Path) -> None:
    """A submodule is an empty folder in a workspace, and that is no change."""
    module = sample(tmp_path / "module")
    here.repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", module.path, "module")
    here.repo.git("commit", "-qm", "Submodule")
    workspace = here.acquire()
    assert os.listdir(f"{workspace.path}/module") == []
    tip = workspace.rev()
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") == tip
    assert here.workspaces.release(workspace.path) == ()
    assert os.listdir(here.spare() / "module") == []


def test_a_filter_that_is_not_installed_does_not_stop_a_checkout(here: Place) -> None:
    """With git-lfs configured but missing, files are checked out as they are stored."""
    here.repo.commit({".gitattributes": "*.bin filter=lfs\n", "a.bin": "pointer\n"})
    for part in ("clean", "smudge", "process"):
        here.repo.git("config", "--global", f"filter.lfs.{part}", f"no-such-git-lfs {part}")
    here.repo.git("config", "--global", "filter.lfs.required", "true")
    workspace = here.acquire()
    assert workspace.read("a.bin") == b"pointer\n"
    assert here.workspaces.release(workspace.path) == ()


def test_workspaces_are_made_without_running_hooks(here: Place, tmp_path: Path) -> None:
    """The user's git hooks do not run when orange makes or moves worktrees."""
    side = here.repo.branch("side", {"base.txt": "base"}, start="main")
    main = here.repo.git("rev-parse", "main")
    for name in ("post-checkout", "post-merge", "pre-merge-commit", "reference-transaction", "post-index-change"):
        here.repo.hook(name, f"touch '{tmp_path}/ran-{name}'")
    workspace = here.acquire(start=main)
    workspace.write({"work.txt": "work"})
    here.workspaces.commit_leftovers(workspace.path, "Leftovers")
    here.acquire(start=side)
    here.workspaces.release(workspace.path)
    assert list(tmp_path.glob("ran-*")) == []


def test_a_failed_merge_names_the_step(here: Place) -> None:
    """A base that cannot be merged at all is reported with the workspace and the step."""
    here.acquire()
    here.repo.git("switch", "-q", "--orphan", "island")
    island = here.repo.commit({"island.txt": "x"})
    with pytest.raises(WorkspaceFailed, match=r"merging the base failed: .*unrelated histories"):
        here.bound(start=island)
    assert here.bound(start=here.repo.git("rev-parse", "main")).conflicts == ()


def test_many_at_once_get_a_workspace_each(here: Place) -> None:
    """Tasks that start, end and start again at the same time do not get in each other's way."""
    tasks = [replace(TASK, id=f"k3f9x2a{letter}") for letter in "bcdefg"]
    start = here.repo.git("rev-parse", "HEAD")

    def work(task: Task) -> str:
        path = here.workspaces.acquire(task, branch(task), start).path
        Path(path, "new.txt").write_text(task.id)
        here.workspaces.commit_leftovers(path, "Leftovers")
        here.workspaces.release(path)
        return here.workspaces.acquire(task, branch(task), start).path

    with ThreadPoolExecutor(len(tasks)) as pool:
        paths = list(pool.map(work, tasks))
    assert [Path(path, "new.txt").read_text() for path in paths] == [task.id for task in tasks]
    assert here.workspaces.repair() == ()
    here.healthy()


def test_the_size_bounds_the_spares(here: Place) -> None:
    """Spares are made ahead only while there is room, two at most, and one too many is removed."""
    assert [here.workspaces.refill() for _ in range(3)] == [True, True, False]
    small = replace(here, settings=WorkspaceSettings(size=1))
    assert not small.workspaces.refill()
    assert len(small.workspaces.list()) == 1
    small.acquire()
    assert not small.workspaces.refill()
    assert [w.task for w in small.workspaces.list()] == [TASK.id]


def test_refilling_renews_a_spare_that_fell_behind(here: Place) -> None:
    """A spare is brought to the new base ahead of need."""
    here = replace(here, settings=WorkspaceSettings(size=1))
    here.workspaces.refill()
    here.repo.commit({"new.txt": "new"})
    assert not here.workspaces.refill()
    assert (here.spare() / "new.txt").read_text() == "new"
