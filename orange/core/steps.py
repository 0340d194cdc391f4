"""The steps of a run: what a pipeline is made of, and which step comes next. Values in, values out.

A pipeline's results are an append-only list, kept in the run's folder and handed on to the next run of the task: where
the pipeline stands is read from them anew each time, so that a kill at any instant costs at most the step under way.
Imports next to nothing: a supervisor starts with every run.

Next in the flow: `pipelines` reads the files, `project.course` begins a run, `runner.walk` carries the steps out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The kinds of steps: an agent's prompt; a shell command; a section of the task's text that must be filled; a person's
#: approval; the project's checks; the review, which ends the run; the publication, which the daemon does.
AGENT, COMMAND, GATE, APPROVAL = "agent", "command", "gate", "approval"
VERIFY, REVIEW, COMMIT = "verify", "review", "commit"
#: What the only step of a run is that reviews: no pipeline has it.
REVIEWER = "reviewer"
#: Kinds that an agent works on.
BY_AGENT = frozenset({AGENT, VERIFY, REVIEWER})
#: Kinds that end the run: what follows is the daemon's.
LAST = frozenset({REVIEW, COMMIT})
#: The step that does the work where nothing else says so.
IMPLEMENT = "implement"

#: How a step came out. `INTERRUPTED`: it did not come to an end of its own, and is done again.
DONE, FAILED, SKIPPED, INTERRUPTED = "done", "failed", "skipped", "interrupted"
#: What a person said at an approval, or a reviewer at the end.
APPROVED, REJECTED = "approved", "rejected"


class Step(NamedTuple):
    """One step of a pipeline."""

    name: str
    kind: str = AGENT
    #: What an agent is to do: the name of a prompt template, else the text itself.
    prompt: str | None = None
    #: The command, run by `sh -c` in the workspace.
    run: str | None = None
    #: The section of the task's text that must be filled.
    section: str | None = None
    #: A command; the step is skipped where it exits with 1.
    condition: str | None = None
    #: Seconds; None: as long as the run may take.
    timeout: int | None = None
    #: How often the run goes back after this step failed, before the run fails.
    retries: int = 0
    #: The earlier step to go back to; None: this step itself.
    on_fail: str | None = None
    agent: str | None = None
    model: str | None = None
    effort: str | None = None
    skill: str | None = None
    role: str | None = None
    #: Whether its failure, when it is not tried again, is the run's.
    required: bool = True


class Shape(NamedTuple):
    """What the daemon must know of a pipeline: how it ends."""

    review: bool = True
    commit: bool = True
    #: The agent that its review names.
    reviewer: str | None = None


class Pipeline(NamedTuple):
    """A named list of steps."""

    name: str
    steps: tuple[Step, ...]

    @property
    def shape(self) -> Shape:
        """How it ends."""
        kinds = {step.kind for step in self.steps}
        reviewer = next((step.agent for step in self.steps if step.kind == REVIEW), None)
        return Shape(REVIEW in kinds, COMMIT in kinds, reviewer)


#: How the built-in pipelines end, by name; a test holds them to the files.
SHAPES: Mapping[str, Shape] = {
    **dict.fromkeys(("task", "feature", "bug", "refactor", "docs", "test", "performance", "hotfix"), Shape()),
    "chore": Shape(review=False),
    **dict.fromkeys(("research", "security", "spike", "plan_only", "verify_only"), Shape(review=False, commit=False)),
}


class Result(NamedTuple):
    """How one step came out, once."""

    step: str
    outcome: str
    #: One sentence for people.
    message: str = ""
    #: The run it belongs to.
    run: str = ""
    #: RFC 3339 UTC.
    at: str = ""
    seconds: float = 0.0
    #: The end of what a failed step said; what a person said.
    output: str = ""


class Stand(NamedTuple):
    """Where a pipeline stands."""

    #: Of the next step; the number of steps when none is left.
    at: int
    #: What sent it back there; None when nothing did.
    because: Result | None
    #: The failure that this run ends with; None while it goes on.
    failure: Result | None


class Gates(NamedTuple):
    """Where a mode wants a person's approval: before and after which steps."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


#: The sets of human gates, by the configuration's `mode`.
MODES: Mapping[str, Gates] = {
    "autopilot": Gates(),
    "supervised": Gates(before=("plan", IMPLEMENT, COMMIT)),
    "collaborative": Gates(before=(COMMIT,), after=(IMPLEMENT,)),
    "review_only": Gates(before=(COMMIT,), after=(IMPLEMENT,)),
}


def with_gates(pipeline: Pipeline, mode: str, *, person_reviews: bool) -> Pipeline:
    """Put a mode's approvals in. What is committed after a person's review needs no second approval.

    An approval before the commit stands before the review, which ends the run.
    """
    gates = MODES.get(mode, Gates())
    reviewed = person_reviews and pipeline.shape.review
    last = next((step.name for step in pipeline.steps if step.kind in LAST), None)
    steps: list[Step] = []
    for step in pipeline.steps:
        commits = step.name == last and COMMIT in gates.before and pipeline.shape.commit and not reviewed
        if step.name in gates.before and step.kind not in LAST:
            steps.append(_approval(pipeline, f"approve-{step.name}"))
        elif commits:
            steps.append(_approval(pipeline, "approve-commit"))
        steps.append(step)
        if step.name in gates.after:
            steps.append(_approval(pipeline, f"approve-{step.name}"))
    return Pipeline(pipeline.name, tuple(steps))


def _approval(pipeline: Pipeline, name: str) -> Step:
    """Make an approval whose name no step of the pipeline has."""
    taken = {step.name for step in pipeline.steps}
    return Step(name if name not in taken else f"{name}-gate", APPROVAL)


def stand(steps: Sequence[Step], results: Sequence[Result], run: str = "") -> Stand:
    """Say where a pipeline stands after these results; `run` is the run that asks.

    Only a result of the step that is next, or of an earlier one, counts: no step is passed that has none. Results of
    steps that the pipeline does not have any more are passed over.
    """
    places = {step.name: number for number, step in enumerate(steps)}
    failures: dict[tuple[str, str], int] = {}
    at, because, failure = 0, None, None
    for result in results:
        place = places.get(result.step)
        if place is None or place > at:
            continue
        because, failure = None, None
        if _passes(steps[place], result):
            at = place + 1
            continue
        at, because = place, result if result.outcome in {FAILED, REJECTED} else None
        if result.outcome == REJECTED:
            at = back(steps, place)
        elif result.outcome == FAILED:
            count = failures[result.run, result.step] = failures.get((result.run, result.step), 0) + 1
            if count <= steps[place].retries:
                at = places.get(steps[place].on_fail or "", place)
            elif not steps[place].required:
                at, because = place + 1, None
            elif result.run == run:
                failure = result
    return Stand(at, because, failure)


def _passes(step: Step, result: Result) -> bool:
    if result.outcome == SKIPPED:
        return step.condition is not None
    return result.outcome == (APPROVED if step.kind == APPROVAL else DONE)


def back(steps: Sequence[Step], place: int) -> int:
    """Return where work goes on that was not accepted at a step: what that names, else the last agent's step before."""
    wanted = steps[place].on_fail if place < len(steps) else None
    for number in range(min(place, len(steps)) - 1, -1, -1):
        if steps[number].name == wanted or (wanted is None and steps[number].kind == AGENT):
            return number
    return 0


def is_over(steps: Sequence[Step], results: Sequence[Result]) -> bool:
    """Whether nothing is left of a pipeline that a run could do."""
    at = stand(steps, results).at
    return at >= len(steps) or steps[at].kind in LAST


def waiting_at(steps: Sequence[Step], results: Sequence[Result]) -> Step | None:
    """Return the approval that a pipeline waits at; None when it waits at none."""
    at = stand(steps, results).at
    return steps[at] if at < len(steps) and steps[at].kind == APPROVAL else None


def resumed(
    steps: Sequence[Step], results: Sequence[Result], *, approved: str | None = None, feedback: str | None = None
) -> tuple[Result, ...]:
    """Return the results a new run begins with, from those of the run before; none where it begins at the start.

    `approved` says who approved what it waits at. `feedback` is what somebody wants changed: the work goes back from
    where it stood. A run that was cut off is taken up where it was.
    """
    gate = waiting_at(steps, results)
    if gate is not None and approved is not None:
        return (*results, Result(gate.name, APPROVED, approved))
    over = is_over(steps, results)
    if feedback is None:
        return () if over else tuple(results)
    if gate is None and not over:
        return tuple(results)
    at = stand(steps, results).at
    if at < len(steps):
        return (*results, Result(steps[at].name, REJECTED, "changes were requested", output=feedback))
    return tuple(results[: _first_after(steps, results, back(steps, at))])


def _first_after(steps: Sequence[Step], results: Sequence[Result], target: int) -> int:
    """Return how many results lie before a step was first carried out."""
    name = steps[target].name if steps else ""
    return next((number for number, result in enumerate(results) if result.step == name), len(results))


def progress(steps: Sequence[Step], results: Sequence[Result], now: str | None = None) -> list[dict[str, object]]:
    """Say of each step how far it is: the word of its result, or `running`, `waiting`, `pending`."""
    at = stand(steps, results).at
    latest = {result.step: result for result in results}
    return [_progress(step, number - at, latest.get(step.name), now) for number, step in enumerate(steps)]


def _progress(step: Step, ahead: int, result: Result | None, now: str | None) -> dict[str, object]:
    state = "running" if step.name == now else _state(step, ahead, result)
    told = result if result and state == result.outcome else None
    return {
        "name": step.name,
        "kind": step.kind,
        "state": state,
        "message": told.message if told else None,
        "at": (told.at or None) if told else None,
        "seconds": told.seconds if told else None,
    }


def _state(step: Step, ahead: int, result: Result | None) -> str:
    """Say how far a step is that lies so many places ahead of where the pipeline stands."""
    if result and (ahead < 0 or (ahead == 0 and result.outcome in {FAILED, INTERRUPTED})):
        return result.outcome
    return "waiting" if ahead == 0 and step.kind == APPROVAL else "pending"


def main_step(steps: Sequence[Step]) -> str | None:
    """Name the step that does the work: `implement` where there is one, else the last of an agent that is no review."""
    names = [step.name for step in steps if step.kind in BY_AGENT - {REVIEWER}]
    return IMPLEMENT if IMPLEMENT in names else next(reversed(names), None)
