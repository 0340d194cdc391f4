"""Where the worktrees of one repository are kept, and the git calls made there.

Everything in this package takes a `Site`. Nothing here decides; `worktrees` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from orange.adapters import process
from orange.adapters.git import Git, repository_lock
from orange.core.layout import Layout
from orange.core.ports import Clock
from orange.core.problems import GitFailed, WorkspaceStepFailed
from orange.core.settings import WorkspaceSettings

#: Workers of a checkout: creating files waits for the disk, so more than there are cores pay off.
WORKERS = max(4, 2 * (os.cpu_count() or 1))
#: Seconds a git command that writes a whole tree may take.
LONG = 900.0


@dataclass(frozen=True, slots=True)
class Site:
    """One repository's workspaces."""

    layout: Layout
    settings: WorkspaceSettings
    clock: Clock
    #: The folder of the workspaces, symbolic links resolved: git records real paths.
    root: str
    #: The commit spares are made at, or None where there is none yet.
    base: Callable[[], str | None]

    @property
    def common(self) -> str:
        """The git directory all worktrees share."""
        return self.layout.common

    @property
    def shadows(self) -> str:
        """Where private git directories are made."""
        return f"{self.layout.runtime}/shadow"

    @property
    def trash(self) -> str:
        """Where folders of worktrees wait to be removed."""
        return f"{self.root}/.orange-trash"

    @property
    def git_trash(self) -> str:
        """Where git's own folders wait to be removed."""
        return f"{self.layout.runtime}/trash"

    def git(self, *keep: int) -> Git:
        """Git on the repository itself, away from any worktree's files."""
        return Git(self.common, {"GIT_DIR": self.common}, keep)

    def lock(self) -> AbstractContextManager[int]:
        """Hold the repository-wide lock."""
        return repository_lock(self.layout.git_lock)

    def path(self, name: str) -> str:
        """The path of a workspace or spare of that folder name."""
        return f"{self.root}/{name}"


@contextmanager
def step(path: str, what: str) -> Iterator[None]:
    """Turn what goes wrong below into one sentence that names the workspace and the step."""
    try:
        yield
    except GitFailed as error:
        raise WorkspaceStepFailed(path, what, error.stderr or error.message) from error
    except (process.TimedOut, process.ProgramMissing) as error:
        raise WorkspaceStepFailed(path, what, error.message) from error
    except OSError as error:
        raise WorkspaceStepFailed(path, what, error.strerror or str(error)) from error
