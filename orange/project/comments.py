"""Comments on lines: taken in one by one, shown while they are pending, sent with the reviewer's decision.

Next in the flow: `moves.reject` and `moves.approve` take them along.
"""

from __future__ import annotations

import posixpath

from orange.core import comments
from orange.core.comments import COMMENT, EVENT, REVIEW, Comment
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Task
from orange.core.problems import IllegalTransition, InvalidInput
from orange.project.claims import check_person
from orange.project.launch import base_of
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import Speaker


def pending(parts: Parts, task: Task) -> tuple[Comment, ...]:
    """List a task's comments that wait for a decision."""
    return comments.pending(parts.store.events(task.id))


def comment(parts: Parts, speaker: Speaker, task: Task, said: Comment) -> Task:
    """Keep a comment until the reviewer decides. Raises InvalidInput for a line that the branch does not have."""
    check_person(speaker, "comment on a review")
    text = said.text.strip()
    if not text:
        raise InvalidInput("text", "say what to change: --text TEXT")
    check_under_review(task)
    tip = parts.integration.tip(task.branch) if task.branch else None
    if task.branch is None or tip is None:
        raise InvalidInput("task", f"{task.id} has no branch yet: there is nothing to comment on")
    file = posixpath.normpath(said.file)
    change = parts.integration.changes({task.id: (task.branch, base_of(parts, task))}).get(task.id)
    content = parts.integration.content(tip, file) if change and file in change.paths else None
    comments.check(change, file, said.line, content)
    with parts.store.transaction(f"comment on {task.id}") as tx:
        found = tx.task(task.id)
        check_under_review(found)
        told: dict[str, object] = {REVIEW: COMMENT, "file": file, "line": said.line, "text": text, "commit": tip}
        Pen(parts, speaker, tx).event(task.id, EVENT, **told)
        return found


def check_under_review(task: Task) -> None:
    """Refuse what is for a reviewer to say where nobody has to. Raises IllegalTransition."""
    gated = task.stuck is not None and task.stuck.reason is StuckReason.APPROVAL
    if task.status not in {Status.REVIEWING, Status.REVIEWED} and not gated:
        reason = "only a task under review, or one that waits for approval, is commented on or rejected"
        raise IllegalTransition(task.id, task.status, Status.WORKING, (Status.WORKING,), reason, ())
