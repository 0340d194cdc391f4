"""The integrated bases `refs/orange/base/<base>`, and the user's branches that follow them.

Finished branches land on an integrated base (`bases`), by merges that need no checkout (`merging`); the user's own
branch is moved along where that is safe (`following`, `checkout`); `states` answers what is merged and what is not,
for hundreds of tasks at the cost of a handful of processes.

Next in the flow: the reconciler observes with these, and carries out `Integrate` and `FollowBase`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from orange.adapters.git import Git
from orange.adapters.integration import refs
from orange.adapters.integration.bases import Bases
from orange.adapters.integration.changes import Changes
from orange.adapters.integration.following import Follower
from orange.adapters.integration.forecasting import Forecaster
from orange.adapters.integration.remotes import Remotes
from orange.adapters.integration.reverting import Reverter
from orange.adapters.integration.states import States
from orange.core.forecast import Forecast
from orange.core.layout import RECORDS_BRANCH, Layout
from orange.core.model import Base, BranchState, Presence
from orange.core.rules import Change
from orange.core.sharing import Candidate, Integrated

__all__ = ["GitIntegration"]


class GitIntegration:
    """Satisfies `ports.Integration`."""

    def __init__(
        self,
        layout: Layout,
        base: str | None = None,
        *,
        workspaces: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`base` and `workspaces` are the settings of that name (`workspaces.root`)."""
        self._layout, self._base = layout, base
        self._git = Git(layout.common)
        self._bases = Bases(layout, now)
        self._follower = Follower(layout, self._bases, layout.workspaces(workspaces), now)
        self._states = States(self._git, self._bases, self._bases.ancestry)
        self._reverter = Reverter(self._git, self._bases)
        self._changes = Changes(self._git)
        self._remotes = Remotes(layout, self._git, self._bases)

    def default_base(self) -> str:
        """Return the configured base, else the remote's default branch, else the branch current at init."""
        return self._base or self._of_remote() or self._noted()

    def _of_remote(self) -> str | None:
        pattern = "refs/remotes/*/HEAD"
        lines = self._git.line("for-each-ref", "--format=%(refname) %(symref)", pattern).splitlines()
        heads = {ref.split("/")[2]: target.split("/", 3)[-1] for ref, _, target in (x.partition(" ") for x in lines)}
        found = heads.get("origin") or (next(iter(heads.values())) if len(heads) == 1 else None)
        return found if found and found != RECORDS_BRANCH else None

    def _noted(self) -> str:
        try:
            with open(f"{self._layout.runtime}/base", encoding="utf-8", errors="surrogateescape") as file:
                return file.read().strip() or "main"
        except FileNotFoundError:
            head = self._git.query("symbolic-ref", "--quiet", "HEAD") or ""
            return head.removeprefix(refs.HEADS) or "main"

    def observe(self, names: Iterable[str], *, count: bool = True) -> Mapping[str, Base]:
        """Say where each base stands; without `count`, known commits are not counted. Raises GitFailed."""
        wanted = list(dict.fromkeys(names))
        found = refs.read(self._git, wanted)
        notes = self._bases.ledger.notes()
        return {name: self._follower.base(name, found, notes.get(name), count=count) for name in wanted}

    def branch_states(self, wanted: Mapping[str, tuple[str, str, str | None]]) -> Mapping[str, BranchState]:
        """Task id -> state, for task id -> (branch, base, merged commit or None). Raises GitFailed."""
        return self._states.branch_states(wanted)

    def contains(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Presence]:
        """Say for each (commit, base) whether the integrated base contains the commit. Raises GitFailed."""
        return self._states.contains(pairs)

    def tip(self, ref: str) -> str | None:
        """Return the commit a branch or full ref points to, or None. Raises GitFailed."""
        if not refs.is_name(ref):
            return None
        return self._git.ref(ref if ref.startswith("refs/") else f"{refs.HEADS}{ref}")

    def diff(self, branch: str, base: str) -> str:
        """Show what the branch changes since it left the integrated base, as a patch. Raises GitFailed."""
        found = refs.read(self._git, [refs.check("base", base)], [refs.check("branch", branch)])
        new = found.branch(branch)
        return self._bases.merger.diff(found.work(base), new) if new else ""

    def content(self, commit: str, path: str) -> bytes | None:
        """Return a file of a commit, by its path in the repository; None where it has no such file."""
        found = self._git.attempt("cat-file", "blob", f"{commit}:{path}")
        return found.stdout if found.status == 0 else None

    def changes(self, wanted: Mapping[str, tuple[str, str]]) -> Mapping[str, Change]:
        """Say what branches change since they left their base, for task id -> (branch, base). Raises GitFailed."""
        return self._changes.of(wanted)

    def forecast(self, wanted: Mapping[str, tuple[str, str]]) -> Forecast:
        """Try merges into the bases and of pairs of branches, for task id -> (branch, base). Raises GitFailed."""
        return Forecaster(self._git, self._bases.merger, self._states).forecast(wanted)

    def start_point(self, base: str) -> str:
        """Return the commit new work is cut from: the integrated base with the user's commits taken in.

        Raises InvalidInput for a name no branch can have, GitFailed.
        """
        refs.check("base", base)
        known = self._bases.start_point(base)
        if known is not None:
            return known
        with self._bases.alone():
            return self._bases.retry(lambda: self._bases.take_in(base)).integrated

    def nest(self, branch: str, base: str) -> bool:
        """Make a parent's branch where it does not exist, and take its base in for the children cut from it.

        False where the base conflicts with what is there. Raises InvalidInput, GitFailed.
        """
        refs.check("base", base)
        refs.check("branch", branch)
        with self._bases.alone():
            return self._bases.retry(lambda: self._bases.nest(branch, base))

    def integrate(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        """Merge a branch into the integrated base, serially; `expect` is the approved tip.

        Raises StaleWrite when the branch has moved on from `expect`, InvalidInput, GitFailed.
        """
        refs.check("base", base)
        refs.check("branch", branch)
        with self._bases.alone():
            return self._bases.retry(lambda: self._bases.integrate(branch, base, message, expect))

    def propose(self, branch: str, base: str, message: str, expect: str | None) -> Integrated:
        """Make what `integrate` would, and leave the base where it is. Raises as `integrate` does."""
        refs.check("base", base)
        refs.check("branch", branch)
        with self._bases.alone():
            return self._bases.retry(lambda: self._bases.propose(branch, base, message, expect))

    def adopt(self, candidate: Candidate, branch: str) -> None:
        """Move a base to what was proposed, if it and the branch did not move. Raises StaleWrite, GitFailed."""
        with self._bases.alone():
            self._bases.retry(lambda: self._bases.adopt(candidate, branch))

    def merge_of(self, tip: str, base: str) -> str | None:
        """Find the merge commit by which orange brought a branch's tip into the integrated base. Raises GitFailed."""
        return self._reverter.merge_of(tip, refs.check("base", base))

    def rollback(self, merge: str, base: str, message: str) -> Integrated:
        """Revert a merge on the integrated base; unchanged where its work is not in there any more.

        Raises InvalidInput when it is no merge that the base contains, GitFailed.
        """
        refs.check("base", base)
        with self._bases.alone():
            return self._bases.retry(lambda: self._reverter.rollback(merge, base, message))

    def restored(self, branch: str, base: str, merge: str) -> str | None:
        """Make the commit that brings a merge's work back, to go on from on the task's branch. Raises GitFailed.

        None where there is nothing to bring back, or the branch has such a commit already.
        """
        refs.check("base", base)
        with self._bases.alone():
            return self._bases.retry(lambda: self._reverter.restored(branch, base, merge))

    def follow(self, base: str) -> Base:
        """Take the user's commits in, and move the user's branch forward where that is safe. Raises GitFailed."""
        return self._follower.follow(refs.check("base", base))

    def subjects(self, base: str, count: int) -> Sequence[str]:
        """Return the subjects of a base's latest commits that are no merges. Raises GitFailed."""
        work = refs.read(self._git, [refs.check("base", base)]).work(base)
        options = ("--no-merges", "--format=%s", f"--max-count={count}", "--end-of-options")
        return self._git.line("log", *options, work, "--").splitlines() if work else ()

    def push(self, branch: str, commit: str, base: str) -> str:
        """Push a task's branch to the remote its base belongs to; returns the remote's name.

        Raises PushRefused, GitFailed.
        """
        return self._remotes.push(refs.check("base", base), commit, refs.check("branch", branch))

    def addresses(self) -> Sequence[str]:
        """Where the repository's remotes are. Raises GitFailed."""
        return self._remotes.addresses()

    def push_base(self, base: str) -> str:
        """Push what is integrated; a remote base that has moved on is taken in first. Returns the remote's name.

        Raises PushRefused, GitFailed.
        """
        return self._remotes.push_base(refs.check("base", base))

    def take_remote(self, base: str, commit: str) -> bool:
        """Where the remote's base holds a commit, or its content, take that base in; whether it does.

        Raises PushRefused, GitFailed.
        """
        return self._remotes.take_remote(refs.check("base", base), commit)

    def repair(self) -> tuple[str, ...]:
        """Finish what a kill left half-done; returns a sentence for each thing mended."""
        return self._follower.repair()
