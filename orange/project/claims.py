"""Claims: the only way into `working`. Exactly one wins, under the project lock, on the file as it is now.

Next in the flow: `launch` gives a claimed run its workspace and session.
"""

from __future__ import annotations

from dataclasses import replace

from orange.core import effective, lineage, names, times
from orange.core.lifecycle import Actor, Status
from orange.core.model import Claim, Request, RequestKind, Task
from orange.core.problems import AlreadyClaimed, IllegalTransition, NotAllowed, StaleWrite
from orange.project.parts import Parts
from orange.project.record import Known, Pen
from orange.project.requests import Speaker


def claim_run(
    parts: Parts, speaker: Speaker, task_id: str, *, epoch: int | None = None, request: RequestKind | None = None
) -> Task:
    """Claim a task for a run of its agent, under the next epoch.

    Raises AlreadyClaimed, StaleWrite (the epoch has grown), IllegalTransition (blocked, closed), BrokenFile.
    """
    with parts.store.transaction(f"claim {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = claimable(tx.task(task_id), epoch)
        claimed = _bind(pen, _started(pen, task))
        pen.event(task.id, "task.claimed", run=claimed.run, epoch=claimed.epoch, request=request)
        return claimed


def assign(parts: Parts, speaker: Speaker, task_id: str, run: str, agent: str) -> None:
    """Note that a claimed run is given to another agent than the task's own. Raises StaleWrite."""
    with parts.store.transaction(f"give {run} to {agent}") as tx:
        task = tx.task(task_id)
        check_epoch(task, run)
        own = effective.agent_of(task, parts.settings())
        Pen(parts, speaker, tx).event(task_id, "task.assigned", run=run, agent=agent, instead_of=own)


def take(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Claim a task for a person: no agent, no slot, a workspace of its own."""
    with parts.store.transaction(f"take {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = claimable(tx.task(task_id), None)
        claimed = _bind(pen, _started(pen, task), person=speaker.name)
        pen.event(task.id, "task.claimed", run=claimed.run, epoch=claimed.epoch, person=speaker.name)
        return claimed


def take_from_agent(parts: Parts, speaker: Speaker, task_id: str, run: str) -> Task:
    """Pass the claim of an agent's run to a person; the run is no longer the task's, and is to be ended.

    Raises StaleWrite when another holds the task by now.
    """
    with parts.store.transaction(f"take over {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        check_epoch(task, run)
        if task.status is not Status.WORKING:
            task = pen.move(task, Status.WORKING, Known(claiming=True))
        claimed = _bind(pen, task, person=speaker.name)
        pen.event(task.id, "task.claimed", run=claimed.run, epoch=claimed.epoch, person=speaker.name, taken_from=run)
        return claimed


def request_run(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Ask for a start ahead of order, for when no slot is free. Refused while a blocker is open."""
    with parts.store.transaction(f"request run of {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = claimable(tx.task(task_id), None)
        if task.status is Status.BACKLOG:
            task = pen.move(task, Status.PENDING)
        _check_unblocked(pen, task)
        pen.event(task.id, "task.updated", request=RequestKind.RUN.value)
        return pen.keep(replace(task, request=Request(RequestKind.RUN, "start now, ahead of order", pen.now)))


def claimable(task: Task, epoch: int | None) -> Task:
    """Return a task that nobody holds, at the epoch that was seen. Raises AlreadyClaimed, StaleWrite."""
    if task.claim and task.claim.held:
        raise AlreadyClaimed(task.id, str(task.claim.run))
    if epoch is not None and task.epoch != epoch:
        raise StaleWrite(task.id, f"its claim is at epoch {task.epoch}, not {epoch}")
    return task


def _started(pen: Pen, task: Task) -> Task:
    """Make a backlog task pending in the same entry, then move it into working."""
    if task.status is Status.BACKLOG:
        _check_unblocked(pen, task)
        task = pen.move(task, Status.PENDING)
    return pen.move(task, Status.WORKING, Known(claiming=True))


def _check_unblocked(pen: Pen, task: Task) -> None:
    blockers = pen.open_blockers(task, pen.parts.settings())
    if blockers:
        legal = (Status.PENDING, Status.CANCELLED)
        reason = f"it is blocked by {', '.join(blockers)}"
        raise IllegalTransition(task.id, task.status, Status.WORKING, legal, reason, blockers)


def _bind(pen: Pen, task: Task, *, person: str | None = None) -> Task:
    """Write who holds the task and every name that follows from it, so that a crash after this loses nothing."""
    parts, settings = pen.parts, pen.parts.settings()
    epoch = next_epoch(parts, task)
    _name_parents(pen, task)
    run = f"{'' if person is None else 'person-'}{task.id}-{epoch}"
    claim = Claim(run, epoch, parts.random(8).hex(), parts.host, times.stamp(parts.clock.now()))
    return pen.keep(
        replace(
            task,
            claim=claim,
            run=run,
            branch=task.branch or names.branch_for(settings.branches.pattern, task),
            workspace=parts.workspaces.path_for(task),
            tmux_session=session_name(task, epoch) if person is None else None,
            assignee=person or task.assignee,
        )
    )


def _name_parents(pen: Pen, task: Task) -> None:
    """Give the parents whose branches a task is cut from the names of those branches for good."""
    settings = pen.parts.settings()
    if settings.branches.hierarchical and task.parent:
        for parent in lineage.line(task, settings, pen.tx.board().tasks):
            if parent.branch is None:
                pen.keep(replace(parent, branch=lineage.branch_of(parent, settings)))


def next_epoch(parts: Parts, task: Task) -> int:
    """Return an epoch that no run of the task ever had: its file may have been put back to an older state by hand."""
    return max(task.epoch, parts.runs.last(task.id)) + 1


def session_name(task: Task, epoch: int) -> str:
    """Name the session of a run: safe characters only, all from orange itself."""
    return f"{task.name}-{task.id}-{epoch}"


def check_epoch(task: Task, run: str) -> None:
    """Refuse a writer whose claim is over. Raises StaleWrite."""
    if task.claim is None or task.claim.run != run:
        raise StaleWrite(task.id, f"it is no longer held by {run}")


def check_person(speaker: Speaker, what: str) -> None:
    """Refuse agents. Raises NotAllowed."""
    if speaker.actor is Actor.AGENT:
        raise NotAllowed(f"agents cannot {what}: a person does, outside the run")
