"""What people (and agents, where they may) do with a task by hand: every legal move that is not a claim.

Each function is one request in one transaction; the lifecycle table decides, the refusal explains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from orange.core import body as sections
from orange.core import effective
from orange.core.comments import APPROVED, CHANGES_REQUESTED, EVENT, batch
from orange.core.lifecycle import Actor, Status, StuckReason, check
from orange.core.model import Approval, Claim, Request, RequestKind, Task
from orange.core.problems import IllegalTransition, InvalidInput, NotAllowed, StaleWrite
from orange.core.steps import is_over, resumed, waiting_at
from orange.project import comments, course, reviewing
from orange.project.claims import check_person
from orange.project.creation import check_speaks_for, check_works
from orange.project.editing import stuck_reason
from orange.project.launch import base_of
from orange.project.parts import Parts
from orange.project.record import Known, Pen
from orange.project.requests import Edit, Speaker
from orange.project.settling import branch_state, keep_leftovers, nothing_unmerged, ruling_of

#: A change of one task within a transaction.
Change = Callable[[Pen, Task], Task]


def _change(parts: Parts, speaker: Speaker, task_id: str, verb: str, change: Change) -> Task:
    with parts.store.transaction(f"{verb} {task_id}") as tx:
        return change(Pen(parts, speaker, tx), tx.task(task_id))


def set_status(parts: Parts, speaker: Speaker, task_id: str, to: Status, wish: Edit) -> Task:
    """Move a task to a status by request, as far as the lifecycle allows it for this speaker."""
    check_speaks_for(speaker, task_id)
    if to is Status.DELEGATED:
        return delegate(parts, speaker, task_id)
    if to is Status.STUCK:
        return stick(parts, speaker, task_id, wish)
    if to is Status.REVIEWING and speaker.actor is Actor.AGENT:
        raise NotAllowed("an agent finishes by ending its program with exit code 0; the daemon then starts the review")

    def change(pen: Pen, task: Task) -> Task:
        if to is Status.PENDING and task.status is Status.STUCK:
            task = pen.keep(replace(task, attempts=0))
        return pen.move(task, to, message=wish.message or wish.reason)

    return _change(parts, speaker, task_id, f"set {to}", change)


def stick(parts: Parts, speaker: Speaker, task_id: str, wish: Edit) -> Task:
    """Mark a task as needing someone, for a structured reason (`manual` unless told)."""
    reason, message = stuck_reason(wish.reason), wish.message or f"set by {speaker.name}"
    return _change(parts, speaker, task_id, "stick", lambda pen, task: pen.stick(task, reason, message))


def delegate(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Hand a task to its children; what is uncommitted is first committed to its branch."""
    check_speaks_for(speaker, task_id)
    with parts.store.transaction(f"look at {task_id}") as tx:
        task = tx.task(task_id)
        check(task, Status.DELEGATED, speaker.actor, Pen(parts, speaker, tx).facts(task, Status.DELEGATED, Known()))
    if task.status is Status.WORKING:
        keep_leftovers(parts, task, f"Save work before delegating: {task.title}")
    return _change(parts, speaker, task_id, "delegate", lambda pen, found: pen.move(found, Status.DELEGATED))


def cancel(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Drop a task. Its children go on; the daemon saves its work and ends its session."""
    check_speaks_for(speaker, task_id)
    return _change(parts, speaker, task_id, "cancel", lambda pen, task: pen.move(task, Status.CANCELLED))


def restore(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Bring a cancelled task back to the backlog."""
    return _change(parts, speaker, task_id, "restore", lambda pen, task: pen.move(task, Status.BACKLOG))


def reopen(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Make a done task pending again, with fresh attempts."""
    check_person(speaker, "reopen a task")

    def change(pen: Pen, task: Task) -> Task:
        if task.status is not Status.DONE:
            legal = (Status.PENDING,)
            raise IllegalTransition(task.id, task.status, Status.PENDING, legal, "only a done task is reopened", ())
        return pen.keep(replace(pen.move(task, Status.PENDING), attempts=0, review_round=0))

    return _change(parts, speaker, task_id, "reopen", change)


def retry(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Give a stuck task, or one that waits to be tried again, fresh attempts."""
    check_person(speaker, "retry a task")

    def change(pen: Pen, task: Task) -> Task:
        if task.status is Status.PENDING and task.attempts:
            pen.event(task.id, "task.updated", retried=True)
            return pen.keep(replace(task, attempts=0, request=Request(RequestKind.RUN, "retried", pen.now)))
        if task.status is not Status.STUCK:
            legal = (Status.PENDING,)
            reason = "only a stuck task, or one that failed before, is retried"
            raise IllegalTransition(task.id, task.status, Status.PENDING, legal, reason, ())
        again = Status.REVIEWING if reviewing.failed(parts, task) else Status.PENDING
        return pen.keep(replace(pen.move(task, again), attempts=0))

    return _change(parts, speaker, task_id, "retry", change)


def release(parts: Parts, speaker: Speaker, task_id: str, *, force: bool) -> Task:
    """Give a claimed task back; `force` also gives up the claim of another (dead) host."""
    check_person(speaker, "release a claim")

    def change(pen: Pen, task: Task) -> Task:
        if task.status is not Status.WORKING or task.claim is None:
            legal = (Status.PENDING,)
            raise IllegalTransition(task.id, task.status, Status.PENDING, legal, "nobody holds it", ())
        if task.claim.host != parts.host and not force:
            raise NotAllowed(f"task {task.id} is held by another host: if that host is gone, use --force")
        return pen.move(task, Status.PENDING, released=task.claim.run)

    return _change(parts, speaker, task_id, "release", change)


def approve(parts: Parts, speaker: Speaker, task_id: str, commit: str | None) -> Task:
    """Approve a task at the commit its branch is at. Raises NotAllowed for agents, StaleWrite when it moved on."""
    check_person(speaker, "approve")
    with parts.store.transaction(f"look at {task_id}") as tx:
        task = tx.task(task_id)
    gate = _open_gate(parts, task)
    if gate is not None and gate.more:
        return _pass_gate(parts, speaker, task_id, gate)
    ruling = ruling_of(parts, task) if gate is not None else None
    state = branch_state(parts, task)
    if commit and (state.tip is None or not state.tip.startswith(commit)):
        raise StaleWrite(task.id, f"its branch is at {state.tip or 'no commit'}, not at {commit}: look at it again")
    tip = state.tip or parts.integration.tip(base_of(parts, task)) or "none"

    def change(pen: Pen, found: Task) -> Task:
        if found.status not in {Status.REVIEWING, Status.STUCK}:
            reason = "only a task under review is approved"
            raise IllegalTransition(found.id, found.status, Status.REVIEWED, (Status.REVIEWED,), reason, ())
        if gate is not None and not effective.review_off(found, parts.settings(), ruling):
            pen.event(found.id, "task.updated", step=gate.name, approved=speaker.name)
            return pen.move(found, Status.REVIEWING)
        pen.event(found.id, EVENT, review=APPROVED, comments=len(comments.pending(parts, found)))
        moved = pen.move(found, Status.REVIEWED, Known(approved=True), approved=tip)
        return pen.keep(replace(moved, approved=Approval(tip, speaker.name, pen.now), request=None))

    return _change(parts, speaker, task_id, "approve", change)


class _Gate(NamedTuple):
    """An approval that a task waits for."""

    name: str
    #: Whether a run has steps to do behind it.
    more: bool


def _open_gate(parts: Parts, task: Task) -> _Gate | None:
    """Return the step whose approval a stuck task waits for; None when it waits for none."""
    if task.stuck is None or task.stuck.reason is not StuckReason.APPROVAL:
        return None
    steps, results = course.pipeline_of(parts, task).steps, course.results_of(parts, task, task.epoch)
    gate = waiting_at(steps, results)
    if gate is None:
        return None
    return _Gate(gate.name, not is_over(steps, resumed(steps, results, approved="")))


def _pass_gate(parts: Parts, speaker: Speaker, task_id: str, gate: _Gate) -> Task:
    """Let the steps behind an approval be done; the task waits for a slot."""

    def change(pen: Pen, found: Task) -> Task:
        if found.stuck is None or found.stuck.reason is not StuckReason.APPROVAL:
            raise StaleWrite(found.id, f"it went to {found.status}")
        pen.event(found.id, "task.updated", step=gate.name, approved=speaker.name)
        return pen.keep(replace(found, request=Request(RequestKind.RESUME, f"{speaker.name} approved it", pen.now)))

    return _change(parts, speaker, task_id, "approve", change)


def reject(parts: Parts, speaker: Speaker, task_id: str, feedback: str) -> Task:
    """Request changes: feedback and pending comments go into the file and, once a slot is free, to the agent."""
    check_person(speaker, "review")

    def change(pen: Pen, task: Task) -> Task:
        comments.check_under_review(task)
        said = comments.pending(parts, task)
        text = batch(feedback.strip(), said)
        if not text:
            raise InvalidInput("feedback", "say what to change: --feedback TEXT, or comment on lines first")
        pen.tx.write_section(task.id, "Review", f"Verdict: FAIL\n\n{text}")
        pen.event(task.id, EVENT, review=CHANGES_REQUESTED, comments=len(said))
        rounds = task.review_round + 1
        request = Request(RequestKind.CHANGES, text, pen.now)
        return pen.keep(replace(task, request=request, review_round=rounds, approved=None))

    return _change(parts, speaker, task_id, "reject", change)


def ask(parts: Parts, speaker: Speaker, question: str) -> Task:
    """Ask a person: the task is stuck until somebody answers. The run keeps its claim while it lives."""
    if speaker.task is None:
        raise InvalidInput("task", "`orange ask` is for agents: run it inside a task's workspace")
    check_works(speaker)
    text = question.strip()
    if not text:
        raise InvalidInput("question", "say what you need to know")

    def change(pen: Pen, task: Task) -> Task:
        asked = sections.section(pen.tx.body(task.id), "Questions")
        pen.tx.write_section(task.id, "Questions", f"{asked.rstrip()}\n\n{text}" if asked else text)
        pen.event(task.id, "task.question", question=text)
        held = (task.claim, task.run, task.tmux_session)
        moved = pen.stick(task, StuckReason.QUESTION, text)
        return pen.keep(replace(moved, claim=held[0], run=held[1], tmux_session=held[2], request=None))

    return _change(parts, speaker, speaker.task, "ask", change)


def answer(parts: Parts, speaker: Speaker, task_id: str, text: str) -> Task:
    """Answer a question. A run that still waits goes on under its own claim; else the task waits for a slot."""
    check_person(speaker, "answer a question")
    reply = text.strip()
    if not reply:
        raise InvalidInput("answer", "say something")

    def change(pen: Pen, task: Task) -> Task:
        if task.stuck is None or task.stuck.reason is not StuckReason.QUESTION:
            legal = (Status.WORKING,)
            raise IllegalTransition(task.id, task.status, Status.WORKING, legal, "it has asked nothing", ())
        given = sections.section(pen.tx.body(task.id), "Answers")
        pen.tx.write_section(task.id, "Answers", f"{given.rstrip()}\n\n{reply}" if given else reply)
        pen.event(task.id, "task.answered", answer=reply)
        if task.held and _goes_on(parts, str(task.run)):
            return _resume(pen, task)
        return pen.keep(replace(task, request=Request(RequestKind.ANSWER, reply, pen.now)))

    return _change(parts, speaker, task_id, "answer", change)


def _goes_on(parts: Parts, run: str) -> bool:
    """Whether a run that asked has not ended; one that has is taken up anew, with the answer in its prompt."""
    record = parts.runs.record(run)
    return record is not None and record.outcome is None


def _resume(pen: Pen, task: Task) -> Task:
    """Move a live, asking run back to working under its own epoch."""
    claim: Claim | None = task.claim
    moved = pen.move(task, Status.WORKING, Known(claiming=True))
    return pen.keep(replace(moved, claim=claim, run=task.run, tmux_session=task.tmux_session))


def finish(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """End a task that a person took: it goes to review, or on to publishing where review is off."""
    check_person(speaker, "finish a task that a person took")
    with parts.store.transaction(f"look at {task_id}") as tx:
        task = tx.task(task_id)
    if task.claim is None or not task.claim.by_person:
        legal = (Status.REVIEWING,)
        raise IllegalTransition(task.id, task.status, Status.REVIEWING, legal, "no person has taken it", ())
    keep_leftovers(parts, task, task.title)
    to = Status.REVIEWING
    merged = nothing_unmerged(parts, task)
    ruling = ruling_of(parts, task)
    if effective.review_off(task, parts.settings(), ruling):
        to = Status.DONE if merged and not parts.settings().checks_required else Status.REVIEWED
    known = Known(integrated=merged, ruling=ruling)
    return _change(parts, speaker, task_id, "finish", lambda pen, found: pen.move(found, to, known))
