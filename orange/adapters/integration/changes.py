"""What branches change since they left their base: the paths and how many lines, for the project's rules.

Commits never change, so what was found out about a pair of them is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from orange.adapters.git import Git
from orange.adapters.integration import refs
from orange.core.rules import Change

#: Facts kept before they are gathered anew.
_KEPT = 2000


class Changes:
    """Looks at branches, and remembers."""

    def __init__(self, git: Git) -> None:
        self._git = git
        #: (the base's commit, tip) -> what the branch changes.
        self._known: dict[tuple[str, str], Change | None] = {}

    def of(self, wanted: Mapping[str, tuple[str, str]]) -> Mapping[str, Change]:
        """Task id -> change, for task id -> (branch, base); branches that cannot be compared are left out.

        Raises GitFailed.
        """
        if len(self._known) > _KEPT:
            self._known.clear()
        branches, bases = {branch for branch, _ in wanted.values()}, {base for _, base in wanted.values()}
        found = refs.read(self._git, bases, branches)
        pairs = {task: (found.work(base), found.branch(branch)) for task, (branch, base) in wanted.items()}
        looked = {task: self._change(work, tip) for task, (work, tip) in pairs.items() if work and tip}
        return {task: change for task, change in looked.items() if change is not None}

    def _change(self, work: str, tip: str) -> Change | None:
        if (work, tip) not in self._known:
            fork = self._git.query("merge-base", work, tip)
            self._known[work, tip] = self._between(fork, tip) if fork else None
        return self._known[work, tip]

    def _between(self, fork: str, tip: str) -> Change:
        options = ("--numstat", "--no-renames", "-r", "-z", "--no-ext-diff", "--no-textconv")
        rows = list(_rows(self._git.run("diff-tree", *options, fork, tip).stdout))
        return Change(tuple(sorted(path for path, _ in rows)), sum(lines for _, lines in rows))


def _rows(answer: bytes) -> Iterator[tuple[str, int]]:
    """Yield (path, lines added and removed); a binary file has dashes for both."""
    for row in answer.split(b"\0"):
        if row:
            added, removed, path = row.split(b"\t", 2)
            yield os.fsdecode(path), sum(int(count) for count in (added, removed) if count != b"-")
