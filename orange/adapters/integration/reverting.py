"""Taking a merged branch's work out of its base again, and bringing it back, by commits that need no checkout.

A change is carried from one place to another by a three-way merge of trees, as `git revert` and `git cherry-pick` do
it. What a commit takes back is told by the line git itself writes into reverts, so that a revert made by hand counts.
"""

from __future__ import annotations

from orange.adapters.git import Git
from orange.adapters.integration import refs
from orange.adapters.integration.bases import Bases
from orange.adapters.integration.merging import Trial
from orange.core.problems import InvalidInput
from orange.core.publication import reverts
from orange.core.sharing import Integrated


class Reverter:
    """Reverts merges on the integrated bases. Its changing methods are for who is alone."""

    def __init__(self, git: Git, bases: Bases) -> None:
        self._git, self._bases = git, bases

    def merge_of(self, tip: str, base: str) -> str | None:
        """Find the merge commit of orange's own that brought a tip into the integrated base. Raises GitFailed."""
        work = refs.read(self._git, [base]).integrated(base)
        own = self._bases.ledger.own()
        if work is None or own is None:
            return None
        options = ("--merges", "--parents", "--ancestry-path")
        lines = self._git.line("rev-list", *options, "--end-of-options", work, f"^{tip}", "--").splitlines()
        merges = (line.split() for line in lines)
        return next((merge for merge, *parents in merges if parents[1:] == [tip] and merge in own), None)

    def rollback(self, merge: str, base: str, message: str) -> Integrated:
        """Revert a merge on the integrated base. Raises InvalidInput, Moved, GitFailed."""
        integrated = self._bases.take_in(base).integrated
        parents = self._parents(merge)
        if len(parents) != 2 or not self._bases.contains(integrated, merge):
            raise InvalidInput("commit", f"{merge[:12]} is no merge that {base} contains: there is nothing to take out")
        reverted = self._revert_of(merge, integrated)
        if reverted:
            return Integrated(reverted, changed=False)
        trial = self._carried(merge, parents[0], onto=integrated)
        if trial.conflicts:
            return Integrated(None, changed=False, conflicts=trial.conflicts)
        if trial.tree == self._bases.merger.tree(integrated):
            return Integrated(integrated, changed=False)
        made = self._bases.merger.commit(trial.tree, (integrated,), message)
        self._bases.ledger.add(made)
        self._bases.move(base, made, integrated, f"revert {merge}")
        return Integrated(made, changed=True)

    def restored(self, branch: str, base: str, merge: str) -> str | None:
        """Make the commit that reverts a merge's revert, on top of the base. Raises Moved, GitFailed.

        Where that conflicts with later work it stands right on the revert: the branch then meets the conflict when the
        base is merged in, like any other.
        """
        integrated = self._bases.take_in(base).integrated
        revert = self._revert_of(merge, integrated) if self._bases.contains(integrated, merge) else None
        tip = refs.read(self._git, (), [branch]).branch(branch)
        if revert is None or (tip and self._revert_of(revert, tip)):
            return None
        merger, before = self._bases.merger, self._parents(revert)[0]
        trial = self._carried(revert, before, onto=integrated)
        subject = self._git.line("log", "-1", "--format=%s", "--end-of-options", revert, "--")
        message = reverts(subject, revert)
        if trial.conflicts:
            return merger.commit(merger.tree(before), (revert,), message)
        if trial.tree == merger.tree(integrated):
            return None
        return merger.commit(trial.tree, (integrated,), message)

    def _carried(self, before: str, after: str, *, onto: str) -> Trial:
        """Try to carry the change from one commit's tree to another's over to a third commit."""
        merger = self._bases.merger
        root = merger.commit(merger.tree(before), (), "before")
        ours, theirs = (merger.commit(merger.tree(commit), (root,), "after") for commit in (onto, after))
        return merger.trial(ours, theirs)

    def _revert_of(self, commit: str, tip: str) -> str | None:
        """Find the latest commit up to a tip that says it reverts another, and was not reverted itself."""
        options = ("-1", "--format=%H", "--fixed-strings", f"--grep=This reverts commit {commit}")
        found = self._git.line("log", *options, "--end-of-options", tip, f"^{commit}", "--")
        return found if found and not self._revert_of(found, tip) else None

    def _parents(self, commit: str) -> list[str]:
        return self._git.line("rev-list", "-1", "--parents", "--end-of-options", commit, "--").split()[1:]
