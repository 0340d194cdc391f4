"""Committing leftovers: everything uncommitted, on the task's branch, running nothing, taking nobody's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from orange.adapters import process
from orange.core.problems import WorkspaceFailed, WorkspaceForeign
from orange.testing.repos import Repo, sample
from tests.integration.workspaces_place import TASK, Place, branch, place, somebody_in


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """A repository without spares."""
    return place(tmp_path)


def _commit(here: Place, workspace: Repo) -> str:
    """Commit the leftovers; returns the branch's tip."""
    tip = here.workspaces.commit_leftovers(workspace.path, "Leftovers")
    assert tip == here.repo.git("rev-parse", branch(TASK))
    return tip


def _modified(w: Repo) -> None:
    w.write({"README.md": "x"})


def _new(w: Repo) -> None:
    w.write({"deep/er/new.txt": "x", "ünï \t\"cödé'\n.txt": "y"})


def _deleted(w: Repo) -> None:
    w.write({"src/a.txt": None})


def _executable(w: Repo) -> None:
    os.chmod(f"{w.path}/README.md", 0o755)


def _link(w: Repo) -> None:
    os.symlink("/etc/passwd", f"{w.path}/link")


def _renamed(w: Repo) -> None:
    os.rename(f"{w.path}/src", f"{w.path}/moved")


def _file_to_folder(w: Repo) -> None:
    w.write({"README.md": None})
    w.write({"README.md/inside.txt": "x"})


def _folder_to_file(w: Repo) -> None:
    w.write({"src/a.txt": None, "src/b.txt": None})
    os.rmdir(f"{w.path}/src")
    w.write({"src": "x"})


def _staged(w: Repo) -> None:
    w.write({"new.txt": "x", "src/b.txt": None})
    w.git("add", "-A")


def _staged_and_edited(w: Repo) -> None:
    w.write({"new.txt": "x"})
    w.git("add", "-A")
    w.write({"new.txt": "y"})


def _intended(w: Repo) -> None:
    w.write({"new.txt": "x"})
    w.git("add", "-N", "new.txt")


def _removed_from_index(w: Repo) -> None:
    w.git("rm", "-q", "--cached", "README.md")
    w.write({"README.md": "x"})


def _binary(w: Repo) -> None:
    w.write({"data.bin": bytes(range(256)) * 100, "empty": ""})


_CHANGES = [
    _modified, _new, _deleted, _executable, _link, _renamed, _file_to_folder, _folder_to_file, _staged,
    _staged_and_edited, _intended, _removed_from_index, _binary,
]  # fmt: skip


@pytest.mark.parametrize("change", _CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_every_kind_of_change_is_committed(here: Place, change: Callable[[Repo], None]) -> None:
    """The commit is what `git add -A` would have made, and the workspace is clean afterwards."""
    workspace = here.acquire()
    before = workspace.git("rev-parse", "HEAD")
    change(workspace)
    tip = _commit(here, workspace)
    assert workspace.git("rev-list", "--parents", "-1", tip).split() == [tip, before]
    assert workspace.git("status", "--porcelain") == ""
    workspace.git("rm", "-rq", "--cached", ".")
    workspace.git("add", "-A")
    assert workspace.git("write-tree") == workspace.git("rev-parse", f"{tip}^{{tree}}")
    assert workspace.git("log", "-1", "--format=%an %ae %s") == "Ada ada@example.org Leftovers"


def test_nothing_uncommitted_makes_no_commit(here: Place) -> None:
    """Without changes the tip is returned as it is, as often as one asks."""
    workspace = here.acquire()
    tip = workspace.rev()
    assert [_commit(here, workspace) for _ in range(2)] == [tip, tip]


def test_ignored_files_are_not_committed(here: Place) -> None:
    """.gitignore and info/exclude are respected, and orange's own folder is never committed, not even when forced."""
    with open(f"{here.repo.common}/info/exclude", "a", encoding="utf-8") as file:
        file.write("secret.txt\n")
    workspace = here.acquire()
    workspace.write({"a.log": "x", "secret.txt": "x", ".orange/tasks/x": "x", "sub/.orange.txt": "fine"})
    workspace.git("add", "-f", ".orange")
    tree = here.repo.tree(_commit(here, workspace))
    assert "sub/.orange.txt" in tree
    assert not {"a.log", "secret.txt", ".orange/tasks/x"} & tree.keys()


def test_provided_files_are_not_committed(tmp_path: Path) -> None:
    """Copies and links that orange made are not the agent's work, even where git does not ignore them."""
    here = place(tmp_path, copy=("local/*.cfg",), link=("shared",))
    here.repo.write({"local/a.cfg": "mine", "shared/x": "x"})
    workspace = here.acquire()
    workspace.write({"new.txt": "x"})
    assert {"local/a.cfg", "shared"}.isdisjoint(here.repo.tree(_commit(here, workspace)))
    assert workspace.read("local/a.cfg") == b"mine"


def test_no_hook_runs(here: Place, tmp_path: Path) -> None:
    """Hooks are for the agent's own commits."""
    names = ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change", "post-rewrite")
    workspace = here.acquire()
    for name in names:
        here.repo.hook(name, f"touch '{tmp_path}/ran-{name}'; exit 1")
    workspace.write({"new.txt": "x"})
    _commit(here, workspace)
    assert list(tmp_path.glob("ran-*")) == []


def test_a_resolved_merge_is_finished(here: Place) -> None:
    """A merge whose conflicts were resolved and added becomes a merge commit."""
    workspace = here.acquire()
    work = workspace.commit({"README.md": "mine\n"})
    base = here.repo.commit({"README.md": "theirs\n"})
    here.acquire()
    workspace.write({"README.md": "both\n"})
    workspace.git("add", "README.md")
    tip = _commit(here, workspace)
    assert workspace.git("rev-list", "--parents", "-1", tip).split() == [tip, work, base]
    assert workspace.git("status").splitlines()[-1] == "nothing to commit, working tree clean"


def test_a_conflict_is_not_committed(here: Place) -> None:
    """A conflicted state is saved to a rescue ref and left in progress; the branch stays."""
    workspace = here.acquire()
    work = workspace.commit({"README.md": "mine\n"})
    here.repo.commit({"README.md": "theirs\n"})
    here.acquire()
    workspace.write({"new.txt": "x"})
    done = here.workspaces.leftovers(workspace.path, "Leftovers")
    (ref,) = here.rescues()
    assert (done.tip, done.committed) == (work, False)
    assert done.notes == (f"nothing was committed because README.md is in conflict; saved as {ref}",)
    assert b"<<<<<<<" in here.repo.tree(ref)["README.md"]
    assert here.repo.tree(ref)["new.txt"] == b"x"
    assert workspace.rev("MERGE_HEAD")
    assert workspace.git("ls-files", "--unmerged")
    here.workspaces.commit_leftovers(workspace.path, "Leftovers")
    assert here.rescues() == [ref]


def test_a_detached_head_is_saved_aside(here: Place) -> None:
    """Work on a detached HEAD, commits and files, goes to a rescue ref; the branch is not touched."""
    workspace = here.acquire()
    tip = workspace.rev()
    workspace.git("switch", "-q", "--detach")
    lost = workspace.commit({"lost.txt": "x"})
    workspace.write({"new.txt": "x"})
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") is None
    (ref,) = here.rescues()
    assert here.repo.git("rev-parse", branch(TASK)) == tip
    assert here.repo.git("rev-parse", f"{ref}^") == lost
    assert here.repo.tree(ref)["new.txt"] == b"x"


def test_a_rebase_in_progress_is_saved_aside(here: Place) -> None:
    """A rebase stopped by a conflict is left as it is, and what it has so far is saved."""
    workspace = here.acquire()
    workspace.commit({"one.txt": "1"})
    tip = workspace.commit({"README.md": "mine\n"})
    here.repo.commit({"README.md": "theirs\n"})
    assert workspace.attempt("rebase", "main").status != 0
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") is None
    (ref,) = here.rescues()
    assert here.repo.tree(ref)["one.txt"] == b"1"
    assert here.repo.git("rev-parse", branch(TASK)) == tip
    assert "rebase in progress" in workspace.git("status")


def test_another_branch_is_not_committed_to(here: Place) -> None:
    """An agent that switched to another branch does not get its leftovers committed there."""
    workspace = here.acquire()
    workspace.git("switch", "-q", "-c", "elsewhere")
    workspace.write({"new.txt": "x"})
    done = here.workspaces.leftovers(workspace.path, "Leftovers")
    (ref,) = here.rescues()
    assert done.tip is None
    assert done.notes == (
        f"nothing was committed because elsewhere is checked out, not the task's branch; saved as {ref}",
    )


def test_a_branch_moved_from_outside_is_not_reverted(here: Place) -> None:
    """Files of an older commit than the branch now has are not committed on top of it, undoing what came in."""
    workspace = here.acquire()
    workspace.commit({"one.txt": "1"})
    moved = here.repo.branch(branch(TASK), {"two.txt": "2"})
    workspace.write({"three.txt": "3"})
    done = here.workspaces.leftovers(workspace.path, "Leftovers")
    assert (done.tip, done.committed) == (moved, False)
    assert "moved from outside" in done.notes[0]
    assert here.repo.tree(here.rescues()[0])["three.txt"] == b"3"
    assert here.repo.git("rev-parse", branch(TASK)) == moved


def test_a_deleted_branch_is_not_begun_anew(here: Place) -> None:
    """A branch deleted under the workspace does not become a branch without history."""
    workspace = here.acquire()
    workspace.git("update-ref", "-d", f"refs/heads/{branch(TASK)}")
    workspace.write({"new.txt": "x"})
    assert here.workspaces.commit_leftovers(workspace.path, "Leftovers") is None
    (ref,) = here.rescues()
    assert here.repo.tree(ref)["new.txt"] == b"x"


@pytest.mark.parametrize("head", [False, True], ids=["gone", "as in HEAD"])
def test_a_version_that_is_only_staged_is_saved(here: Place, *, head: bool) -> None:
    """What was staged and is in no file (deleted since, or put back) is kept in a rescue ref."""
    workspace = here.acquire()
    name = "README.md" if head else "new.txt"
    workspace.write({name: "staged"})
    workspace.git("add", name)
    workspace.write({name: "# Sample\n" if head else None, "other.txt": "x"})
    _commit(here, workspace)
    (ref,) = here.rescues()
    assert here.repo.tree(f"{ref}^2")[name] == b"staged"
    assert workspace.git("status", "--porcelain") == ""


def test_a_staged_version_is_saved_once(here: Place) -> None:
    """With nothing but a staged version to save, one rescue holds it, and the workspace is clean."""
    workspace = here.acquire()
    tip = workspace.rev()
    workspace.write({"new.txt": "staged"})
    workspace.git("add", "new.txt")
    os.unlink(f"{workspace.path}/new.txt")
    assert [_commit(here, workspace) for _ in range(2)] == [tip, tip]
    assert len(here.rescues()) == 1
    assert workspace.git("status", "--porcelain") == ""


def test_a_nested_repository_is_not_swallowed(here: Place) -> None:
    """A repository inside the workspace is not committed as a link to a commit that nobody has."""
    workspace = here.acquire()
    sample(Path(workspace.path, "nested"))
    workspace.write({"new.txt": "x"})
    done = here.workspaces.leftovers(workspace.path, "Leftovers")
    assert done.notes == ("nested is a repository of its own and was not committed",)
    assert "160000" not in here.repo.git("ls-tree", "-r", str(done.tip))
    assert Path(workspace.path, "nested/README.md").exists()


def test_a_stale_lock_is_cleared(here: Place) -> None:
    """An index.lock that a killed git left behind does not stand in the way for ever."""
    workspace = here.acquire()
    lock = Path(workspace.git("rev-parse", "--absolute-git-dir"), "index.lock")
    lock.touch()
    workspace.write({"new.txt": "x"})
    _commit(here, workspace)
    assert not lock.exists()
    assert workspace.git("status", "--porcelain") == ""


def test_a_lock_that_is_held_is_respected(here: Place) -> None:
    """While a program works in the workspace its index.lock is left alone; the commit is made all the same."""
    workspace = here.acquire()
    lock = Path(workspace.git("rev-parse", "--absolute-git-dir"), "index.lock")
    lock.touch()
    workspace.write({"new.txt": "x"})
    with somebody_in(workspace.path):
        done = here.workspaces.leftovers(workspace.path, "Leftovers")
    assert "locked by another program" in done.notes[0]
    assert lock.exists()
    assert here.repo.tree(str(done.tip))["new.txt"] == b"x"


def test_somebody_always_commits(here: Place) -> None:
    """Without a configured identity the commit is orange's."""
    here.repo.git("config", "--unset", "user.name")
    here.repo.git("config", "--unset", "user.email")
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("[user]\n\tuseConfigOnly = true\n")
    workspace = here.acquire()
    workspace.write({"new.txt": "x"})
    _commit(here, workspace)
    assert here.repo.git("log", "-1", "--format=%an <%ae> %cn <%ce>", branch(TASK)) == " ".join(
        ["orange <orange@localhost>"] * 2
    )


def test_an_edit_in_the_same_instant_is_seen(here: Place) -> None:
    """A file of unchanged size, edited in the instant its index was written, is not taken for unchanged."""
    workspace = here.acquire()
    for _ in range(6):
        workspace.write({"race.txt": "1111"})
        workspace.git("add", "race.txt")
        workspace.git("commit", "-qm", "race", "--allow-empty")
        workspace.write({"race.txt": "2222"})
        assert here.repo.tree(_commit(here, workspace))["race.txt"] == b"2222"


@pytest.mark.parametrize(
    "settings",
    [
        {"core.splitIndex": "true"},
        {"core.untrackedCache": "true"},
        {"index.version": "4"},
        {"core.autocrlf": "true"},
        {"feature.manyFiles": "true"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_unusual_indexes_are_understood(here: Place, settings: dict[str, str]) -> None:
    """Whatever form the agent's git gives its index, the leftovers are committed and the index stays usable."""
    for key, value in settings.items():
        here.repo.git("config", key, value)
    workspace = here.acquire()
    workspace.commit({"work.txt": "work\n"})
    workspace.git("update-index", "--refresh")
    workspace.write({"new.txt": "x\r\n", "src/a.txt": None})
    tip = _commit(here, workspace)
    assert here.repo.tree(tip)["new.txt"] == (b"x\n" if "core.autocrlf" in settings else b"x\r\n")
    assert workspace.git("status", "--porcelain") == ""
    workspace.commit({"more.txt": "more\n"})
    assert here.workspaces.release(workspace.path) == ()


def test_a_broken_index_loses_nothing(here: Place) -> None:
    """With an index that cannot be read, what is on disk is compared with the commit."""
    workspace = here.acquire()
    Path(workspace.git("rev-parse", "--absolute-git-dir"), "index").write_bytes(b"DIRCbroken")
    workspace.write({"new.txt": "x", "src/a.txt": None})
    tree = here.repo.tree(_commit(here, workspace))
    assert "new.txt" in tree
    assert "src/a.txt" not in tree
    assert workspace.git("status", "--porcelain") == ""


def test_flags_of_the_index_are_respected(here: Place) -> None:
    """A file the agent told git to overlook is not committed."""
    workspace = here.acquire()
    workspace.git("update-index", "--skip-worktree", "README.md")
    workspace.write({"README.md": "private", "new.txt": "x"})
    tree = here.repo.tree(_commit(here, workspace))
    assert tree["README.md"] == b"# Sample\n"
    assert workspace.git("ls-files", "-v", "README.md").startswith("S")


def _planted(here: Place, marker: Path) -> Repo:
    """A workspace whose agent planted every kind of command it could into the shared configuration."""
    run = f"touch '{marker}'; cat"
    for key in ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "merge.evil.driver", "diff.external",
                "core.fsmonitor", "core.sshCommand", "core.editor", "core.pager", "gpg.program", "diff.evil.command",
                "diff.evil.textconv", "core.alternateRefsCommand", "uploadpack.packObjectsHook", "credential.helper",
                "merge.tool", "alias.status", "core.askPass", "sequence.editor"):  # fmt: skip
        here.repo.git("config", key, run)
    for key, value in {"merge.verifySignatures": "true", "commit.gpgSign": "true", "core.hooksPath": str(marker.parent),
                       "submodule.recurse": "true", "extensions.worktreeConfig": "true"}.items():  # fmt: skip
        here.repo.git("config", key, value)
    workspace = Repo(here.workspaces.path_for(TASK))
    workspace.write({".gitattributes": "* filter=evil merge=evil diff=evil\n", "new.txt": "x"})
    for name in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        (marker.parent / name).write_text(f"#!/bin/sh\n{run}\n")
        (marker.parent / name).chmod(0o755)
    return workspace


def test_nothing_planted_is_run(here: Place, tmp_path: Path) -> None:
    """No command in configuration, attributes or hooks that an agent can write is run by any operation of ours."""
    start = here.acquire().git("rev-parse", "HEAD")
    here.repo.branch(branch(TASK), {}, start=start)
    side = here.repo.branch("side", {"base.txt": "base", ".gitattributes": "* filter=evil merge=evil\n"}, start=start)
    marker = tmp_path / "traps" / "ran"
    marker.parent.mkdir()
    workspace = _planted(here, marker)
    workspaces = here.workspaces
    workspaces.commit_leftovers(workspace.path, "Leftovers")
    workspaces.removable(workspace.path)
    workspaces.list()
    workspaces.repair()
    workspaces.release(workspace.path)
    workspaces.refill()
    again = workspaces.acquire(TASK, branch(TASK), side).path
    Path(again, "base.txt").write_text("edited")
    workspaces.commit_leftovers(again, "Leftovers")
    workspaces.release(again)
    assert not marker.exists()
    Repo(workspaces.acquire(TASK, branch(TASK), side).path).attempt("status")
    assert marker.exists(), "the traps were not armed"


def test_a_filter_of_the_repository_is_not_bypassed(here: Place) -> None:
    """A file that its own repository would encrypt is not committed in the clear: it is kept back, and said so."""
    here.repo.git("config", "filter.crypt.clean", "tr a-z n-za-m")
    here.repo.git("config", "filter.crypt.smudge", "tr a-z n-za-m")
    here.repo.commit({".gitattributes": "*.secret filter=crypt\n", "old.secret": "secret"})
    workspace = here.acquire()
    workspace.write({"new.secret": "secret", "old.secret": "other", "plain.txt": "x"})
    done = here.workspaces.leftovers(workspace.path, "Leftovers")
    assert any("new.secret needs a git filter" in note for note in done.notes)
    tree = here.repo.tree(str(done.tip))
    assert "new.secret" not in tree
    assert tree["old.secret"] == b"frperg"
    assert tree["plain.txt"] == b"x"
    here.workspaces.release(workspace.path)
    (ref,) = here.rescues()
    assert here.repo.tree(ref)["new.secret"] == b"secret"


def test_the_agents_own_commits_are_not_disturbed(here: Place) -> None:
    """Looking at a workspace again and again never makes an agent's git fail."""
    workspace = here.acquire()
    looking = threading.Event()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            with suppress(WorkspaceFailed):
                here.workspaces.removable(workspace.path)
            looking.set()

    thread = threading.Thread(target=look)
    thread.start()
    assert looking.wait(60)
    for number in range(20):
        workspace.commit({f"f{number}.txt": "x"})
    stop.set()
    thread.join()
    assert workspace.git("status", "--porcelain") == ""


def test_leftovers_of_a_folder_that_is_gone_are_refused(here: Place) -> None:
    """Without its folder there is nothing to commit, and that is said."""
    workspace = here.acquire()
    process.run(["rm", "-rf", workspace.path])
    with pytest.raises(WorkspaceForeign, match="is gone"):
        here.workspaces.commit_leftovers(workspace.path, "Leftovers")
