"""The history port: the same behaviour through the git program and through libgit2."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orange.adapters.history import open_history
from orange.core.layout import RECORDS_REF, Layout
from orange.core.problems import GitFailed, InvalidInput
from orange.core.storeports import History
from orange.testing import repos
from orange.testing.repos import Repo

NOW = 1_790_000_000.0
WAYS = [pytest.param(False, id="fast-import"), pytest.param(True, id="libgit")]
Open = Callable[[Repo], History]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repos.isolate(monkeypatch, tmp_path / "home")


@pytest.fixture(params=WAYS)
def opened(request: pytest.FixtureRequest) -> Open:
    """Open a repository's history in one of the two ways."""
    batches = bool(request.param)
    return lambda repo: open_history(repo.layout, batches=batches, now=lambda: NOW)


def test_history_begins_with_the_first_commit_and_gives_back_what_it_was_given(opened: Open, tmp_path: Path) -> None:
    """Before the first commit there is no tip and nothing listed; afterwards exactly what was committed."""
    repo = repos.sample(tmp_path / "r")
    history = opened(repo)
    assert (history.tip(), dict(history.blobs())) == (None, {})
    files = {"config.yaml": b"format: 1\n", "tasks/a-k3f9x2ab/TASK.md": b"---\r\nid: x\n\0binary\xff"}
    made = history.commit(files, "Begin")
    assert history.tip() == made == repo.rev(RECORDS_REF)
    assert {path: history.read(blob) for path, blob in history.blobs().items()} == files == repo.tree(made)
    assert repo.git("rev-list", "--count", RECORDS_REF) == "1"


def test_commits_change_delete_and_keep_the_rest(opened: Open, tmp_path: Path) -> None:
    """A commit holds the old files with the given ones changed; empty folders go; its parent is the former tip."""
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    first = history.commit({"t/a/TASK.md": b"a", "t/b/TASK.md": b"b", "t/b/events.jsonl": b"e"}, "One")
    second = history.commit({"t/a/TASK.md": None, "t/b/TASK.md": b"b2", "t/c/TASK.md": b""}, "Two\n\nwhy")
    assert repo.tree(second) == {"t/b/TASK.md": b"b2", "t/b/events.jsonl": b"e", "t/c/TASK.md": b""}
    assert repo.git("rev-parse", f"{second}^") == first
    assert repo.git("log", "-1", "--format=%B", second) == "Two\n\nwhy\n"
    assert repo.git("ls-tree", "--name-only", f"{second}:t") == "b\nc"
    assert history.commit(dict.fromkeys(repo.tree(second)), "Nothing left") == repo.rev(RECORDS_REF)
    assert dict(history.blobs()) == {}
    repo.git("fsck", "--strict", "--no-dangling")


@pytest.mark.parametrize("count", [1, 300], ids=["few", "many"])
def test_a_change_of_nothing_returns_the_tip(opened: Open, tmp_path: Path, count: int) -> None:
    """Equal bytes, deletions of what is not there and of folders, and no change at all make no commit."""
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    files = {f"t/{number}/TASK.md": b"%d" % number for number in range(count)}
    tip = history.commit(files, "One")
    assert history.commit(files, "Again") == tip
    assert history.commit({}, "Nothing") == tip
    assert history.commit({"gone": None, "t": None, "t/0": None, "t/0/TASK.md/x": None, **files}, "Same") == tip
    assert repo.rev(RECORDS_REF) == tip


def test_files_and_folders_may_take_each_others_place(opened: Open, tmp_path: Path) -> None:
    """Deletions are carried out before what is written, so that a file may become a folder and back in one commit."""
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    history.commit({"a": b"file", "b/c": b"below"}, "One")
    assert repo.tree(history.commit({"a/x": b"1", "a": None, "b/c": None, "b": b"2"}, "Two")) == {
        "a/x": b"1",
        "b": b"2",
    }
    assert set(history.blobs()) == {"a/x", "b"}


@pytest.mark.parametrize(
    "path",
    ["new\nline", 'quo"te', "back\\slash", "tab\t", "üñï", "\udcff\udc80", " lead", "-dash", "a/\x01\x7f", '"q"'],
)
def test_any_file_name_is_safe(opened: Open, tmp_path: Path, path: str) -> None:
    """Names with newlines, quotes, control characters and bytes that are no UTF-8 go in and come out unchanged."""
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    history.commit({path: b"1", "other": b"o"}, "One")
    assert set(history.blobs()) == {path, "other"}
    changed = history.commit({path: b"2"}, "Two")
    assert repo.tree(changed) == {path: b"2", "other": b"o"}
    assert history.commit({path: b"2"}, "Same") == changed
    assert repo.tree(history.commit({path: None}, "Three")) == {"other": b"o"}


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../x", "a/./b", ".git/config", "t/.GIT/hooks/x", "nul\0", "a/"])
def test_paths_that_git_cannot_hold_are_refused(opened: Open, tmp_path: Path, path: str) -> None:
    """A path that leaves the tree, or names git's own folder, is refused and nothing is committed."""
    repo = repos.make(tmp_path / "r")
    with pytest.raises(InvalidInput):
        opened(repo).commit({path: b"x"}, "No")
    assert repo.rev(RECORDS_REF) is None
    with pytest.raises(InvalidInput):
        opened(repo).commit({"a": b"x", "a/b": b"y"}, "No")


def test_messages_and_contents_cannot_break_out_of_the_stream(opened: Open, tmp_path: Path) -> None:
    """A message or a file that looks like commands of the stream is only text."""
    repo = repos.make(tmp_path / "r")
    evil = "x\n\nreset refs/heads/main\nfrom 0000\ndone\n"
    made = opened(repo).commit({"f": evil.encode()}, evil + "\0")
    assert repo.tree(made) == {"f": evil.encode()}
    assert repo.rev("refs/heads/main") is None
    assert repo.git("log", "-1", "--format=%B", made).rstrip() == evil.rstrip()


def test_nothing_of_the_users_is_touched_and_no_hook_runs(opened: Open, tmp_path: Path) -> None:
    """HEAD, the checked-out branch, the index, staged, unstaged and untracked changes stay; no hook is run."""
    repo = repos.sample(tmp_path / "r")
    for hook in ("pre-commit", "post-commit", "reference-transaction", "post-checkout", "commit-msg"):
        repo.hook(hook, f"touch {tmp_path}/ran; exit 1")
    repo.write({"src/a.txt": "staged\n", "untracked": "u\n"})
    repo.git("add", "src/a.txt")
    repo.write({"src/b.txt": "unstaged\n"})
    before = _users_view(repo)
    history = opened(repo)
    history.commit({"x": b"1"}, "One")
    history.commit({"x": b"2"}, "Two")
    assert _users_view(repo) == before
    assert not (tmp_path / "ran").exists()


def _users_view(repo: Repo) -> list[str | None]:
    commands = ("symbolic-ref HEAD", "rev-parse HEAD", "status --porcelain", "diff", "diff --cached", "stash list")
    return [repo.git(*command.split()) for command in commands]


def test_a_user_who_has_the_branch_checked_out_loses_nothing(opened: Open, tmp_path: Path) -> None:
    """The files of a checkout of `orange-tasks` are not written through: only the ref moves (beads PR#567)."""
    repo = repos.sample(tmp_path / "r")
    history = opened(repo)
    history.commit({"a": b"1"}, "One")
    other = repo.worktree(tmp_path / "w", "orange-tasks")
    other.write({"a": "mine"})
    main = repo.rev("main")
    history.commit({"a": b"2"}, "Two")
    assert other.read("a") == b"mine"
    assert (repo.rev("main"), repo.git("rev-parse", "--abbrev-ref", "HEAD")) == (main, "main")


def test_works_in_a_bare_repository_and_in_one_without_commits(opened: Open, tmp_path: Path) -> None:
    """Neither a worktree nor any commit of the user's is needed."""
    for repo in (repos.make(tmp_path / "bare.git", "--bare"), repos.make(tmp_path / "empty")):
        assert repo.tree(opened(repo).commit({"a": b"1"}, "One")) == {"a": b"1"}
        assert repo.rev("HEAD") is None


def test_commits_are_by_the_configured_identity(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository's user.name is author and committer, whatever an agent's environment says; the time is UTC."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Agent")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "agent@example.org")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "@5 +0100")
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    for made in (history.commit({"a": b"1"}, "One"), history.commit({"a": b"2"}, "Two")):
        shown = repo.git("log", "-1", "--format=%an <%ae> %cn <%ce> %ad %cd", "--date=raw", made)
        assert shown == "Ada <ada@example.org> Ada <ada@example.org> 1790000000 +0000 1790000000 +0000"


@pytest.mark.parametrize(
    ("name", "email", "shown"),
    [
        (None, None, "orange <orange@localhost>"),
        ("Ada", None, "Ada <orange@localhost>"),
        ("  <>\n", "", "orange <orange@localhost>"),
        ("A <b> c", "x>y@z", "A b c <xy@z>"),
        ("Ünï", "ü@example.org", "Ünï <ü@example.org>"),
    ],
)
def test_without_an_identity_commits_are_by_orange(
    opened: Open, tmp_path: Path, name: str | None, email: str | None, shown: str
) -> None:
    """No name is made up from the login or the host; what would break a commit's line is left out of a name."""
    repo = repos.make(tmp_path / "r", identity=False)
    for key, value in (("user.name", name), ("user.email", email)):
        if value is not None:
            repo.git("config", key, value)
    history = opened(repo)
    for made in (history.commit({"a": b"1"}, "One"), history.commit({"a": b"2"}, "Two")):
        assert repo.git("log", "-1", "--format=%an <%ae>", made) == shown
        assert repo.git("log", "-1", "--format=%cn <%ce>", made) == shown


def test_repositories_that_libgit2_cannot_open_work_all_the_same(opened: Open, tmp_path: Path) -> None:
    """sha256, reftable (where git can make one) and partial clones go through the git program."""
    source = repos.sample(tmp_path / "source")
    source.git("config", "uploadpack.allowFilter", "true")
    opened(source).commit({"t/a": b"1"}, "One")
    partial = repos.clone(Repo(source.path), tmp_path / "partial", "--no-local", "--filter=blob:none")
    partial.git("branch", "-q", "orange-tasks", "origin/orange-tasks")
    kinds = [repos.make(tmp_path / "sha256", "--object-format=sha256"), partial]
    reftable = repos.Repo(str(tmp_path)).attempt("init", "-q", "--ref-format=reftable", str(tmp_path / "reftable"))
    kinds += [repos.Repo(str(tmp_path / "reftable"))] if reftable.status == 0 else []
    for repo in kinds:
        history = opened(repo)
        history.commit({"t/a": b"2", "t/b": b"b"}, "Two")
        made = history.commit({"t/b": b"c"}, "Three")
        assert history.tip() == made
        assert {path: history.read(blob) for path, blob in history.blobs().items()} == {"t/a": b"2", "t/b": b"c"}
        assert history.commit({"t/b": b"c"}, "Same") == made


def test_the_listing_follows_others_commits_and_earlier_listings_stay_as_they_are(opened: Open, tmp_path: Path) -> None:
    """`blobs` sees what another process committed, and a mapping handed out before does not change."""
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    history.commit({"t/a": b"1", "t/b": b"1"}, "One")
    before = history.blobs()
    seen = dict(before)
    repo.branch("orange-tasks", {"t/a": None, "t/b": "2", "t/c/d": "3"})
    assert {path: history.read(blob) for path, blob in history.blobs().items()} == {"t/b": b"2", "t/c/d": b"3"}
    assert dict(before) == seen
    repo.git("update-ref", RECORDS_REF, repo.branch("unrelated", {"x": "1"}))
    assert set(history.blobs()) == {"x"}
    repo.git("update-ref", "-d", RECORDS_REF)
    assert (history.tip(), dict(history.blobs())) == (None, {})


def test_history_survives_a_repack(opened: Open, tmp_path: Path) -> None:
    """A garbage collection that moves every object into a new pack and every ref into one file is not noticed."""
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    for number in range(5):
        history.commit({"t/a": b"%d" % number}, "Again")
        repo.git("gc", "-q", "--prune=now")
    assert {path: history.read(blob) for path, blob in history.blobs().items()} == {"t/a": b"4"}
    assert repo.git("rev-list", "--count", RECORDS_REF) == "5"


def test_a_broken_branch_is_an_error_and_is_not_begun_anew(opened: Open, tmp_path: Path) -> None:
    """A tip whose object is missing, or a ref that cannot be read, is never taken for "no commit yet"."""
    repo = repos.make(tmp_path / "r")
    opened(repo).commit({"a": b"1"}, "One")
    ref = Path(repo.common, RECORDS_REF)
    for content in ("1" * 40, "", "garbage\n"):
        ref.write_text(content)
        with pytest.raises(GitFailed):
            opened(repo).commit({"a": b"2"}, "Two")
        assert ref.read_text() == content
    assert not list(Path(repo.common).glob("fast_import_crash_*"))


def test_a_ref_lock_left_by_a_kill_is_cleared_when_it_is_old(opened: Open, tmp_path: Path) -> None:
    """A lock on the ref that is older than any git takes is removed; the commit goes through."""
    repo = repos.make(tmp_path / "r")
    history = opened(repo)
    history.commit({"a": b"1"}, "One")
    lock = Path(repo.common, f"{RECORDS_REF}.lock")
    lock.touch()
    os.utime(lock, (NOW - 3600, NOW - 3600))
    assert repo.tree(history.commit({"a": b"2"}, "Two")) == {"a": b"2"}


def test_a_daemon_starts_no_program_for_small_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once open, tips, blobs and small commits need no git program at all."""
    repo = repos.make(tmp_path / "r")
    history = open_history(repo.layout, batches=True, now=lambda: NOW)
    history.commit({"a": b"1"}, "One")
    history.commit({"a": b"2"}, "Two")
    monkeypatch.setenv("PATH", str(tmp_path))
    made = history.commit({"a": b"3", "b/c": b"4"}, "Three")
    assert history.tip() == made
    assert history.read(hashlib.sha1(b"blob 1\x003").hexdigest()) == b"3"
    monkeypatch.undo()
    assert repo.tree(made) == {"a": b"3", "b/c": b"4"}


class _Rival:
    """Commits through git itself at the worst moment: between the look at the tip and the new commit."""

    def __init__(self, repo: Repo, count: int) -> None:
        self.repo, self.left = repo, count

    def __call__(self) -> float:
        if self.left:
            self.left -= 1
            self.repo.branch("orange-tasks", {f"rival/{self.left}": "r"})
        return NOW


@pytest.mark.parametrize("batches", WAYS)
def test_a_commit_that_came_in_between_is_kept(tmp_path: Path, batches: bool) -> None:
    """When the tip moves under a commit, the commit begins again on the new tip; neither is lost."""
    repo = repos.make(tmp_path / "r")
    open_history(repo.layout).commit({"a": b"1"}, "One")
    rival = _Rival(repo, 4)
    history = open_history(repo.layout, batches=batches, now=rival)
    made = history.commit({"a": b"2"}, "Two")
    assert (rival.left, repo.rev(RECORDS_REF)) == (0, made)
    assert repo.tree(made) == {"a": b"2", **{f"rival/{number}": b"r" for number in range(4)}}


def _write_many(common: str, root: str, worker: int) -> list[str]:
    history = open_history(Layout(root, common), batches=worker % 2 == 0)
    return [history.commit({f"t/{worker}/{n}": b"%d" % n}, f"{worker}/{n}") for n in range(12)]


def test_concurrent_writers_lose_nothing(tmp_path: Path) -> None:
    """Four processes, two of each kind, commit at once: every commit is in the one line of history."""
    repo = repos.make(tmp_path / "r")
    layout = repo.layout
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_write_many, layout.common, layout.root, worker) for worker in range(4)]
        made = {commit for job in jobs for commit in job.result(timeout=120)}
    assert len(repo.tree(RECORDS_REF)) == 48
    assert set(repo.git("rev-list", RECORDS_REF).split()) == made
    assert repo.git("rev-list", "--merges", RECORDS_REF) == ""


NAMES = st.sampled_from(["a", "b", "c d", "e\n", "ü"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
BATCH = st.dictionaries(PATHS, st.none() | st.binary(max_size=3), max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(BATCH, min_size=1, max_size=4))
def test_both_ways_make_the_same_trees(tmp_path: Path, batches: list[dict[str, bytes | None]]) -> None:
    """Whatever sequence of changes: the git program and libgit2 write identical commits."""
    folder = tmp_path / f"{time.monotonic_ns()}"
    pair = [repos.make(folder / name) for name in ("one", "two")]
    ways = [
        open_history(repo.layout, batches=way, now=lambda: NOW) for repo, way in zip(pair, (False, True), strict=True)
    ]
    for changes in batches:
        outcome = []
        for history in ways:
            try:
                outcome.append(history.commit(changes, "Change"))
            except InvalidInput as refused:
                outcome.append(str(refused))
        assert outcome[0] == outcome[1]
        assert ways[0].blobs() == ways[1].blobs()
