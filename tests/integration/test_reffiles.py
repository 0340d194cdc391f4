"""Refs read from git's own files are what git says they are; what is not plain is left to git."""

from __future__ import annotations

from pathlib import Path

import pytest

from orange.adapters.git import Git
from orange.adapters.integration import reffiles
from orange.testing import repos
from orange.testing.repos import Repo

NAMES = (
    "refs/heads/main",
    "refs/heads/none",
    "refs/heads/a",
    "refs/heads/a/b",
    "refs/heads/packed",
    "refs/heads/both",
    "refs/heads/with.dot+plus",
    "refs/orange/base/main",
    "refs/remotes/*/main",
    "refs/remotes/*/both",
    "refs/none/*/main",
)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository with two commits, and refs of every plain kind."""
    repos.isolate(monkeypatch, tmp_path / "home")
    made = repos.sample(tmp_path / "r")
    first = made.rev()
    made.git("commit", "-q", "--allow-empty", "-m", "Second")
    for name in ("refs/heads/packed", "refs/heads/both", "refs/heads/a/b", "refs/remotes/origin/main"):
        made.git("update-ref", name, str(first))
    made.git("tag", "-a", "-m", "peeled in packed-refs", "v1")
    made.git("pack-refs", "--all")
    for name in ("refs/heads/both", "refs/heads/with.dot+plus", "refs/orange/base/main", "refs/remotes/fork/main"):
        made.git("update-ref", name, "HEAD")
    return made


def both(repo: Repo, *names: str) -> tuple[dict[str, str] | None, dict[str, str]]:
    """Return what the files say and what git says."""
    return reffiles.read(repo.common, names), Git(repo.common).refs(*names)


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_ref_is_what_git_says(repo: Repo, name: str) -> None:
    """Loose, packed, both (the loose one counts), none, in folders, of several remotes."""
    read, said = both(repo, name)
    assert read == {full: commit for full, commit in said.items() if full == name or "*" in name}


def test_all_of_them_at_once(repo: Repo) -> None:
    """One call answers for every name."""
    read, said = both(repo, *(name for name in NAMES if name != "refs/heads/a"))
    assert read == said
    assert len(said) == 8


def test_a_ref_that_was_deleted_is_gone(repo: Repo) -> None:
    """Also where it was packed."""
    repo.git("update-ref", "-d", "refs/heads/packed")
    assert reffiles.read(repo.common, ["refs/heads/packed"]) == {}


def test_what_is_not_plain_is_left_to_git(repo: Repo) -> None:
    """A symbolic ref, a broken one, and the format that has no such files."""
    repo.git("symbolic-ref", "refs/heads/link", "refs/heads/main")
    Path(repo.common, "refs/heads/broken").write_text("nonsense\n")
    assert reffiles.read(repo.common, ["refs/heads/link"]) is None
    assert reffiles.read(repo.common, ["refs/heads/main", "refs/heads/broken"]) is None
    Path(repo.common, "reftable").mkdir()
    assert reffiles.read(repo.common, ["refs/heads/main"]) is None
