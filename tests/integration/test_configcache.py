"""A configuration that was read before is the one in force, whoever changes whichever file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orange.adapters import process
from orange.adapters.git import Git
from orange.adapters.workspaces import configcache, gitconfig
from orange.testing import repos
from orange.testing.repos import Repo


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository with nothing remembered, long after its configuration was written."""
    repos.isolate(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(configcache, "_known", {})
    monkeypatch.setattr(configcache, "_RACY", -(1 << 62))  # what was written just now counts as old
    made = repos.sample(tmp_path / "r")
    made.git("config", "extensions.worktreeConfig", "true")
    return made


CHANGES: dict[str, Callable[[Repo, Path], object]] = {
    "own": lambda repo, _: repo.git("config", "core.eol", "lf"),
    "worktree": lambda repo, _: repo.git("config", "--worktree", "core.eol", "crlf"),
    "home": lambda _, top: (top / "home" / ".gitconfig").write_text("[core]\n\teol = lf\n"),
    "xdg": lambda _, top: _write(top / "home" / ".config" / "git" / "config", "[core]\n\teol = lf\n"),
    "same text": lambda repo, _: os.utime(f"{repo.common}/config"),
}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_file_is_seen(repo: Repo, tmp_path: Path, change: str) -> None:
    """As git itself sees it, at once."""
    configcache.read(repo.common, repo.common)
    CHANGES[change](repo, tmp_path)
    fresh = gitconfig.read(Git(repo.common, {"GIT_DIR": repo.common}))
    assert configcache.read(repo.common, repo.common) == fresh


def test_without_a_change_git_is_not_asked(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the same object, without a process."""
    common = repo.common
    first = configcache.read(common, common)
    monkeypatch.setattr(process, "run", lambda *_args, **_keys: pytest.fail("git was asked"))
    assert configcache.read(common, common) is first
    assert first.values["user.name"] == "Ada"


@pytest.mark.parametrize("key", ["include.path", "includeIf.onbranch:main.path"])
def test_what_is_included_is_read_each_time(repo: Repo, tmp_path: Path, key: str) -> None:
    """A file that was missing or empty when it was included counts as soon as it says something."""
    repo.git("config", key, str(tmp_path / "more"))
    configcache.read(repo.common, repo.common)
    (tmp_path / "more").touch()
    configcache.read(repo.common, repo.common)
    (tmp_path / "more").write_text('[filter "planted"]\n\tclean = evil\n')
    assert configcache.read(repo.common, repo.common).filters == {"planted"}


def test_what_changed_just_now_is_not_remembered(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second change within the clock's grain would not be seen."""
    monkeypatch.setattr(configcache, "_RACY", 1 << 62)
    first = configcache.read(repo.common, repo.common)
    assert configcache.read(repo.common, repo.common) is not first
