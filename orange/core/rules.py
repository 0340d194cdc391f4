"""The project's rules on finished work: what a change may be like before a person, or its agent, is asked again. Pure.

A rule names conditions, all of which must hold, and what follows: `require_human` (a person approves it, whatever
`review.by` says), `reject` (it goes back to its agent with the reason) or `escalate` (it needs someone now).
`review.require_approval_for` is a rule of its own: those paths always need a person.

Next in the flow: `settle` and `landing` act on a ruling, `waiting` names it with its evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

#: What follows from a rule, the strongest last.
REQUIRE_HUMAN, ESCALATE, REJECT = "require_human", "escalate", "reject"
ACTIONS = (REQUIRE_HUMAN, ESCALATE, REJECT)
#: The conditions a rule may name.
CONDITIONS = ("lines", "files", "paths", "coverage_drop", "failed_checks")

#: Paths that are named as evidence.
_SHOWN = 3


class Rule(NamedTuple):
    """One rule; a condition that is None, or without paths, is not asked for."""

    name: str
    then: str
    #: More changed lines, or files, than this.
    lines: int | None = None
    files: int | None = None
    #: A touched path that one of these globs matches.
    paths: tuple[str, ...] = ()
    #: Coverage more points than this below what was merged last.
    coverage_drop: float | None = None
    #: So many attempts, or more, whose checks did not pass.
    failed_checks: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a branch changes since it left its base."""

    paths: tuple[str, ...] = ()
    #: Lines added and removed; a binary file has none.
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What rules look at."""

    change: Change = Change()
    #: How many attempts did not pass the checks.
    failed_checks: int = 0
    #: How many points coverage is below what was merged last; 0 where that is not known, or it is not below.
    drop: float = 0.0


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says of a piece of work."""

    rule: str
    then: str
    #: What each of its conditions was seen in, in one clause.
    evidence: str

    @property
    def message(self) -> str:
        """One clause for people."""
        return f"the rule {self.rule} says {self.then.replace('_', ' ')}: {self.evidence}"


def judge(rules: Iterable[Rule], work: Work) -> Ruling | None:
    """Return the strongest ruling on finished work, the first of its kind; None where no rule applies."""
    found = [ruling for rule in rules if (ruling := _apply(rule, work))]
    return max(found, key=lambda ruling: ACTIONS.index(ruling.then), default=None)


#: What counts where a change could not be looked at, or was not.
UNKNOWN = Ruling("unknown", REQUIRE_HUMAN, "what its branch changes is not known")


def always(globs: Sequence[str]) -> tuple[Rule, ...]:
    """Return `review.require_approval_for` as rules: none where it names no path."""
    return (Rule("review.require_approval_for", REQUIRE_HUMAN, paths=tuple(globs)),) if globs else ()


def drop(merged: Mapping[str, float], work: Mapping[str, float]) -> float:
    """Say by how many points coverage is lower on work than on what was merged last, by the check where it is most."""
    return max((round(merged[name] - work[name], 6) for name in merged.keys() & work.keys()), default=0.0)


def _apply(rule: Rule, work: Work) -> Ruling | None:
    seen = list(_seen(rule, work))
    return Ruling(rule.name, rule.then, "; ".join(map(str, seen))) if seen and None not in seen else None


def _seen(rule: Rule, work: Work) -> Iterator[str | None]:
    """Yield for each condition what it was seen in; None for one that does not hold."""
    yield from _seen_in(rule, work.change)
    if rule.coverage_drop is not None:
        less = f"coverage is {work.drop:g} points lower than what was merged last, more than {rule.coverage_drop:g}"
        yield less if work.drop > rule.coverage_drop else None
    if rule.failed_checks is not None:
        enough = work.failed_checks >= rule.failed_checks
        yield f"its checks did not pass {work.failed_checks} times" if enough else None


def _seen_in(rule: Rule, change: Change) -> Iterator[str | None]:
    """Yield the same for the conditions on what the branch changes."""
    if rule.lines is not None:
        yield f"{change.lines} lines changed, more than {rule.lines}" if change.lines > rule.lines else None
    if rule.files is not None:
        count = len(change.paths)
        yield f"{count} files changed, more than {rule.files}" if count > rule.files else None
    if rule.paths:
        touched = [path for path in change.paths if any(matches(glob, path) for glob in rule.paths)]
        yield f"it touches {_named(touched)}" if touched else None


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more


def matches(glob: str, path: str) -> bool:
    """Whether a glob names a path: `*` within a folder, `**` across folders; without a `/` in any folder."""
    return _pattern(glob).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    text = glob.removeprefix("/")
    if text.endswith("/"):
        text += "**"
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text)
    inner = "".join(_WILD.get(part, re.escape(part)) for part in parts)
    return re.compile(inner if "/" in glob else f"(?:.*/)?{inner}", re.DOTALL)


_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
