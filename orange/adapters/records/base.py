"""Notes the base branch at init: what work is cut from where no remote names a default branch."""

from __future__ import annotations

import os

from orange import recordfile
from orange.adapters.git import Git
from orange.core.layout import RECORDS_BRANCH, Layout

_HEADS = "refs/heads/"
_USUAL = ("main", "master", "trunk", "develop")


def note(layout: Layout, git: Git) -> None:
    """Write the branch that is current now to `<runtime>/base`, unless one is noted already."""
    path = f"{layout.runtime}/base"
    if not os.path.exists(path):
        recordfile.replace(path, f"{_current(git)}\n".encode("utf-8", "surrogateescape"))


def _current(git: Git) -> str:
    """The main worktree's branch; where that says nothing (detached, not born yet), the likeliest that exists."""
    head = git.query("symbolic-ref", "--quiet", "HEAD") or ""
    name = head.removeprefix(_HEADS) if head.startswith(_HEADS) else ""
    branches = {ref.removeprefix(_HEADS) for ref in git.refs(_HEADS)} - {RECORDS_BRANCH}
    if name in branches or (name and name != RECORDS_BRANCH and not branches):
        return name
    likely = [usual for usual in _USUAL if usual in branches]
    return (likely or sorted(branches) or ["main"])[0]
