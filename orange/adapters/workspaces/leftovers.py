"""Committing what an agent left uncommitted, to its branch, without running anything and without the agent's locks.

The commit is made from a private index and put on the branch by compare-and-swap; then the workspace's own index is
replaced by the private one, which fits the new commit, if nobody holds it. What cannot be committed honestly
(conflicts, a detached HEAD, another branch than the task's) is saved to a rescue ref instead.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from orange.adapters.git import Git
from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import folders, locks, shadow
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.shadow import Shadow
from orange.adapters.workspaces.survey import Changes, Survey
from orange.core.ports import Clock


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What became of what was uncommitted."""

    #: The tip of the task's branch; None when the workspace is not on it.
    tip: str | None
    #: Whether a commit was made.
    committed: bool = False
    #: What was not committed and why, and where it was saved, in one sentence each.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The worktree whose leftovers are committed."""

    admin: Admin
    path: str
    #: The full ref of the task's branch.
    ref: str
    repository: Git
    clock: Clock


def unfit(target: Target, changes: Changes, head: str | None) -> str | None:
    """Why the changes cannot become a commit on the task's branch, in half a sentence, or None when they can."""
    if target.admin.branch is None:
        return "HEAD is detached"
    if target.admin.branch != target.ref:
        return f"{target.admin.branch.removeprefix('refs/heads/')} is checked out, not the task's branch"
    if head is None:
        return "the branch was deleted"
    if admins.moved_beneath(target.admin, head):
        return "the branch was moved from outside while its files were checked out"
    if changes.unmerged:
        return f"{', '.join(changes.unmerged[:3])} {'are' if len(changes.unmerged) > 1 else 'is'} in conflict"
    return None


def commit(target: Target, looking: Shadow, found: Survey, message: str) -> Leftovers:
    """Commit what was found on top of HEAD, finishing a merge without conflicts. Raises GitFailed, OSError."""
    head = str(looking.head)
    parents = [head, *_merged(target.admin)]
    notes = tuple(_notes(found.changes))
    if len(parents) == 1 and found.tree == looking.git.line("rev-parse", f"{head}^{{tree}}"):
        return Leftovers(head, notes=notes + (_refresh(target, looking) if found.staged else ()))
    given = [word for parent in parents for word in ("-p", parent)]
    git = Git(looking.git.directory, {**(looking.git.env or {}), **looking.config.identity()})
    made = git.run("commit-tree", *given, "-F", "-", found.tree, stdin=message.encode()).text.strip()
    worktree = Git(target.path, {"GIT_DIR": target.admin.folder})
    worktree.run("-c", "core.fsync=committed", "update-ref", "-m", "orange: leftovers", target.ref, made, head)
    admins.end_operation(target.admin)
    return Leftovers(made, committed=True, notes=notes + _refresh(target, looking))


def _merged(admin: Admin) -> list[str]:
    try:
        return os.fsdecode(folders.read(f"{admin.folder}/MERGE_HEAD")).split()
    except OSError:
        return []


def _notes(changes: Changes) -> list[str]:
    notes = [f"{path} is a repository of its own and was not committed" for path in changes.repositories]
    return notes + [f"{path} needs a git filter that orange does not run: not committed" for path in changes.withheld]


def _refresh(target: Target, looking: Shadow) -> tuple[str, ...]:
    """Let the workspace's index say what was committed, unless somebody is using it."""
    if free_index(target) and shadow.install(looking, target.admin.folder):
        return ()
    return ("the workspace's index is locked by another program and was left as it was",)


def free_index(target: Target) -> bool:
    """Clear a stale `index.lock`; returns whether the index is free."""
    folder = target.admin.folder
    shadow.free_index(folder)
    return locks.clear((f"{folder}/index.lock",), (target.path, folder), target.clock.now())
