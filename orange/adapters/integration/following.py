"""Lets the user's branch follow the integrated base, and says where each base stands."""

from __future__ import annotations

import os
from collections.abc import Callable

from orange.adapters.git import clear_stale_lock
from orange.adapters.integration import checkouts, refs
from orange.adapters.integration.bases import Bases, Standing
from orange.adapters.integration.checkout import Mover
from orange.adapters.integration.ledger import Note
from orange.adapters.integration.refs import Refs
from orange.core.layout import BASE_REFS, Layout
from orange.core.model import Base
from orange.core.problems import GitFailed


class Follower:
    """Moves the user's branches."""

    def __init__(self, layout: Layout, bases: Bases, workspaces: str, now: Callable[[], float]) -> None:
        self._layout, self._bases, self._now = layout, bases, now
        self._git = bases.git
        self._workspaces = os.path.realpath(workspaces)
        #: Base -> when its branch was last tried to be moved, for whoever decides when to try again.
        self._tried: dict[str, float] = {}

    def follow(self, base: str) -> Base:
        """Take the user's commits in, and move the user's branch forward where that is safe. Raises GitFailed."""
        with self._bases.alone() as held:
            mover = self._mover(held)
            left = mover.finish()
            note = self._bases.retry(lambda: self._follow(base, mover, left[0] if mover.is_open else None))
            self._tried[base] = self._now()
            self._bases.ledger.note(base, note)
        return self.base(base, refs.read(self._git, [base]), note)

    def repair(self) -> tuple[str, ...]:
        """Finish what a kill left half-done; returns a sentence for each thing mended."""
        with self._bases.alone() as held:
            try:
                return self._mover(held).finish()
            except GitFailed as failed:
                return (f"what a kill interrupted could not be finished yet: {failed.message}",)

    def _mover(self, held: int) -> Mover:
        return Mover(self._layout, held, self._bases.merger.who().env(self._now()))

    def _follow(self, base: str, mover: Mover, hindered: str | None) -> Note:
        standing = self._bases.take_in(base)
        branch, new = standing.branch, standing.integrated
        known = self._bases.ledger.of(base)
        if branch == new or self._is_not_wanted(standing):
            return Note(branch, known.taken)
        if branch and known.seen and self._dropped(branch, known.seen):
            return Note(known.seen, known.taken, branch, new, _moved_back(base))
        reason = standing.reason or hindered or self._move(standing, mover)
        return Note(branch, known.taken, branch, new, reason) if reason else Note(new, known.taken)

    def _is_not_wanted(self, standing: Standing) -> bool:
        """Whether there is no branch to move: only the remote has it, or it is not born and nothing is integrated."""
        if standing.branch is not None:
            return False
        merger = self._bases.merger
        return standing.users is not None or merger.tree(standing.integrated) == merger.empty_tree()

    def _dropped(self, branch: str, seen: str) -> bool:
        """Whether the user took the branch back behind work that it had taken in."""
        if seen == branch:
            return False
        result = self._git.attempt("merge-base", "--is-ancestor", seen, branch)
        return result.status == 1 and self._bases.holds_own(seen, branch)

    def _move(self, standing: Standing, mover: Mover) -> str | None:
        """Move the branch; the sentence why not, or None."""
        ref, old, new = f"{refs.HEADS}{standing.base}", standing.branch, standing.integrated
        places = checkouts.of_branch(self._git, ref, self._now())
        if not places:
            clear_stale_lock(self._git.directory, ref, self._now(), (b"", f"{new}\n".encode()))
            refs.move(self._git, ref, new, old, "follow")
            return None
        if len(places) > 1:
            return f"it is checked out in several places: {', '.join(place.path for place in places)}"
        place = places[0]
        if place.reason:
            return place.reason
        if os.path.realpath(place.path).startswith(f"{self._workspaces}/"):
            return f"it is checked out in the workspace {place.path}"
        return mover.move(standing.base, place, (old, new), old or self._bases.merger.empty_tree())

    def base(self, name: str, found: Refs, note: Note | None, *, count: bool = True) -> Base:
        """Say where a base stands, with the reason noted for just this state. Raises GitFailed.

        Without `count` it is 1 commit behind, if it is known without asking git that it only is behind.
        """
        if not refs.is_valid(name):
            return Base(name, None, None, reason=f"{name!r} cannot be the name of a branch")
        branch, work = found.branch(name), found.work(name)
        users = branch or found.users(name)
        known = not count and work != users and self._bases.ancestry.known(name, work, users)
        ahead, behind = (0, 1) if known else self._distance(users, work)
        if branch is None and found.users(name) is not None:
            behind = 0
        reason = note.reason if note and (note.branch, note.integrated) == (branch, work) else None
        return Base(name, work, branch, behind, ahead, reason, self._tried.get(name, 0.0) if reason else None)

    def _distance(self, users: str | None, work: str | None) -> tuple[int, int]:
        if work is None or users == work:
            return 0, 0
        return self._bases.distance(users, work) if users else (0, self._beyond_root(work))

    def _beyond_root(self, work: str) -> int:
        """How many commits a base that is not born as a branch has besides its empty first one."""
        return int(self._git.line("rev-list", "--count", work, "--")) - 1


def _moved_back(base: str) -> str:
    return (
        f"{base} was moved back behind work that tasks had brought in, and is left there: "
        f"`git merge {BASE_REFS}{base}` brings it back, `orange task rollback` takes a task's work out for good"
    )
