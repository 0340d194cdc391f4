"""Publication by way of a remote: a reviewed task's branch pushed, its pull request followed, a base pushed.

Each step can be repeated: what is not known to have been done is done again, and does nothing the second time. What
follows from a pull request is decided in `core.pullrequest`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orange.core import effective
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Publish, Request, RequestKind, Task
from orange.core.problems import OrangeError, StaleWrite
from orange.core.publish_result import Outcome
from orange.core.publishing import tried
from orange.core.pullrequest import Changes, WasClosed, WasMerged, judge
from orange.core.sharing import Publication
from orange.project import results
from orange.project.launch import base_of
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import Speaker
from orange.project.settling import branch_state, look
from orange.project.texts import pull_request


def publish(parts: Parts, speaker: Speaker, task_id: str) -> None:
    """Push a reviewed task's branch, or look what became of it. Raises StaleWrite, PushRefused, ForgeFailed."""
    task = look(parts, task_id)
    tip = branch_state(parts, task).tip
    if task.status is not Status.REVIEWED or tip is None or (task.approved and task.approved.commit != tip):
        raise StaleWrite(task_id, "it is not reviewed at its branch's present commit")
    known = parts.publications.tasks().get(task_id, Publication())
    step = _Step(parts, speaker, task, tip)
    try:
        known = step.follow(known) if known.commit == tip else step.push(known)
    except StaleWrite:
        raise
    except OrangeError as failed:
        latest = parts.publications.tasks().get(task_id, known)
        parts.publications.put(task_id, tried(latest, parts.clock.now(), failed.message))
        raise
    parts.publications.put(task_id, known)


def push_base(parts: Parts, base: str) -> None:
    """Push what was merged into a base. Raises PushRefused, GitFailed."""
    known = parts.publications.bases().get(base)
    if known is None:
        return
    try:
        parts.integration.push_base(base)
    except OrangeError as failed:
        parts.publications.put_base(base, tried(known, parts.clock.now(), failed.message))
        raise
    parts.publications.put_base(base, None)


class _Step:
    """One push of, or look at, one task's branch at one commit."""

    def __init__(self, parts: Parts, speaker: Speaker, task: Task, tip: str) -> None:
        self._parts, self._speaker, self._task, self._tip = parts, speaker, task, tip
        self._base = base_of(parts, task)

    def push(self, known: Publication) -> Publication:
        """Push the branch, and see to its pull request."""
        parts, branch = self._parts, str(self._task.branch)
        remote = parts.integration.push(branch, self._tip, self._base)
        known = replace(tried(known, parts.clock.now()), commit=self._tip)
        parts.publications.put(self._task.id, known)
        self._note(Outcome.PUSHED, remote=remote, url=known.url)
        return self._opened(known)

    def _opened(self, known: Publication) -> Publication:
        """Open the pull request of a task that is published so and has none."""
        if known.number is not None or effective.publish_of(self._task, self._parts.settings()) is not Publish.PR:
            return known
        title, body = pull_request(self._parts, self._task, self._base)
        found = self._parts.forge.open(str(self._task.branch), self._base, title, body)
        self._note(Outcome.PR_OPENED, url=found.url, number=found.number)
        return replace(known, number=found.number, url=found.url)

    def follow(self, known: Publication) -> Publication:
        """Look whether the work was merged elsewhere, and what was said about it."""
        now = self._parts.clock.now()
        known = self._opened(known)
        verdict = judge(self._parts.forge.look(known.number), known.seen) if known.number is not None else WasMerged()
        match verdict:
            case WasMerged():
                there = self._parts.integration.take_remote(self._base, self._tip)
                missing = f"{known.url} was merged, but its work is not seen in {self._base} of the remote"
                return tried(known, now, None if there or known.number is None else missing)
            case WasClosed():
                self._change(lambda pen, task: self._closed(pen, task, str(known.url)))
                return Publication(known.commit, now)
            case Changes():
                self._change(lambda pen, task: self._asked(pen, task, verdict.text, str(known.url)))
                return replace(tried(known, now), seen=verdict.seen)
        return tried(known, now)

    @staticmethod
    def _closed(pen: Pen, task: Task, url: str) -> None:
        results.note(pen, task, Outcome.PR_CLOSED, url=url)
        pen.stick(task, StuckReason.MANUAL, f"its pull request was closed without being merged: {url}", url)

    @staticmethod
    def _asked(pen: Pen, task: Task, text: str, url: str) -> None:
        results.note(pen, task, Outcome.CHANGES_REQUESTED, url=url)
        request = Request(RequestKind.CHANGES, text, pen.now)
        pen.keep(replace(task, request=request, review_round=task.review_round + 1, approved=None))

    def _note(self, outcome: Outcome, **data: object) -> None:
        details = {"branch": self._task.branch, "base": self._base, "commit": self._tip, **data}
        self._change(lambda pen, task: results.note(pen, task, outcome, **details))

    def _change(self, write: Callable[[Pen, Task], None]) -> None:
        """Write to the task if it still is as it was. Raises StaleWrite."""
        with self._parts.store.transaction(f"publish {self._task.id}") as tx:
            task = tx.task(self._task.id)
            if task.status is not Status.REVIEWED or task.request is not None:
                raise StaleWrite(task.id, "it moved on while it was published")
            write(Pen(self._parts, self._speaker, tx), task)
