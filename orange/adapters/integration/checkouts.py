"""Where a branch is checked out, and whether it may be moved there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from orange.adapters.git import Git

#: A file of a worktree's git folder -> what is going on while it exists.
_BUSY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisection",
    "sequencer": "a cherry-pick or revert",
}
#: Files that name the branch an operation will come back to, while HEAD is detached.
_AWAY = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
#: Seconds after which a message without its commit is taken for one that was given up.
_EDITING = 900.0


@dataclass(frozen=True, slots=True)
class Checkout:
    """A worktree that has the branch checked out, or will come back to it."""

    path: str
    #: Its git folder.
    admin: str
    #: Why the branch cannot be moved there whatever its files are; None when nothing is in the way.
    reason: str | None


def of_branch(git: Git, ref: str, now: float) -> list[Checkout]:
    """List the checkouts of a branch, by its full name. Raises GitFailed."""
    found = []
    for number, entry in enumerate(_entries(git)):
        path = entry["worktree"]
        admin = git.directory if number == 0 else _admin(path)
        if "bare" in entry:
            continue
        if entry.get("branch") == ref:
            found.append(Checkout(path, admin, _obstacle(path, admin, now)))
        elif "detached" in entry and ref in _comes_back_to(admin):
            found.append(Checkout(path, admin, _obstacle(path, admin, now) or f"{path} will come back to it"))
    return found


def _entries(git: Git) -> Iterator[dict[str, str]]:
    text = git.run("worktree", "list", "--porcelain", "-z").text
    for block in text.split("\0\0"):
        lines = (line.partition(" ") for line in block.split("\0") if line)
        entry = {key: value for key, _, value in lines}
        if entry:
            yield entry


def _admin(path: str) -> str:
    said = _read(f"{path}/.git").removeprefix("gitdir: ")
    return os.path.realpath(os.path.join(path, said)) if said else ""


def _obstacle(path: str, admin: str, now: float) -> str | None:
    if not os.path.isdir(path) or not admin:
        return f"it is checked out in {path}, which is missing: run `git worktree prune`"
    if os.path.realpath(Git(path).query("rev-parse", "--absolute-git-dir") or "") != admin:
        return f"it is checked out in {path}, which git does not find its way back from"
    busy = [what for name, what in _BUSY.items() if os.path.exists(f"{admin}/{name}")]
    if busy:
        return f"{busy[0]} is in progress in {path}: finish or abort it"
    if os.path.exists(f"{admin}/index.lock"):
        return f"git is at work in {path} (its index is locked)"
    if _is_committing(admin, now):
        return f"a commit message seems to be open in {path}"
    return None


def _is_committing(admin: str, now: float) -> bool:
    """Whether a commit message was begun of late and no commit followed: that commit would fail if HEAD moved.

    Git holds no lock while the editor is open.
    """
    try:
        begun = os.stat(f"{admin}/COMMIT_EDITMSG").st_mtime
        return begun > os.stat(f"{admin}/logs/HEAD").st_mtime and now - begun < _EDITING
    except FileNotFoundError:
        return False


def _comes_back_to(admin: str) -> set[str]:
    names = {_read(f"{admin}/{name}") for name in _AWAY} - {""}
    return names | {f"refs/heads/{name}" for name in names}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(1 << 13).rstrip("\n")
    except OSError:
        return ""
