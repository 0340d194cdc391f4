"""Returning workspaces: nothing is lost, nothing leaks to the next task, nothing is removed under anybody's feet."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters import process
from orange.adapters.git import repository_lock
from orange.core.problems import WorkspaceForeign, WorkspaceKept, WorkspaceOccupied
from orange.core.settings import WorkspaceSettings
from orange.testing.repos import Repo, clone, sample, until
from tests.integration.workspaces_place import OTHER, TASK, Place, branch, listing, place, somebody_in


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """A repository without spares."""
    return place(tmp_path)


def test_the_branch_stays_where_it_is(here: Place) -> None:
    """Returning a workspace whose HEAD is the task's branch moves no branch."""
    workspace = here.acquire()
    tip = workspace.commit({"work.txt": "work"})
    workspace.write({"README.md": "uncommitted"})
    here.workspaces.release(workspace.path)
    assert here.repo.git("rev-parse", branch(TASK)) == tip
    here.healthy()


def test_nothing_to_save_makes_no_rescue(here: Place) -> None:
    """A workspace whose work is all committed is returned without a word."""
    workspace = here.acquire()
    workspace.commit({"work.txt": "work"})
    workspace.git("commit", "-q", "--amend", "-m", "Amended")
    workspace.commit({"dropped.txt": "x"})
    workspace.git("reset", "-q", "--hard", "HEAD~1")
    assert here.workspaces.removable(workspace.path) == (True, f"everything in it is committed on {branch(TASK)}")
    assert here.workspaces.release(workspace.path) == ()
    assert here.rescues() == []
    assert not os.path.exists(workspace.path)


def test_everything_only_it_holds_is_saved(here: Place) -> None:
    """Uncommitted, untracked, staged, ignored and hidden changes are in the rescue; a stash stays where it is."""
    workspace = here.acquire()
    workspace.write({"src/b.txt": "stashed"})
    workspace.git("stash", "-q")
    workspace.git("update-index", "--skip-worktree", "README.md")
    workspace.git("update-index", "--assume-unchanged", "src/b.txt")
    workspace.write(
        {"README.md": "hidden", "src/b.txt": "assumed", "src/a.txt": None, "new.txt": "new", "a.log": "log"}
    )
    workspace.write({"out/deep/x.bin": b"\0\1", "staged.txt": "staged"})
    os.symlink("a.log", f"{workspace.path}/out/link")
    os.chmod(f"{workspace.path}/a.log", 0o755)
    workspace.git("add", "staged.txt")
    os.unlink(f"{workspace.path}/staged.txt")
    assert here.workspaces.release(workspace.path) == (f"what no branch holds is saved as {here.rescues()[0]}",)
    (ref,) = here.rescues()
    tree = here.repo.tree(ref)
    expected = {"README.md": b"hidden", "src/b.txt": b"assumed", "new.txt": b"new", "a.log": b"log"}
    assert expected.items() <= tree.items()
    assert (tree["out/deep/x.bin"], tree["out/link"]) == (b"\0\1", b"a.log")
    assert "src/a.txt" not in tree
    assert here.repo.tree(f"{ref}^2")["staged.txt"] == b"staged"
    assert here.repo.git("ls-tree", ref, "a.log", "out/").split()[0] == "100755"
    assert here.repo.git("stash", "list").count("\n") == 0 != len(here.repo.git("stash", "list"))
    assert b"stashed" in here.repo.tree("stash@{0}")["src/b.txt"]
    here.healthy()


def test_rescues_are_numbered(here: Place) -> None:
    """Each rescue gets the next number, and none is written over."""
    for number in range(1, 4):
        workspace = here.acquire()
        workspace.write({"new.txt": f"{number}"})
        here.workspaces.release(workspace.path)
    assert here.rescues() == [f"refs/orange/rescue/{TASK.id}/{number}" for number in (1, 2, 3)]
    assert [here.repo.tree(ref)["new.txt"] for ref in here.rescues()] == [b"1", b"2", b"3"]


def test_commits_on_no_branch_are_saved(here: Place) -> None:
    """Commits made on a detached HEAD, left behind or checked out, are kept by the rescue."""
    workspace = here.acquire()
    workspace.git("switch", "-q", "--detach")
    left = workspace.commit({"left.txt": "x"})
    workspace.git("switch", "-q", branch(TASK))
    workspace.git("switch", "-q", "--detach")
    standing = workspace.commit({"standing.txt": "x"})
    assert here.workspaces.removable(workspace.path)[0] is False
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    here.repo.git("gc", "--quiet", "--prune=now")
    assert {left, standing} <= set(here.repo.git("rev-list", ref).split())


def test_a_merge_with_an_autostash_is_saved(here: Place) -> None:
    """What `merge --autostash` put aside is saved although only git's folder names it."""
    workspace = here.acquire()
    workspace.commit({"README.md": "mine\n"})
    here.repo.commit({"README.md": "theirs\n"})
    workspace.write({"src/a.txt": "put aside"})
    assert workspace.attempt("merge", "--autostash", "main").status != 0
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    parents = here.repo.git("rev-list", "--parents", "-1", ref).split()[1:]
    assert any(here.repo.tree(parent).get("src/a.txt") == b"put aside" for parent in parents)


def test_what_can_be_made_again_is_not_saved(here: Place) -> None:
    """Ignored caches and dependencies are removed without being saved, however large."""
    here = replace(here, limit=1000)
    workspace = here.acquire()
    workspace.write({"node_modules/x/y.js": "y" * 5000, "out/__pycache__/a.pyc": "z" * 5000})
    assert here.workspaces.removable(workspace.path)[0]
    assert here.workspaces.release(workspace.path) == ()


def test_a_folder_of_that_name_that_git_does_not_ignore_is_saved(here: Place) -> None:
    """`build` is only a cache where git ignores it."""
    workspace = here.acquire()
    workspace.write({"build/plan.txt": "work"})
    here.workspaces.release(workspace.path)
    assert here.repo.tree(here.rescues()[0])["build/plan.txt"] == b"work"


def test_too_much_to_save_keeps_the_workspace(here: Place) -> None:
    """More ignored data than can be saved keeps the workspace and names the largest files."""
    here = replace(here, limit=1000)
    workspace = here.acquire()
    workspace.write({"big.log": "x" * 2000, "small.log": "x"})
    with pytest.raises(WorkspaceKept, match=r"big\.log"):
        here.workspaces.release(workspace.path)
    assert workspace.read("big.log") == b"x" * 2000
    assert workspace.git("symbolic-ref", "--short", "HEAD") == branch(TASK)
    assert here.workspaces.list()[0].task == TASK.id


def test_a_copy_that_is_as_in_the_main_checkout_is_not_saved(tmp_path: Path) -> None:
    """An unchanged copied file or link is safe where it came from; a changed copy is saved."""
    here = place(tmp_path, copy=(".env", "x.log"), link=("node_modules",))
    here.repo.write({".env": "A=1", "x.log": "log", "node_modules/m": "m"})
    workspace = here.acquire()
    workspace.write({".env": "A=2"})
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    tree = here.repo.tree(ref)
    assert tree[".env"] == b"A=2"
    assert not {"x.log", "node_modules"} & tree.keys()
    assert here.repo.read("node_modules/m") == b"m"


def test_a_nested_repository_is_saved_whole(here: Place, tmp_path: Path) -> None:
    """Files, commits and stash of a repository inside the workspace can be taken out of the rescue again."""
    workspace = here.acquire()
    nested = sample(Path(workspace.path, "tools/nested"))
    nested.commit({"more.txt": "more"})
    nested.write({"README.md": "uncommitted"})
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    tree = here.repo.tree(ref)
    assert tree["tools/nested/README.md"] == b"uncommitted"
    target = tmp_path / "restored"
    target.mkdir()
    unpacked = process.run(["tar", "-x", "-C", str(target)], stdin=tree["tools/nested/.git.tar"])
    assert unpacked.status == 0
    restored = Repo(str(target))
    restored.git("fsck")
    assert restored.git("show", "HEAD:more.txt") == "more"


def test_a_clone_without_anything_of_its_own_is_not_saved(here: Place, tmp_path: Path) -> None:
    """A clone that an agent only looked at is on its remote; one with a commit of its own is not."""
    elsewhere = sample(tmp_path / "elsewhere")
    workspace = here.acquire()
    clone(elsewhere, f"{workspace.path}/vendor/lib")
    assert here.workspaces.removable(workspace.path)[0]
    clone(elsewhere, f"{workspace.path}/vendor/mine").commit({"mine.txt": "x"})
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    saved = {path for path in here.repo.tree(ref) if path.startswith("vendor/")}
    assert "vendor/mine/.git.tar" in saved
    assert not any(path.startswith("vendor/lib") for path in saved)


def test_a_submodule_with_work_is_saved(here: Place, tmp_path: Path) -> None:
    """Commits in a submodule live in git's folder for the workspace, and are saved with it."""
    module = sample(tmp_path / "module")
    allowed = ("-c", "protocol.file.allow=always")
    here.repo.git(*allowed, "submodule", "--quiet", "add", module.path, "module")
    here.repo.git("commit", "-qm", "Submodule")
    workspace = here.acquire()
    workspace.git(*allowed, "submodule", "--quiet", "update", "--init")
    assert here.workspaces.removable(workspace.path)[0]
    inner = Repo(f"{workspace.path}/module")
    inner.git("config", "user.email", "a@example.org")
    work = inner.commit({"work.txt": "x"})
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    with tarfile.open(fileobj=io.BytesIO(here.repo.tree(ref)["module/.git.tar"])) as tar:
        assert any(work[2:] in name for name in tar.getnames())


def test_a_worktree_inside_a_workspace_keeps_its_commits(here: Place) -> None:
    """A worktree of the same repository that an agent added inside is saved: its files, and what it has checked out."""
    workspace = here.acquire()
    inner = workspace.worktree(f"{workspace.path}/inner", "--detach")
    work = inner.commit({"work.txt": "x"})
    inner.write({"new.txt": "y"})
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    assert here.repo.tree(ref)["inner/new.txt"] == b"y"
    here.repo.git("worktree", "prune")
    here.repo.git("gc", "--quiet", "--prune=now")
    assert work in here.repo.git("rev-list", ref).split()


def test_a_live_process_is_not_pulled_away_from_under(here: Place) -> None:
    """A workspace somebody works in is not returned, and the process is named."""
    workspace = here.acquire()
    with somebody_in(workspace.path) as pid:
        with pytest.raises(WorkspaceOccupied, match=f"process {pid} \\(sleep\\)"):
            here.workspaces.release(workspace.path)
        assert here.workspaces.removable(workspace.path) == (False, f"process {pid} (sleep) works in it")
    assert workspace.git("status", "--porcelain") == ""
    here.workspaces.release(workspace.path)


@pytest.mark.parametrize("what", ["repository", "file", "link"])
def test_a_workspace_that_became_something_else_is_kept(here: Place, tmp_path: Path, what: str) -> None:
    """Where another repository, or a link, stands in the workspace's place, nothing in it is touched."""
    workspace = here.acquire()
    if what == "link":
        os.rename(workspace.path, tmp_path / "moved")
        os.symlink(tmp_path / "moved", workspace.path)
    else:
        os.unlink(f"{workspace.path}/.git")
        workspace.git("init", "-q") if what == "repository" else workspace.write({".git": "gitdir: /nowhere\n"})
    for act in (
        here.workspaces.release,
        lambda path: here.workspaces.commit_leftovers(path, "no"),
        lambda _: here.bound(),
    ):
        with pytest.raises(WorkspaceKept, match=r"lead|else"):
            act(workspace.path)
    assert workspace.read("README.md") == b"# Sample\n"
    assert here.rescues() == []


def test_a_users_worktree_in_the_same_folder_is_left_alone(here: Place) -> None:
    """A worktree of the user's in the workspaces' folder is not taken for a task's, whatever its name."""
    mine = here.repo.worktree(f"{here.repo.path}.workspaces/fix-database", "-b", "fix")
    assert here.workspaces.list() == ()
    with pytest.raises(WorkspaceForeign):
        here.workspaces.release(mine.path)
    assert here.workspaces.repair() == ()


def test_a_foreign_folder_is_never_returned(here: Place, tmp_path: Path) -> None:
    """Only workspaces are returned: not the main checkout, not a folder, not a spare."""
    here.workspaces.refill()
    for path in (here.repo.path, str(tmp_path), str(here.spare())):
        with pytest.raises(WorkspaceForeign):
            here.workspaces.release(path)
    assert here.repo.read("README.md") == b"# Sample\n"


def test_returning_twice_is_returning_once(here: Place) -> None:
    """What is returned already is not an error."""
    workspace = here.acquire()
    here.workspaces.release(workspace.path)
    assert here.workspaces.release(workspace.path) == ()


def test_one_name_inside_another_is_not_the_same(here: Place) -> None:
    """Returning a task's workspace leaves alone one whose name begins the same way."""
    longer = replace(TASK, name="oauth-k3f9x2ab", id="k3f9x2ac")
    kept = here.acquire(longer)
    kept.write({"new.txt": "x"})
    here.workspaces.release(here.acquire().path)
    assert kept.read("new.txt") == b"x"
    assert [w.task for w in here.workspaces.list() if w.task] == [longer.id]


def test_a_workspace_too_many_is_removed(here: Place) -> None:
    """Where no spare is wanted the workspace is removed, from the disk and from git's list."""
    here = replace(here, settings=WorkspaceSettings(size=0))
    workspace = here.acquire()
    workspace.write({"a.log": "log"})
    here.workspaces.release(workspace.path)
    assert here.workspaces.list() == ()
    assert here.repo.git("worktree", "list").count("\n") == 0
    assert [name for name in os.listdir(f"{here.repo.path}.workspaces") if name != ".orange-trash"] == []


def test_links_are_not_followed_when_cleaning(here: Place, tmp_path: Path) -> None:
    """What a link in the workspace leads to is neither saved nor removed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    workspace = here.acquire()
    os.symlink(outside, f"{workspace.path}/out")
    os.unlink(f"{workspace.path}/src/a.txt")
    os.unlink(f"{workspace.path}/src/b.txt")
    os.rmdir(f"{workspace.path}/src")
    os.symlink(outside, f"{workspace.path}/src")
    here.workspaces.release(workspace.path)
    assert [path.name for path in outside.iterdir()] == ["mine.txt"]
    assert here.repo.tree(here.rescues()[0])["src"] == os.fsencode(outside)


def _skip_worktree(w: Repo) -> None:
    w.git("update-index", "--skip-worktree", "README.md")
    w.git("update-index", "--assume-unchanged", "src/a.txt")
    w.write({"README.md": "hidden", "src/a.txt": "hidden"})


def _nested(w: Repo) -> None:
    sample(Path(w.path, "nested"))
    sample(Path(w.path, "src/deep/nested"))


def _nested_git_in_a_tracked_folder(w: Repo) -> None:
    sample(Path(w.path, "src"))


def _ignored(w: Repo) -> None:
    w.write({"a.log": "x", "node_modules/m/x.js": "x", "out/cache": "x", ".env": "A=1", "src/__pycache__/a.pyc": "x"})


def _empty_folders(w: Repo) -> None:
    os.makedirs(f"{w.path}/empty/er")
    os.makedirs(f"{w.path}/src/empty")


def _permissions(w: Repo) -> None:
    os.chmod(f"{w.path}/README.md", 0o600)
    os.chmod(f"{w.path}/src/a.txt", 0o444)
    os.chmod(f"{w.path}/src/b.txt", 0o777)
    os.chmod(f"{w.path}/src", 0o700)


def _read_only_folders(w: Repo) -> None:
    w.write({"locked/in/x.txt": "x"})
    os.chmod(f"{w.path}/locked/in", 0o500)
    os.chmod(f"{w.path}/locked", 0o500)


def _hard_link(w: Repo) -> None:
    outside = Path(w.path).parent.parent / "outside.txt"
    outside.write_text("# Sample\n")
    os.unlink(f"{w.path}/README.md")
    os.link(outside, f"{w.path}/README.md")


def _own_configuration(w: Repo) -> None:
    w.git("sparse-checkout", "set", "nothing")
    w.git("config", "--worktree", "core.autocrlf", "true")


def _operation(w: Repo) -> None:
    w.commit({"README.md": "mine\n"})
    w.attempt("merge", "-q", w.git("commit-tree", "-p", "HEAD~1", "-m", "x", "HEAD~1^{tree}"), "--no-ff", "--no-commit")
    w.git("bisect", "start")
    w.git("update-ref", "refs/worktree/mine", "HEAD")


def _git_file(w: Repo) -> None:
    os.unlink(f"{w.path}/.git")


def _special_files(w: Repo) -> None:
    os.mkfifo(f"{w.path}/fifo")
    os.mkfifo(f"{w.path}/src/pipe.log")


def _same_size_same_time(w: Repo) -> None:
    path = f"{w.path}/README.md"
    before = os.stat(path)
    Path(path).write_text("# SAMPLE\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _file_for_folder(w: Repo) -> None:
    w.write({"src/a.txt": None, "src/b.txt": None, "README.md": None})
    os.rmdir(f"{w.path}/src")
    w.write({"src": "x", "README.md/x": "y"})


_LEAKS = [
    _skip_worktree, _nested, _nested_git_in_a_tracked_folder, _ignored, _empty_folders, _permissions,
    _read_only_folders, _hard_link, _own_configuration, _operation, _git_file, _special_files,
    _same_size_same_time, _file_for_folder,
]  # fmt: skip


@pytest.mark.parametrize("leave", _LEAKS, ids=lambda leave: leave.__name__.strip("_"))
def test_nothing_leaks_to_the_next_task(here: Place, tmp_path: Path, leave: Callable[[Repo], None]) -> None:
    """The next task's workspace, made of the last one's, is what a fresh worktree is, down to git's folder."""
    here = replace(here, settings=WorkspaceSettings(size=2))
    workspace = here.acquire()
    leave(workspace)
    here.workspaces.release(workspace.path)
    here.repo.attempt("config", "--unset", "extensions.worktreeConfig")
    used = here.spare()
    again = here.acquire(OTHER)
    assert not used.exists()
    fresh = here.repo.worktree(tmp_path / "fresh", "--detach")
    assert listing(again.path) == listing(fresh.path)
    assert again.git("status", "--porcelain", "--ignored") == ""
    assert set(again.git("ls-files", "-v").split()[::2]) == {"H"}
    folder = Path(again.git("rev-parse", "--absolute-git-dir"))
    assert {path.name for path in folder.iterdir()} <= {"HEAD", "commondir", "gitdir", "index", "logs", "ORIG_HEAD"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in Path(again.path).rglob("*") if path.is_dir()}
    assert modes == {stat.S_IMODE(path.stat().st_mode) for path in Path(fresh.path).rglob("*") if path.is_dir()}
    assert again.git("rev-parse", "HEAD") == here.repo.rev()
    here.healthy()


def test_folders_of_any_depth_are_removed(here: Place) -> None:
    """A cache deeper than a path can be long does not stop the cleaning."""
    workspace = here.acquire()
    try:
        folder = os.open(workspace.path, os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("node_modules", dir_fd=folder)
            inner = os.open("node_modules", os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = inner
        os.close(folder)
        assert here.workspaces.release(workspace.path) == ()
        assert not (here.spare() / "node_modules").exists()
    finally:
        # What is left of a failure would stop pytest's own cleaning.
        process.run(["rm", "-rf", "--", f"{here.repo.path}.workspaces"])


def test_a_change_while_saving_keeps_the_workspace(here: Place) -> None:
    """If something changes between saving and moving away, the workspace is put back with everything in it."""
    workspace = here.acquire()
    workspace.write({"new.txt": "1"})
    holding = threading.Event()

    def interfere() -> None:
        with repository_lock(here.repo.layout.git_lock):
            holding.set()
            until(here.rescues)
            workspace.write({"late.txt": "late"})

    thread = threading.Thread(target=interfere)
    thread.start()
    holding.wait()
    with pytest.raises(WorkspaceKept, match="changed while it was being saved"):
        here.workspaces.release(workspace.path)
    thread.join()
    assert workspace.git("status", "--porcelain").splitlines() == ["?? late.txt", "?? new.txt"]
    here.workspaces.release(workspace.path)
    assert here.repo.tree(here.rescues()[-1])["late.txt"] == b"late"
