"""The course of a run: the steps of the task's pipeline with what each agent is told, and where the run begins.

Where it begins follows from the records of the runs before and from what was asked for since: nothing else remembers.

Next in the flow: the run's spec carries it, the supervisor walks it.
"""

from __future__ import annotations

from collections.abc import Mapping

from orange.core import effective, prompt
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import RequestKind, Task
from orange.core.ports import Course, RunRecord, StepSpec
from orange.core.problems import PipelineUnusable, TaskNotFound
from orange.core.settings import AgentSettings, Settings
from orange.core.steps import BY_AGENT, COMMIT, REVIEW, Pipeline, Result, Step, progress, resumed, with_gates
from orange.project.parts import Parts

#: So many runs back the records are looked through.
LOOK_BACK = 10
#: Requests to change what was done.
_CHANGES = frozenset({RequestKind.CHANGES, RequestKind.CONFLICT, RequestKind.CHECKS})


def pipeline_of(parts: Parts, task: Task) -> Pipeline:
    """Return a task's pipeline with the human gates of the project's mode. Raises PipelineUnusable."""
    settings = parts.settings()
    found = parts.pipelines.get(effective.pipeline_of(task))
    return with_gates(found, settings.mode, person_reviews=settings.review.by in {"human", "both"})


def last_run(parts: Parts, task: Task, epoch: int) -> RunRecord | None:
    """Find the latest run, of this claim or an earlier one, that did any of the task's steps."""
    for number in range(epoch, max(0, epoch - LOOK_BACK), -1):
        record = parts.runs.record(f"{task.id}-{number}")
        if record and record.launched and record.course:
            return record
    return None


def steps_view(parts: Parts, task: Task) -> list[dict[str, object]]:
    """Say of each step of a task how far it is; nothing where its pipeline cannot be read."""
    record = last_run(parts, task, task.epoch)
    known = record.course if record else None
    try:
        steps = pipeline_of(parts, task).steps
    except PipelineUnusable:
        steps = known.steps if known else ()
    now = known.now if known and record and record.outcome is None else None
    found = progress(steps, known.results if known else (), now)
    return [_by_status(line, task) for line in found]


def _by_status(line: dict[str, object], task: Task) -> dict[str, object]:
    """Say of the steps that no run does how far they are: the task's status tells."""
    if line["state"] == "waiting" and not (task.stuck and task.stuck.reason is StuckReason.APPROVAL):
        return {**line, "state": "pending"}  # the run that is to ask for it has not come there
    if line["kind"] == REVIEW and task.status in {Status.REVIEWING, Status.REVIEWED, Status.DONE}:
        return {**line, "state": "waiting" if task.status is Status.REVIEWING else "done"}
    if line["kind"] == COMMIT and task.status in {Status.REVIEWED, Status.DONE}:
        return {**line, "state": "waiting" if task.status is Status.REVIEWED else "done"}
    return line


def results_of(parts: Parts, task: Task, epoch: int) -> tuple[Result, ...]:
    """Return what came of the task's steps up to a claim."""
    record = last_run(parts, task, epoch)
    return record.course.results if record and record.course else ()


def course_of(parts: Parts, task: Task, values: Mapping[str, str], agent: str) -> Course:
    """Say which steps the claimed run of an agent does, from where. Raises PipelineUnusable."""
    pipeline = pipeline_of(parts, task)
    before = results_of(parts, task, task.epoch - 1)
    asked = task.request
    results = resumed(
        pipeline.steps,
        before,
        approved=asked.message if asked and asked.kind is RequestKind.RESUME else None,
        feedback=asked.message if asked and asked.kind in _CHANGES else None,
    )
    agents = [step for step in pipeline.steps if step.kind in BY_AGENT]
    alone = len(agents) == 1
    specs = {step.name: _spec(parts, task, step, _told(parts, step, values, alone=alone), agent) for step in agents}
    return Course(pipeline.name, pipeline.steps, results, specs)


def _spec(parts: Parts, task: Task, step: Step, told: tuple[str, str, str], main: str) -> StepSpec:
    settings: Settings = parts.settings()
    agent = step.agent or main
    own = agent == effective.agent_of(task, settings)  # a model is one agent's word
    meant = own or step.agent is not None
    return StepSpec(
        agent=agent,
        model=(step.model if meant else None) or ((task.model or settings.model) if own else None),
        effort=(step.effort if meant else None) or ((task.effort or settings.effort) if own else None),
        agent_settings=settings.agents.get(agent, AgentSettings()),
        prompt=told[0],
        followup=told[1],
        taken_up=told[2],
    )


def _told(parts: Parts, step: Step, values: Mapping[str, str], *, alone: bool) -> tuple[str, str, str]:
    """Compose a step's prompt for a new conversation, for that of the steps before it, for that of an earlier run."""
    plain = alone and not (step.prompt or step.role or step.skill)
    told = dict(values) if plain else prompt.for_step(values, step, _purpose(parts, step))
    frame, continued = parts.pipelines.template(prompt.FRAME), parts.pipelines.template(prompt.CONTINUED)
    within = prompt.fill(continued, {**told, "request": "", "since": ""})
    return prompt.fill(frame, told), within, prompt.fill(continued, told)


def _purpose(parts: Parts, step: Step) -> str:
    name = step.prompt or step.name
    if step.prompt is None or (" " not in name and parts.pipelines.has_template(name)):
        return parts.pipelines.template(name)
    return step.prompt


def values_of(parts: Parts, task: Task, base: str, since: str) -> dict[str, str]:
    """Say what the variables of prompt templates stand for, but those of a step."""
    body = parts.store.body(task.id)
    handoffs = _handoffs(parts, task)
    return prompt.variables(task, body, handoffs=handoffs, base=base, since=since)


def _handoffs(parts: Parts, task: Task) -> dict[str, str]:
    from orange.core.body import section

    found = {}
    for blocker in task.blocked_by:
        try:
            text = section(parts.store.body(blocker), "Handoff")
        except TaskNotFound:
            continue
        if text:
            found[blocker] = text
    return found
