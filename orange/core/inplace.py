"""Work in the user's own checkout (`workspaces.isolation: none`): when a task may begin there, and why not yet.

One task at a time has the checkout: it is on the task's branch while a run or a person holds the task, and goes back
to the branch it was on as soon as nobody does. Nothing begins in a checkout in which something is uncommitted, so that
what lies there when the agent has ended is the agent's.

Next in the flow: `gates` asks before a task starts, `adapters.workspaces.inplace` switches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: The value of `workspaces.isolation` that asks for it.
NONE = "none"
#: So many files are named of those that are in the way.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Place:
    """The user's checkout, as far as it matters for work there."""

    #: Absolute.
    path: str
    #: The branch it has checked out; None for a detached HEAD or a bare repository.
    branch: str | None
    #: The task that has it; None while it is the user's alone.
    task: str | None = None
    #: What is in the way there whatever task is meant, in one sentence.
    reason: str | None = None


class Switch(Protocol):
    """Whatever can check another branch out in the user's checkout."""

    def switch(self, branch: str) -> str | None:
        """Check a branch out; the sentence why that cannot be, or None. Raises GitFailed."""

    def finish(self) -> None:
        """Finish or take back a switch that a kill interrupted. Raises GitFailed."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a task cannot begin in the user's checkout."""

    message: str
    evidence: str
    remedy: str


def hindrance(place: Place, task: str, base: str, *, idle: bool = False) -> Hindrance | None:
    """Say why a task that is cut from `base` cannot begin in the checkout now; None where it can.

    `idle`: nobody works on the task that has it.
    """
    if place.task == task:
        return None
    if place.task is not None:
        why = f"; {place.reason}" if idle and place.reason else ""
        message = f"agents work in your checkout (`isolation: none`), and {place.task} has it{why}"
        return Hindrance(message, place.task, f"git -C {place.path} status" if why else f"orange task why {place.task}")
    if place.reason is not None:
        message = f"it would be worked on in your checkout (`isolation: none`), but {place.reason}"
        return Hindrance(message, place.path, f"git -C {place.path} status")
    if place.branch != base:
        on = f"on {place.branch}" if place.branch else "on no branch"
        message = f"it would be worked on in your checkout (`isolation: none`), which is {on}, not on its base {base}"
        return Hindrance(message, place.path, f"git -C {place.path} switch {base}")
    return None


def uncommitted(files: tuple[str, ...]) -> str:
    """Say that a checkout is not clean."""
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"it holds what is not committed ({', '.join(files[:_NAMED])}{more}): commit or stash it"
