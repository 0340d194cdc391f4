"""What keeps a task from being started: each gate yields the reason, its evidence and the command that would open it.

`dispatch` starts a task exactly when no gate yields anything; `waiting` shows what they yield. So the explanation is
the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from orange.core import budgets, container, effective, inplace
from orange.core.allowance import Refusal
from orange.core.lifecycle import Status
from orange.core.model import Merged, Presence, RequestKind, Task
from orange.core.retry import backoff, backoff_end
from orange.core.scene import Scene, moment
from orange.core.times import stamp


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing a task waits for."""

    #: Stable, for programs: `blocker_open`, `slot`, `review`, ...
    code: str
    #: One sentence.
    message: str
    #: RFC 3339 UTC; None when nobody knows.
    since: str | None
    #: What it was seen in: an id, a commit, a path, a number.
    evidence: str | None
    #: The command that would unblock it; None when only time does.
    remedy: str | None


Reasons: TypeAlias = Iterator[Waiting]
Gate: TypeAlias = Callable[[Scene, Task], Reasons]


def closed_gates(scene: Scene, task: Task) -> Reasons:
    """Yield every reason that keeps a task from starting, slots and pauses apart."""
    for gate in _GATES:
        yield from gate(scene, task)


def is_open(scene: Scene, task: Task) -> bool:
    """Whether nothing but slots and pauses keeps a task from starting."""
    return next(closed_gates(scene, task), None) is None


def since(scene: Scene, task: Task, known: str | None = None) -> str | None:
    """Say since when a task waits: as observed, else by what the reason itself knows, else by its last change."""
    return scene.world.since.get(task.id) or known or task.updated_at or task.created_at or None


def blockers(scene: Scene, task: Task) -> Reasons:
    """Yield every blocker that is open, cancelled, missing, unreadable, or done but not in the base."""
    for blocker in dict.fromkeys(task.blocked_by):
        found = scene.tasks.get(blocker)
        if found is None:
            yield _absent(scene, task, blocker)
        elif found.status is Status.DONE:
            yield from _unmerged(scene, task, found)
        elif found.status is Status.CANCELLED:
            if not scene.settings.cancelled_satisfies:
                message = f"{found.id} ({found.title}) was cancelled and does not unblock"
                remedy = f"orange task restore {found.id}, or orange task update {task.id} --unblock {found.id}"
                yield Waiting("blocker_cancelled", message, since(scene, found), found.id, remedy)
        else:
            message = f"{found.id} ({found.title}) is {found.status}"
            yield Waiting("blocker_open", message, since(scene, task), found.id, f"orange task why {found.id}")


def _absent(scene: Scene, task: Task, blocker: str) -> Waiting:
    if blocker in scene.board.frozen:
        message = f"the file of its blocker {blocker} cannot be understood"
        return Waiting("blocker_open", message, since(scene, task), blocker, "orange doctor")
    message = f"there is no task {blocker}, which it names as a blocker"
    remedy = f"orange task update {task.id} --unblock {blocker}"
    return Waiting("blocker_missing", message, since(scene, task), blocker, remedy)


def _unmerged(scene: Scene, task: Task, blocker: Task) -> Reasons:
    if blocker.merged is None or task.status is not Status.PENDING:
        return  # published nothing; or the task was cut from its base before
    base, ground = scene.base_of(task), scene.ground_of(task)
    presence = scene.in_base(blocker, base)
    if presence is Presence.THERE or (ground != base and scene.in_base(blocker, ground) is Presence.THERE):
        return  # what is in the base of its parents is brought into their branch before the task is cut from it
    message = _unmerged_message(blocker, blocker.merged, base, presence)
    at = since(scene, task, blocker.merged.at)
    yield Waiting("blocker_not_merged", message, at, blocker.merged.commit, f"orange task show {blocker.id}")


def _unmerged_message(blocker: Task, merged: Merged, base: str, presence: Presence) -> str:
    what = f"{blocker.id} ({blocker.title}) is done, but its commit {merged.commit[:12]}"
    if presence is Presence.UNKNOWN:
        return f"{what} could not be looked for in {base}"
    where = f" (it was merged into {merged.base})" if merged.base != base else ""
    return f"{what} is not in {base}, which this task is cut from{where}"


def _human(scene: Scene, task: Task) -> Reasons:
    if effective.is_human(task):
        message = "it is assigned to a person; agents keep off it"
        yield Waiting("human", message, since(scene, task), task.assignee, f"orange task take {task.id}")


def _trust(scene: Scene, task: Task) -> Reasons:
    what = scene.world.untrusted.get(task.id)
    if what is not None:
        message = "it came from elsewhere and waits for your trust on this machine"
        yield Waiting("trust", message, since(scene, task), what, "orange trust")


def _capability(scene: Scene, task: Task) -> Reasons:
    missing = effective.missing_capabilities(task, scene.settings, scene.world.capabilities)
    if missing:
        boxed = container.CAPABILITY in missing
        message = (
            container.lacking(scene.settings.workspaces.container)
            if boxed
            else f"this machine lacks {', '.join(missing)}"
        )
        remedy = "orange doctor" if boxed else "orange agents"
        yield Waiting("capability", message, since(scene, task), ", ".join(missing), remedy)


def _base(scene: Scene, task: Task) -> Reasons:
    base = scene.ground_of(task)  # a parent's branch is made where it does not exist
    if scene.is_missing(base):
        message = f"its base branch {base} does not exist"
        yield Waiting("base_missing", message, since(scene, task), base, f"git branch {base}")


def _parent(scene: Scene, task: Task) -> Reasons:
    """Yield that the parent whose branch the task is cut from comes first, or that its own branch is behind."""
    yield from lagging(scene, task)
    parent = scene.holder(task) if task.status is Status.PENDING else None
    if parent is not None and _comes_first(scene, parent):
        message = f"it is cut from the branch of its parent {parent.id} ({parent.title}), whose own turn is first"
        yield Waiting("parent", message, since(scene, task), parent.id, f"orange task why {parent.id}")


def _comes_first(scene: Scene, parent: Task) -> bool:
    """Whether somebody works on a parent, or is about to, so that its branch is not at rest."""
    if parent.held or scene.live(parent.id) is not None:
        return True
    return parent.status is Status.PENDING and not scene.graph.blocked(parent.id) and not effective.is_human(parent)


def lagging(scene: Scene, task: Task) -> Reasons:
    """Yield that a parent's branch has yet to take in what its children made."""
    base = scene.lag(task)
    if base is not None:
        why = f": {base.reason}" if base.reason else ""
        message = f"its branch {base.name} has yet to take in what its children made{why}"
        remedy = f"git switch {base.name} && git status" if base.reason else None
        yield Waiting("base_behind", message, since(scene, task), base.name, remedy)


def _checkout(scene: Scene, task: Task) -> Reasons:
    """Yield why a task cannot have the user's checkout, where it would be worked on; a review needs none."""
    place = scene.world.dispatch.place
    if place is None or not scene.in_place or (task.status is Status.REVIEWING and task.request is None):
        return
    owner = scene.tasks.get(place.task or "")
    idle = owner is not None and not owner.held and scene.live(owner.id) is None
    found = inplace.hindrance(place, task.id, scene.ground_of(task), idle=idle)
    if found is not None:
        yield Waiting("checkout", found.message, since(scene, task), found.evidence, found.remedy)


def holder(scene: Scene, task: Task) -> Reasons:
    """Yield whoever has the task, or may still be at work on it."""
    claim, live = task.claim, scene.live(task.id)
    if claim is not None and claim.held:
        if claim.by_person:
            yield person(scene, task)
        elif not scene.mine(claim):
            yield other_host(scene, task)
        elif live is None:
            message = f"its last run {claim.run} is being put away"
            yield Waiting("stopping", message, since(scene, task, claim.at), claim.run, None)
    if live is not None:
        message = f"its run {live.id} is not known to have ended"
        remedy = f"orange attach {task.id}" if live.session is Presence.THERE else "orange doctor"
        yield Waiting("stopping", message, since(scene, task), live.id, remedy)


def _rewound(scene: Scene, task: Task) -> Reasons:
    later = scene.rewound(task)
    if later is not None:
        message = f"a run of a later claim, {later.id}, exists here: its file was put back to an older state"
        yield Waiting("problem", message, since(scene, task), later.id, f"orange task run {task.id}")


def person(scene: Scene, task: Task) -> Waiting:
    """Say that a person has the task."""
    who = task.assignee or "a person"
    at, run = (task.claim.at, task.claim.run) if task.claim else (None, None)
    return Waiting("person", f"{who} has taken it", since(scene, task, at), run, f"orange task finish {task.id}")


def other_host(scene: Scene, task: Task) -> Waiting:
    """Say that another machine has the task."""
    host = task.claim.host if task.claim else None
    at = task.claim.at if task.claim else None
    message = f"it is claimed by another machine ({host or 'which did not say its name'})"
    return Waiting("other_host", message, since(scene, task, at), host, f"orange task release {task.id} --force")


def _backoff(scene: Scene, task: Task) -> Reasons:
    if task.request is not None and task.request.kind is RequestKind.RUN:
        return
    end = waits_until(scene, task)
    if end is not None and end > scene.now:
        review = scene.review(task) if task.status is Status.REVIEWING else None
        last = review or next(iter(scene.ended(task.id)), None)
        failed, at = (last.id, _at(last.ended_at)) if last else (None, task.updated_at)
        what, most = "its review" if review else "it", scene.settings.limits.attempts
        message = f"{what} failed {task.attempts} of {most} times; it is tried again at {_at(end)}"
        yield Waiting("backoff", message, at, failed, None if review else f"orange task retry {task.id}")


def waits_until(scene: Scene, task: Task) -> float | None:
    """Return when a task's wait after a failure ends, in seconds since 1970; None when it has none.

    An attempt that left no ended run (it could not be launched) counts from the task's last change.
    """
    if task.status is Status.REVIEWING and task.request is None:
        return backoff_end(task, scene.review(task))
    ended = scene.ended(task.id)
    if ended and ended[0].epoch >= task.epoch:
        return backoff_end(task, ended[0])
    failed_at = moment(task.updated_at) if task.attempts > 0 and task.status is Status.PENDING else None
    return None if failed_at is None else failed_at + backoff(task.attempts)


def _budget(scene: Scene, task: Task) -> Reasons:
    over = budgets.overrun(scene.world, scene.graph, task)
    if over is not None:
        remedy = "raise the budget (`budget` in the task's file, or `orange config set budget...`)"
        yield Waiting("budget", over, since(scene, task), over.partition(": ")[2], remedy)


def _limit(scene: Scene, task: Task) -> Reasons:
    refusal = scene.refused.get(scene.agent_for(task))
    if refusal is not None:
        yield limit(scene, task, refusal)


def limit(scene: Scene, task: Task, refusal: Refusal) -> Waiting:
    """Say that an agent's provider refuses to go on, as a run of this machine met it."""
    mine = task.claim is not None and task.claim.run == refusal.run
    then = "the conversation is continued then" if mine else "nothing is given to it before"
    where = f" ({refusal.project} met the limit)" if refusal.project else ""
    message = f"the provider of {refusal.agent} refuses to go on until {_at(refusal.until)}{where}; {then}"
    return Waiting("rate_limit", message, since(scene, task, _at(refusal.met)), refusal.run, None)


def _at(when: float | None) -> str:
    """Write an instant; one beyond the calendar is as good as never."""
    return stamp(when) if when is not None and 0 <= when < 253402300800 else "never"


#: Why a task is not taken on any more.
ENOUGH = "the daemon was told to take on only so many tasks (`--max-tasks`), and it has"


#: Why a task is not started while a person is asked before each start.
UNASKED = "the daemon asks at its terminal before each start (`--interactive`), and nobody has answered yet"
DECLINED = "the daemon asked at its terminal before the start (`--interactive`), and was told not to"


def _is_asked_for(task: Task) -> bool:
    return task.request is not None and task.request.kind is RequestKind.RUN


def _unasked(scene: Scene, task: Task) -> Reasons:
    """Yield that a person has not been asked yet; a start that they asked for themselves needs no yes."""
    terms = scene.world.dispatch.terms
    answered = task.epoch in {terms.agreed.get(task.id), terms.declined.get(task.id)}
    if terms.asks and not answered and not _is_asked_for(task):
        yield Waiting("session", UNASKED, since(scene, task), None, f"orange task run {task.id}")


def outside_session(scene: Scene, task: Task) -> Reasons:
    """Yield what keeps a task out of what this run of the daemon was told to do."""
    terms, remedy = scene.world.dispatch.terms, f"orange task run {task.id}"
    if terms.fresh == 0 and task.id not in terms.taken:
        yield Waiting("session", ENOUGH, since(scene, task), None, remedy)
    if terms.declined.get(task.id) == task.epoch and not _is_asked_for(task):
        yield Waiting("session", DECLINED, since(scene, task), None, remedy)
    if terms.agent and effective.agent_of(task, scene.settings) != terms.agent:
        message = f"the daemon was told to start only tasks of {terms.agent} (`--agent`)"
        yield Waiting("session", message, since(scene, task), terms.agent, remedy)
    if terms.labels and not set(terms.labels).intersection(task.labels):
        named = ", ".join(terms.labels)
        message = f"the daemon was told to start only tasks with the label {named} (`--label`)"
        yield Waiting("session", message, since(scene, task), named, remedy)


_GATES: tuple[Gate, ...] = (
    outside_session,
    _unasked,
    blockers,
    _human,
    _trust,
    _capability,
    _base,
    _parent,
    _checkout,
    holder,
    _rewound,
    _backoff,
    _limit,
    _budget,
)
