"""Repositories inside a workspace: clones an agent made, submodules it filled, worktrees it added.

Git records them as a commit id at most, so what they hold would be lost with the workspace. One that holds nothing
of its own (nothing uncommitted, everything on its remote) is pristine and needs no saving.

Next in the flow: `rescue` archives the others.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from dataclasses import dataclass

from orange.adapters.git import Git
from orange.adapters.workspaces import folders, gitconfig, shadow
from orange.adapters.workspaces.shadow import Source
from orange.core.problems import GitFailed

#: Folders that a build or a package manager makes again: ignored by git, they are not saved.
REGENERABLE = frozenset({
    "node_modules", ".venv", "venv", "__pycache__", "target", "dist", "build", ".pytest_cache", ".mypy_cache",
    ".ruff_cache", ".tox", ".gradle",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository inside a workspace that holds something of its own."""

    #: Relative to the workspace; None for a submodule whose files are not there.
    path: str | None
    #: The git directory that would go with the workspace; None where it lies elsewhere.
    git_dir: str | None
    #: The commit it has checked out, where that is one of the workspace's own repository.
    head: str | None = None

    @property
    def stored(self) -> str:
        """The path its archive gets in a rescue."""
        name = os.path.basename(self.git_dir or "")
        return f".git.modules/{name}.tar" if self.path is None else f"{self.path}/.git.tar"

    @property
    def size(self) -> int:
        """Bytes of its git directory."""
        return sum(entry.status.st_size for entry in folders.walk(self.git_dir)) if self.git_dir else 0

    def archive(self) -> bytes:
        """Its git directory as a tar file. Raises OSError."""
        import tarfile

        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            tar.add(self.git_dir or "", arcname=".git")
        return data.getvalue()


@dataclass(frozen=True, slots=True)
class Found:
    """The repositories inside a workspace."""

    #: Those that hold something of their own.
    holding: tuple[Repository, ...]
    #: Folders of those that do not.
    pristine: tuple[str, ...]


def find(source: Source, paths: Iterable[str]) -> Found:
    """Look at every repository among a workspace's files; `paths` are all of them, relative."""
    holding, pristine, seen = [], [], set()
    for path in sorted({place for place in map(_place, paths) if place}):
        git_dir = _git_dir(f"{source.files}/{path}")
        seen.add(git_dir)
        if git_dir and _is_clean(git_dir, f"{source.files}/{path}", source) and _is_elsewhere(git_dir, source):
            pristine.append(path)
        else:
            holding.append(_repository(path, git_dir, source))
    emptied = [module for module in _modules(source) if module not in seen and not _is_pushed(module)]
    return Found((*holding, *(Repository(None, module) for module in emptied)), tuple(pristine))


def _place(path: str) -> str | None:
    """The folder whose `.git` a path is, or is the HEAD of."""
    for ending in ("/.git", "/.git/HEAD"):
        if path.endswith(ending):
            return path.removesuffix(ending)
    return None


def _git_dir(folder: str) -> str | None:
    """The git directory of a nested repository, real path, or None where there is none to be found."""
    dot_git = f"{folder}/.git"
    if os.path.isdir(dot_git):
        return os.path.realpath(dot_git)
    line = folders.first_line(dot_git)
    found = os.path.realpath(os.path.join(folder, line.removeprefix("gitdir:").strip()))
    return found if line.startswith("gitdir:") and os.path.isdir(found) else None


def _repository(path: str, git_dir: str | None, source: Source) -> Repository:
    if git_dir is None:
        return Repository(path, None)
    if _goes_along(git_dir, source):
        return Repository(path, git_dir)
    ours = git_dir.startswith(f"{source.common}/worktrees/")
    return Repository(path, None, shadow.commit_of(Git(git_dir, {"GIT_DIR": git_dir})) if ours else None)


def _goes_along(git_dir: str, source: Source) -> bool:
    """Whether a git directory would be removed with the workspace."""
    return git_dir.startswith((f"{os.path.realpath(source.files)}/", f"{source.git_dir}/"))


def _is_clean(git_dir: str, files: str, source: Source) -> bool:
    """Whether its files are those of its commit, and nothing else that could not be made again."""
    git = Git(git_dir, {"GIT_DIR": git_dir})
    common = os.path.realpath(os.path.join(git_dir, folders.first_line(f"{git_dir}/commondir") or "."))
    try:
        config = gitconfig.read(git)
        with shadow.look(Source(git_dir, common, files, source.folder), config, shadow.commit_of(git)) as looking:
            lines = looking.changes("--ignored")
    except (GitFailed, OSError):
        return False
    return all(line.startswith("! ") and REGENERABLE & set(line[2:].split("/")) for line in lines)


def _is_elsewhere(git_dir: str, source: Source) -> bool:
    """Whether its commits are safe without the workspace."""
    if not _goes_along(git_dir, source):
        return not git_dir.startswith(f"{source.common}/worktrees/")
    return _is_pushed(git_dir)


def _is_pushed(git_dir: str) -> bool:
    git = Git(git_dir, {"GIT_DIR": git_dir})
    return git.query("rev-list", "--max-count=1", "--all", "HEAD", "--not", "--remotes") == ""


def _modules(source: Source) -> list[str]:
    """Git directories of submodules, which lie inside git's folder of the worktree."""
    base = f"{source.git_dir}/modules"
    if not os.path.isdir(base):
        return []
    heads = [f"{base}/{e.path}".removesuffix("/HEAD") for e in folders.walk(base) if e.path.endswith("/HEAD")]
    return sorted(os.path.realpath(path) for path in heads if os.path.isdir(f"{path}/objects"))
