"""The life of a task: its statuses, the one table of legal transitions, and the board state derived from them.

Every write of a status, whoever asks for it, goes through `advance`: the table below says which moves exist
at all, `by` says who may make them, and the guards beside it say when. An illegal move raises and changes
nothing. The diagram in the docs is generated from the table.

Next in the flow: `reconcile.decide` proposes transitions, the project facade carries them out.

Why one table: every tool we learned from had a second way to write a status (an update flag, a merge command,
a PATCH route), and each second way bypassed the gates of the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from orange.core.problems import IllegalTransition

if TYPE_CHECKING:
    from orange.core.model import Task


class Status(StrEnum):
    """Where a task is in its life; the value is the word in the file."""

    #: Captured; never started by itself.
    BACKLOG = "backlog"
    #: May start as soon as it is ready.
    PENDING = "pending"
    #: Claimed: by a run of an agent, or taken by a person.
    WORKING = "working"
    #: Handed to its children; no workspace, no session.
    DELEGATED = "delegated"
    #: Finished by the agent; under review.
    REVIEWING = "reviewing"
    #: Approved at a commit, or needing no review; waiting to be published and integrated.
    REVIEWED = "reviewed"
    #: Needs someone; the reason is structured.
    STUCK = "stuck"
    #: Integrated, or nothing to integrate.
    DONE = "done"
    #: Dropped.
    CANCELLED = "cancelled"


class StuckReason(StrEnum):
    """Why a task needs someone."""

    #: The agent asked something.
    QUESTION = "question"
    #: Attempts are used up.
    FAILED = "failed"
    #: Checks failed and the agent could not mend them.
    CHECKS_FAILED = "checks_failed"
    #: The branch does not merge and the agent could not mend it.
    CONFLICT = "conflict"
    #: The run took longer than `limits.run`.
    TIMEOUT = "timeout"
    #: The same failure, or an unchanged diff, again and again.
    NO_PROGRESS = "no_progress"
    #: A budget is used up.
    BUDGET = "budget"
    #: A gate waits for a person's approval.
    APPROVAL = "approval"
    #: The agent's program is missing, too old or logged out.
    AGENT_MISSING = "agent_missing"
    #: The task cannot be run as it is written.
    INVALID = "invalid"
    #: Somebody said so.
    MANUAL = "manual"


class BoardState(StrEnum):
    """The derived column of the board."""

    BACKLOG = "backlog"
    READY = "ready"
    BLOCKED = "blocked"
    IN_PROGRESS = "in_progress"
    IN_REVIEW = "in_review"
    DONE = "done"
    CANCELLED = "cancelled"


class Actor(StrEnum):
    """Who asks for a transition. Decided by evidence (process tree, socket peer), never by a claim to be someone."""

    #: The daemon, acting on what it observed.
    DAEMON = "daemon"
    #: A person: the CLI outside a workspace, or the dashboard.
    PERSON = "person"
    #: An agent: the CLI inside the process tree of a run.
    AGENT = "agent"
    #: A hand edit of the file itself.
    FILE = "file"


#: Statuses nothing follows by itself.
CLOSED = frozenset({Status.DONE, Status.CANCELLED})
#: Statuses a new file may carry: nothing is bound to them.
AT_REST = frozenset({Status.BACKLOG, Status.PENDING, Status.DELEGATED, Status.STUCK, Status.DONE, Status.CANCELLED})
#: Statuses that need evidence or a claim and are therefore never believed from a hand-edited file.
EARNED = frozenset({Status.WORKING, Status.REVIEWING, Status.REVIEWED, Status.DONE})

_B, _P, _W, _D = Status.BACKLOG, Status.PENDING, Status.WORKING, Status.DELEGATED
_RG, _RD, _S, _DN, _C = Status.REVIEWING, Status.REVIEWED, Status.STUCK, Status.DONE, Status.CANCELLED

#: The one table: from -> to -> what the move means (shown in docs, in refusals and in the API).
TRANSITIONS: dict[Status, dict[Status, str]] = {
    _B: {_P: "made startable", _D: "handed to its children", _C: "dropped"},
    _P: {
        _W: "claimed",
        _D: "handed to its children",
        _B: "put back",
        _S: "needs someone",
        _C: "dropped",
    },
    _W: {
        _RG: "finished, under review",
        _RD: "finished, review off",
        _D: "handed to its children",
        _DN: "finished, review off, nothing to publish",
        _S: "needs someone",
        _P: "released or retried",
        _C: "dropped",
    },
    _D: {
        _DN: "all children done",
        _RG: "all children done, own work under review",
        _RD: "all children done, own work to publish",
        _W: "claimed: taken up again",
        _P: "no children left",
        _S: "needs someone",
        _C: "dropped",
    },
    _RG: {
        _RD: "approved",
        _DN: "approved, nothing to publish",
        _W: "claimed: changes requested",
        _D: "a child was reopened",
        _S: "needs someone",
        _C: "dropped",
    },
    _RD: {
        _DN: "integrated",
        _W: "claimed: conflict or failed checks",
        _RG: "approval void",
        _D: "a child was reopened",
        _S: "needs someone",
        _C: "dropped",
    },
    _S: {
        _P: "retried",
        _W: "claimed: answered or resumed",
        _RG: "fixed by hand",
        _RD: "gate approved, or fixed by hand with review off",
        _D: "handed to its children",
        _DN: "found integrated",
        _B: "put back",
        _C: "dropped",
    },
    _DN: {_P: "reopened", _D: "a child was reopened", _S: "rolled back"},
    _C: {_B: "restored"},
}


def legal_targets(status: Status) -> tuple[Status, ...]:
    """List the statuses a task in `status` may move to, in the table's order."""
    return tuple(TRANSITIONS[status])


@dataclass(frozen=True, slots=True)
class Facts:
    """What a guard may need to know besides the task itself. Every default is the strictest one."""

    #: How many children the task has.
    children: int = 0
    #: Whether every child is done (true says nothing when there are none).
    children_done: bool = False
    #: Ids of the blockers that are not satisfied.
    open_blockers: tuple[str, ...] = ()
    #: Whether the move into `working` comes from the claim function.
    claiming: bool = False
    #: Whether the work is integrated, or there is nothing of its own to publish.
    integrated: bool = False
    #: Whether review is off for this task.
    review_off: bool = False
    #: Whether a valid approval of the current commit is at hand.
    approved: bool = False
    #: Whether the project's checks passed on the current commit, or need not.
    checked: bool = False


def refusal(task: Task, to: Status, by: Actor, facts: Facts) -> str | None:
    """Say in one sentence why `task` may not move to `to` now, or None if it may."""
    if to not in TRANSITIONS[task.status]:
        legal = ", ".join(legal_targets(task.status))
        return f"{task.status} -> {to} is not a legal transition (legal: {legal})"
    for guard in _GUARDS:
        reason = guard(task, to, by, facts)
        if reason:
            return reason
    return None


def check(task: Task, to: Status, by: Actor, facts: Facts) -> None:
    """Raise IllegalTransition unless `task` may move to `to` now."""
    reason = refusal(task, to, by, facts)
    if reason:
        raise IllegalTransition(task.id, task.status, to, legal_targets(task.status), reason, facts.open_blockers)


def advance(task: Task, to: Status, by: Actor, facts: Facts) -> Task:
    """Return `task` moved to `to`, with what no longer holds cleared. Raise IllegalTransition if it may not.

    Clearing is part of the move, so that no caller can forget it: leaving `stuck` drops its reason, going anywhere but
    to `working` releases the run (the claim keeps its epoch, which only grows), a new start voids the approval, and a
    manual way back to the start (retried, reopened, restored) gives fresh attempts.
    """
    check(task, to, by, facts)
    moved = replace(task, status=to, **_cleared(task, to))
    return moved if to is Status.WORKING else moved.unbound()


def _cleared(task: Task, to: Status) -> dict[str, Any]:
    """Say which keys lose their meaning with the move."""
    changes: dict[str, Any] = {}
    if to is not Status.STUCK:
        changes["stuck"] = None
    if not _keeps_request(task, to):
        changes["request"] = None
    if to in _UNAPPROVED:
        changes["approved"] = None
    if task.status in _BROUGHT_BACK and to in _AT_START:
        changes |= {"attempts": 0, "review_round": 0}
    return changes | _reopening(task, to)


def _reopening(task: Task, to: Status) -> dict[str, Any]:
    """Note that a done task was opened again, until it is closed or put back."""
    if to in CLOSED or to is Status.BACKLOG:
        return {"reopened": None}
    if task.status is not Status.DONE:
        return {}
    was = task.merged.commit if task.merged else "unpublished"
    if to is Status.STUCK:
        return {"reopened": was}  # rolled back: it keeps `merged`, for a retry begins by reverting the revert
    return {"reopened": was, "merged": None}


def _keeps_request(task: Task, to: Status) -> bool:
    """Whether what was asked for still waits to be done after the move; `run` (start now) is over with any move."""
    if task.request is None or task.request.kind == "run":
        return False
    if to is Status.WORKING:
        return True
    if to is Status.PENDING:
        return task.status in {Status.WORKING, Status.STUCK}
    return to is Status.STUCK and task.request.kind not in {"answer", "resume"}


#: What is approved is a result: a new start, and a new look, void it.
_UNAPPROVED = frozenset({Status.BACKLOG, Status.PENDING, Status.WORKING, Status.DELEGATED, Status.REVIEWING})
#: Leaving these for the start is somebody's decision to try anew.
_BROUGHT_BACK = frozenset({Status.STUCK, Status.DONE, Status.CANCELLED})
_AT_START = frozenset({Status.BACKLOG, Status.PENDING})


def _guard_claim(_task: Task, to: Status, _by: Actor, facts: Facts) -> str | None:
    if to is not Status.WORKING:
        return None
    if not facts.claiming:
        return "working is entered only by a claim: use `orange task run` or `orange task take`"
    if facts.open_blockers:
        return f"it is blocked by {', '.join(facts.open_blockers)}"
    return None


def _guard_delegate(task: Task, to: Status, _by: Actor, facts: Facts) -> str | None:
    if to is not Status.DELEGATED:
        return None
    if facts.children == 0:
        return "delegating needs at least one child: create one with `orange task create --parent`"
    if task.status in _AFTER_CHILDREN and facts.children_done:
        return "all its children are done: reopen one of them first"
    return None


#: From here a task becomes delegated only because a child was reopened.
_AFTER_CHILDREN = frozenset({Status.REVIEWING, Status.REVIEWED, Status.DONE})


def _guard_parent(task: Task, to: Status, _by: Actor, facts: Facts) -> str | None:
    if task.status is not Status.DELEGATED:
        return None
    if to in _AFTER_CHILDREN:
        return _closing(task, to, facts)
    if to is Status.PENDING and facts.children:
        return "it still has children; it is taken up again with `orange task run`"
    return None


def _closing(task: Task, to: Status, facts: Facts) -> str | None:
    """Say why a delegated parent may not close this way now."""
    if not (facts.children and facts.children_done):
        return "a delegated task closes when it has children and all of them are done"
    if to is Status.DONE and task.acceptance:
        return "its acceptance step comes first: it goes to reviewing"
    return None


def _guard_done(task: Task, to: Status, by: Actor, facts: Facts) -> str | None:
    if to is not Status.DONE:
        return None
    if by is Actor.AGENT:
        return "agents cannot close a task; the daemon does when the work is integrated"
    if task.status is Status.WORKING and not facts.review_off:
        return "its review is not off: it goes to reviewing first"
    if task.status is Status.REVIEWING and not facts.approved:
        return "it is not approved: use `orange task approve`"
    if not facts.integrated:
        return "done means integrated: its commits are not in the base yet"
    return None


def _guard_checked(task: Task, to: Status, _by: Actor, facts: Facts) -> str | None:
    if to is not Status.DONE or facts.checked or task.status is Status.DELEGATED:  # its children did the work
        return None
    return "checks are required (`checks_required`), and none are known to have passed on its work"


def _guard_review(task: Task, to: Status, by: Actor, facts: Facts) -> str | None:
    if to is not Status.REVIEWED:
        return None
    if by is Actor.AGENT:
        return "agents cannot approve"
    if facts.review_off or (facts.approved and task.status in {Status.REVIEWING, Status.STUCK}):
        return None
    return "it is not approved: it goes to reviewing, then use `orange task approve`"


def _guard_file(_task: Task, to: Status, by: Actor, _facts: Facts) -> str | None:
    if by is Actor.FILE and to in EARNED:
        return f"{to} needs evidence and is not believed from a file: use the `orange task` command for it"
    return None


_GUARDS = (_guard_file, _guard_claim, _guard_delegate, _guard_parent, _guard_done, _guard_checked, _guard_review)


def board_state(status: Status, *, ready: bool) -> BoardState:
    """Derive the board's column from the status and the computed readiness."""
    match status:
        case Status.PENDING:
            return BoardState.READY if ready else BoardState.BLOCKED
        case Status.STUCK:
            return BoardState.BLOCKED
        case Status.WORKING | Status.DELEGATED:
            return BoardState.IN_PROGRESS
        case Status.REVIEWING | Status.REVIEWED:
            return BoardState.IN_REVIEW
        case _:
            return BoardState(status.value)
