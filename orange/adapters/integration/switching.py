"""Checks a branch out in the user's own checkout, for agents that work there (`isolation: none`).

Journalled as the following of a base is (`checkout`), by the same journal and under the same lock: a kill in the middle
is finished or taken back by whoever comes next, and no file of the user's is overwritten.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from orange.adapters.git import Git
from orange.adapters.integration import checkouts, refs
from orange.adapters.integration.bases import Bases
from orange.adapters.integration.checkout import Mover
from orange.core.layout import Layout


class Switcher:
    """Switches the main checkout. Satisfies `core.inplace.Switch`."""

    def __init__(self, layout: Layout, now: Callable[[], float] = time.time) -> None:
        self._layout, self._now = layout, now
        self._bases = Bases(layout, now)

    def switch(self, branch: str) -> str | None:
        """Check a branch out; the sentence why that cannot be, or None. Raises GitFailed."""
        with self._bases.alone() as held:
            mover = self._mover(held)
            left = mover.finish()
            return left[0] if mover.is_open else self._switch(mover, branch)

    def finish(self) -> None:
        """Finish or take back a switch that a kill interrupted. Raises GitFailed."""
        with self._bases.alone() as held:
            self._mover(held).finish()

    def _mover(self, held: int) -> Mover:
        return Mover(self._layout, held, self._bases.merger.who().env(self._now()))

    def _switch(self, mover: Mover, branch: str) -> str | None:
        root = self._layout.root
        git, goal = Git(root), f"{refs.HEADS}{branch}"
        head = git.query("symbolic-ref", "--quiet", "HEAD")
        if head == goal:
            return None
        found = git.refs(goal, *([head] if head else []))
        old, new = found.get(head or ""), found.get(goal)
        if head is None or old is None:
            return f"{root} has no branch with a commit checked out"
        if new is None:
            return f"there is no branch {branch} to check out in {root}"
        places = checkouts.of_branch(self._bases.git, head, self._now())
        place = next((place for place in places if os.path.realpath(place.path) == os.path.realpath(root)), None)
        if place is None or place.reason:
            return place.reason if place else f"git does not know {root} as a checkout"
        return mover.switch(head.removeprefix(refs.HEADS), place, (old, new), branch)
