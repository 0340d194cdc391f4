"""What happens to a task when a run has ended, or when the world has moved on without one.

Called by the reconciler with what `decide` asked for; everything is looked at again under the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orange.core import checks, effective, times
from orange.core.actions import Advance, CloseRun, MendChildren, SettleRun
from orange.core.kin import children_of, mended
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import BranchState, Merged, Presence, Publish, Request, RequestKind, Run, Task
from orange.core.model import Outcome as Ended
from orange.core.problems import NotAllowed, StaleWrite
from orange.core.publish_result import Outcome
from orange.core.retry import allowed
from orange.core.reviews import is_review
from orange.core.rules import UNKNOWN, Ruling, Work, drop, judge
from orange.core.sharing import Integrated, Publication
from orange.project import results, texts
from orange.project.claims import check_epoch
from orange.project.launch import base_of
from orange.project.parts import Parts
from orange.project.record import Known, Pen
from orange.project.requests import Speaker


def close(parts: Parts, action: CloseRun) -> None:
    """Write the end of a run that is proven dead, and save what it left. Raises StaleWrite when the task has moved on.

    It goes into the run's own record, so that a vanished run counts like any other failed one.
    """
    task = look(parts, action.task)
    check_epoch(task, action.run)
    commit = None
    if parts.settings().auto_commit and not is_review(action.run):
        commit = keep_leftovers(parts, task, f"Save work of an ended run: {task.title}")
    parts.runs.close(action.run, action.outcome, action.message, commit)


def settle(parts: Parts, speaker: Speaker, action: SettleRun, run: Run | None) -> Task:
    """Bring an ended run's result into its task. Raises StaleWrite when the task has moved on."""
    peeked = look(parts, action.task)
    check_epoch(peeked, action.run)
    if (run is None or run.commit is None) and parts.settings().auto_commit:
        keep_leftovers(parts, peeked, f"Save work of an ended run: {peeked.title}")
    integrated = action.to is Status.DONE and nothing_unmerged(parts, peeked)
    ruling = ruling_of(parts, peeked) if action.to in {Status.REVIEWED, Status.DONE} else None
    with parts.store.transaction(f"settle {action.run}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(action.task)
        check_epoch(task, action.run)
        evidence = f"{parts.runs.folder(action.run)}/error.md" if action.failed else None
        if action.to is task.status:  # it asked, and its run has ended: only the binding goes
            pen.stages(task)
            return pen.keep(task.unbound())
        attempts = task.attempts + 1 if action.failed else task.attempts
        if action.to is Status.STUCK:
            moved = pen.stick(task, action.stuck or StuckReason.FAILED, action.reason, evidence)
            if action.stuck is StuckReason.APPROVAL:  # what was asked for before is done
                moved = replace(moved, request=None)
        else:
            known = Known(integrated=integrated, checked=run is not None and bool(run.checked), ruling=ruling)
            moved = pen.move(task, action.to, known, reason=action.reason, run=action.run)
        if action.to is Status.DONE:
            _note_unmerged(pen, task, None)
        if action.request:
            moved = replace(moved, request=Request(RequestKind.CHANGES, action.request, pen.now))
        elif run is not None and run.outcome is Ended.CHECKS_FAILED:
            moved = replace(moved, request=_failed_checks(pen, run))
        told = {**_run_data(run), **_planted(parts, action.run)}
        pen.event(task.id, "task.execute", status="failed" if action.failed else "finished", **told)
        return pen.keep(replace(moved, attempts=attempts))


def _planted(parts: Parts, run: str) -> Mapping[str, object]:
    found = parts.runs.planted(run)
    return {"planted": list(found)} if found else {}


def _failed_checks(pen: Pen, run: Run) -> Request:
    """Ask the agent to mend what the checks of its run did not pass."""
    told = checks.results_of(pen.parts.runs.checks(run.id) or {})
    text = checks.feedback(told, f"at {run.commit[:12] if run.commit else 'what it left'}") if told else run.message
    return Request(RequestKind.CHECKS, text or "a check did not pass", pen.now)


def keep_leftovers(parts: Parts, task: Task, message: str) -> str | None:
    """Commit what lies uncommitted in a task's workspace, where it has been made; returns the branch's tip."""
    if task.workspace and task.workspace in {workspace.path for workspace in parts.workspaces.list()}:
        return parts.workspaces.commit_leftovers(task.workspace, message)
    return None


def return_workspace(parts: Parts, path: str, task_id: str) -> Sequence[str]:
    """Give a task's workspace back, and say in its file that it has none; returns what was saved and said.

    Raises WorkspaceFailed when that cannot be proven safe; the task then keeps it.
    """
    said = parts.workspaces.release(path)
    parts.cleanups.put(task_id, wanted=False)
    with parts.store.transaction(f"return the workspace of {task_id}") as tx:
        task = tx.task(task_id)
        if task.workspace == path and not task.held:
            tx.put(replace(task, workspace=None, ports=()))
    return said


def advance_task(parts: Parts, speaker: Speaker, action: Advance) -> Task:
    """Move a task that no run holds, as `decide` asked. Raises IllegalTransition, StaleWrite."""
    peeked = look(parts, action.task)
    integrated = action.to is Status.DONE and nothing_unmerged(parts, peeked)
    found = _found_merged(parts, peeked) if integrated else None
    ruling = ruling_of(parts, peeked) if action.to is Status.REVIEWED else None
    if integrated and peeked.id in parts.publications.tasks():
        parts.publications.put(peeked.id, None)
    with parts.store.transaction(f"advance {action.task} to {action.to}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(action.task)
        if task.status is not peeked.status:
            raise StaleWrite(task.id, f"it went to {task.status}")
        if action.to is Status.STUCK:
            return pen.stick(task, action.stuck or StuckReason.MANUAL, action.reason, action.evidence)
        approved = task.approved is not None
        known = Known(integrated=integrated, approved=approved, checked=True, ruling=ruling)  # checked: `decide` saw it
        moved = pen.move(task, action.to, known, reason=action.reason)
        if action.to is Status.REVIEWING:
            moved = pen.keep(replace(moved, approved=None))
        if action.to is Status.DONE:
            _note_unmerged(pen, task, found)
            pen.event(task.id, "task.completed", reason=action.reason)
            moved = pen.keep(replace(moved, merged=found[0] if found else None))
        return moved


def _note_unmerged(pen: Pen, task: Task, found: tuple[Merged, Outcome] | None) -> None:
    """Note what came of publishing a task that closes without a merge just now; a parent's children did the work."""
    if task.status is Status.DELEGATED:
        return
    if effective.publish_of(task, pen.parts.settings()) is Publish.NONE:
        results.note(pen, task, Outcome.DISABLED, branch=task.branch)
    elif found is None:
        results.note(pen, task, Outcome.NO_CHANGES, branch=task.branch)
    else:
        merged, outcome = found
        results.note(pen, task, outcome, branch=task.branch, base=merged.base, commit=merged.commit)


def _found_merged(parts: Parts, task: Task) -> tuple[Merged, Outcome] | None:
    """Say how work was integrated that is found in the base: by hand, or by a daemon killed before it said so."""
    state, base = branch_state(parts, task), base_of(parts, task)
    if state.tip is None or parts.integration.contains([(state.tip, base)])[state.tip, base] is not Presence.THERE:
        return None
    merge, now = parts.integration.merge_of(state.tip, base), times.stamp(parts.clock.now())
    if merge is None:
        return Merged(state.tip, base, now), Outcome.MERGED_ELSEWHERE
    owe_push(parts, base)  # the daemon may have been killed before it noted that, too
    return Merged(merge, base, now), Outcome.MERGED


def nothing_unmerged(parts: Parts, task: Task) -> bool:
    """Whether the task's branch holds nothing that its base has not, or it publishes nothing by choice."""
    if effective.publish_of(task, parts.settings()) is Publish.NONE:
        return True
    state = branch_state(parts, task)
    return not state.unmerged


def ruling_of(parts: Parts, task: Task) -> Ruling | None:
    """Say what the project's rules ask for on a task's work as it is now; None: nothing."""
    wanted = effective.rules_of(parts.settings())
    if not wanted or not task.branch:
        return None
    change = parts.integration.changes({task.id: (task.branch, base_of(parts, task))}).get(task.id)
    records = parts.runs.recent([], [task.id], parts.settings().limits.attempts).values()
    failed = sum(record.outcome is Ended.CHECKS_FAILED for record in records)
    last = max(records, key=lambda record: record.spec.epoch, default=None)
    lower = drop(parts.candidates.coverage().get(base_of(parts, task), {}), last.figures if last else {})
    return UNKNOWN if change is None else judge(wanted, Work(change, failed, lower))


def branch_state(parts: Parts, task: Task) -> BranchState:
    """Look at one task's branch now."""
    if not task.branch:
        return BranchState(None, unmerged=False)
    merged = task.merged.commit if task.merged else None
    return parts.integration.branch_states({task.id: (task.branch, base_of(parts, task), merged)})[task.id]


def integrate(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Merge a reviewed task into its base and close it; a conflict becomes a request on the task.

    Raises StaleWrite when the branch has moved on from the approved commit, GitFailed.
    """
    task = look(parts, task_id)
    if task.status is not Status.REVIEWED:
        raise StaleWrite(task.id, f"it is {task.status}, not reviewed")
    if parts.settings().checks_required and not parts.settings().checks:
        raise NotAllowed("checks are required (`checks_required`), and the project has none: see `orange config show`")
    base = base_of(parts, task)
    expect = task.approved.commit if task.approved else None
    result = parts.integration.integrate(str(task.branch), base, texts.merge(parts, task, base), expect)
    if result.commit is not None:
        owe_push(parts, base)
    return integrated(parts, speaker, task_id, base, result)


def integrated(parts: Parts, speaker: Speaker, task_id: str, base: str, result: Integrated) -> Task:
    """Record what came of a reviewed task's merge: it is done, or a conflict is a request on it. Raises StaleWrite."""
    with parts.store.transaction(f"integrate {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        if task.status is not Status.REVIEWED:
            raise StaleWrite(task.id, f"it went to {task.status} while it was merged")
        return _integrated(pen, task, base, result)


def owe_push(parts: Parts, base: str) -> None:
    """Note, where `publish_push` is set, that a base is to be pushed; a parent's branch is not, it is on its way."""
    nested = parts.settings().branches.hierarchical
    if parts.settings().publish_push and not (nested and base in {t.branch for t in parts.store.read().tasks.values()}):
        parts.publications.put_base(base, Publication())


def _integrated(pen: Pen, task: Task, base: str, result: Integrated) -> Task:
    if result.commit is None:
        files = ", ".join(result.conflicts)
        results.note(pen, task, Outcome.CONFLICT, branch=task.branch, base=base, files=list(result.conflicts))
        message = f"the branch does not merge into {base}: conflicts in {files}"
        return pen.keep(replace(task, request=Request(RequestKind.CONFLICT, message, pen.now), approved=None))
    merged = Merged(result.commit, base, pen.now)
    moved = pen.move(task, Status.DONE, Known(integrated=True, approved=True, checked=True), commit=result.commit)
    outcome = Outcome.MERGED if result.changed else Outcome.NO_CHANGES
    results.note(pen, task, outcome, branch=task.branch, base=base, commit=result.commit)
    pen.event(task.id, "task.completed", commit=result.commit)
    return pen.keep(replace(moved, merged=merged))


def launch_failed(parts: Parts, speaker: Speaker, task_id: str, run: str, message: str) -> Task:
    """Count a run that could not be launched as a failed attempt."""
    with parts.store.transaction(f"launch of {run} failed") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        check_epoch(task, run)
        attempts = task.attempts + 1
        pen.event(task_id, "task.prepare", status="failed", message=message)
        if attempts >= allowed(task, parts.settings().limits):
            moved = pen.stick(task, StuckReason.FAILED, message)
        else:
            moved = pen.move(task, Status.PENDING, reason=message)
        return pen.keep(replace(moved, attempts=attempts))


def launch_refused(parts: Parts, speaker: Speaker, task_id: str, run: str, message: str) -> Task:
    """Set a task aside that cannot be run as it is written: no further attempt would change that."""
    with parts.store.transaction(f"launch of {run} refused") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        check_epoch(task, run)
        pen.event(task_id, "task.prepare", status="failed", message=message)
        return pen.stick(task, StuckReason.INVALID, message)


def mend_children(parts: Parts, speaker: Speaker, action: MendChildren) -> Task:
    """Write a parent's list of children as the children say."""
    with parts.store.transaction(f"mend children of {action.parent}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(action.parent)
        board = tx.board()
        found = children_of(board.tasks).get(task.id, ())
        right = mended(task.children, found, board.frozen)
        return pen.keep(replace(task, children=right)) if right is not None else task


def archive(parts: Parts, speaker: Speaker, task_id: str) -> None:
    """Move a finished task's files below the archive folder of the month it was finished in."""
    with parts.store.transaction(f"archive {task_id}") as tx:
        task = tx.task(task_id)
        month = (task.updated_at or task.created_at)[:7].replace("-", "/")
        Pen(parts, speaker, tx).event(task_id, "task.updated", archived=True)
        tx.move(task_id, f"archive/{month}")


def look(parts: Parts, task_id: str) -> Task:
    """Read one task anew, in a transaction of its own, for facts that take git to find out."""
    with parts.store.transaction(f"look at {task_id}") as tx:
        return tx.task(task_id)


def _run_data(run: Run | None) -> Mapping[str, object]:
    if run is None:
        return {}
    return {"run": run.id, "outcome": run.outcome, "exit_code": run.exit_code, "message": run.message}
