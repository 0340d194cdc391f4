"""The user's branch follows the integrated base where that is safe, and nothing of the user's is ever lost."""

from __future__ import annotations

import os
import random
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from orange.adapters.integration import GitIntegration
from orange.core.layout import BASE_REFS, Layout
from orange.core.model import Base
from orange.core.problems import GitFailed
from orange.testing import repos
from orange.testing.repos import Files, Repo

MAIN = f"{BASE_REFS}main"
#: What the task of these tests does: adds, changes, deletes, turns a file into a folder and a folder into a file.
WORK: Files = {
    "src/a.txt": "task\n",
    "added/deep/new.txt": "new\n",
    "gone/x": None,
    "gone/y": None,
    "swap/file": None,
    "swap": "a file now\n",
    "unswap": None,
    "unswap/inside": "below\n",
    'odd "\n\tnäme': "odd\n",
}
#: Its starting point.
START: Files = {
    "gone/x": "x\n",
    "gone/y": "y\n",
    "swap/file": "s\n",
    "unswap": "u\n",
    "other/kept.txt": "kept\n",
    "other/second.txt": "second\n",
    ".gitignore": "*.ignored\nbuild/\n",
}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repos.isolate(monkeypatch, tmp_path / "home")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with main checked out, and a task's work integrated that main has not got yet."""
    repo = repos.sample(tmp_path / "r")
    repo.commit(START)
    integrate(repo, WORK)
    return repo


def integrate(repo: Repo, work: Files, branch: str = "orange/a") -> str:
    """Bring a task's work into the integrated base; returns the merge."""
    integration = GitIntegration(repo.layout)
    repo.branch(branch, work, start=integration.start_point("main"))
    return str(integration.integrate(branch, "main", "Merge the work", None).commit)


def follow(repo: Repo) -> Base:
    """Let main follow, in a process that remembers nothing."""
    return GitIntegration(repo.layout).follow("main")


def users_state(repo: Repo) -> dict[str, object]:
    """Everything of the user's in a worktree that must be the same afterwards, besides the work's own files."""
    commands = {
        "head": ("symbolic-ref", "HEAD"),
        "staged": ("diff", "--cached", "--raw", "--no-abbrev", "HEAD"),
        "unstaged": ("diff", "--raw"),
        "status": ("status", "--porcelain", "-z", "--ignored", "-uall"),
        "stash": ("stash", "list"),
        "config": ("config", "--list"),
        "orig": ("rev-parse", "--verify", "-q", "ORIG_HEAD"),
    }
    state: dict[str, object] = {name: repo.attempt(*command).stdout for name, command in commands.items()}
    locks = (path.relative_to(repo.common) for path in Path(repo.common).rglob("*.lock"))
    return state | {"locks": sorted(str(path) for path in locks if path.parts[0] != "orange")}


def files(repo: Repo) -> dict[str, bytes]:
    """Every file of a worktree."""
    top = Path(repo.path)
    found = (path for path in top.rglob("*") if ".git" not in path.relative_to(top).parts)
    return {
        str(path.relative_to(top)): os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for path in found
        if path.is_symlink() or path.is_file()
    }


def clean(repo: Repo) -> bool:
    """Whether git sees no difference between commit, index and files, looking at every byte."""
    repo.git("update-index", "--really-refresh", "-q")
    return repo.git("status", "--porcelain") == ""


# Where it is safe.


def test_a_branch_that_nobody_has_checked_out_is_moved(repo: Repo) -> None:
    """With a detached HEAD or another branch checked out, only the ref moves; no file does."""
    for checkout in (("-q", "--detach"), ("-q", "-b", "side")):
        repo.git("checkout", *checkout)
        before = files(repo), users_state(repo)
        base = follow(repo)
        assert (base.branch, base.behind, base.reason) == (repo.rev(MAIN), 0, None)
        assert repo.rev("main") == repo.rev(MAIN)
        assert (files(repo), users_state(repo)) == before
        repo.git("checkout", "-q", "main")
        integrate(repo, {f"more-{checkout[-1]}": "1"}, f"orange/{checkout[-1]}")


def test_a_ref_lock_that_a_kill_left_is_cleared_when_it_is_old(repo: Repo) -> None:
    """Only one that is empty or says what we were about to write: any other may be somebody's."""
    repo.git("checkout", "-q", "--detach")
    lock = Path(repo.common, "refs/heads/main.lock")
    lock.write_text("1" * 40)
    os.utime(lock, (1_000_000_000, 1_000_000_000))
    with pytest.raises(GitFailed):
        follow(repo)
    lock.write_text("")
    os.utime(lock, (1_000_000_000, 1_000_000_000))
    assert follow(repo).behind == 0


def test_a_clean_checkout_follows_with_its_files_and_index(repo: Repo, tmp_path: Path) -> None:
    """Files, index and branch are the merge's; git sees nothing uncommitted; no hook runs; ORIG_HEAD is as it was."""
    before = users_state(repo)
    for hook in ("post-merge", "post-checkout", "pre-merge-commit", "reference-transaction", "post-index-change"):
        repo.hook(hook, f"touch {tmp_path}/ran; exit 1")
    base = follow(repo)
    assert not (tmp_path / "ran").exists()
    assert (base.branch, base.behind, base.reason) == (repo.rev(MAIN), 0, None)
    assert files(repo) == repo.tree("HEAD") == repo.tree(MAIN)
    assert users_state(repo) == before
    assert clean(repo)
    assert not list(Path(repo.common, "orange").glob("follow.json"))
    assert "orange: follow" in repo.git("reflog", "-1", "main")
    assert repo.git("symbolic-ref", "HEAD") == "refs/heads/main"


def test_an_orig_head_of_the_users_stays(repo: Repo) -> None:
    """`git reset --hard ORIG_HEAD` means afterwards what it meant before."""
    repo.git("update-ref", "ORIG_HEAD", "HEAD~1")
    before = repo.rev("ORIG_HEAD")
    assert follow(repo).reason is None
    assert repo.rev("ORIG_HEAD") == before


def test_a_linked_worktree_follows_like_the_main_one(repo: Repo, tmp_path: Path) -> None:
    """The checkout is found wherever it is."""
    repo.git("checkout", "-q", "-b", "side")
    linked = repo.worktree(tmp_path / "linked", "main")
    assert follow(repo).reason is None
    assert clean(linked)
    assert files(linked) == repo.tree(MAIN)
    assert repo.git("rev-parse", "--abbrev-ref", "HEAD") == "side"


def test_a_bare_repositorys_worktree_follows(repo: Repo, tmp_path: Path) -> None:
    """The bare repository's own HEAD is no checkout."""
    bare = repos.clone(repo, tmp_path / "bare.git", "--bare")
    side = bare.worktree(tmp_path / "side", "main")
    integrate(bare, WORK)
    assert follow(bare).reason is None
    assert clean(side)
    assert files(side) == bare.tree(MAIN)


def test_settings_of_the_users_for_merging_do_not_matter(repo: Repo) -> None:
    """`merge.ff`, `branch.main.mergeOptions`, autostash, signatures and recursing submodules change nothing."""
    repo.git("config", "branch.main.mergeOptions", "--no-ff --squash")
    repo.git("config", "merge.ff", "false")
    for key in ("merge.autoStash", "merge.verifySignatures", "submodule.recurse", "core.splitIndex"):
        repo.git("config", key, "true")
    assert follow(repo).reason is None
    assert clean(repo)


def test_line_ends_and_filters_of_the_users_apply(repo: Repo) -> None:
    """In the user's own checkout the user's own settings hold: files get their line ends, and count as unchanged."""
    repo.git("config", "core.autocrlf", "true")
    repo.git("rm", "-q", "-r", "--cached", ".")
    repo.git("reset", "-q", "--hard")
    assert repo.read("src/b.txt") == b"b\r\n"
    assert follow(repo).reason is None
    assert repo.read("src/a.txt") == b"task\r\n"
    assert clean(repo)


def _stage(repo: Repo) -> None:
    repo.write({"other/kept.txt": "staged\n", "staged-new": "s\n"})
    repo.git("add", "other/kept.txt", "staged-new")


def _edit(repo: Repo) -> None:
    repo.write({"other/kept.txt": "edited\n", "other/second.txt": None})


def _leave_untracked(repo: Repo) -> None:
    repo.write({"untracked": "u\n", "added/mine.txt": "m\n", "x.ignored": "i\n", "build/out": "o\n"})


def _stash(repo: Repo) -> None:
    repo.write({"src/a.txt": "stashed\n"})
    repo.git("stash", "-q")


def _all(repo: Repo) -> None:
    _stash(repo)
    _stage(repo)
    repo.write({"other/kept.txt": "edited after staging\n", "other/second.txt": None})
    _leave_untracked(repo)
    repo.git("add", "-N", "untracked")


@pytest.mark.parametrize("mine", [_stage, _edit, _leave_untracked, _stash, _all])
def test_changes_that_do_not_overlap_stay_as_they_are(repo: Repo, mine: Callable[[Repo], None]) -> None:
    """Staged, unstaged, untracked and ignored files, and the stash, are identical afterwards."""
    mine(repo)
    before, files_before = users_state(repo), files(repo)
    base = follow(repo)
    assert (base.reason, repo.rev("main")) == (None, repo.rev(MAIN))
    assert users_state(repo) == before
    changed = {path for path in {**files_before, **files(repo)} if files_before.get(path) != files(repo).get(path)}
    assert changed == {path for path in WORK if path not in {"swap/file", "unswap"}} | {"swap/file", "unswap"}
    assert {path: files(repo).get(path) for path in changed} == {path: repo.tree(MAIN).get(path) for path in changed}


def test_an_edit_within_the_time_stamps_grain_is_not_forgotten(repo: Repo) -> None:
    """An edit of the same size and second as the index, found only by looking twice, still shows afterwards."""
    repo.git("config", "core.trustctime", "false")
    path = f"{repo.path}/other/kept.txt"
    stamp = os.stat(path).st_mtime - 100
    os.utime(path, (stamp, stamp))
    assert repo.git("status", "--porcelain") == ""
    os.utime(f"{repo.common}/index", (stamp, stamp))
    repo.write({"other/kept.txt": "KEPT\n"})
    os.utime(path, (stamp, stamp))
    assert follow(repo).reason is None
    assert repo.git("status", "--porcelain") == " M other/kept.txt"


# Where it is not.


def _staged(repo: Repo) -> None:
    repo.write({"src/a.txt": "mine\n"})
    repo.git("add", "src/a.txt")


def _staged_and_reverted(repo: Repo) -> None:
    _staged(repo)
    repo.write({"src/a.txt": "a\n"})


def _unstaged(repo: Repo) -> None:
    repo.write({"src/a.txt": "mine\n"})


def _deleted(repo: Repo) -> None:
    repo.write({"src/a.txt": None})


def _executable(repo: Repo) -> None:
    os.chmod(f"{repo.path}/src/a.txt", 0o755)


def _untracked(repo: Repo) -> None:
    repo.write({"added/deep/new.txt": "mine\n"})


def _untracked_same(repo: Repo) -> None:
    repo.write({"added/deep/new.txt": "new\n"})


def _ignored(repo: Repo) -> None:
    Path(repo.common, "info/exclude").write_text("added/\n")
    _untracked(repo)


def _file_for_folder(repo: Repo) -> None:
    repo.write({"added": "a file of mine\n"})


def _link_for_folder(repo: Repo) -> None:
    os.symlink("/tmp", f"{repo.path}/added")


def _untracked_in_folder_for_file(repo: Repo) -> None:
    repo.write({"swap/untracked": "mine\n"})


def _edited_where_deleted(repo: Repo) -> None:
    repo.write({"gone/x": "mine\n"})


def _assumed_unchanged(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "src/a.txt")
    _unstaged(repo)


def _skipped(repo: Repo) -> None:
    repo.git("update-index", "--skip-worktree", "src/a.txt")
    _unstaged(repo)


@pytest.mark.parametrize(
    ("mine", "named"),
    [
        (_staged, "src/a.txt"),
        (_staged_and_reverted, "src/a.txt"),
        (_unstaged, "src/a.txt"),
        (_deleted, "src/a.txt"),
        (_executable, "src/a.txt"),
        (_untracked, "added/deep/new.txt"),
        (_untracked_same, "added/deep/new.txt"),
        (_ignored, "added/deep/new.txt"),
        (_file_for_folder, "added/deep/new.txt"),
        (_link_for_folder, "added/deep/new.txt"),
        (_untracked_in_folder_for_file, "swap"),
        (_edited_where_deleted, "gone/x"),
        (_assumed_unchanged, "src/a.txt"),
        (_skipped, "src/a.txt"),
    ],
)
def test_an_overlap_is_named_and_nothing_is_touched(repo: Repo, mine: Callable[[Repo], None], named: str) -> None:
    """One file in the way: the reason names it and what to do, every byte stays; afterwards the branch follows."""
    mine(repo)
    before = users_state(repo), files(repo), repo.rev("main"), Path(repo.common, "index").read_bytes()
    base = follow(repo)
    assert named in str(base.reason)
    assert repo.path in str(base.reason)
    assert base.behind == 2
    assert (users_state(repo), files(repo), repo.rev("main"), Path(repo.common, "index").read_bytes()) == before
    assert not list(Path(repo.common).rglob("orange-*"))
    assert GitIntegration(repo.layout).observe(["main"])["main"].reason == base.reason
    integrate(repo, {"unhindered": "1"}, "orange/b")
    repo.git("update-index", "--no-assume-unchanged", "src/a.txt")
    repo.git("update-index", "--no-skip-worktree", "src/a.txt")
    repo.git("stash", "-q", "-a")
    assert follow(repo).reason is None
    assert clean(repo)


def test_a_long_list_of_files_is_cut(repo: Repo) -> None:
    """The first three are named, the rest counted."""
    repo.write({"src/a.txt": "m\n", "gone/x": "m\n", "gone/y": "m\n", "unswap": "m\n", "swap/file": "m\n"})
    reason = str(follow(repo).reason)
    assert "in gone/x, gone/y, src/a.txt and 2 more: commit or stash them, and main follows by itself" in reason


def _merging(repo: Repo) -> None:
    repo.branch("theirs", {"other/kept.txt": "theirs\n"}, start="main")
    repo.commit({"other/kept.txt": "ours\n"})
    assert repo.attempt("merge", "-q", "theirs").status == 1


def _rebasing(repo: Repo) -> None:
    repo.branch("theirs", {"other/kept.txt": "theirs\n"}, start="main")
    repo.commit({"other/kept.txt": "ours\n"})
    assert repo.attempt("rebase", "-q", "theirs").status == 1


def _picking(repo: Repo) -> None:
    picked = repo.branch("theirs", {"other/kept.txt": "theirs\n"}, start="main")
    repo.commit({"other/kept.txt": "ours\n"})
    assert repo.attempt("cherry-pick", picked).status == 1


def _bisecting(repo: Repo) -> None:
    repo.git("bisect", "start", "HEAD", "HEAD~1")


def _locked(repo: Repo) -> None:
    Path(repo.common, "index.lock").write_text("somebody's")


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (_merging, "a merge is in progress"),
        (_rebasing, "a rebase is in progress"),
        (_picking, "a cherry-pick is in progress"),
        (_bisecting, "a bisection is in progress"),
        (_locked, "git is at work"),
    ],
)
def test_a_checkout_in_the_middle_of_something_is_left_alone(
    repo: Repo, begin: Callable[[Repo], None], what: str
) -> None:
    """During a merge, rebase, cherry-pick or bisection, and while another git holds the index, nothing moves."""
    begin(repo)
    before = users_state(repo), files(repo), repo.rev("main")
    assert what in str(follow(repo).reason)
    assert (users_state(repo), files(repo), repo.rev("main")) == before


def test_a_commit_whose_message_is_being_written_is_not_pulled_away(repo: Repo) -> None:
    """While the editor of a person's `git commit` is open nothing moves: that commit would fail if HEAD did."""
    repo.write({"other/kept.txt": "mine\n"})
    repo.git("add", "-A")
    wait = f"touch {repo.path}/../open; while test -e {repo.path}/../open; do sleep 0.02; done"
    repo.git("config", "core.editor", f"{wait}; echo M >")
    with ThreadPoolExecutor(1) as pool:
        commit = pool.submit(repo.attempt, "commit", "-q")
        opened = Path(repo.path, "../open")
        repos.until(opened.exists)
        said = str(follow(repo).reason)
        opened.unlink()
        assert commit.result(timeout=30).status == 0
    assert "a commit message seems to be open" in said
    assert follow(repo).reason is None
    assert repo.read("other/kept.txt") == b"mine\n"


def test_a_commit_that_was_given_up_is_no_obstacle_for_ever(repo: Repo) -> None:
    """A message without its commit counts for a quarter of an hour."""
    message = Path(repo.common, "COMMIT_EDITMSG")
    message.write_text("given up")
    assert "a commit message seems to be open" in str(follow(repo).reason)
    later = GitIntegration(repo.layout, now=lambda: message.stat().st_mtime + 1000)
    assert later.follow("main").reason is None


def test_what_cannot_be_one_checkout_is_said(repo: Repo, tmp_path: Path) -> None:
    """Checked out twice, in a folder that is gone, or in a task's workspace: the reason says so."""
    second = repo.worktree(tmp_path / "second", "-f", "main")
    assert "several places" in str(follow(repo).reason)
    repo.git("checkout", "-q", "--detach")
    shutil.rmtree(second.path)
    assert "is missing: run `git worktree prune`" in str(follow(repo).reason)
    repo.git("worktree", "prune")
    repo.worktree(f"{repo.path}.workspaces/task-k3f9x2ab", "main")
    assert "in the workspace" in str(follow(repo).reason)


def test_a_sparse_checkout_follows(repo: Repo) -> None:
    """Paths that the user has left out change in the index alone."""
    repo.git("sparse-checkout", "set", "--no-cone", "/other/", "/added/")
    before = set(files(repo))
    assert follow(repo).reason is None
    assert set(files(repo)) == before | {"added/deep/new.txt"}
    assert repo.git("status", "--porcelain") == ""


def test_submodules_are_left_alone(repo: Repo, tmp_path: Path) -> None:
    """A submodule that the work moved on is moved on in the branch and index; its checkout is the user's to update."""
    library = repos.sample(tmp_path / "library")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.path, "lib")
    repo.git("commit", "-q", "-m", "Add lib")
    inside = Repo(f"{repo.path}/lib")
    inside.write({"src/a.txt": "mine\n"})
    start = GitIntegration(repo.layout).start_point("main")
    at, moved = inside.rev(), library.commit({"x": "1"})
    stream = f"commit refs/heads/orange/s\ncommitter A <a@b> 1 +0000\ndata 1\nx\nfrom {start}\nM 160000 {moved} lib\n"
    repo.git("fast-import", "--quiet", stdin=stream.encode())
    GitIntegration(repo.layout).integrate("orange/s", "main", "Merge", None)
    assert follow(repo).reason is None
    assert repo.git("rev-parse", "HEAD:lib", ":lib").split() == [moved, moved]
    assert (inside.rev(), inside.read("src/a.txt")) == (at, b"mine\n")


def test_a_branch_that_is_not_born_follows(tmp_path: Path) -> None:
    """In a repository without commits the first integrated work becomes the branch; a file in the way keeps it back."""
    repo = repos.make(tmp_path / "r")
    integrate(repo, {"a.txt": "a\n", "d/b.txt": "b\n"})
    repo.write({"a.txt": "mine\n", "mine.txt": "m\n"})
    assert "a.txt" in str(follow(repo).reason)
    assert (repo.rev("main"), files(repo)) == (None, {"a.txt": b"mine\n", "mine.txt": b"m\n"})
    repo.write({"a.txt": None})
    assert follow(repo).reason is None
    assert files(repo) == {"a.txt": b"a\n", "d/b.txt": b"b\n", "mine.txt": b"m\n"}
    assert repo.git("status", "--porcelain") == "?? mine.txt"


# After a kill.


def _follow_in_child(layout: Layout, ready: str) -> None:
    integration = GitIntegration(layout)
    Path(ready).touch()
    integration.follow("main")


def _large(path: Path) -> Repo:
    """A repository whose next move of main changes some hundred files in every way."""
    repo = repos.make(path, "--template=")
    before = {f"d{number % 7}/f{number}": f"{number}\n" * 400 for number in range(120)}
    repo.commit({**before, "mine/staged": "1\n", "mine/edited": "1\n", ".gitignore": "*.ignored\n", **START})
    changed: dict[str, str | bytes | None] = {name: f"changed {text}" for name, text in list(before.items())[:80]}
    changed |= dict.fromkeys(list(before)[80:100])
    changed |= {f"new/{number}/file": f"{number}\n" * 300 for number in range(40)}
    integrate(repo, {**changed, **{path: data for path, data in WORK.items() if path != "src/a.txt"}})
    repo.write({"mine/staged": "2\n", "untracked": "u\n", "x.ignored": "i\n"})
    repo.git("add", "mine/staged")
    repo.write({"mine/edited": "2\n"})
    repo.git("gc", "-q")
    return repo


def _kill_a_follow(repo: Repo, ready: Path, *, after: float, turn: int) -> bool:
    """Kill a process that moves main, counting from its start or from the journal; whether it was in the middle."""
    layout = repo.layout
    journal = Path(layout.runtime, "follow.json")
    child = get_context("fork").Process(target=_follow_in_child, args=(layout, str(ready)))
    child.start()
    repos.until(lambda: (journal if turn % 2 else ready).exists() or not child.is_alive())
    child.join(after)
    repos.kill(child.pid or 0, family=turn % 3 != 0)
    child.join()
    return journal.exists()


def test_sixty_kills_at_any_instant_lose_nothing(tmp_path: Path, times: Callable[[int], int]) -> None:
    """Killed in the middle of a move, with or without its git, and mended: all old or all new, mine as it was."""
    template = _large(tmp_path / "template")
    commits = [template.rev("main"), template.rev(MAIN)]
    trees = dict(zip(commits, map(template.tree, ("main", MAIN)), strict=True))
    chance = random.Random(7)
    before, hits, turns = users_state(template), 0, times(60)
    longest = 0.06
    for turn in range(10 * turns):
        if turn >= turns and hits >= turns // 6:
            break
        repo = Repo(str(tmp_path / f"r{turn}"))
        shutil.copytree(template.path, repo.path, symlinks=True)
        hit = _kill_a_follow(repo, tmp_path / f"ready-{turn}", after=chance.uniform(0.0, longest), turn=turn)
        hits += hit
        longest = longest * 1.1 if hit else max(0.005, longest * 0.9)  # however fast this machine is, half of them hit
        said = GitIntegration(repo.layout).repair()
        assert _without_mine(files(repo)) == _without_mine(trees[repo.rev("main")]), said
        assert users_state(repo) == before, said
        assert not list(Path(repo.common).rglob("orange-*"))
        if turn % 10 == 0:
            assert follow(repo).reason is None, said
            assert _without_mine(files(repo)) == _without_mine(trees[commits[1]])
        shutil.rmtree(repo.path)
    assert hits >= turns // 6, "the kills must hit"


def _without_mine(found: dict[str, bytes]) -> dict[str, bytes]:
    mine = {"mine/staged", "mine/edited", "untracked", "x.ignored"}
    return {path: data for path, data in found.items() if path not in mine}


class _Stopped(Exception):
    """Stands for a kill."""


def _interrupt(repo: Repo, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Begin a move and stop it as a kill would, when `checkout` is about to call one of its functions."""
    from orange.adapters.integration import checkout

    def stop(*_args: object, **_options: object) -> None:
        raise _Stopped

    with monkeypatch.context() as patch:
        patch.setattr(checkout, at, stop) if hasattr(checkout, at) else patch.setattr(checkout.Mover, at, stop)
        with pytest.raises(_Stopped):
            follow(repo)


def _half(repo: Repo, paths: tuple[str, ...]) -> None:
    """Make some of the changes of the work, as a killed git would have left them."""
    new = repo.tree(MAIN)
    for path in paths:
        if path in new:
            repo.write({path: new[path]})
        else:
            os.unlink(f"{repo.path}/{path}")


@pytest.mark.parametrize("at", ["_copy_index", "_advance", "_close"])
def test_what_was_begun_is_finished_at_the_next_start(repo: Repo, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Before, during and after git's own work: repair brings the whole move to its end and says so, once."""
    _interrupt(repo, monkeypatch, at)
    assert (Path(repo.common, "index.lock")).exists()
    if at == "_advance":
        _half(repo, ("src/a.txt", "gone/x", "added/deep/new.txt"))
    said = GitIntegration(repo.layout).repair()
    assert len(said) == 1
    assert "main" in said[0]
    assert repo.rev("main") == repo.rev(MAIN)
    assert clean(repo)
    assert files(repo) == repo.tree(MAIN)
    assert GitIntegration(repo.layout).repair() == ()


def test_files_cut_short_by_the_kill_are_finished(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is missing, empty, or only the beginning of the new one is what git leaves; it is written whole."""
    _interrupt(repo, monkeypatch, "_advance")
    repo.write({"src/a.txt": "ta", "added/deep/new.txt": ""})
    Path(repo.common, "HEAD.lock").touch()
    Path(repo.common, "refs/heads/main.lock").write_text(f"{repo.rev(MAIN)}\n")
    assert "finished" in GitIntegration(repo.layout).repair()[0]
    assert files(repo) == repo.tree(MAIN)
    assert users_state(repo)["locks"] == []
    assert clean(repo)


@pytest.mark.parametrize("path", ["src/a.txt", "added/deep/new.txt", "gone/x"])
def test_a_file_edited_since_the_kill_is_not_touched(repo: Repo, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Where a file is neither the old nor the new one the move is taken back around it; later it is in the way."""
    _interrupt(repo, monkeypatch, "_advance")
    _half(repo, ("gone/y", "src/a.txt"))
    repo.write({path: "edited since\n"})
    said = GitIntegration(repo.layout).repair()[0]
    assert f"taken back after a kill; {path} left as you changed it" in said
    assert repo.rev("main") != repo.rev(MAIN)
    assert repo.read(path) == b"edited since\n"
    assert files(repo) == {**repo.tree("main"), path: b"edited since\n"}
    assert path in str(follow(repo).reason)


def test_after_the_branch_moved_an_edited_file_stays_too(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the branch already at the new commit the rest is finished, and the edit shows as one."""
    _interrupt(repo, monkeypatch, "_close")
    repo.write({"src/a.txt": "edited since\n", "gone/x": "x\n"})
    assert "finished" in GitIntegration(repo.layout).repair()[0]
    assert files(repo) == {**repo.tree(MAIN), "src/a.txt": b"edited since\n"}
    assert repo.git("status", "--porcelain") == " M src/a.txt"


def test_what_the_user_staged_since_stays_staged(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index entry that is neither the old nor the new one is the user's."""
    _interrupt(repo, monkeypatch, "_advance")
    os.unlink(f"{repo.common}/index.lock")
    repo.write({"src/a.txt": "staged since\n"})
    repo.git("add", "src/a.txt")
    GitIntegration(repo.layout).repair()
    assert repo.git("show", ":src/a.txt") == "staged since"
    assert repo.read("src/a.txt") == b"staged since\n"


def test_somebody_elses_lock_is_waited_for(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a lock with our text is ours: while a person's git holds the index nothing is finished or begun."""
    _interrupt(repo, monkeypatch, "_advance")
    lock = Path(repo.common, "index.lock")
    lock.unlink()
    lock.write_text("a commit -a with its editor open")
    assert "git is at work" in GitIntegration(repo.layout).repair()[0]
    assert lock.exists()
    assert "git is at work" in str(follow(repo).reason)
    lock.unlink()
    assert follow(repo).reason is None
    assert clean(repo)


def test_a_checkout_that_went_elsewhere_is_left_alone(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a commit or a switch to another branch since the kill nothing is touched; the journal is dropped."""
    _interrupt(repo, monkeypatch, "_advance")
    os.unlink(f"{repo.common}/index.lock")
    repo.commit({"src/b.txt": "since\n"})
    before = files(repo), repo.rev("main")
    assert "was changed since" in GitIntegration(repo.layout).repair()[0]
    assert (files(repo), repo.rev("main")) == before
    assert follow(repo).reason is None
    integrate(repo, {"src/b.txt": "next\n"}, "orange/b")
    _interrupt(repo, monkeypatch, "_advance")
    repo.git("symbolic-ref", "HEAD", "refs/heads/elsewhere")
    assert "was changed since" in GitIntegration(repo.layout).repair()[0]
    assert not Path(repo.common, "index.lock").exists()


def test_executable_files_and_links_are_mended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between a program and a link leaves neither as a plain file."""
    repo = repos.make(tmp_path / "r")
    repo.commit({"run.sh": "#!/bin/sh\n", "target": "t\n"})
    start = GitIntegration(repo.layout).start_point("main")
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"target")
    head = f"commit refs/heads/orange/a\ncommitter A <a@b> 1 +0000\ndata 1\nx\nfrom {start}\n"
    body = f"M 120000 {blob} link\nM 100755 inline run.sh\ndata 15\n#!/bin/sh\ntrue\n\n"
    repo.git("fast-import", "--quiet", stdin=(head + body).encode())
    GitIntegration(repo.layout).integrate("orange/a", "main", "Merge", None)
    _interrupt(repo, monkeypatch, "_advance")
    GitIntegration(repo.layout).repair()
    assert os.readlink(f"{repo.path}/link") == "target"
    assert os.stat(f"{repo.path}/run.sh").st_mode & stat.S_IXUSR
    assert clean(repo)
