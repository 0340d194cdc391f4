"""Merges that are checked first: what a base would become is made, checked in a workspace of its own, then adopted.

Each step can be repeated. The checks run in a session of their own with a supervisor like any run's, so that they
outlive the daemon, are ended with all they started, and hold neither a lock nor an agent's slot.

Next in the flow: `core.mergequeue` says what is owed once they are over.
"""

from __future__ import annotations

from dataclasses import replace

from orange.core import checks as checking
from orange.core import runfiles, times
from orange.core.lifecycle import Status, StuckReason
from orange.core.mergequeue import fingerprint
from orange.core.model import Presence, Publish, Request, RequestKind, Task
from orange.core.ports import RunSpec
from orange.core.problems import OrangeError, StaleWrite
from orange.core.publish_result import Outcome
from orange.core.settings import AgentSettings
from orange.core.sharing import Candidate, Integrated
from orange.project import results, settling, texts
from orange.project.launch import base_of, last_work, surroundings
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import Speaker

#: Seconds checks may take to end by themselves before they are killed.
GRACE = 3.0


def check(parts: Parts, speaker: Speaker, task_id: str) -> None:
    """Make what a reviewed task's merge would give, and start the project's checks on it.

    Raises StaleWrite, GitFailed, WorkspaceFailed, SessionFailed, StorageFailed.
    """
    task = _reviewed(parts, task_id)
    before = parts.candidates.all().get(task_id)
    drop(parts, task_id)
    base, expect = base_of(parts, task), task.approved.commit if task.approved else None
    found = parts.integration.propose(str(task.branch), base, texts.merge(parts, task, base), expect)
    if found.commit is None or found.onto is None or found.tip is None:
        settling.integrated(parts, speaker, task_id, base, found)  # a conflict, or nothing to merge
        return
    run = f"{task.id}-c{parts.random(4).hex()}"
    candidate = Candidate(
        task=task.id,
        base=base,
        onto=found.onto,
        tip=found.tip,
        commit=found.commit,
        checks=fingerprint(parts.settings().checks),
        run=run,
        workspace="",
        since=times.stamp(parts.clock.now()),
    )
    candidate = replace(candidate, lost=_lost(before, candidate))
    parts.candidates.put(candidate)
    try:
        _begin(parts, task, candidate)
    except OrangeError as failed:
        parts.candidates.put(replace(candidate, trouble=failed.message))
        raise


def _reviewed(parts: Parts, task_id: str) -> Task:
    task = settling.look(parts, task_id)
    if task.status is not Status.REVIEWED or task.request is not None:
        raise StaleWrite(task.id, f"it is {task.status}, and not waiting to be merged")
    return task


def _lost(before: Candidate | None, now: Candidate) -> int:
    """Count how often checking this very merge came to no result."""
    same = before is not None and (before.onto, before.tip, before.checks) == (now.onto, now.tip, now.checks)
    return before.lost + 1 if before is not None and same else 0


def _begin(parts: Parts, task: Task, candidate: Candidate) -> None:
    path = parts.workspaces.check_out(candidate.base, candidate.commit, task.id)
    candidate = replace(candidate, workspace=path)
    parts.candidates.put(candidate)
    parts.runs.prepare(_spec(parts, task, candidate))
    parts.executor.start(candidate.run, _session(task, candidate))


def _spec(parts: Parts, task: Task, candidate: Candidate) -> RunSpec:
    """Make the spec of a run without an agent: hooks and checks, nothing that is committed."""
    settings = parts.settings()
    return RunSpec(
        run=candidate.run,
        task=task.id,
        name=task.name,
        epoch=0,
        attempt=candidate.lost + 1,
        agent="",
        model=None,
        effort=None,
        workspace=candidate.workspace,
        branch=None,
        base=candidate.base,
        title=task.title,
        prompt="",
        task_file=f"{parts.layout.tree}/{task.path}",
        ports=(),
        env={},
        agent_settings=AgentSettings(),
        stall=0,
        limit=0,
        auto_commit=False,
        checks=settings.checks,
        **surroundings(settings),
    )


def _session(task: Task, candidate: Candidate) -> str:
    return f"{task.name}-{candidate.run}"


def adopt(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Move the base to the merge that passed its checks, and close its task. Raises StaleWrite, GitFailed."""
    task = _reviewed(parts, task_id)
    candidate = _judged(parts, task)
    record = parts.runs.record(candidate.run)
    if record is None or not record.checked:
        raise StaleWrite(task_id, "its merge has not passed the checks")
    if task.approved and task.approved.commit != candidate.tip:
        raise StaleWrite(task_id, "its approval is of another commit than the one that was checked")
    parts.integration.adopt(candidate, str(task.branch))
    settling.owe_push(parts, candidate.base)
    _keep_report(parts, task, candidate)
    found = Integrated(candidate.commit, changed=True)
    if record.figures:
        parts.candidates.note_coverage(candidate.base, record.figures)
    done = settling.integrated(parts, speaker, task_id, candidate.base, found)
    drop(parts, task_id)
    return done


def _judged(parts: Parts, task: Task) -> Candidate:
    """Return the candidate that was checked by what is to be checked now. Raises StaleWrite."""
    candidate = parts.candidates.all().get(task.id)
    if candidate is None or candidate.checks != fingerprint(parts.settings().checks):
        raise StaleWrite(task.id, "its merge has to be checked anew")
    return candidate


def send_back(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Record what the checks of a merge did not pass as a request on its task, or stick it. Raises StaleWrite."""
    task = _reviewed(parts, task_id)
    candidate = _judged(parts, task)
    record = parts.runs.record(candidate.run)
    if record is None or record.outcome is None or record.checked:
        raise StaleWrite(task_id, "the checks of its merge have not failed")
    _keep_report(parts, task, candidate)
    where = f"on the merge of {task.branch} into {candidate.base}, which begins in your worktree"
    told = checking.results_of(parts.runs.checks(candidate.run) or {})
    message = checking.summary(told) or record.message or "the checks failed"
    text = checking.feedback(told, where) if told else f"{message}; {where}"
    with parts.store.transaction(f"send {task_id} back") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        if task.status is not Status.REVIEWED or task.request is not None:
            raise StaleWrite(task_id, f"it went to {task.status} while its merge was checked")
        results.note(pen, task, Outcome.CHECKS_FAILED, branch=task.branch, base=candidate.base, commit=candidate.commit)
        sent = _sent(pen, task, f"{message}, on its merge into {candidate.base}", text)
    drop(parts, task_id)
    return sent


def _sent(pen: Pen, task: Task, message: str, text: str) -> Task:
    """Use up an attempt: ask the agent, or, when it was the last one, somebody."""
    attempts, most = task.attempts + 1, pen.parts.settings().limits.attempts
    if attempts >= most:
        said = f"{message}; attempt {attempts} of {most}, the last"
        task = pen.stick(task, StuckReason.CHECKS_FAILED, said, pen.parts.runs.folder(last_work(pen.parts, task)))
    request = Request(RequestKind.CHECKS, text, pen.now)
    return pen.keep(replace(task, request=request, approved=None, attempts=attempts))


def _keep_report(parts: Parts, task: Task, candidate: Candidate) -> None:
    """Lay what the checks of the merge came to beside the run whose work was merged."""
    told = parts.runs.checks(candidate.run)
    if told:
        run = last_work(parts, task)
        parts.runs.keep(run, runfiles.MERGE_CHECKS, {**told, "commit": candidate.commit, "run": candidate.run})


def drop(parts: Parts, task_id: str) -> None:
    """End the checks of a task's merge, if there are any, prove them dead, and throw their workspace away.

    Raises SessionFailed, WorkspaceFailed, StorageFailed.
    """
    candidate = parts.candidates.all().get(task_id)
    if candidate is None:
        return
    record = parts.runs.record(candidate.run)
    name = record.spec.name if record else None
    if name is not None and parts.executor.stop(candidate.run, f"{name}-{candidate.run}", GRACE) is not Presence.GONE:
        raise StaleWrite(task_id, "the checks of its merge have not ended yet")
    if candidate.workspace:
        parts.workspaces.discard(candidate.workspace)
    parts.candidates.drop(task_id)


def enqueue(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Put a reviewed task into the merge queue, whatever `publish` says: its merge is checked first."""
    with parts.store.transaction(f"queue {task_id}") as tx:
        task = tx.task(task_id)
        if task.status is not Status.REVIEWED:
            raise StaleWrite(task.id, f"it is {task.status}, not reviewed")
        Pen(parts, speaker, tx).event(task_id, "task.updated", publish=Publish.MERGE.value)
        queued = replace(task, publish=Publish.MERGE)
        tx.put(queued)
        return queued
