"""Lets a plain `git -C .orange status` agree with the branch: HEAD and index move to the tip, no file is touched."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable

from orange.adapters.git import Git, clear_stale_lock, repository_lock
from orange.core.layout import RECORDS_REF, Layout

#: A person is in the middle of something there.
_BUSY = ("index.lock", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG")
_PLAIN = ("-c", "core.symlinks=false", "-c", "core.sparseCheckout=false")


def refresh_checkout(layout: Layout, *, now: Callable[[], float] = time.time) -> bool:
    """Bring `.orange`'s HEAD and index to the branch's tip; files that differ show as modified.

    Optional and cheap, for after a batch of commits. False when that cannot be done now: a person is at work there, has
    a branch checked out there, or the worktree needs `ensure`. What was staged there is unstaged; its files stay.
    """
    git = Git(layout.tree)
    admin = git.query("rev-parse", "--absolute-git-dir")
    if not admin or os.path.realpath(admin) == os.path.realpath(layout.common):
        return False
    with repository_lock(f"{layout.runtime}/refresh.lock") as held:
        tip = git.ref(RECORDS_REF)
        if tip is None or any(os.path.exists(f"{admin}/{name}") for name in _BUSY):
            return False
        if git.query("symbolic-ref", "--quiet", "HEAD") is not None:
            return False
        clear_stale_lock(admin, "HEAD", now())
        move = ("update-ref", "--no-deref", "-m", "orange: follow", "HEAD", tip)
        return _index(layout, admin, tip, held) and Git(layout.tree, keep=(held,)).attempt(*move).status == 0


def _index(layout: Layout, admin: str, tip: str, held: int) -> bool:
    """Build the index aside and rename it into place: git's own lock, left by a kill, would be in everybody's way.

    The copy keeps its time: git looks twice at files that are no older than the index.
    """
    aside = f"{admin}/orange-index"
    for stale in (aside, f"{aside}.lock"):
        if os.path.exists(stale):
            os.unlink(stale)
    if os.path.exists(f"{admin}/index"):
        shutil.copy2(f"{admin}/index", aside)
    git = Git(layout.tree, {"GIT_INDEX_FILE": aside}, (held,))
    if git.attempt(*_PLAIN, "read-tree", "--reset", tip).status != 0:
        return False
    os.rename(aside, f"{admin}/index")
    return True
