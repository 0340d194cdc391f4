"""Which commits a base contains: asked of git once, and remembered for as long as the base only grows.

Next in the flow: `states` says with it what is merged, `GitIntegration.start_point` that nothing is to be taken in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from orange.adapters.git import Git
from orange.core.model import Presence

_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})$")


@dataclass(slots=True)
class _Lineage:
    """What is known of a base's ancestry: it holds for the commit `work`, and what is contained for its descendants."""

    work: str
    contained: set[str]
    #: Commits that are not contained -> the ancestor of `work` they left it at; None where they have none in common.
    outside: dict[str, str | None] = field(default_factory=dict)


class Ancestry:
    """Answers for the bases of one repository. Its methods may be called from several threads."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lineages: dict[str, _Lineage] = {}

    def of(self, base: str, work: str | None, commits: Collection[str]) -> dict[str, Presence]:
        """Say of each commit whether it is an ancestor of the base's commit `work`. Raises GitFailed."""
        if work is None:
            return dict.fromkeys(commits, Presence.GONE)
        lineage = self._lineage(base, work)
        valid = {commit for commit in commits if _COMMIT.match(commit)}
        absent = self._learn(lineage, valid - lineage.contained - lineage.outside.keys())
        gone = Presence.UNKNOWN if absent and self._is_shallow() else Presence.GONE
        answers = dict.fromkeys(set(commits) - valid, Presence.UNKNOWN) | dict.fromkeys(absent, gone)
        answers |= dict.fromkeys(valid & lineage.outside.keys(), Presence.GONE)
        return answers | dict.fromkeys(valid & lineage.contained, Presence.THERE)

    def fork(self, base: str, commit: str) -> str | None:
        """Where a commit that `of` found outside left the base; None where they have nothing in common."""
        lineage = self._lineages.get(base)
        return lineage.outside.get(commit) if lineage else None

    def known(self, base: str, work: str | None, commit: str | None) -> bool:
        """Whether it is known, without asking git, that the base's commit `work` contains another."""
        lineage = self._lineages.get(base)
        return lineage is not None and lineage.work == work and commit in lineage.contained

    def grew(self, base: str, old: str, new: str, merged: str) -> None:
        """Take note that a base moved from `old` to its descendant `new`, which has `merged` in it."""
        known = self._lineages.get(base)
        before = known.contained if known and known.work == old else set()
        self._lineages[base] = _Lineage(new, before | {old, new, merged})

    def _lineage(self, base: str, work: str) -> _Lineage:
        """What is known of a base at that commit: what it contained it contains still, if it only grew."""
        known = self._lineages.get(base)
        if known is None or known.work != work:
            grown = known and self._git.attempt("merge-base", "--is-ancestor", known.work, work).status == 0
            known = self._lineages[base] = _Lineage(work, set(known.contained) if known and grown else set())
        return known

    def _learn(self, lineage: _Lineage, unknown: set[str]) -> set[str]:
        """Find out about commits in one walk; returns those that do not exist here."""
        if not unknown:
            return set()
        lines = "".join(f"{commit}\n" for commit in sorted(unknown)) + f"^{lineage.work}\n"
        walked = self._git.run("rev-list", "--parents", "--ignore-missing", "--stdin", stdin=lines.encode())
        parents = {commit: above for commit, *above in (line.split() for line in walked.text.splitlines())}
        inside = [commit for commit in unknown if commit not in parents]
        absent = self._absent(inside)
        lineage.contained.update(commit for commit in inside if commit not in absent)
        lineage.outside.update((commit, _fork(commit, parents)) for commit in unknown if commit in parents)
        return absent

    def _absent(self, commits: list[str]) -> set[str]:
        if not commits:
            return set()
        names = "".join(f"{commit}\n" for commit in commits)
        answer = self._git.run("cat-file", "--batch-check=%(objecttype)", stdin=names.encode()).text.splitlines()
        return {commit for commit, kind in zip(commits, answer, strict=True) if kind != "commit"}

    def _is_shallow(self) -> bool:
        return os.path.exists(f"{self._git.directory}/shallow")


def _fork(tip: str, parents: Mapping[str, list[str]]) -> str | None:
    """Where a branch left the base, or last took it in: the nearest commit of its history that the base contains."""
    line, seen = [tip], {tip}
    while line:
        following = []
        for above in (above for commit in line for above in parents[commit]):
            if above not in parents:
                return above
            if above not in seen:
                seen.add(above)
                following.append(above)
        line = following
    return None
