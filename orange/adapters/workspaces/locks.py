"""Lock files that a killed git left behind: cleared only when nobody can be holding them any more."""

from __future__ import annotations

import os

from orange.adapters.workspaces import folders, occupants
from orange.adapters.workspaces.admin import Admin

#: Seconds after which a lock that no process can be holding is stale; longer where processes cannot be seen.
_STALE, _STALE_UNSEEN = 2.0, 600.0


def of_worktree(common: str, admin: Admin, branch: str | None) -> tuple[str, ...]:
    """The locks that stand in the way of work on a branch in its worktree."""
    found = (f"{admin.folder}/index.lock", f"{admin.folder}/HEAD.lock")
    return (*found, f"{common}/refs/heads/{branch}.lock") if branch else found


def clear(paths: tuple[str, ...], places: tuple[str, ...], now: float) -> bool:
    """Remove those that are old while nobody works in the `places`; returns whether all are gone. Raises OSError."""
    standing = [path for path in paths if folders.present(path)]
    if not standing:
        return True
    stale = _STALE if occupants.visible() else _STALE_UNSEEN
    if any(_age(path, now) <= stale for path in standing) or occupants.find(places):
        return False
    for path in standing:
        folders.remove(path)
    return True


def _age(path: str, now: float) -> float:
    try:
        return now - os.lstat(path).st_mtime
    except FileNotFoundError:
        return now
