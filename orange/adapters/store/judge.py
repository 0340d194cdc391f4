"""Judges a hand-edited task file: which of its values are in force, and which are refused and why.

Free keys are obeyed, a status is where the lifecycle lets a file say so, and every protected key keeps its accepted
value. An editor that saves over a newer version than it had read takes nothing back: its own changes are found by
comparing with the version it began with, which `updated_at` tells.

Next in the flow: `view` shows the task in force with its problems, `recording` accepts the edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from orange.adapters.store.merge import merge, nearest
from orange.core import document, lifecycle
from orange.core.document import Document
from orange.core.lifecycle import Actor, Facts, Status, StuckReason
from orange.core.model import PROTECTED, Stuck, Task
from orange.core.problems import Problem
from orange.core.times import stamp

#: Gives what the lifecycle must know about a task's children.
FactsOf = Callable[[str], Facts]

_FIXED = "it is fixed at creation: create another task with `orange task create`"
_BOUND = "it is set while a run holds the task: `orange task run` and `orange task release` change it"
#: What changes a protected key properly.
_PROPERLY = {
    "id": _FIXED,
    "name": _FIXED,
    "created_at": _FIXED,
    "workspace": "the task's place is chosen by orange: `orange cleanup` returns it",
    "tmux_session": _BOUND,
    "run": _BOUND,
    "claim": "`orange task run` and `orange task take` claim a task, `orange task release` gives it up",
    "ports": "they are reserved with the workspace: set `workspaces.ports` with `orange config set`",
    "attempts": "`orange task retry` begins anew",
    "review_round": "`orange task retry` begins anew",
    "stuck": "`orange task update --status stuck --message M` sets it, `orange task retry` clears it",
    "request": "`orange task reject`, `orange task answer` and `orange task run` ask for more work",
    "approved": "`orange task approve` records an approval of the commit that was reviewed",
    "merged": "`orange task merge` integrates the work",
    "reopened": "`orange task reopen` opens a done task again",
}
#: What leads to a status that a file cannot claim.
_STATUS = {
    Status.WORKING: "`orange task run` or `orange task take` claims it",
    Status.REVIEWING: "`orange task finish` ends a person's work; an agent's ends by itself",
    Status.REVIEWED: "`orange task approve` approves the work",
    Status.DONE: "`orange task merge` integrates the work and closes it",
    Status.STUCK: "`orange task update --status stuck --message M` says why",
    Status.CANCELLED: "`orange task cancel` drops it",
    Status.DELEGATED: "`orange task update --status delegated` hands it to its children",
    Status.PENDING: "`orange task retry`, `reopen` or `update --status pending` starts it again",
    Status.BACKLOG: "`orange task update --status backlog` puts it back",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a file with content of somebody else's means."""

    #: The task in force.
    task: Task
    #: The file's text, with the own changes put back that a stale editor took away.
    text: bytes
    #: The task as that text has it.
    written: Task
    body: str
    #: Keys whose values are refused, each with a problem.
    refused: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: Whether the text must be changed for the file to say what is in force.
    due: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """A file that somebody else has written, and the accepted content it is judged by."""

    path: str
    current: bytes
    accepted: bytes
    #: Other contents the file is known to have had, the newest first.
    older: Iterable[bytes] = ()
    #: When it was saved, in seconds since 1970.
    saved_at: float = 0.0


def judge(edited: Edited, facts: FactsOf) -> Judgement | Problem:
    """Judge a hand edit; a Problem where the file cannot be understood."""
    found = document.parse_foreign(edited.current, edited.path)
    held = document.parse(edited.accepted, edited.path)
    if isinstance(found, Problem):
        return found
    if isinstance(held, Problem):
        return replace(held, message=f"its last accepted content cannot be read: {held.message}")
    if edited.current == edited.accepted:
        return Judgement(held.task, edited.current, held.task, held.body)
    return _Case(edited, held.task, facts).judge(found, held)


class _Case:
    """One hand edit under judgement."""

    def __init__(self, edited: Edited, held: Task, facts: FactsOf) -> None:
        self._edited, self._held, self._facts = edited, held, facts
        self._problems: list[Problem] = []
        self._keys: list[str] = []
        self._stale = False

    def judge(self, found: Document, held: Document) -> Judgement:
        text = self._rebased(found, held)
        read = document.parse(text, self._edited.path)
        says = read if isinstance(read, Document) else found
        task = self._with_status(replace(says.task, status=self._held.status, **self._accepted()), says.task)
        self._hold(says.task, task)
        due = text != self._edited.current or any(
            getattr(says.task, key) != getattr(task, key) for key in (*PROTECTED, "status") if key not in self._keys
        )
        return Judgement(task, text, says.task, says.body, tuple(self._keys), tuple(self._problems), due)

    def _accepted(self) -> dict[str, Any]:
        return {key: getattr(self._held, key) for key in PROTECTED}

    def _rebased(self, found: Document, held: Document) -> bytes:
        """Put back what an editor took away that had read an older version and saved over a newer one."""
        began = self._began_with(found, held)
        if began is None:
            return self._edited.current
        return merge(began, self._edited.accepted, self._edited.current) or self._edited.current

    def _began_with(self, found: Document, held: Document) -> bytes | None:
        """Find the older version an editor began with; None when it was the accepted one, or cannot be told."""
        began = nearest(found, (self._edited.accepted, *self._edited.older))
        if began is None:
            self._stale = "" < found.task.updated_at < held.task.updated_at
        return None if began == self._edited.accepted else began

    def _with_status(self, task: Task, says: Task) -> Task:
        """Obey the status the file says, where a file may say it."""
        if says.status is task.status:
            return task
        facts = self._facts(task.id)
        reason = lifecycle.refusal(task, says.status, Actor.FILE, facts)
        if self._stale:
            reason = "the file was saved from an older version, which had another status"
        if reason is not None:
            self._refuse("status", f"status {says.status} is not believed: {reason}", _STATUS[says.status])
            return task
        moved = lifecycle.advance(task, says.status, Actor.FILE, facts)
        if says.status is not Status.STUCK:
            return moved
        since = stamp(self._edited.saved_at)
        given = says.stuck or Stuck(StuckReason.MANUAL, "set in the file", self._edited.path, since)
        return replace(moved, stuck=replace(given, since=given.since or since))

    def _hold(self, says: Task, task: Task) -> None:
        """Refuse the protected values that are neither the accepted ones nor what follows from the move."""
        for key in PROTECTED:
            value = getattr(says, key)
            if value in (getattr(self._held, key), getattr(task, key)):
                continue
            if key == "stuck" and says.status is Status.STUCK is task.status:
                continue
            self._refuse(key, f"{key} is not believed from a file; the accepted value stays in force", _PROPERLY[key])

    def _refuse(self, key: str, message: str, hint: str) -> None:
        self._keys.append(key)
        self._problems.append(Problem(self._edited.path, line_of(self._edited.current, key), message, hint))


def line_of(data: bytes, key: str) -> int:
    """Find the line of a key in a file's frontmatter; 1 where it is not written."""
    at = data.find(b"\n" + key.encode() + b":")
    return data.count(b"\n", 0, at + 1) + 1 if at >= 0 else 1
