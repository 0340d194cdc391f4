"""A pull request as it was last seen, and what follows from it for its task. Pure.

What its reviewers said and which checks failed goes back to the agent, in one piece and once. Only people who may
write to the repository are listened to: anybody may comment on a public one.

Next in the flow: `project.publishing` carries the verdict out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

#: The verdicts of reviews that ask for something.
ASKING = frozenset({"CHANGES_REQUESTED", "COMMENTED"})


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said about a pull request that its author should see."""

    #: What tells it from all others, for as long as the pull request lives.
    key: str
    #: Who or what says so: a reviewer's name, or `check NAME`.
    by: str
    text: str
    #: `path:line`, where it is about a place.
    where: str | None = None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request."""

    number: int
    url: str
    #: open, merged or closed.
    state: str = "open"
    #: What reviewers ask for, and the checks that failed at its present commit once none of them runs any more.
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class WasMerged:
    """It was merged: its base is to be taken in."""


@dataclass(frozen=True, slots=True)
class WasClosed:
    """It was closed without being merged."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Its reviewers or checks ask for changes."""

    #: What the agent is told.
    text: str
    #: The keys of all remarks, which are known from now on.
    seen: tuple[str, ...]


Verdict: TypeAlias = WasMerged | WasClosed | Changes


def judge(found: PullRequest, seen: Iterable[str]) -> Verdict | None:
    """Say what follows from a pull request; `seen` are the keys of remarks that were passed on before."""
    if found.state == "merged":
        return WasMerged()
    if found.state == "closed":
        return WasClosed()
    new = [remark for remark in found.remarks if remark.key not in set(seen)]
    if not new:
        return None
    return Changes("\n".join(_told(found, new)), tuple(remark.key for remark in found.remarks))


def _told(found: PullRequest, remarks: Iterable[Remark]) -> Iterator[str]:
    yield f"On the pull request {found.url}:"
    for remark in remarks:
        where = f" on {remark.where}" if remark.where else ""
        first, *rest = remark.text.strip().splitlines() or [""]
        yield f"- {remark.by}{where}: {first}"
        yield from (f"  {line}".rstrip() for line in rest)
