"""The task records' history: commits on the orphan branch `orange-tasks`, by compare-and-swap on its ref.

Never through a checkout or an index, and no hook is run; so it does not matter who has what checked out. Two ways
with one behaviour: `fast_import` runs the git program and needs nothing else; `libgit` keeps the repository open
in a daemon and hands over to the first where libgit2 cannot follow (sha256, reftable, partial clones).

Next in the flow: the store's `record` commits what its journal holds; `records` shows the tip as a worktree.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from orange.adapters.history.fast_import import FastImportHistory
from orange.core.layout import Layout
from orange.core.storeports import History

__all__ = ["FastImportHistory", "open_history"]


def open_history(layout: Layout, *, batches: bool = False, now: Callable[[], float] = time.time) -> History:
    """Open the history: `batches` for a process that stays and commits again and again, where libgit2 pays off."""
    if not batches:
        return FastImportHistory(layout, now)
    from orange.adapters.history.libgit import LibgitHistory

    return LibgitHistory(layout, now)
