"""`.orange`: made, found again and healed, whatever the repository looks like; nothing of the user's is destroyed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from orange.adapters import records
from orange.adapters.history import open_history
from orange.adapters.records import InitResult
from orange.core.layout import RECORDS_REF, Layout
from orange.core.problems import BranchInTheWay, GitFailed, NewerFormat, NotAProject, RemoteUnclear, TreeInTheWay
from orange.testing import repos
from orange.testing.repos import Repo

HOST = "0123456789abcdef"
TASK = "tasks/login-k3f9x2ab/TASK.md"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repos.isolate(monkeypatch, tmp_path / "home")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit."""
    return repos.sample(tmp_path / "r")


@pytest.fixture
def project(repo: Repo) -> Repo:
    """A project with one task in history."""
    ensure(repo)
    record(repo, {TASK: b"---\ntitle: Login\n---\n"})
    return repo


def ensure(repo: Repo, remote: str | None = None) -> InitResult:
    """Run `orange init` there."""
    return records.ensure(repo.layout, remote, HOST)


def record(repo: Repo, files: dict[str, bytes]) -> None:
    """Write task files and commit them, as the store does."""
    Repo(repo.layout.tree).write(dict(files))
    open_history(repo.layout).commit(files, "Change")
    records.refresh_checkout(repo.layout)


def healthy(repo: Repo) -> Repo:
    """Assert that `.orange` shows the tip, is detached, unseen by the user's git, and that git works everywhere."""
    tree = Repo(repo.layout.tree)
    assert {path: tree.read(path) for path in tree.tree(RECORDS_REF)} == tree.tree(RECORDS_REF)
    assert records.refresh_checkout(repo.layout)
    assert tree.git("status", "--porcelain") == ""
    assert tree.attempt("symbolic-ref", "-q", "HEAD").status == 1
    assert tree.common == repo.common
    listed = repo.git("worktree", "list", "--porcelain").split("\n\n")
    assert sum(f"worktree {repo.layout.tree}\n" in f"{entry}\n" for entry in listed) == 1
    assert not any("prunable" in entry for entry in listed if ".orange" in entry or "making" in entry)
    repo.git("gc", "-q")
    repo.git("fetch", "-q", ".", RECORDS_REF)
    return tree


def test_a_fresh_repository_becomes_a_project(repo: Repo) -> None:
    """Init makes the branch, the worktree, the exclude line, the host id, the note of the base; git sees no change."""
    result = ensure(repo)
    assert (result.created, result.arrived, result.restored, result.notes) == (True, False, False, ())
    assert f"{repo.path} is an orange project now" in result.message
    tree = healthy(repo)
    assert b"format: 1\n" in tree.read("config.yaml")
    assert (repo.git("status", "--porcelain"), repo.git("add", "-A", "-n")) == ("", "")
    assert Path(repo.layout.host_id).read_text() == f"{HOST}\n"
    assert Path(repo.layout.runtime, "base").read_text() == "main\n"
    assert Path(repo.common, "info/exclude").read_text().splitlines().count("/.orange/") == 1
    assert repo.git("rev-list", "--count", RECORDS_REF) == "1"
    assert repo.attempt("merge-base", "main", RECORDS_REF).status == 1, "an orphan branch"


def test_a_second_init_does_nothing_and_says_so(project: Repo) -> None:
    """Already initialised is a no-op: same host, same files, one exclude line."""
    before = (
        project.rev(RECORDS_REF),
        sorted(os.listdir(project.common)),
        Path(project.common, "info/exclude").read_text(),
    )
    result = records.ensure(project.layout, None, "another-id")
    assert (result.created, result.restored) == (False, False)
    assert result.message == f"{project.path} already is an orange project: nothing to do"
    after = (
        project.rev(RECORDS_REF),
        sorted(os.listdir(project.common)),
        Path(project.common, "info/exclude").read_text(),
    )
    assert before == after
    assert Path(project.layout.host_id).read_text() == f"{HOST}\n"


def test_no_hook_of_the_users_runs(repo: Repo, tmp_path: Path) -> None:
    """Neither making the branch nor the worktree runs a hook."""
    for hook in ("post-checkout", "reference-transaction", "pre-commit", "post-index-change"):
        repo.hook(hook, f"echo {hook} >> {tmp_path}/ran")
    ensure(repo)
    record(repo, {TASK: b"x"})
    shutil.rmtree(repo.layout.tree)
    ensure(repo)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", [b"", b"*.log", b"*.log\n/.orange/\n", b"# no newline at the end\n\n*.o"])
def test_the_exclude_file_gets_one_line_and_keeps_the_rest(repo: Repo, text: bytes) -> None:
    """Exactly one line is added, on a line of its own, and never twice."""
    path = Path(repo.common, "info/exclude")
    path.write_bytes(text)
    ensure(repo)
    ensure(repo)
    assert path.read_bytes().startswith(text)
    assert path.read_bytes().splitlines().count(b"/.orange/") == 1
    assert path.read_bytes().endswith(b"/.orange/\n" if b"/.orange/" not in text else text)


def test_a_repository_without_info_folder_commits_or_remote_works(tmp_path: Path) -> None:
    """Nothing needs to exist yet."""
    repo = repos.make(tmp_path / "r", "--template=", identity=False)
    ensure(repo)
    healthy(repo)
    assert repo.git("log", "-1", "--format=%an <%ae>", RECORDS_REF) == "orange <orange@localhost>"
    assert Path(repo.layout.runtime, "base").read_text() == "main\n"
    assert repo.rev("HEAD") is None


def test_it_is_the_same_project_from_a_linked_worktree_or_a_sub_folder(project: Repo, tmp_path: Path) -> None:
    """A path inside a linked worktree or a sub-folder finds the main repository's project."""
    from orange.adapters import locate

    linked = project.worktree(tmp_path / "linked", "-b", "side")
    for path in (f"{linked.path}/src", f"{project.path}/src", linked.path):
        layout = locate.find(path)
        assert layout == project.layout
        assert not records.ensure(layout, None, HOST).created
    assert not os.path.exists(f"{linked.path}/.orange")


def test_a_users_branch_called_orange_is_fine_and_is_mentioned(repo: Repo) -> None:
    """The records do not collide with it; that task branches would is said."""
    repo.git("branch", "orange")
    assert "rename it" in ensure(repo).notes[0]
    healthy(repo)


def test_the_users_checkout_of_the_records_branch_is_left_alone(project: Repo, tmp_path: Path) -> None:
    """Ours is detached, so a person may have `orange-tasks` checked out; nothing is written through it (PR#567)."""
    theirs = project.worktree(tmp_path / "theirs", "orange-tasks")
    theirs.write({TASK: "mine\n"})
    record(project, {TASK: b"changed\n"})
    assert theirs.read(TASK) == b"mine\n"
    healthy(project)
    ensure(project)
    assert theirs.git("symbolic-ref", "HEAD") == RECORDS_REF
    main = project.rev("main")
    project.git("checkout", "-q", "--detach")
    record(project, {TASK: b"again\n"})
    assert (project.rev("main"), project.rev("HEAD")) == (main, main), "whatever is checked out is not committed to"


@pytest.mark.parametrize("how", ["file", "link", "folder", "repository", "worktree"])
def test_what_is_not_oranges_is_refused_and_stays(repo: Repo, tmp_path: Path, how: str) -> None:
    """Init refuses clearly where `.orange` is something else, changes nothing there, and makes no branch."""
    path = Path(repo.path, ".orange")
    if how == "file":
        path.write_text("mine")
    elif how == "link":
        (tmp_path / "elsewhere").mkdir()
        path.symlink_to(tmp_path / "elsewhere")
    elif how == "folder":
        path.mkdir()
        (path / "config.yaml").write_text("color: orange\n")
    elif how == "repository":
        repos.sample(path)
    else:
        repo.worktree(path, "-b", "feature")
    before = sorted(str(found) for found in path.rglob("*"))
    with pytest.raises(TreeInTheWay, match=r"\.orange exists and was not made by orange: move it away"):
        ensure(repo)
    assert sorted(str(found) for found in path.rglob("*")) == before
    assert path.is_symlink() == (how == "link")
    assert repo.rev(RECORDS_REF) is None


def test_an_empty_folder_in_the_place_is_taken(repo: Repo) -> None:
    """An empty `.orange` hinders nobody."""
    Path(repo.path, ".orange").mkdir()
    ensure(repo)
    healthy(repo)


def test_a_branch_of_that_name_that_holds_something_else_is_refused(repo: Repo) -> None:
    """A person's own branch `orange-tasks` is not written to."""
    repo.git("branch", "orange-tasks")
    tip = repo.rev(RECORDS_REF)
    with pytest.raises(BranchInTheWay):
        ensure(repo)
    assert repo.rev(RECORDS_REF) == tip
    assert not os.path.exists(repo.layout.tree)


def test_a_newer_format_is_refused(repo: Repo) -> None:
    """A project written by a newer orange is not touched."""
    repo.branch("orange-tasks", {"config.yaml": "agent: x\nformat: 2\n"})
    with pytest.raises(NewerFormat):
        ensure(repo)
    assert not os.path.exists(repo.layout.tree)


# Clones.


def test_a_clone_takes_the_branch_from_its_remote(project: Repo, tmp_path: Path) -> None:
    """The branch is created from the remote's, tracks it, and counts as arrived from elsewhere."""
    copy = repos.clone(project, tmp_path / "copy")
    result = ensure(copy)
    assert (result.created, result.arrived, result.restored) == (True, True, True)
    assert "its tasks come from the remote origin" in result.message
    assert healthy(copy).read(TASK) == project.tree(RECORDS_REF)[TASK]
    assert copy.git("rev-parse", "--abbrev-ref", "orange-tasks@{upstream}") == "origin/orange-tasks"
    assert not ensure(copy).arrived


@pytest.mark.parametrize("options", [("--single-branch",), ("--depth=1", "--no-local")])
def test_a_clone_of_one_branch_fetches_it(project: Repo, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Where the clone did not bring the branch along, the remote is asked for it."""
    copy = repos.clone(project, tmp_path / "copy", "-b", "main", *options)
    assert ensure(copy).arrived
    assert healthy(copy).read(TASK)


def test_several_remotes_need_a_name(project: Repo, tmp_path: Path) -> None:
    """One remote with the branch is taken; of several, the named one; none named is refused in a clear sentence."""
    other = repos.clone(project, tmp_path / "other")
    ensure(other)
    record(other, {TASK: b"other\n"})
    copy = repos.clone(project, tmp_path / "copy")
    copy.git("remote", "add", "other", other.path)
    copy.git("fetch", "-q", "other")
    with pytest.raises(
        RemoteUnclear, match=r"several remotes have a branch orange-tasks \(origin, other\): say --remote"
    ):
        ensure(copy)
    with pytest.raises(RemoteUnclear, match=r"no remote is called 'nope' \(there are: origin, other\)"):
        ensure(copy, "nope")
    assert copy.rev(RECORDS_REF) is None
    assert ensure(copy, "other").arrived
    assert healthy(copy).read(TASK) == b"other\n"


def test_a_remote_without_the_branch_or_out_of_reach_is_no_obstacle(project: Repo, tmp_path: Path) -> None:
    """The project begins here; an unreachable remote is mentioned, and an error only when it was named."""
    bare = repos.make(tmp_path / "bare.git", "--bare")
    repo = repos.sample(tmp_path / "new")
    repo.git("remote", "add", "origin", bare.path)
    assert not ensure(repo).arrived
    lost = repos.sample(tmp_path / "lost")
    lost.git("remote", "add", "origin", str(tmp_path / "gone.git"))
    with pytest.raises(GitFailed):
        ensure(lost, "origin")
    result = ensure(lost)
    assert not result.arrived
    assert "origin could not be asked" in result.notes[0]
    healthy(lost)


def test_nothing_in_the_branch_becomes_code_or_a_link(project: Repo, tmp_path: Path) -> None:
    """Links, filters, attributes and line-end settings of a cloned branch have no effect on the files."""
    evil = f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n"
    files = {TASK: "a\r\nb\n", ".gitattributes": "* filter=evil eol=crlf ident\n", "x/$Id$.md": "$Id$\n"}
    project.branch("orange-tasks", files)
    link = project.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    head = f"commit {RECORDS_REF}\ncommitter E <e@e> 1 +0000\ndata 1\nx\nfrom {RECORDS_REF}^0\n"
    project.git("fast-import", "--quiet", stdin=f"{head}M 120000 {link} tasks/l/TASK.md\n".encode())
    copy = repos.clone(project, tmp_path / "copy")
    Path(tmp_path, "evil").write_text(evil)
    os.chmod(tmp_path / "evil", 0o755)
    for key, value in (("filter.evil.smudge", str(tmp_path / "evil")), ("core.autocrlf", "true")):
        copy.git("config", key, value)
    ensure(copy)
    tree = Path(copy.layout.tree)
    assert (tree / TASK).read_bytes() == b"a\r\nb\n"
    assert (tree / "x/$Id$.md").read_bytes() == b"$Id$\n"
    assert not (tree / "tasks/l/TASK.md").is_symlink()
    assert (tree / "tasks/l/TASK.md").read_bytes() == b"/etc/passwd"
    assert not (tmp_path / "ran").exists()


# Bare repositories.


def test_a_bare_repository_with_worktrees_is_a_project(tmp_path: Path) -> None:
    """`.orange` lies in the git directory; its worktrees belong to the same project (beads#639, beads#785)."""
    source = repos.sample(tmp_path / "source")
    bare = repos.clone(source, tmp_path / "project/.bare", "--bare")
    side = bare.worktree(tmp_path / "project/side", "main")
    result = ensure(side)
    assert result.created
    layout = side.layout
    assert layout.root == layout.common == bare.path
    assert healthy(side).path == f"{bare.path}/.orange"
    assert side.git("status", "--porcelain") == ""
    assert (
        not Path(bare.path, "info/exclude").exists() or "/.orange/" not in Path(bare.path, "info/exclude").read_text()
    )
    record(side, {TASK: b"x\n"})
    shutil.rmtree(layout.tree)
    assert ensure(bare).restored
    healthy(bare)
    assert Path(layout.runtime, "base").read_text() == "main\n"


def test_worktree_configuration_and_sparse_checkouts_do_not_reach_the_records(project: Repo) -> None:
    """A sparse main worktree, with its patterns copied by git into new worktrees, hides no task."""
    shutil.rmtree(project.layout.tree)
    project.git("sparse-checkout", "set", "src")
    ensure(project)
    assert healthy(project).read(TASK)


# Healing.


def _cleaned(repo: Repo) -> None:
    repo.git("clean", "-q", "-ffdx")
    assert not os.path.exists(repo.layout.tree)


def _emptied(repo: Repo) -> None:
    for name in os.listdir(repo.layout.tree):
        if name != ".git":
            path = f"{repo.layout.tree}/{name}"
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def _pruned(repo: Repo) -> None:
    _cleaned(repo)
    repo.git("worktree", "prune")


@pytest.mark.parametrize("harm", [_cleaned, _emptied, _pruned])
def test_a_deleted_worktree_comes_back_from_its_branch(project: Repo, harm: Callable[[Repo], None]) -> None:
    """`git clean -ffdx`, with or without its registration left behind: the files are back (beads#609)."""
    harm(project)
    result = records.heal(project.layout, HOST)
    assert (result.created, result.arrived, result.restored) == (False, False, True)
    assert "restored" in result.message
    assert healthy(project).read(TASK) == b"---\ntitle: Login\n---\n"


def _admin(repo: Repo) -> Path:
    return Path(repo.common, "worktrees", "orange-tasks")


def _link_lost(repo: Repo) -> None:
    os.unlink(f"{repo.layout.tree}/.git")


def _registration_lost(repo: Repo) -> None:
    shutil.rmtree(_admin(repo))


def _both_lost(repo: Repo) -> None:
    _link_lost(repo)
    _registration_lost(repo)


def _head_of_zeros(repo: Repo) -> None:
    (_admin(repo) / "HEAD").write_text(f"{'0' * 40}\n")
    assert repo.attempt("gc", "-q").status != 0, "this is what git does then"


def _back_link_stale(repo: Repo) -> None:
    (_admin(repo) / "gitdir").write_text("/nowhere/.orange/.git\n")


@pytest.mark.parametrize("harm", [_link_lost, _registration_lost, _both_lost, _head_of_zeros, _back_link_stale])
def test_a_broken_link_is_mended_and_uncommitted_files_stay(project: Repo, harm: Callable[[Repo], None]) -> None:
    """Whatever git's link lost, the files in `.orange` are kept with what is not in history yet."""
    tree = Repo(project.layout.tree)
    tree.write({"tasks/new-a2b3c4d5/TASK.md": "new\n", TASK: "edited\n"})
    harm(project)
    result = ensure(project)
    assert (result.created, result.restored) == (False, False)
    assert "linked" in result.message
    assert (tree.read("tasks/new-a2b3c4d5/TASK.md"), tree.read(TASK)) == (b"new\n", b"edited\n")
    os.unlink(f"{tree.path}/tasks/new-a2b3c4d5/TASK.md")
    tree.write({TASK: project.tree(RECORDS_REF)[TASK]})
    healthy(project)


def test_a_moved_repository_is_mended(project: Repo, tmp_path: Path) -> None:
    """After the folder was renamed, both of git's links point to the new place."""
    os.rename(project.path, tmp_path / "moved")
    moved = Repo(str(tmp_path / "moved"))
    assert not ensure(moved).created
    healthy(moved)


def test_a_copied_repository_does_not_reach_back_into_the_original(project: Repo, tmp_path: Path) -> None:
    """A copy's worktree is linked to the copy; the original's stays linked to the original."""
    shutil.copytree(project.path, tmp_path / "copy", symlinks=True)
    copy = Repo(str(tmp_path / "copy"))
    ensure(copy)
    record(copy, {TASK: b"copy\n"})
    healthy(copy)
    assert healthy(project).read(TASK) == b"---\ntitle: Login\n---\n"


def test_a_deleted_branch_comes_back_from_what_the_worktree_last_showed(project: Repo) -> None:
    """`git branch -D orange-tasks` loses no history."""
    tip = project.rev(RECORDS_REF)
    project.git("branch", "-q", "-D", "orange-tasks")
    assert "is back at" in ensure(project).notes[0]
    assert project.rev(RECORDS_REF) == tip
    healthy(project)


def test_task_files_outlive_a_repository_that_was_made_anew(project: Repo) -> None:
    """After `rm -rf .git` and `git init` the files are taken over; the branch begins again."""
    shutil.rmtree(project.common)
    again = repos.make(project.path)
    assert ensure(again).created
    assert Repo(again.layout.tree).read(TASK) == b"---\ntitle: Login\n---\n"
    assert "tasks/" in Repo(again.layout.tree).git("status", "--porcelain")


def test_there_is_nothing_to_heal_where_there_is_no_project(repo: Repo) -> None:
    """Healing makes no project of a repository."""
    with pytest.raises(NotAProject):
        records.heal(repo.layout, HOST)
    assert repo.rev(RECORDS_REF) is None


def _ensure_forever(layout: Layout, ready: str) -> None:
    Path(ready).touch()
    while True:
        records.ensure(layout, None, HOST)
        shutil.rmtree(layout.tree)


def test_a_kill_at_any_instant_leaves_what_the_next_start_heals(
    project: Repo, tmp_path: Path, times: Callable[[int], int]
) -> None:
    """Twenty kills while `.orange` is made and deleted again and again: each time it heals (beads#885)."""
    files: dict[str, bytes] = {f"tasks/t{number}-k3f9x2ab/TASK.md": b"%d\n" % number for number in range(60)}
    record(project, files)
    for turn in range(times(20)):
        ready = tmp_path / f"ready-{turn}"
        child = get_context("fork").Process(target=_ensure_forever, args=(project.layout, str(ready)))
        child.start()
        repos.until(ready.exists)
        child.join(0.004 * (turn % 20) + 0.003)
        repos.kill(child.pid or 0, family=turn % 2 == 0)
        child.join()
        _settled(project)
        records.heal(project.layout, HOST)
        assert not os.path.exists(f"{project.layout.runtime}/making")
    healthy(project)


def _settled(repo: Repo) -> None:
    """A kill in the middle of the deletion leaves a part of the files, which is a person's edit: delete the rest."""
    if len(list(Path(repo.layout.tree).glob("tasks/*"))) < 61:
        shutil.rmtree(repo.layout.tree, ignore_errors=True)


def test_half_made_worktrees_are_removed_first(project: Repo) -> None:
    """What `git worktree add` leaves when it is killed makes gc and fetch fail; it is cleared before anything else."""
    shutil.rmtree(project.layout.tree)
    admin = Path(project.common, "worktrees", "orange-tasks7")
    admin.mkdir(parents=True)
    (admin / "locked").write_text("initializing")
    (admin / "gitdir").write_text(f"{project.layout.runtime}/making/orange-tasks/.git\n")
    (admin / "commondir").write_text("../..\n")
    (admin / "HEAD").write_text(f"{'0' * 40}\n")
    Path(project.layout.runtime, "making/orange-tasks").mkdir(parents=True)
    bare = Path(project.common, "worktrees", "orange-tasks8")
    bare.mkdir()
    assert project.attempt("gc", "-q").status != 0
    assert ensure(project).restored
    assert not bare.exists()
    healthy(project)


# The checkout's HEAD and index.


def test_refreshing_shows_the_tip_and_touches_no_file(project: Repo) -> None:
    """After a commit `git -C .orange status` is clean; edits that are not in history yet show as what they are."""
    tree = Repo(project.layout.tree)
    record(project, {TASK: b"second\n"})
    assert tree.git("status", "--porcelain") == ""
    tree.write({TASK: "edited\n", "tasks/n/TASK.md": "n\n"})
    open_history(project.layout).commit({"config.yaml": b"format: 1\nagent: x\n"}, "Elsewhere")
    assert records.refresh_checkout(project.layout)
    assert tree.git("status", "--porcelain").splitlines() == [" M config.yaml", f" M {TASK}", "?? tasks/n/"]
    assert tree.read(TASK) == b"edited\n"
    assert tree.git("rev-parse", "HEAD") == project.rev(RECORDS_REF)


def test_an_edit_within_the_time_stamps_grain_is_not_forgotten(project: Repo) -> None:
    """An edit of the same size and second as the index, found only by looking twice, still shows afterwards."""
    tree = Repo(project.layout.tree)
    tree.git("config", "core.trustctime", "false")
    stamp = os.stat(f"{tree.path}/{TASK}").st_mtime - 100
    os.utime(f"{tree.path}/{TASK}", (stamp, stamp))
    assert tree.git("status", "--porcelain") == ""
    os.utime(_admin(project) / "index", (stamp, stamp))
    tree.write({TASK: tree.read(TASK).replace(b"Login", b"Logon")})
    os.utime(f"{tree.path}/{TASK}", (stamp, stamp))
    open_history(project.layout).commit({"config.yaml": b"format: 1\nagent: x\n"}, "Elsewhere")
    assert records.refresh_checkout(project.layout)
    assert f" M {TASK}" in tree.git("status", "--porcelain")


def test_refreshing_leaves_a_person_who_works_there_alone(project: Repo, tmp_path: Path) -> None:
    """A branch checked out there, a lock, or a merge in progress: nothing is moved, and the answer is no."""
    tree = Repo(project.layout.tree)
    tip = project.rev(RECORDS_REF)
    (_admin(project) / "index.lock").touch()
    open_history(project.layout).commit({TASK: b"next\n"}, "Next")
    assert not records.refresh_checkout(project.layout)
    (_admin(project) / "index.lock").unlink()
    assert tree.rev("HEAD") == tip
    tree.git("checkout", "-q", "-f", "-b", "mine")
    assert not records.refresh_checkout(project.layout)
    assert tree.git("rev-parse", "mine") == tip
    shutil.rmtree(project.layout.tree)
    os.mkdir(project.layout.tree)
    assert not records.refresh_checkout(project.layout)
