"""Trial merges of many branches, against real git: what is named, and that nothing moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from orange.adapters.integration import GitIntegration
from orange.core.forecast import Collision, Forecast
from orange.core.layout import BASE_REFS
from orange.testing import repos
from orange.testing.repos import Repo

MAIN = f"{BASE_REFS}main"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit on main, which is integrated."""
    made = repos.sample(tmp_path / "r")
    GitIntegration(made.layout).start_point("main")
    return made


def forecast(repo: Repo, *branches: str, base: str = "main") -> Forecast:
    """Forecast branches that are named like their tasks."""
    return GitIntegration(repo.layout).forecast({branch: (branch, base) for branch in branches})


def test_pairs_and_bases_in_conflict_are_named_with_their_files(repo: Repo) -> None:
    """Two branches that change a file differ in it; one that the base has overtaken conflicts with the base alone."""
    start = repo.rev(MAIN)
    for branch, files in {
        "one": {"src/a.txt": "one\n", "src/b.txt": "one\n", "one": "1"},
        "two": {"src/a.txt": "two\n", "src/b.txt": "two\n"},
        "apart": {"apart": "1"},
        "late": {"README.md": "late\n"},
    }.items():
        repo.branch(branch, files, start=start)
    repo.commit({"README.md": "users\n"})
    GitIntegration(repo.layout).start_point("main")
    repo.branch("fresh", {"late": "x", "README.md": "fresh\n"}, start=MAIN)
    before = repo.git("for-each-ref")
    found = forecast(repo, "one", "two", "apart", "late", "fresh")
    assert found.collisions == (
        Collision(("late",), "main", ("README.md",)),
        Collision(("one", "two"), "main", ("src/a.txt", "src/b.txt")),
    )
    assert found.clear == ("apart", "fresh")
    assert found.unknown == ()
    assert found.tried["one"] == repo.rev("one")
    assert repo.git("for-each-ref") == before
    assert repo.git("status", "--porcelain") == ""


def test_the_forecast_is_what_merging_gives(repo: Repo) -> None:
    """The pair named is the pair of which the second does not merge; the clear one merges."""
    start = repo.rev(MAIN)
    for branch, files in {"a": {"src/a.txt": "1\n"}, "b": {"src/a.txt": "2\n"}, "c": {"c": "3"}}.items():
        repo.branch(branch, files, start=start)
    assert forecast(repo, "a", "b", "c").collisions == (Collision(("a", "b"), "main", ("src/a.txt",)),)
    integration = GitIntegration(repo.layout)
    assert integration.integrate("a", "main", "Merge a", None).changed
    assert integration.integrate("b", "main", "Merge b", None).conflicts == ("src/a.txt",)
    assert integration.integrate("c", "main", "Merge c", None).changed
    assert forecast(repo, "a", "b", "c") == Forecast(
        {"b": str(repo.rev("b"))}, (Collision(("b",), "main", ("src/a.txt",)),)
    )


def test_files_against_folders_and_moved_folders_are_seen(repo: Repo) -> None:
    """A file where another branch makes a folder conflicts, and so does a file added to a folder that was moved."""
    start = repo.rev(MAIN)
    repo.branch("file", {"new": "1"}, start=start)
    repo.branch("folder", {"new/deep/file": "1"}, start=start)
    moved = {"src/a.txt": None, "src/b.txt": None, "lib/a.txt": "a\n", "lib/b.txt": "b\n"}
    repo.branch("moves", moved, start=start)
    repo.branch("adds", {"src/c.txt": "c\n"}, start=start)
    found = forecast(repo, "file", "folder", "moves", "adds")
    assert [collision.tasks for collision in found.collisions] == [("file", "folder"), ("moves", "adds")]


def test_branches_without_work_are_not_tried(repo: Repo) -> None:
    """A branch that is gone, or holds nothing that its base has not, or has no possible name is left out."""
    repo.git("branch", "empty")
    assert forecast(repo, "empty", "gone", "--all", "a b") == Forecast({}, ())


def test_bases_do_not_meet_and_strangers_meet_all(repo: Repo) -> None:
    """Branches for different bases are not compared; one that shares no history is compared with every other."""
    start = repo.rev(MAIN)
    repo.git("branch", "stable")
    GitIntegration(repo.layout).start_point("stable")
    repo.branch("one", {"src/a.txt": "1\n"}, start=start)
    repo.branch("two", {"src/a.txt": "2\n"}, start=start)
    repo.branch("stranger", {"src/b.txt": "3\n"})
    wanted = {"one": ("one", "main"), "two": ("two", "stable"), "stranger": ("stranger", "main")}
    found = GitIntegration(repo.layout).forecast(wanted)
    assert found.collisions == (Collision(("stranger",), "main", ("src/b.txt",)),)
    assert found.clear == ("one", "two")


def test_attributes_of_the_base_count(repo: Repo) -> None:
    """A file that the base merges by union is no conflict, between branches either."""
    repo.commit({".gitattributes": "*.log merge=union\n", "a.log": "0\n"})
    start = GitIntegration(repo.layout).start_point("main")
    repo.branch("one", {"a.log": "0\n1\n"}, start=start)
    repo.branch("two", {"a.log": "0\n2\n"}, start=start)
    repo.branch("three", {"a.log": "0\n3\n"}, start=start)
    assert forecast(repo, "one", "two", "three").collisions == ()


def test_a_hundred_branches_are_one_forecast(repo: Repo) -> None:
    """Of a hundred branches each named conflict is one there is, and there is no other."""
    start = repo.rev(MAIN)
    names = [f"t{number:03}" for number in range(100)]
    repo.branches(
        {name: {f"{name}.txt": name, f"shared/{at % 50}": name} for at, name in enumerate(names)}, start=start
    )
    found = forecast(repo, *names)
    wanted = {(names[at], names[at + 50]): (f"shared/{at}",) for at in range(50)}
    assert {collision.tasks: collision.files for collision in found.collisions} == wanted
