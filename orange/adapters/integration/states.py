"""What is merged and what is not: for hundreds of branches at the cost of a handful of processes.

Commits never change, so what was found out about a pair of them is kept. A branch whose commits are all in the base is
merged; so is one whose merge would change nothing (a squash). To spare the trial merge, the paths a branch touches
are compared first: where the base still has one of them as it was when the branch left, the branch is unmerged; and
as long as the base has the same content at those paths, an earlier answer holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from orange.adapters.git import Git
from orange.adapters.integration import refs
from orange.adapters.integration.ancestry import Ancestry
from orange.adapters.integration.bases import Bases
from orange.core.model import BranchState, Presence
from orange.core.problems import GitFailed

#: A branch that touches more paths is tried by a merge at once.
_MANY = 2000
#: Facts kept before they are gathered anew: some megabytes.
_KEPT = 20_000

#: Path -> (blob when the branch left the base, blob on the branch); empty where there is none.
_Touched = Mapping[str, tuple[str, str]]


class States:
    """Answers questions about branches and commits, and remembers what cannot change."""

    def __init__(self, git: Git, bases: Bases, ancestry: Ancestry) -> None:
        self._git, self._bases, self._ancestry = git, bases, ancestry
        self._touched: dict[tuple[str, str], _Touched] = {}
        #: (tip, fork, the base's blobs at the touched paths) -> whether the branch is merged.
        self._verdicts: dict[tuple[object, ...], bool] = {}
        #: (tip, base's commit) -> whether the branch is merged.
        self._merged: dict[tuple[str, str], bool] = {}

    def branch_states(self, wanted: Mapping[str, tuple[str, str, str | None]]) -> Mapping[str, BranchState]:
        """Task id -> state, for task id -> (branch, base, merged commit or None). Raises GitFailed."""
        self._forget_much()
        asked = wanted.values()
        found = refs.read(self._git, {base for _, base, _ in asked}, {branch for branch, _, _ in asked})
        tips = [(found.branch(branch), base) for branch, base, _ in asked]
        merged = [(commit, base) for _, base, commit in asked]
        ancestry = self._presences(found, [*tips, *merged])
        outside = [pair for pair in tips if ancestry.get(pair, Presence.THERE) is not Presence.THERE]
        for base in {base for _, base in outside}:
            self._judge(base, found.work(base), {str(tip) for tip, of in outside if of == base})
        own = {(tip, base) for tip, base in outside if not self._merged.get((str(tip), found.work(base) or ""))}
        return {
            task: BranchState(pair[0], pair in own, ancestry.get(done, Presence.UNKNOWN))
            for task, pair, done in zip(wanted, tips, merged, strict=True)
        }

    def contains(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Presence]:
        """Say for each (commit, base) whether the integrated base contains the commit. Raises GitFailed."""
        asked = list(pairs)
        answers = self._presences(refs.read(self._git, {base for _, base in asked}), asked)
        return {pair: answers[pair] for pair in asked}

    def touched(self, base: str, tips: Iterable[str]) -> Mapping[str, _Touched | None]:
        """Say what branches change since they left a base that does not contain them; None: nothing in common.

        Raises GitFailed.
        """
        forks = {tip: self._ancestry.fork(base, tip) for tip in tips}
        self._diff({tip: fork for tip, fork in forks.items() if fork and (tip, fork) not in self._touched})
        return {tip: self._touched[tip, fork] if fork else None for tip, fork in forks.items()}

    def fork(self, base: str, tip: str) -> str | None:
        """Where a branch that a base does not contain left it; None: nothing in common."""
        return self._ancestry.fork(base, tip)

    def _forget_much(self) -> None:
        for facts in (self._touched, self._verdicts, self._merged):
            if len(facts) > _KEPT:
                facts.clear()

    def _presences(
        self, found: refs.Refs, pairs: Iterable[tuple[str | None, str]]
    ) -> dict[tuple[str | None, str], Presence]:
        """Say for each (commit, base) whether the base contains it; pairs without a commit are left out."""
        asked: dict[str, set[str]] = {}
        for commit, base in pairs:
            if commit:
                asked.setdefault(base, set()).add(commit)
        return {
            (commit, base): presence
            for base, commits in asked.items()
            for commit, presence in self._ancestry.of(base, found.work(base), commits).items()
        }

    # Content.

    def _judge(self, base: str, work: str | None, tips: set[str]) -> None:
        """Find out for branches with commits of their own whether merging them would change anything."""
        unknown = [tip for tip in sorted(tips) if work and (tip, work) not in self._merged]
        if work is None or not unknown:
            return
        forks = {tip: self._ancestry.fork(base, tip) for tip in unknown}
        self._diff({tip: fork for tip, fork in forks.items() if fork and (tip, fork) not in self._touched})
        touched = {tip: self._touched.get((tip, fork or ""), {}) for tip, fork in forks.items()}
        few = {tip: paths for tip, paths in touched.items() if 0 < len(paths) <= _MANY}
        blobs = self._blobs(work, sorted({path for paths in few.values() for path in paths}))
        keys: dict[str, tuple[object, ...]] = {tip: (tip, work) for tip in unknown}
        for tip, paths in few.items():
            if any(blobs[path] == left != there for path, (left, there) in paths.items()):
                self._merged[tip, work] = False
            keys[tip] = (tip, forks[tip], *(blobs[path] for path in paths))
        self._settle(work, {tip: keys[tip] for tip in unknown if (tip, work) not in self._merged})

    def _settle(self, work: str, keys: Mapping[str, tuple[object, ...]]) -> None:
        """Answer what content alone could not, from what is known or by trial merges."""
        tried = [tip for tip, key in keys.items() if key not in self._verdicts]
        if tried:
            tree = self._bases.merger.tree(work)
            trials = self._bases.merger.trials(work, tried)
            for tip, trial in zip(tried, trials, strict=True):
                self._verdicts[keys[tip]] = trial is not None and not trial.conflicts and trial.tree == tree
        self._merged.update({(tip, work): self._verdicts[key] for tip, key in keys.items()})

    def _diff(self, forks: Mapping[str, str]) -> None:
        """Learn which paths branches touch, in one process."""
        if not forks:
            return
        lines = "".join(f"{tip} {fork}\n" for tip, fork in forks.items())
        options = ("--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev")
        found: dict[str, dict[str, tuple[str, str]]] = {tip: {} for tip in forks}
        for tip, path, blobs in _raw(self._git.run("diff-tree", *options, stdin=lines.encode()).stdout):
            found[tip][path] = blobs
        self._touched.update({(tip, forks[tip]): paths for tip, paths in found.items()})

    def _blobs(self, commit: str, paths: list[str]) -> dict[str, str]:
        """Return what a commit has at paths, in one process; empty where it has nothing."""
        if not paths:
            return {}
        names = [os.fsencode(f"{commit}:{path}") for path in paths]
        options = ("cat-file", "-z", "--batch-check=%(objectname)")
        answer = self._git.run(*options, stdin=b"\0".join(names) + b"\0").stdout
        return dict(zip(paths, _answers(answer, names), strict=True))


def _raw(answer: bytes) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """Yield (tip, path, (blob before, blob after)); a commit's id stands before its paths."""
    tip = ""
    fields = iter(answer.split(b"\0"))
    for text in fields:
        if text.startswith(b":"):
            _, _, old, new, _ = text.decode().split(" ")
            yield tip, os.fsdecode(next(fields)), (old.strip("0") and old, new.strip("0") and new)
        elif text:
            tip = text.decode()


def _answers(answer: bytes, names: list[bytes]) -> Iterator[str]:
    """Read one id for each name; a missing one's line repeats its name, which may hold newlines."""
    at = 0
    for name in names:
        missing = name + b" missing\n"
        if answer.startswith(missing, at):
            at += len(missing)
            yield ""
            continue
        end = answer.find(b"\n", at)
        if end < 0:
            raise GitFailed(("git", "cat-file", "--batch-check"), 0, "it answered less than it was asked")
        yield answer[at:end].decode()
        at = end + 1
