"""The integrated bases: taking in what the user commits, and merging finished branches, one at a time.

`refs/orange/base/<base>` is what work is cut from and merged into. It starts where the user's branch is and takes the
user's commits in as they come: by moving along while nothing of orange's is on it, else by a merge commit. Commits the
user amends or drops are amended or dropped here too, but what a task brought in never goes that way.

A base without any commit begins as an empty root commit, so that there is something to cut work from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from orange.adapters.git import Git, clear_stale_lock, repository_lock
from orange.adapters.integration import refs
from orange.adapters.integration.ancestry import Ancestry
from orange.adapters.integration.ledger import Ledger
from orange.adapters.integration.merging import Merger
from orange.adapters.integration.refs import Moved
from orange.core.layout import BASE_REFS, Layout
from orange.core.problems import GitFailed, StaleWrite
from orange.core.sharing import Candidate, Integrated

#: How often an operation begins again because somebody else moved a ref in between.
_ATTEMPTS = 10

#: Distances kept before they are counted anew.
_KEPT = 1000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Standing:
    """A base, with the user's commits taken in as far as they can be."""

    base: str
    #: The integrated commit.
    integrated: str
    #: The local branch's commit; None where there is none.
    branch: str | None
    #: The user's commit: the local branch's, else the remote's.
    users: str | None
    #: Why the user's commits could not be taken in.
    reason: str | None = None


class Bases:
    """The integrated bases of one repository."""

    def __init__(self, layout: Layout, now: Callable[[], float]) -> None:
        self.git = Git(layout.common)
        self.ancestry = Ancestry(self.git)
        self.ledger = Ledger(layout)
        self.merger = Merger(layout, now)
        self._lock = f"{layout.runtime}/integrate.lock"
        self._now = now
        #: Two commits -> how many commits each has alone. Commits never change.
        self._distances: dict[tuple[str, str], tuple[int, int]] = {}

    @contextmanager
    def alone(self) -> Iterator[int]:
        """Be the only one who moves bases; yields the lock's descriptor, for git calls that must not outlive it."""
        with repository_lock(self._lock) as held:
            yield held

    def retry(self, work: Callable[[], _T]) -> _T:
        """Do something again when a ref was moved by somebody else meanwhile. Raises GitFailed."""
        for _ in range(_ATTEMPTS):
            try:
                return work()
            except Moved:
                continue
        raise GitFailed(("git", "update-ref"), 1, "the refs keep being moved by somebody else")

    def take_in(self, base: str) -> Standing:
        """Bring the integrated base up to the user's commits. For who is alone. Raises Moved, GitFailed."""
        found = refs.read(self.git, [base])
        users, integrated = found.users(base), found.integrated(base)
        reason: str | None = None
        if integrated is None:
            new = users or self._root(base)
            if not self.git.refs(BASE_REFS):
                self.ledger.begin()
        elif users in {None, integrated}:
            new = integrated
        else:
            new, reason = self._combine(base, str(users), integrated)
        if new != integrated:
            if new == users:
                self.ledger.note(base, replace(self.ledger.of(base), taken=new))
            self.move(base, new, integrated, "take in the user's commits")
        return Standing(base, new, found.branch(base), users, reason)

    def _combine(self, base: str, users: str, integrated: str) -> tuple[str, str | None]:
        """Work out the integrated base for a user's commit that is another one; and what speaks against it."""
        ahead, behind = self.distance(users, integrated)
        if behind == 0:
            return users, None
        if integrated == self.ledger.of(base).taken and not self.holds_own(integrated, users):
            return users, None  # only commits of the user's are missing: amended or dropped
        if ahead == 0:
            return integrated, None
        trial = self.merger.trial(integrated, users)
        if trial.conflicts:
            return integrated, _conflict(base, trial.conflicts)
        made = self.merger.commit(trial.tree, (integrated, users), f"Merge branch '{base}' into the integrated base")
        self.ledger.add(made)
        return made, None

    def nest(self, branch: str, base: str) -> bool:
        """Make a branch at a base, where neither it nor its integrated counterpart exists, and take the base in there.

        For who is alone. False on a conflict. Raises Moved, GitFailed.
        """
        start = self.take_in(base).integrated
        found = refs.read(self.git, [branch])
        if found.work(branch) is None:
            refs.move(self.git, f"{refs.HEADS}{branch}", start, None, "new branch")
        return self.take_from(branch, start, f"Merge the integrated {base}")

    def take_from(self, base: str, theirs: str, message: str) -> bool:
        """Bring the integrated base up to a commit of elsewhere; False on a conflict. Raises Moved, GitFailed."""
        integrated = self.take_in(base).integrated
        if self.contains(integrated, theirs):
            return True
        made = theirs
        if not self.contains(theirs, integrated):
            trial = self.merger.trial(integrated, theirs)
            if trial.conflicts:
                return False
            made = self.merger.commit(trial.tree, (integrated, theirs), message)
            self.ledger.add(made)
        self.move(base, made, integrated, "take in commits of elsewhere")
        return True

    def integrate(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        """Merge a branch. For who is alone. Raises StaleWrite, Moved, GitFailed."""
        found = self.propose(branch, base, message, expect)
        if found.changed:
            self._advance(branch, base, (str(found.onto), str(found.commit), str(found.tip)))
        return found

    def propose(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        """Make the merge of a branch, and leave the base where it is. For who is alone.

        Raises StaleWrite, Moved, GitFailed.
        """
        standing = self.take_in(base)
        tip = refs.read(self.git, (), [branch]).branch(branch)
        if expect is not None and tip != expect:
            now = f"is at {tip[:12]}" if tip else "is gone"
            raise StaleWrite(branch, f"the branch {now}, not at {expect[:12]} any more")
        if tip is None:
            return Integrated(standing.integrated, changed=False)
        if self.contains(standing.integrated, tip):
            return Integrated(tip, changed=False)
        trial = self.merger.trial(standing.integrated, tip)
        if trial.conflicts:
            return Integrated(None, changed=False, conflicts=trial.conflicts)
        if trial.tree == self.merger.tree(standing.integrated):
            return Integrated(standing.integrated, changed=False)
        made = self.merger.commit(trial.tree, (standing.integrated, tip), message)
        return Integrated(made, changed=True, onto=standing.integrated, tip=tip)

    def adopt(self, candidate: Candidate, branch: str) -> None:
        """Move a base to a merge that was proposed. For who is alone. Raises StaleWrite, Moved, GitFailed."""
        found = refs.read(self.git, [candidate.base], [branch])
        if (found.integrated(candidate.base), found.branch(branch)) != (candidate.onto, candidate.tip):
            raise StaleWrite(branch, f"it or {candidate.base} moved on while their merge was checked")
        self._advance(branch, candidate.base, (candidate.onto, candidate.commit, candidate.tip))

    def _advance(self, branch: str, base: str, step: tuple[str, str, str]) -> None:
        """Move a base to a merge: `step` is the commit it is made on, the merge, and what it brings in."""
        onto, made, tip = step
        self.ledger.add(made)
        self.move(base, made, onto, f"integrate {branch}")
        self.ancestry.grew(base, onto, made, tip)

    def start_point(self, base: str) -> str | None:
        """The commit to cut work from, where it is known without a look at git that nothing is to be taken in."""
        found = refs.read(self.git, [base])
        users, integrated = found.users(base), found.integrated(base)
        if integrated is None or users is None or users == integrated:
            return integrated
        kept = integrated != self.ledger.of(base).taken  # else the user may have dropped commits
        return integrated if kept and self.ancestry.known(base, integrated, users) else None

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether a commit has another among its ancestors, or is it. Raises GitFailed."""
        result = self.git.attempt("merge-base", "--is-ancestor", ancestor, commit)
        if result.status not in {0, 1}:
            raise GitFailed(("git", "merge-base", "--is-ancestor", ancestor, commit), result.status, result.stderr)
        return result.status == 0

    def distance(self, one: str, other: str) -> tuple[int, int]:
        """How many commits only the one has, and only the other. Raises GitFailed."""
        if (one, other) not in self._distances:
            if len(self._distances) > _KEPT:
                self._distances.clear()
            left, right = self.git.line("rev-list", "--left-right", "--count", f"{one}...{other}", "--").split()
            self._distances[one, other] = (int(left), int(right))
        return self._distances[one, other]

    def holds_own(self, commit: str, without: str) -> bool:
        """Whether what one commit has and another has not includes commits that orange made. Raises GitFailed."""
        own = self.ledger.own()
        return own is None or not own.isdisjoint(self.git.line("rev-list", commit, f"^{without}", "--").split())

    def _root(self, base: str) -> str:
        return self.merger.commit(self.merger.empty_tree(), (), f"Begin {base}")

    def move(self, base: str, new: str, old: str | None, reason: str) -> None:
        """Move an integrated base. For who is alone. Raises Moved, GitFailed."""
        ref = f"{BASE_REFS}{base}"
        clear_stale_lock(self.git.directory, ref, self._now())
        refs.move(self.git, ref, new, old, reason)


def _conflict(base: str, files: tuple[str, ...]) -> str:
    named = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    return (
        f"your commits on {base} conflict with integrated work in {named}: run `git merge {BASE_REFS}{base}` on {base}"
    )
