"""A repository with workspaces, for the tests of the real adapter."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from orange.adapters.workspaces import WorktreeWorkspaces
from orange.core.model import Task, Workspace
from orange.core.settings import HookSettings, WorkspaceSettings
from orange.testing.repos import Repo, sample, until

TASK = Task("k3f9x2ab", "OAuth endpoints", "oauth")
OTHER = Task("h7d2m4qe", "Tokens", "tokens")


@dataclass
class FixedClock:
    """A clock that is set by hand; it begins long after every file made in a test."""

    wall: float = 4_000_000_000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.wall


@dataclass
class Place:
    """A repository and the workspaces made from it."""

    repo: Repo
    settings: WorkspaceSettings = field(default_factory=WorkspaceSettings)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    limit: int = 50 << 20

    @property
    def workspaces(self) -> WorktreeWorkspaces:
        """A fresh adapter: nothing may depend on what an earlier one remembers."""
        clock = FixedClock()
        return WorktreeWorkspaces(
            self.repo.layout, self.settings, clock, environ=self.environ, rescue_limit=self.limit
        )  # fmt: skip

    def acquire(self, task: Task = TASK, start: str | None = None) -> Repo:
        """Acquire the task's workspace on its usual branch; returns it as a repository."""
        return Repo(self.bound(task, start).path)

    def bound(self, task: Task = TASK, start: str | None = None) -> Workspace:
        """Acquire the task's workspace on its usual branch."""
        return self.workspaces.acquire(task, branch(task), start or self.repo.git("rev-parse", "HEAD"))

    def spare(self) -> Path:
        """The one spare there is."""
        (found,) = [w for w in self.workspaces.list() if w.task is None]
        return Path(found.path)

    def rescues(self, task: Task = TASK) -> list[str]:
        """The task's rescue refs, oldest first."""
        return self.repo.git("for-each-ref", "--format=%(refname)", f"refs/orange/rescue/{task.id}/").split()

    def healthy(self) -> None:
        """Assert that git itself finds nothing wrong."""
        self.repo.git("worktree", "list")
        self.repo.git("gc", "--quiet")
        self.repo.git("fsck", "--connectivity-only", "--no-dangling")
        for head in Path(self.repo.common).glob("worktrees/*/HEAD"):
            assert set(head.read_text().strip()) != {"0"}


def place(folder: Path, **settings: Any) -> Place:
    """Make a repository with some files and a .gitignore, in a folder whose name has a space."""
    repo = Repo(shutil.copytree(_template(), str(folder / "my repo"), symlinks=True))
    hooks = {key: value for key, value in settings.items() if key in HookSettings.__dataclass_fields__}
    rest = {key: value for key, value in settings.items() if key not in hooks}
    made = WorkspaceSettings(**rest, hooks=HookSettings(**hooks))
    return Place(repo, made)


@cache
def _template() -> str:
    """The repository every test copies, made once."""
    folder = tempfile.mkdtemp(prefix="o-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    repo = sample(f"{folder}/repo")
    repo.commit({".gitignore": "*.log\n.env\nnode_modules/\n__pycache__/\nout/\n"}, "Ignore")
    return repo.path


def branch(task: Task) -> str:
    """The branch a task works on."""
    return f"orange/{task.slug}"


@contextmanager
def somebody_in(folder: str) -> Iterator[int]:
    """Let a program work in a folder while the block runs; yields its process id."""
    shell = shutil.which("sh") or "/bin/sh"
    pid = os.posix_spawn(shell, ["sh", "-c", 'cd "$1" && exec sleep 120', "sh", folder], os.environ)
    try:
        until(lambda: os.readlink(f"/proc/{pid}/cwd") == folder)
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def listing(folder: Path | str) -> dict[str, tuple[int, bytes]]:
    """Every file and empty folder below a workspace: path -> permissions and content."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in sorted(Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        if name == ".git" or (path.is_dir() and not path.is_symlink() and any(path.iterdir())):
            continue
        content = os.fsencode(os.readlink(path)) if path.is_symlink() else b"" if path.is_dir() else path.read_bytes()
        found[name] = (path.lstat().st_mode, content)
    return found
