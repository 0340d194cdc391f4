"""What the words of other tools mean here: statuses, priorities, types.

Next in the flow: the readers give every item the status and priority its own word stands for.
"""

from __future__ import annotations

from typing import NamedTuple

from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Priority, Stuck


class Standing(NamedTuple):
    """Where an item stands."""

    status: Status
    #: Whether it may start: it gets the project's status for new tasks.
    open: bool = False
    stuck: Stuck | None = None
    #: What is to be said of it.
    note: str = ""


_OPEN = "open pending todo to-do new ready queued planned accepted approved unstarted not-started"
_STARTED = "in-progress doing wip started working active hooked planning building implementing"
_HALTED = "review in-review reviewing needs-review reviewed testing verifying failed error blocked on-hold waiting"
_SIMPLE = {
    Status.BACKLOG: "backlog deferred draft icebox someday later parked pinned postponed",
    Status.DONE: "done closed complete completed finished resolved merged verified shipped",
    Status.CANCELLED: "cancelled canceled wontfix wont-do won't-do not-planned dropped abandoned rejected duplicate"
    " obsolete archived",
}
_STATUS_OF = {word: status for status, listed in _SIMPLE.items() for word in listed.split()}

_PRIORITIES = {
    **dict.fromkeys(("critical", "urgent", "highest", "p0", "0", "blocker"), Priority.CRITICAL),
    **dict.fromkeys(("high", "p1", "1", "major"), Priority.HIGH),
    **dict.fromkeys(("medium", "normal", "p2", "2", "moderate"), Priority.MEDIUM),
    **dict.fromkeys(("low", "lowest", "p3", "3", "p4", "4", "minor", "trivial"), Priority.LOW),
}
_TYPES = {
    "bug": ("bug", "defect", "fix", "regression"),
    "feature": ("feature", "enhancement", "story", "user-story"),
    "docs": ("docs", "documentation", "doc"),
    "test": ("test", "tests", "testing"),
    "refactor": ("refactor", "refactoring", "cleanup"),
    "chore": ("chore", "maintenance", "config"),
    "research": ("research",),
    "spike": ("spike",),
    "security": ("security",),
    "performance": ("performance",),
}
_TYPE_OF = {word: kind for kind, words in _TYPES.items() for word in words}


def _word(given: str) -> str:
    return "-".join(given.casefold().replace("_", " ").replace("-", " ").split())


def standing(given: str, tool: str, *, blocked: bool = False) -> Standing:
    """Say where an item stands by its tool's word; `blocked`: it names what it waits for."""
    word = _word(given)
    if not word or word in _OPEN.split() or (word == "blocked" and blocked):
        return Standing(Status.PENDING, open=True)
    if word in _STATUS_OF:
        return Standing(_STATUS_OF[word])
    if word in _STARTED.split():
        return Standing(Status.PENDING, open=True, note=f"it was {given!r} in {tool}: here it starts anew")
    if word in _HALTED.split():
        message = f"it was {given!r} in {tool}: retry it to start it anew, or cancel it if its work is in"
        return Standing(Status.STUCK, stuck=Stuck(StuckReason.MANUAL, message, None, ""), note=message)
    return Standing(Status.BACKLOG, note=f"its status {given[:60]!r} is not known: it is in the backlog")


def priority(given: str) -> Priority | None:
    """Say which priority a word or number stands for; None for one that is not known."""
    return _PRIORITIES.get(_word(given)) if given else Priority.MEDIUM


def kind(*given: str) -> str:
    """Say which type the first known word stands for; `task` where none is known."""
    return next((_TYPE_OF[_word(word)] for word in given if _word(word) in _TYPE_OF), "task")
