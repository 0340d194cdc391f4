"""`orange task rollback`: takes a done task's work out of its base again, by a commit that reverts its merge.

The task keeps where it was merged: a retry begins by bringing the work back on its branch (`launch`).
"""

from __future__ import annotations

from dataclasses import replace

from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Merged, Task
from orange.core.problems import InvalidInput, RevertConflict, StaleWrite
from orange.core.publication import reverts
from orange.core.publish_result import Outcome
from orange.project import results, texts
from orange.project.claims import check_person
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import Speaker
from orange.project.settling import look, owe_push


def rollback(parts: Parts, speaker: Speaker, task_id: str) -> Task:
    """Revert a done task's merge on its integrated base.

    Raises RevertConflict naming the files, InvalidInput, StaleWrite, GitFailed; then nothing changed.
    """
    check_person(speaker, "roll back a task")
    task = look(parts, task_id)
    merged = _merge(parts, task)
    subject = texts.merge(parts, task, merged.base).partition("\n")[0]
    message = f"{reverts(subject, merged.commit)}\nTask: {task.id}\n"
    result = parts.integration.rollback(merged.commit, merged.base, message)
    if result.commit is None:
        raise RevertConflict(task.id, merged.base, result.conflicts)
    owe_push(parts, merged.base)
    with parts.store.transaction(f"roll back {task_id}") as tx:
        pen, current = Pen(parts, speaker, tx), tx.task(task_id)
        if current.status is not task.status:
            raise StaleWrite(task_id, f"it went to {current.status}")
        return _rolled_back(pen, current, merged, result.commit)


def _rolled_back(pen: Pen, task: Task, merged: Merged, revert: str) -> Task:
    message = f"rolled back: {revert[:12]} takes its work out of {merged.base}; a retry brings it back on its branch"
    moved = pen.stick(task, StuckReason.MANUAL, message, revert)
    results.note(pen, task, Outcome.ROLLED_BACK, base=merged.base, commit=revert)
    return pen.keep(replace(moved, merged=merged, approved=None))


def _merge(parts: Parts, task: Task) -> Merged:
    """Find the merge commit that brought a done task's work into its base: never one that brought other work."""
    if task.status is not Status.DONE or task.merged is None:
        raise InvalidInput("task", f"{task.id} is {task.status} and was not merged: there is nothing to take out")
    merged = task.merged
    parent = parts.store.read().tasks.get(task.parent or "")
    if parent is not None and parent.branch == merged.base and parent.status is Status.DONE:
        message = f"{task.id} was merged into the branch of its parent, which is merged too: roll {parent.id} back"
        raise InvalidInput("task", message)
    outcomes = (event.data for event in parts.store.events(task.id) if event.type == "task.publish_result")
    if any(data.get("outcome") == "merged" and data.get("commit") == merged.commit for data in outcomes):
        return merged
    merge = parts.integration.merge_of(merged.commit, merged.base)
    if merge is None:
        message = f"orange did not merge it: revert its commits in {merged.base} yourself, with `git revert`"
        raise InvalidInput("task", f"{task.id} cannot be rolled back, because {message}")
    return replace(merged, commit=merge)
