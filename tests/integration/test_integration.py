"""The integrated bases: merging without a checkout, and taking in what the user commits meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orange.adapters import process, records
from orange.adapters.integration import GitIntegration, refs
from orange.core.layout import BASE_REFS, Layout
from orange.core.model import Base, BranchState, Presence
from orange.core.problems import GitFailed, InvalidInput, StaleWrite
from orange.core.rules import Change
from orange.core.sharing import Candidate, Integrated
from orange.testing import repos
from orange.testing.repos import Repo

NOW = 1_790_000_000.0
MAIN = f"{BASE_REFS}main"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repos.isolate(monkeypatch, tmp_path / "home")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit on main."""
    return repos.sample(tmp_path / "r")


def opened(repo: Repo, base: str | None = None) -> GitIntegration:
    """Open its integration anew, with nothing remembered."""
    return GitIntegration(repo.layout, base, now=lambda: NOW)


def merge(repo: Repo, branch: str, *, expect: str | None = None, base: str = "main") -> Integrated:
    """Integrate a branch."""
    return opened(repo).integrate(branch, base, f"Merge {branch}\n\nBecause.", expect)


# What branches change.


def test_a_branchs_change_is_its_paths_and_lines(repo: Repo) -> None:
    """Since it left the base, whatever the base did since; binary files have no lines, odd names stay whole."""
    start = opened(repo).start_point("main")
    odd = "dir with\ttab/\u00fc\n.txt"
    repo.branch("orange/a", {odd: "1\n2\n3\n", "bin": b"\0\1\2", "src/a.txt": "changed\n"}, start=start)
    repo.branch("orange/other", {"other.txt": "x\n"}, start=start)
    opened(repo).integrate("orange/other", "main", "Merge", None)
    integration = opened(repo)
    wanted = {"t": ("orange/a", "main"), "gone": ("orange/none", "main"), "same": ("orange/other", "main")}
    found = integration.changes(wanted)
    before = len(repo.git("show", f"{start}:src/a.txt").splitlines())
    assert found["t"] == Change(tuple(sorted([odd, "bin", "src/a.txt"])), 3 + 1 + before)
    assert found["same"] == Change()
    assert "gone" not in found
    assert integration.changes(wanted) == found


# Merging.


def candidate(found: Integrated, branch_tip: str) -> Candidate:
    """Make the candidate of what was proposed."""
    onto, commit = str(found.onto), str(found.commit)
    assert found.tip == branch_tip
    return Candidate("t", "main", onto, branch_tip, commit, "", "t-c1", "/w", "2026-11-20T09:00:00Z")


def test_what_is_proposed_leaves_the_base_until_it_is_adopted(repo: Repo) -> None:
    """The merge exists, the base stays; adopted, the base is at this very commit and knows it as its own."""
    start = opened(repo).start_point("main")
    tip = repo.branch("orange/a", {"new.txt": "n\n"}, start=start)
    found = opened(repo).propose("orange/a", "main", "Merge it", tip)
    assert (found.changed, found.onto, repo.rev(MAIN)) == (True, start, start)
    opened(repo).adopt(candidate(found, tip), "orange/a")
    assert repo.rev(MAIN) == found.commit
    assert repo.git("log", "-1", "--format=%P %s", MAIN) == f"{start} {tip} Merge it"
    assert not opened(repo).branch_states({"t": ("orange/a", "main", None)})["t"].unmerged


def test_a_proposal_is_void_when_the_base_or_the_branch_moved(repo: Repo) -> None:
    """What was checked is not what the merge would be now: nothing moves."""
    start = opened(repo).start_point("main")
    tip = repo.branch("orange/a", {"a.txt": "a\n"}, start=start)
    repo.branch("orange/b", {"b.txt": "b\n"}, start=start)
    found = opened(repo).propose("orange/a", "main", "Merge a", tip)
    merge(repo, "orange/b")
    moved = repo.rev(MAIN)
    with pytest.raises(StaleWrite):
        opened(repo).adopt(candidate(found, tip), "orange/a")
    again = opened(repo).propose("orange/a", "main", "Merge a", tip)
    repo.branch("orange/a", {"late.txt": "x\n"}, start=tip)
    with pytest.raises(StaleWrite):
        opened(repo).adopt(candidate(again, tip), "orange/a")
    assert repo.rev(MAIN) == moved


def test_a_proposal_that_conflicts_or_brings_nothing_says_so(repo: Repo) -> None:
    """As merging at once would; and an approval of another commit is stale."""
    start = opened(repo).start_point("main")
    tip = repo.branch("orange/a", {"src/a.txt": "one\n"}, start=start)
    repo.branch("orange/b", {"src/a.txt": "two\n"}, start=start)
    repo.branch("orange/same", {}, start=start)
    assert merge(repo, "orange/b").changed
    assert opened(repo).propose("orange/a", "main", "x", tip).conflicts == ("src/a.txt",)
    assert not opened(repo).propose("orange/same", "main", "x", None).changed
    with pytest.raises(StaleWrite):
        opened(repo).propose("orange/a", "main", "x", start)


def test_a_branch_is_merged_without_touching_the_user(repo: Repo, tmp_path: Path) -> None:
    """The merge has two parents, the message, the configured identity; the user's branch, files and index stay."""
    start = opened(repo).start_point("main")
    assert start == repo.rev("main") == repo.rev(MAIN)
    tip = repo.branch("orange/a", {"new.txt": "n\n"}, start=start)
    for hook in ("reference-transaction", "post-merge", "pre-merge-commit", "commit-msg", "post-checkout"):
        repo.hook(hook, f"touch {tmp_path}/ran; exit 1")
    repo.write({"src/a.txt": "dirty\n"})
    result = merge(repo, "orange/a", expect=tip)
    assert result == Integrated(repo.rev(MAIN), changed=True, onto=start, tip=tip)
    assert repo.git("rev-parse", f"{MAIN}^1", f"{MAIN}^2").split() == [start, tip]
    shown = repo.git("log", "-1", "--format=%an <%ae> %ad|%cn %cd|%B", "--date=raw", MAIN)
    assert shown.rstrip() == "Ada <ada@example.org> 1790000000 +0000|Ada 1790000000 +0000|Merge orange/a\n\nBecause."
    assert repo.tree(MAIN)["new.txt"] == b"n\n"
    assert (repo.rev("main"), repo.git("status", "--porcelain")) == (start, " M src/a.txt")
    assert not (tmp_path / "ran").exists()


def test_without_identity_merges_are_by_orange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No identity is made up, and none leaks in from the environment of whoever started us."""
    repo = repos.make(tmp_path / "r", identity=False)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Agent")
    repo.branch("main", {"a": "1"})
    start = opened(repo).start_point("main")
    repo.branch("orange/a", {"b": "1"}, start=start)
    merge(repo, "orange/a")
    assert repo.git("log", "-1", "--format=%an <%ae> %cn <%ce>", MAIN) == " ".join(["orange <orange@localhost>"] * 2)


def test_a_conflict_names_the_files_and_changes_nothing(repo: Repo) -> None:
    """Where both sides changed a file, the result has its name, whatever bytes are in it, and no commit."""
    names = ["src/a.txt", "new\nline", 'quo"te', "üñï"]
    repo.commit(dict.fromkeys(names, "base\n"))
    start = opened(repo).start_point("main")
    repo.branch("orange/a", dict.fromkeys(names, "one\n"), start=start)
    repo.branch("orange/b", {**dict.fromkeys(names, "two\n"), "fine.txt": "f\n"}, start=start)
    merged = merge(repo, "orange/a")
    result = merge(repo, "orange/b")
    assert (result.commit, result.changed, sorted(result.conflicts)) == (None, False, sorted(names))
    assert repo.rev(MAIN) == merged.commit


def test_a_branch_that_moved_on_is_not_merged(repo: Repo) -> None:
    """The approved tip is what is merged, or nothing: a later commit, or a branch that is gone, is refused."""
    start = opened(repo).start_point("main")
    approved = repo.branch("orange/a", {"a": "1"}, start=start)
    repo.branch("orange/a", {"a": "2"})
    with pytest.raises(StaleWrite, match="not at"):
        merge(repo, "orange/a", expect=approved)
    repo.git("branch", "-q", "-D", "orange/a")
    with pytest.raises(StaleWrite, match="is gone"):
        merge(repo, "orange/a", expect=approved)
    assert repo.rev(MAIN) == start


def test_nothing_to_merge_is_a_success_that_says_so(repo: Repo) -> None:
    """No branch, no commits of its own, already merged, or the same content (a squash): nothing changes."""
    start = opened(repo).start_point("main")
    repo.git("branch", "orange/empty")
    assert merge(repo, "orange/none") == Integrated(start, changed=False)
    assert merge(repo, "orange/empty") == Integrated(start, changed=False)
    tip = repo.branch("orange/a", {"a": "1"}, start=start)
    first = merge(repo, "orange/a")
    assert merge(repo, "orange/a", expect=tip) == Integrated(tip, changed=False)
    assert repo.rev(MAIN) == first.commit
    repo.branch("orange/b", {"b": "1"}, start=start)
    repo.branch("orange/b", {"b": "2"})
    squashed = repo.commit({"b": "2"}, "Squashed by the user")
    again = merge(repo, "orange/b")
    assert (again.changed, repo.attempt("merge-base", "--is-ancestor", squashed, str(again.commit)).status) == (
        False,
        0,
    )


def test_merges_from_four_processes_all_land(repo: Repo) -> None:
    """Concurrent integrations wait for each other; every branch is in the base, one merge each."""
    start = opened(repo).start_point("main")
    branches = [f"orange/t{number}" for number in range(12)]
    repo.branches({branch: {f"{branch}.txt": branch} for branch in branches}, start=start)
    layout = repo.layout
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_merge_some, layout, branches[worker::4]) for worker in range(4)]
        results = [result for job in jobs for result in job.result(timeout=120)]
    assert all(result.changed for result in results)
    assert len({result.commit for result in results}) == 12
    assert set(repo.tree(MAIN)) == {"README.md", "src/a.txt", "src/b.txt", *(f"{branch}.txt" for branch in branches)}
    assert repo.git("rev-list", "--count", "--merges", MAIN) == "12"


def _merge_some(layout: Layout, branches: list[str]) -> list[Integrated]:
    integration = GitIntegration(layout)
    return [integration.integrate(branch, "main", f"Merge {branch}", None) for branch in branches]


def test_kills_during_merges_lose_and_double_nothing(repo: Repo, tmp_path: Path) -> None:
    """Killed again and again while branches are merged: in the end each is in the base by exactly one merge."""
    start = opened(repo).start_point("main")
    branches = [f"orange/t{number}" for number in range(30)]
    repo.branches({branch: {f"{branch}.txt": branch} for branch in branches}, start=start)
    for turn in range(12):
        ready = tmp_path / f"ready-{turn}"
        child = get_context("fork").Process(target=_merge_all, args=(repo.layout, branches, ready))
        child.start()
        repos.until(ready.exists)
        child.join(0.015 * turn)
        repos.kill(child.pid or 0, family=turn % 2 == 0)
        child.join()
        assert opened(repo).repair() == ()
    repos.until(lambda: _all_merged(repo.layout, branches), seconds=60)
    assert set(repo.tree(MAIN)) >= {f"{branch}.txt" for branch in branches}
    assert repo.git("rev-list", "--count", "--merges", MAIN) == "30"
    repo.git("fsck", "--strict", "--no-dangling")


def _all_merged(layout: Layout, branches: list[str]) -> bool:
    """Merge them all; false while the lock of a killed git is too young to be removed."""
    try:
        _merge_some(layout, branches)
    except GitFailed:
        return False
    return True


def _merge_all(layout: Layout, branches: list[str], ready: Path) -> None:
    ready.touch()
    _merge_some(layout, branches)


class _Rival:
    """Moves the integrated base at the worst moment, a few times."""

    def __init__(self, repo: Repo, count: int) -> None:
        self.repo, self.left = repo, count

    def __call__(self) -> float:
        if self.left:
            self.left -= 1
            moved = self.repo.branch(f"rival{self.left}", {f"rival{self.left}": "r"}, start=MAIN)
            self.repo.git("update-ref", MAIN, moved)
        return NOW


def test_a_base_moved_by_somebody_else_meanwhile_is_kept(repo: Repo) -> None:
    """The merge is made again on what came in between: the ref only moves by compare-and-swap."""
    start = opened(repo).start_point("main")
    repo.branch("orange/a", {"a": "1"}, start=start)
    rival = _Rival(repo, 3)
    GitIntegration(repo.layout, now=rival).integrate("orange/a", "main", "Merge", None)
    assert {"a", "rival0", "rival1", "rival2"} <= set(repo.tree(MAIN))
    assert rival.left == 0


def test_criss_cross_histories_merge(repo: Repo) -> None:
    """Two merge bases are no problem: one branch took the other in, and the other way round."""
    start = opened(repo).start_point("main")
    text = "".join(f"{line}\n" for line in range(30))
    repo.branch("orange/a", {"f": text}, start=start)
    merge(repo, "orange/a")
    repo.branch("left", {"f": f"left\n{text}"}, start=MAIN)
    repo.branch("right", {"f": f"{text}right\n"}, start=MAIN)
    for one, other in (("left", "right"), ("right", "left")):
        tree = repo.git("merge-tree", "--write-tree", f"{one}~0", f"{other}~0").split()[0]
        made = repo.git("commit-tree", tree, "-p", one, "-p", other, "-m", "Cross")
        repo.git("update-ref", f"refs/heads/crossed-{one}", made)
    repo.branch("crossed-left", {"f": f"left\nmore\n{text}right\n"})
    assert merge(repo, "crossed-right").changed
    assert merge(repo, "crossed-left").changed
    assert repo.tree(MAIN)["f"] == f"left\nmore\n{text}right\n".encode()


def test_submodules_are_merged_as_the_commits_they_are(repo: Repo, tmp_path: Path) -> None:
    """A branch that moves a submodule on moves it on in the base; the user's submodule is left alone."""
    library = repos.sample(tmp_path / "library")
    process.run(["git", "-C", repo.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                 library.path, "lib"], env={**os.environ})  # fmt: skip
    repo.git("commit", "-q", "-m", "Add lib")
    start = opened(repo).start_point("main")
    moved = library.commit({"x": "1"})
    stream = f"commit refs/heads/orange/a\ncommitter A <a@b> 1 +0000\ndata 1\nx\nfrom {start}\nM 160000 {moved} lib\n"
    repo.git("fast-import", "--quiet", stdin=stream.encode())
    assert merge(repo, "orange/a").changed
    assert repo.git("rev-parse", f"{MAIN}:lib") == moved
    assert Repo(f"{repo.path}/lib").rev() != moved


@pytest.mark.parametrize(
    "name", ["", "-x", "a..b", "a b", "a\nb", "/a", "a/", ".a", "a.lock", "a@{1}", "orange-tasks", "@"]
)
def test_names_that_are_no_branches_never_reach_git(repo: Repo, name: str) -> None:
    """A base or branch name from a task file that git would not take, or would take for something else, is refused."""
    integration = opened(repo)
    before = repo.git("for-each-ref")
    with pytest.raises(InvalidInput):
        integration.integrate("orange/a", name, "x", None)
    with pytest.raises(InvalidInput):
        integration.integrate(name, "main", "x", None)
    with pytest.raises(InvalidInput):
        integration.start_point(name)
    with pytest.raises(InvalidInput):
        integration.follow(name)
    assert integration.observe([name])[name].integrated is None
    assert "cannot be the name" in str(integration.observe([name])[name].reason)
    assert not integration.branch_states({"t": (name, "main", None)})["t"].unmerged
    assert repo.git("for-each-ref") == before


@settings(max_examples=60, deadline=None)
@given(name=st.text(alphabet="ab/.-@{}~^:?*[\\ \x7f\tü\u202elock", min_size=1, max_size=8))
def test_every_name_that_is_let_through_is_one_to_git(name: str) -> None:
    """What passes as a branch name is a valid one to git, whatever it is made of."""
    asked = process.run(["git", "check-ref-format", f"refs/heads/{name}"])
    assert asked.status == 0 or not refs.is_valid(name)


def test_nothing_planted_in_the_repository_runs_in_a_merge(repo: Repo, tmp_path: Path) -> None:
    """Merge drivers, diff programs and filters of the shared configuration have no say; `merge=union` in a tree has."""
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 0\n")
    evil.chmod(0o755)
    keys = ("merge.evil.driver", "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean")
    for key in keys:
        repo.git("config", key, f"{evil} %A")
    repo.git("config", "merge.default", "evil")
    repo.commit({".gitattributes": "*.log merge=union\n", "x.log": "1\n", "y.txt": "1\n2\n3\n4\n5\n6\n7\n"})
    Path(repo.common, "info/attributes").write_text("* merge=evil diff=evil filter=evil\n")
    start = opened(repo).start_point("main")
    repo.branch("orange/a", {"x.log": "1\na\n", "y.txt": "a\n2\n3\n4\n5\n6\n7\n"}, start=start)
    repo.branch("orange/b", {"x.log": "1\nb\n", "y.txt": "1\n2\n3\n4\n5\n6\nb\n"}, start=start)
    assert merge(repo, "orange/a").changed
    assert "+b" in opened(repo).diff("orange/b", "main")
    opened(repo).branch_states({"b": ("orange/b", "main", None)})
    assert merge(repo, "orange/b").changed
    assert repo.tree(MAIN)["x.log"] == b"1\na\nb\n"
    assert repo.tree(MAIN)["y.txt"] == b"a\n2\n3\n4\n5\n6\nb\n"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["sha256", "partial", "shallow", "bare"])
def test_unusual_repositories_merge_too(repo: Repo, tmp_path: Path, kind: str) -> None:
    """sha256, partial and shallow clones and bare repositories."""
    if kind == "sha256":
        found = repos.make(tmp_path / "x", "--object-format=sha256")
        found.commit({"src/a.txt": "a\n", "src/b.txt": "b\n"})
    else:
        repo.git("config", "uploadpack.allowFilter", "true")
        repo.commit({"src/b.txt": "b2\n"})
        options = {
            "partial": ["--no-local", "--filter=blob:none", "--no-checkout"],
            "shallow": ["--no-local", "--depth=1"],
        }
        found = repos.clone(repo, tmp_path / "x", *options.get(kind, ["--bare"]))
    start = opened(found).start_point("main")
    found.branch("orange/a", {"src/a.txt": "a2\n"}, start=start)
    found.branch("orange/b", {"src/b.txt": "b3\n"}, start=start)
    assert merge(found, "orange/a").changed
    assert merge(found, "orange/b").changed
    assert (found.tree(MAIN)["src/a.txt"], found.tree(MAIN)["src/b.txt"]) == (b"a2\n", b"b3\n")


# The user's commits.


def test_what_the_user_commits_is_taken_in(repo: Repo) -> None:
    """While nothing of orange's is on it the base moves along; afterwards a merge takes the user's commits in."""
    integration = opened(repo)
    start = integration.start_point("main")
    second = repo.commit({"u1": "1"})
    assert integration.start_point("main") == second
    repo.branch("orange/a", {"a": "1"}, start=start)
    merged = merge(repo, "orange/a").commit
    third = repo.commit({"u2": "1"})
    taken = integration.start_point("main")
    assert repo.git("rev-parse", f"{taken}^1", f"{taken}^2").split() == [merged, third]
    assert {"a", "u1", "u2"} <= set(repo.tree(taken))
    assert integration.start_point("main") == taken
    assert repo.rev("main") == third


def test_a_conflict_with_the_users_commits_keeps_the_base_and_is_explained(repo: Repo) -> None:
    """The base stays where it is; the reason says which files and what to do; doing that clears it."""
    integration = opened(repo)
    start = integration.start_point("main")
    repo.branch("orange/a", {"src/a.txt": "task\n"}, start=start)
    merged = merge(repo, "orange/a").commit
    mine = repo.commit({"src/a.txt": "mine\n"})
    assert integration.start_point("main") == merged
    base = integration.follow("main")
    assert (base.integrated, base.branch, base.behind, base.ahead) == (merged, mine, 2, 1)
    assert "src/a.txt" in str(base.reason)
    assert f"git merge {MAIN}" in str(base.reason)
    assert opened(repo).observe(["main"])["main"] == base, "another process sees the same"
    assert repo.attempt("merge", "-q", MAIN).status == 1
    repo.commit({"src/a.txt": "both\n"}, "Merge by hand") if not _in_merge(repo) else _conclude(repo)
    base = integration.follow("main")
    assert (base.integrated, base.reason, base.behind, base.ahead) == (repo.rev("main"), None, 0, 0)


def _in_merge(repo: Repo) -> bool:
    return os.path.exists(f"{repo.common}/MERGE_HEAD")


def _conclude(repo: Repo) -> None:
    repo.write({"src/a.txt": "both\n"})
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-edit")


def test_an_amended_or_dropped_commit_of_the_users_is_amended_or_dropped(repo: Repo) -> None:
    """A commit of the user's that was taken in and then rewritten does not come back."""
    integration = opened(repo)
    integration.start_point("main")
    first = repo.commit({"u": "typo"})
    assert integration.start_point("main") == first
    repo.write({"u": "right"})
    repo.git("commit", "-q", "-a", "--amend", "-m", "Right")
    assert integration.start_point("main") == repo.rev("main") != first
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert integration.start_point("main") == repo.rev("main")
    assert integration.follow("main").reason is None
    assert "u" not in repo.tree(MAIN)


def test_what_a_task_brought_in_is_never_dropped_with_the_users_commits(repo: Repo) -> None:
    """A branch taken back behind integrated work is left there and explained; the base keeps the work."""
    integration = opened(repo)
    start = integration.start_point("main")
    repo.branch("orange/a", {"a": "1"}, start=start)
    merged = merge(repo, "orange/a").commit
    assert integration.follow("main").branch == merged
    repo.git("reset", "-q", "--hard", start)
    base = opened(repo).follow("main")
    assert (base.integrated, base.branch) == (merged, start)
    assert "was moved back behind work" in str(base.reason)
    mine = repo.commit({"u": "1"})
    base = opened(repo).follow("main")
    assert (base.branch, repo.rev("main")) == (mine, mine), "still not moved"
    assert {"a", "u"} <= set(repo.tree(MAIN)), "but what the user does goes on being taken in"
    repo.git("merge", "-q", "--no-edit", MAIN)
    assert opened(repo).follow("main").reason is None


def test_when_what_is_its_own_is_not_known_nothing_is_dropped(repo: Repo) -> None:
    """With the machine-local notes lost, a rewritten branch is merged, not followed."""
    integration = opened(repo)
    start = integration.start_point("main")
    repo.branch("orange/a", {"a": "1"}, start=start)
    merge(repo, "orange/a")
    os.unlink(f"{repo.layout.runtime}/integrated")
    repo.commit({"u": "1"})
    assert "a" in repo.tree(opened(repo).start_point("main"))
    repo.branch("orange/b", {"b": "1"}, start=start)
    merge(repo, "orange/b")
    repo.git("reset", "-q", "--hard", start)
    assert {"a", "b"} <= set(repo.tree(opened(repo).start_point("main")))


def test_a_base_without_commits_begins_with_an_empty_one(tmp_path: Path) -> None:
    """In a repository without commits work is cut from an empty root commit; the user's first one is merged with it."""
    repo = repos.make(tmp_path / "r")
    integration = opened(repo)
    start = integration.start_point("main")
    assert repo.tree(start) == {}
    assert integration.start_point("main") == start
    assert integration.observe(["main"])["main"] == Base("main", start, None)
    assert integration.follow("main").branch is None, "an empty commit is nobody's branch"
    repo.branch("orange/a", {"a": "1"}, start=start)
    merge(repo, "orange/a")
    assert integration.observe(["main"])["main"].behind == 2
    mine = repo.commit({"mine": "1"})
    taken = integration.start_point("main")
    assert set(repo.tree(taken)) == {"a", "mine"}
    assert repo.attempt("merge-base", "--is-ancestor", mine, taken).status == 0
    assert integration.follow("main").branch == taken
    assert repo.read("a") == b"1"


# Names and observation.


def test_the_default_base(repo: Repo, tmp_path: Path) -> None:
    """Configured, else the remote's default branch, else the one that was current at init, else the current one."""
    repo.git("checkout", "-q", "-b", "trunk")
    assert opened(repo).default_base() == "trunk"
    records.ensure(repo.layout, None, "host")
    repo.git("checkout", "-q", "main")
    assert opened(repo).default_base() == "trunk"
    assert opened(repo, "release/1").default_base() == "release/1"
    repo.git("checkout", "-q", "-b", "feature/x")
    copy = repos.clone(repo, tmp_path / "copy", "-b", "main")
    assert opened(copy).default_base() == "feature/x"
    copy.git("remote", "rename", "origin", "elsewhere")
    assert opened(copy).default_base() == "feature/x"
    copy.git("remote", "add", "-f", "other", repo.path)
    copy.git("remote", "set-head", "other", "main")
    assert opened(copy).default_base() == "main", "of several none is called origin: the current branch"


def test_a_base_that_only_the_remote_has(repo: Repo, tmp_path: Path) -> None:
    """Work may be cut from and merged into a base without a local branch; none is made for the user."""
    repo.git("branch", "next")
    copy = repos.clone(repo, tmp_path / "copy")
    integration = opened(copy)
    start = integration.start_point("next")
    assert start == repo.rev("next")
    copy.branch("orange/a", {"a": "1"}, start=start)
    merged = merge(copy, "orange/a", base="next").commit
    base = integration.follow("next")
    assert (base.integrated, base.branch, base.behind, base.reason) == (merged, None, 0, None)
    assert copy.rev("refs/heads/next") is None


def test_observing_counts_what_each_side_has_alone(repo: Repo) -> None:
    """A base says how far the user's branch is behind and ahead; one that does not exist has no commits."""
    integration = opened(repo)
    start = integration.start_point("main")
    assert integration.observe(["main", "nope"]) == {
        "main": Base("main", start, start),
        "nope": Base("nope", None, None),
    }
    repo.branch("orange/a", {"a": "1"}, start=start)
    merged = merge(repo, "orange/a").commit
    mine = repo.commit({"u": "1"})
    assert integration.observe(["main"])["main"] == Base("main", merged, mine, behind=2, ahead=1)


def test_a_tip_is_read_by_branch_or_by_full_name(repo: Repo) -> None:
    """Short names are branches; full names are refs; what is no name is nothing."""
    records.ensure(repo.layout, None, "host")
    integration = opened(repo)
    integration.start_point("main")
    assert integration.tip("main") == integration.tip("refs/heads/main") == integration.tip(MAIN) == repo.rev("main")
    assert integration.tip("orange-tasks") == repo.rev("refs/heads/orange-tasks")
    assert [integration.tip(name) for name in ("nope", "", "--all", "main~1", "refs/heads/*")] == [None] * 5


def test_a_diff_shows_what_the_branch_did(repo: Repo) -> None:
    """The patch begins where the branch left the base, whatever came into the base since; no branch, no patch."""
    integration = opened(repo)
    start = integration.start_point("main")
    repo.branch("orange/a", {"a": "mine\n", "bytes": b"\0\xff"}, start=start)
    repo.commit({"u": "theirs\n"})
    integration.start_point("main")
    patch = integration.diff("orange/a", "main")
    assert "+mine" in patch
    assert "theirs" not in patch
    assert "GIT binary patch" in patch
    assert integration.diff("orange/none", "main") == ""
    assert integration.diff("main", "main") == ""


# States.


def states(repo: Repo, **wanted: tuple[str, str, str | None]) -> dict[str, BranchState]:
    """Ask anew."""
    return dict(opened(repo).branch_states(wanted))


def test_a_branch_is_merged_when_its_commits_or_its_content_are_in_the_base(repo: Repo) -> None:
    """Ancestors, squashes, partly outdated squashes and branches without a net change are merged; others are not."""
    lines = [f"{number}\n" for number in range(30)]
    repo.commit({"s": "".join(lines)})
    start = opened(repo).start_point("main")
    repo.branch("merged", {"m": "1"}, start=start)
    commit = merge(repo, "merged").commit
    repo.branch("open", {"o": "1"}, start=start)
    repo.branch("squashed", {"s": "".join(["top\n", *lines])}, start=start)
    repo.branch("conflicting", {"src/a.txt": "branch\n"}, start=start)
    repo.branch("undone", {"src/b.txt": "x\n"}, start=start)
    undone = repo.branch("undone", {"src/b.txt": "b\n"})
    repo.branch("mode", {"src/b.txt": "b\n"}, start=start)
    repo.git("branch", "none", start)
    repo.commit({"s": "".join(["top\n", *lines]), "src/a.txt": "main\n"})
    repo.commit({"s": "".join(["top\n", *lines, "bottom\n"])})
    opened(repo).start_point("main")
    names = ("merged", "open", "squashed", "conflicting", "undone", "mode", "none", "gone")
    found = states(repo, **{name: (name, "main", commit) for name in names})
    assert {name for name in names if found[name].unmerged} == {"open", "conflicting"}
    assert found["gone"] == BranchState(None, unmerged=False, integrated=Presence.THERE)
    assert found["undone"].tip == undone


def test_where_a_merged_commit_is(repo: Repo, tmp_path: Path) -> None:
    """There, gone (on another branch, or no commit at all), or unknown (nothing noted, no id, a shallow history)."""
    start = opened(repo).start_point("main")
    side = repo.branch("side", {"x": "1"}, start=start)
    wanted = {"a": start, "b": side, "c": "1" * 40, "d": None, "e": "--all", "f": "main"}
    found = states(repo, **{name: ("", "main", commit) for name, commit in wanted.items()})
    there, gone, unknown = Presence.THERE, Presence.GONE, Presence.UNKNOWN
    assert {name: state.integrated for name, state in found.items()} == dict(
        zip("abcdef", (there, gone, gone, unknown, unknown, unknown), strict=True)
    )
    assert opened(repo).contains([(start, "main"), (side, "main"), (start, "nope")]) == {
        (start, "main"): there,
        (side, "main"): gone,
        (start, "nope"): gone,
    }
    repo.commit({"later": "1"})
    shallow = repos.clone(repo, tmp_path / "shallow", "--no-local", "--depth=1")
    assert states(shallow, a=("", "main", start))["a"].integrated is unknown


def test_what_is_remembered_stays_true(repo: Repo) -> None:
    """One integration, asked again and again while everything moves, answers like a new one every time."""
    kept = opened(repo)
    start = kept.start_point("main")
    wanted: dict[str, tuple[str, str, str | None]] = {}

    def check() -> None:
        assert dict(kept.branch_states(wanted)) == dict(opened(repo).branch_states(wanted))

    for number in range(4):
        repo.branch(f"t{number}", {f"f{number}": "1\n2\n3\n4\n5\n", "shared": f"{number}\n"}, start=start)
        wanted[f"t{number}"] = (f"t{number}", "main", None)
    check()
    wanted["t0"] = ("t0", "main", merge(repo, "t0").commit)
    check()
    repo.commit({"f1": "1\n2\n3\n4\n5\n"})
    check()
    kept.start_point("main")
    check()
    repo.branch("t2", {"shared": None})
    check()
    repo.git("update-ref", MAIN, start)
    check()
    repo.git("update-ref", "-d", MAIN)
    check()


def test_a_look_after_a_merge_asks_git_for_nothing_it_was_told(repo: Repo, tmp_path: Path) -> None:
    """Where to cut the next branch, what is merged, that the user's branch is behind: all known to who merged."""
    integration = opened(repo)
    start = integration.start_point("main")
    repo.branch("orange/a", {"a": "1"}, start=start)
    repo.branch("orange/b", {"b": "1"}, start=start)
    merge_with(integration, "orange/b")
    done = merge_with(integration, "orange/a")
    wanted = {"a": ("orange/a", "main", done)}

    def look() -> tuple[object, ...]:
        bases = integration.observe(["main"], count=False)
        return (
            bases["main"].behind,
            bases["main"].ahead,
            integration.start_point("main"),
            integration.branch_states(wanted),
        )

    assert _count(tmp_path, look) == 0
    states = opened(repo).branch_states(wanted)
    assert look() == (1, 0, done, states)
    assert integration.observe(["main"])["main"].behind == 4
    assert integration.follow("main").behind == 0
    assert look() == (0, 0, done, states)


def merge_with(integration: GitIntegration, branch: str) -> str:
    """Merge a branch into main; returns the merge commit."""
    commit = integration.integrate(branch, "main", f"Merge {branch}", None).commit
    assert commit is not None
    return commit


def test_two_hundred_open_branches_cost_a_handful_of_processes(repo: Repo, tmp_path: Path) -> None:
    """Unmerged branches are told apart by batches; asked again, no call is made."""
    start = opened(repo).start_point("main")
    repo.branches({f"orange/t{n}": {f"f{n}": "x\n", "log": f"{n}\n"} for n in range(200)}, start=start)
    repo.commit({"log": "user\n", "f7": "x\n"})
    opened(repo).start_point("main")
    wanted = {f"t{n}": (f"orange/t{n}", "main", start) for n in range(200)}
    integration = opened(repo)
    calls = _count(tmp_path, lambda: integration.branch_states(wanted))
    assert calls <= 9, "one of them makes the git directory for trial merges, once"
    assert all(state.unmerged for state in integration.branch_states(wanted).values())
    assert _count(tmp_path, lambda: integration.branch_states(wanted)) == 0
    repo.commit({"elsewhere": "1"})
    integration.start_point("main")
    assert _count(tmp_path, lambda: integration.branch_states(wanted)) <= 4


def _count(folder: Path, work: Callable[[], object]) -> int:
    """Count the git processes that `work` starts, by a wrapper that comes first on the path."""
    log = folder / "calls"
    log.write_text("")
    path = os.environ["PATH"]
    real = process.run(["sh", "-c", "command -v git"]).text.strip()
    wrapper = folder / "bin" / "git"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\necho call >> "{log}"\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    os.environ["PATH"] = f"{wrapper.parent}:{path}"
    try:
        work()
    finally:
        os.environ["PATH"] = path
    return len(log.read_text().split())
