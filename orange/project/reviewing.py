"""An agent's review of finished work: claimed and launched like any run, in a checkout of its own, concluded by orange.

The reviewer gets the branch's commit in a folder that is thrown away afterwards, so nothing it does there reaches the
task's branch or workspace. Its answer lies in its run's folder; `core.judging` says what follows from it.

Next in the flow: findings are a request on the task, which `dispatch` serves; an approval lets it into the merge queue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from orange.core import effective, judging, prompt, reviews
from orange.core.actions import SettleReview
from orange.core.agents import Resume
from orange.core.comments import EVENT, REVIEW
from orange.core.judging import Conclusion
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Approval, Claim, Outcome, Request, RequestKind, Task
from orange.core.ports import Course, RunRecord, RunSpec, StepSpec
from orange.core.problems import StaleWrite, WorkspaceFailed
from orange.core.rules import Ruling
from orange.core.settings import AgentSettings
from orange.core.steps import FAILED, REVIEWER, Step
from orange.core.steps import REVIEW as REVIEW_STEP
from orange.project import course, settling
from orange.project.claims import check_epoch, claimable, next_epoch
from orange.project.launch import base_of, surroundings
from orange.project.parts import Parts
from orange.project.record import Known, Pen
from orange.project.requests import Speaker

#: Prompt templates: of a review, and of what is said to a reviewer whose answer made no sense, or that was cut off.
ASKED, ASKED_AGAIN, RESUMED = "review", "review_again", "review_resumed"
#: So many claims back reviews are shown.
LOOK_BACK = 20


def claim(parts: Parts, speaker: Speaker, task_id: str, epoch: int) -> Task:
    """Claim a task's review under the next epoch. Raises AlreadyClaimed, StaleWrite."""
    with parts.store.transaction(f"claim the review of {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = claimable(tx.task(task_id), epoch)
        if not judging.is_awaited(task):
            raise StaleWrite(task.id, f"it is {task.status}, and waits for no review")
        number = next_epoch(parts, task)
        run = reviews.run_of(task.id, number)
        held = Claim(run, number, parts.random(8).hex(), parts.host, pen.now)
        pen.event(task.id, "task.claimed", run=run, epoch=number, review=True)
        return pen.keep(replace(task, claim=held, run=run, tmux_session=f"{task.name}-{run}"))


def launch(parts: Parts, task: Task, run: str) -> None:
    """Check the branch's commit out, write the run's spec, start its session.

    Idempotent: once the spec is written, the folder is the reviewer's, who may be at work there already.
    Raises StaleWrite, WorkspaceFailed, PipelineUnusable, SessionFailed, GitFailed, StorageFailed.
    """
    check_epoch(task, run)
    if parts.runs.record(run) is None:
        _prepare(parts, task)
    parts.executor.start(run, str(task.tmux_session))


def _prepare(parts: Parts, task: Task) -> None:
    tip = settling.branch_state(parts, task).tip
    if tip is None:
        raise WorkspaceFailed(f"the branch {task.branch} is gone: there is nothing to review")
    folder = parts.workspaces.check_out(_place(task), tip, task.id)
    parts.runs.prepare(_spec(parts, task, folder, tip))


def _place(task: Task) -> str:
    return f"the review of {task.id}"


def _spec(parts: Parts, task: Task, folder: str, commit: str) -> RunSpec:
    settings = parts.settings()
    step = next((step for step in course.pipeline_of(parts, task).steps if step.kind == REVIEW_STEP), None)
    found = _course(parts, task, step or Step(REVIEW_STEP), _values(parts, task, folder, commit))
    told = found.specs[REVIEW_STEP]
    resume = _cut_off(parts, task, told.agent, folder, commit)
    return RunSpec(
        run=str(task.run),
        task=task.id,
        name=task.name,
        epoch=task.epoch,
        attempt=task.attempts + 1,
        agent=told.agent,
        model=told.model,
        effort=told.effort,
        workspace=folder,
        branch=None,
        base=base_of(parts, task),
        title=task.title,
        prompt=told.prompt,
        task_file=f"{parts.layout.tree}/{task.path}",
        ports=(),
        env={},
        agent_settings=told.agent_settings,
        stall=settings.limits.stall,
        limit=settings.limits.run,
        auto_commit=False,
        **surroundings(settings),
        resume=resume,
        followup=told.taken_up if resume else None,
        course=found,
        reviewed=commit,
    )


def _cut_off(parts: Parts, task: Task, agent: str, folder: str, commit: str) -> Resume | None:
    """Find the conversation of the review before, if its provider's limit ended it, and it was of this very commit."""
    record = parts.runs.record(reviews.run_of(task.id, task.epoch - 1))
    if record is None or record.outcome is not Outcome.RATE_LIMITED or record.conversation.session is None:
        return None
    if (record.speaker, record.spec.workspace, record.spec.reviewed) != (agent, folder, commit):
        return None
    return Resume(record.conversation.session, record.conversation.conversation_tokens)


def _values(parts: Parts, task: Task, folder: str, commit: str) -> dict[str, str]:
    base = base_of(parts, task)
    known = prompt.variables(replace(task, workspace=folder, request=None), parts.store.body(task.id), base=base)
    return {**known, "commit": commit, "answer_file": f"{folder}/{reviews.ANSWER}"}


def _course(parts: Parts, task: Task, step: Step, values: Mapping[str, str]) -> Course:
    """Make the one step of a review; an answer that makes no sense is asked for again, in the same conversation."""
    settings = parts.settings()
    agent = step.agent or effective.agent_of(task, settings)
    own = agent == effective.agent_of(task, settings)  # a model is one agent's word
    asked, again, resumed = (
        prompt.fill(parts.pipelines.template(name), values) for name in (ASKED, ASKED_AGAIN, RESUMED)
    )
    told = StepSpec(
        agent=agent,
        model=step.model or ((task.model or settings.model) if own else None),
        effort=step.effort or ((task.effort or settings.effort) if own else None),
        agent_settings=settings.agents.get(agent, AgentSettings()),
        prompt=asked,
        followup=again,
        taken_up=resumed,
    )
    only = Step(REVIEW_STEP, REVIEWER, timeout=step.timeout, retries=reviews.ASKED_AGAIN)
    return Course(REVIEW_STEP, (only,), (), {REVIEW_STEP: told})


def settle(parts: Parts, speaker: Speaker, action: SettleReview) -> Task:
    """Let go of a review that is over, and do what follows from it. Raises StaleWrite when the task has moved on."""
    task = settling.look(parts, action.task)
    check_epoch(task, action.run)
    record = parts.runs.record(action.run)
    if record is not None:
        parts.workspaces.discard(record.spec.workspace)
    tip = settling.branch_state(parts, task).tip if judging.is_awaited(task) else None
    ruling = settling.ruling_of(parts, task)
    found = _conclusion(parts, task, record, ruling) if record and record.spec.reviewed == tip else None
    with parts.store.transaction(f"settle {action.run}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(action.task)
        check_epoch(task, action.run)
        if found is None or record is None or not judging.is_awaited(task):
            pen.stages(task)
            return pen.keep(task.unbound())  # somebody decided, or the branch has moved on: it says nothing any more
        return _concluded(pen, task, record, found)


def discard_orphans(parts: Parts, paths: Collection[str]) -> None:
    """Throw away folders made for tasks that are no more, unless a session of theirs is, or may be, there.

    Nobody's work is in them: what a reviewer or a check leaves there is lost in any case.
    """
    sessions = parts.executor.observe()
    if sessions is None:
        return
    busy = {words[1] for session in sessions if len(words := session.rsplit("-", 2)) == 3}
    for path, task in parts.workspaces.checked_out().items():
        if path in paths and task not in busy | parts.candidates.all().keys():
            parts.workspaces.discard(path)


def _conclusion(parts: Parts, task: Task, record: RunRecord, ruling: Ruling | None) -> Conclusion:
    settings = parts.settings()
    answer = _answer(parts, record)
    if answer is not None:
        earlier = judging.failed_in_a_row(parts.store.events(task.id))
        return judging.conclude(task, settings, answer, earlier, ruling)
    outcome = record.outcome or Outcome.CRASHED
    results = record.course.results if record.course else ()
    senseless = sum(result.outcome == FAILED for result in results) > reviews.ASKED_AGAIN
    message = record.message or "it ended without an answer"
    return judging.give_up(task, settings, outcome, message, senseless=senseless)


def _concluded(pen: Pen, task: Task, record: RunRecord, found: Conclusion) -> Task:
    run, commit = record.spec.run, str(record.spec.reviewed)
    _note(pen, task, record, found)
    attempts = task.attempts + 1 if found.failed else task.attempts
    if found.to is Status.STUCK:
        stuck = pen.stick(task, found.stuck or StuckReason.FAILED, found.message, pen.parts.runs.folder(run))
        return pen.keep(replace(stuck, attempts=attempts))
    if found.to is Status.REVIEWED:
        moved = pen.move(task, Status.REVIEWED, Known(approved=True), approved=commit)
        return pen.keep(replace(moved, approved=Approval(commit, f"{effective.AGENT_MARK}{run}", pen.now)))
    pen.stages(task)
    kept = replace(task.unbound(), attempts=attempts)
    if found.request is None:
        return pen.keep(kept)
    request = Request(RequestKind.CHANGES, found.request, pen.now)
    return pen.keep(replace(kept, request=request, review_round=task.review_round + 1))


def _note(pen: Pen, task: Task, record: RunRecord, found: Conclusion) -> None:
    """Say in the task's trail and text what came of a review."""
    run, answer = record.spec.run, _answer(pen.parts, record)
    if answer is None:
        outcome = record.outcome or Outcome.CRASHED
        pen.event(task.id, "task.execute", status="failed", run=run, outcome=outcome, message=found.message)
        return
    said = judging.PASSED if answer.passed else judging.FAILED
    told: dict[str, object] = {REVIEW: said, "run": run, "commit": record.spec.reviewed, "agent": record.speaker}
    pen.event(task.id, EVENT, **told, message=found.message)
    parts = ("Verdict: PASS" if answer.passed else "Verdict: FAIL", reviews.feedback(answer))
    pen.tx.write_section(task.id, "Review", "\n\n".join(part for part in parts if part))


def _answer(parts: Parts, record: RunRecord) -> reviews.Answer | None:
    """Return what a review came to; None where it did not come to its end."""
    return reviews.answer_of(parts.runs.review(record.spec.run)) if record.outcome is Outcome.FINISHED else None


def launch_failed(parts: Parts, speaker: Speaker, task_id: str, run: str, message: str) -> Task:
    """Count a review that could not be launched as a failed attempt. Raises StaleWrite."""
    with parts.store.transaction(f"launch of {run} failed") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        check_epoch(task, run)
        pen.event(task_id, "task.prepare", status="failed", run=run, message=message)
        found = judging.give_up(task, parts.settings(), Outcome.FAILED, message)
        if found.stuck:
            task = pen.stick(task, found.stuck, found.message, parts.runs.folder(run))
        return pen.keep(replace(task.unbound(), attempts=task.attempts + 1))


def shown(parts: Parts, task: Task) -> list[dict[str, object]]:
    """List what agents said of a task's work, the latest first."""
    epochs = range(task.epoch, max(0, task.epoch - LOOK_BACK), -1)
    found = (parts.runs.review(reviews.run_of(task.id, epoch)) for epoch in epochs)
    return [dict(told) for told in found if told]


def failed(parts: Parts, task: Task) -> bool:
    """Whether a task is stuck because its review came to nothing."""
    run = reviews.run_of(task.id, task.epoch)
    if task.stuck is None or task.stuck.evidence != parts.runs.folder(run):
        return False
    record = parts.runs.record(run)
    return record is None or record.outcome is not Outcome.FINISHED
