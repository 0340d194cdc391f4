"""Pushing to a real remote, and taking in what others merged there."""

from __future__ import annotations

from pathlib import Path

import pytest

from orange.adapters.integration import GitIntegration
from orange.core.layout import BASE_REFS
from orange.core.problems import PushRefused
from orange.testing import repos
from orange.testing.repos import Repo

MAIN = f"{BASE_REFS}main"


@pytest.fixture
def remote(tmp_path: Path) -> Repo:
    """A bare repository with one commit on main."""
    source = repos.sample(tmp_path / "source")
    return repos.clone(source, tmp_path / "remote.git", "--bare")


@pytest.fixture
def repo(remote: Repo, tmp_path: Path) -> Repo:
    """A clone of it, whose main is integrated."""
    made = repos.clone(remote, tmp_path / "r")
    GitIntegration(made.layout).start_point("main")
    return made


@pytest.fixture
def other(remote: Repo, tmp_path: Path) -> Repo:
    """Somebody else's clone."""
    return repos.clone(remote, tmp_path / "other")


def opened(repo: Repo) -> GitIntegration:
    """Open its integration anew."""
    return GitIntegration(repo.layout)


def test_a_branch_is_pushed_without_hooks_and_never_by_force(repo: Repo, other: Repo, remote: Repo) -> None:
    """Pushing again is nothing; a remote branch with commits that are not here stays, and is named."""
    tip = repo.branch("orange/a", {"a": "1"}, start=MAIN)
    repo.hook("pre-push", "exit 1")
    assert [opened(repo).push("orange/a", tip, "main") for _ in range(2)] == ["origin", "origin"]
    assert remote.rev("refs/heads/orange/a") == tip
    other.git("fetch", "-q")
    other.git("switch", "-q", "orange/a")
    other.commit({"b": "2"})
    other.git("push", "-q")
    theirs = remote.rev("refs/heads/orange/a")
    later = repo.branch("orange/a", {"a": "2"})
    with pytest.raises(PushRefused, match="has commits on origin that are not here"):
        opened(repo).push("orange/a", later, "main")
    assert remote.rev("refs/heads/orange/a") == theirs


def test_where_there_is_no_remote_it_says_so(tmp_path: Path) -> None:
    """Nothing is guessed: no remote, several without a choice, one that cannot be reached."""
    repo = repos.sample(tmp_path / "alone")
    tip = str(repo.rev())
    with pytest.raises(PushRefused, match="no remote"):
        opened(repo).push("x", tip, "main")
    for name in ("one", "two"):
        repo.git("remote", "add", name, str(tmp_path / "nowhere"))
    with pytest.raises(PushRefused, match="none of one, two"):
        opened(repo).push("x", tip, "main")
    repo.git("config", "remote.pushDefault", "two")
    with pytest.raises(PushRefused, match="pushing x to two failed"):
        opened(repo).push("x", tip, "main")
    with pytest.raises(PushRefused, match="two could not be reached"):
        opened(repo).take_remote("main", tip)


def test_a_remote_that_says_no_is_quoted(repo: Repo, remote: Repo) -> None:
    """The reason is the remote's own."""
    remote.hook("update", "exit 1")
    with pytest.raises(PushRefused, match="hook declined"):
        opened(repo).push("orange/a", repo.branch("orange/a", {"a": "1"}, start=MAIN), "main")


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_work_merged_elsewhere_is_taken_in(repo: Repo, other: Repo, how: str) -> None:
    """A remote base that has the commits, or their content, is taken in, and the user's branch follows."""
    tip = repo.branch("orange/a", {"a": "1"}, start=MAIN)
    opened(repo).push("orange/a", tip, "main")
    assert not opened(repo).take_remote("main", tip)
    other.git("fetch", "-q")
    other.commit({"theirs": "1"})
    how_to = {"merge": ["merge", "-q", "--no-ff"], "squash": ["merge", "-q", "--squash"], "rebase": ["cherry-pick"]}
    other.git(*how_to[how], "origin/orange/a")
    if how == "squash":
        other.git("commit", "-q", "-m", "Squashed")
    other.git("push", "-q", "origin", "main")
    assert opened(repo).take_remote("main", tip)
    assert repo.rev(MAIN) == other.rev("main")
    assert not opened(repo).branch_states({"a": ("orange/a", "main", None)})["a"].unmerged
    opened(repo).follow("main")
    assert repo.rev("main") == other.rev("main")
    assert opened(repo).take_remote("main", tip)


def test_what_is_integrated_meanwhile_stays(repo: Repo, other: Repo) -> None:
    """A remote base that went another way is merged with what is integrated here; a conflict is named instead."""
    tip = repo.branch("orange/a", {"a": "1"}, start=MAIN)
    opened(repo).push("orange/a", tip, "main")
    repo.branch("orange/b", {"b": "1"}, start=MAIN)
    opened(repo).integrate("orange/b", "main", "Merge b", None)
    other.git("fetch", "-q")
    other.git("merge", "-q", "--no-ff", "origin/orange/a")
    other.git("push", "-q", "origin", "main")
    assert opened(repo).take_remote("main", tip)
    assert {"a", "b"} <= set(repo.tree(MAIN))
    later = repo.branch("orange/c", {"src/a.txt": "ours\n"}, start=MAIN)
    opened(repo).integrate("orange/c", "main", "Merge c", None)
    other.commit({"src/a.txt": "theirs\n"})
    other.git("push", "-q", "origin", "main")
    before = repo.rev(MAIN)
    assert not opened(repo).take_remote("main", later)
    with pytest.raises(PushRefused, match="conflicts with what is integrated"):
        opened(repo).take_remote("main", tip)
    assert repo.rev(MAIN) == before


def test_a_base_is_pushed_with_what_others_pushed_taken_in(repo: Repo, other: Repo, remote: Repo) -> None:
    """The remote ends with both; nothing is ever forced."""
    repo.branch("orange/a", {"a": "1"}, start=MAIN)
    opened(repo).integrate("orange/a", "main", "Merge a", None)
    theirs = other.commit({"theirs": "1"})
    other.git("push", "-q", "origin", "main")
    assert opened(repo).push_base("main") == "origin"
    assert remote.rev("refs/heads/main") == repo.rev(MAIN)
    assert {"a", "theirs"} <= set(remote.tree("refs/heads/main"))
    assert repo.attempt("merge-base", "--is-ancestor", theirs, MAIN).status == 0


def test_subjects_are_those_of_plain_commits(repo: Repo) -> None:
    """Merges are left out, and only so many are read."""
    repo.branch("orange/a", {"a": "1"}, start=MAIN, message="feat: a")
    opened(repo).integrate("orange/a", "main", "Merge a", None)
    assert sorted(opened(repo).subjects("main", 5)) == ["Begin", "feat: a"]
    assert len(opened(repo).subjects("main", 1)) == 1
    assert opened(repo).subjects("nowhere", 5) == ()
