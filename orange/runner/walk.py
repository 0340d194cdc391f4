"""Walks the steps of a run: does the next one, writes down what came of it, until the run ends.

Which step comes next is read from the results each time (`core.steps`), so that whatever is killed here costs at most
the step under way. A step's outcome follows from exit codes and from the task's own file, never from what was said.

Next in the flow: `execute` runs an agent's step, `supervise` saves what was left and reports.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from orange.core import runfiles, steps
from orange.core.ending import APPROVAL, FAILED, FINISHED, TIMEOUT, Ending, readable
from orange.core.steps import Result, Step
from orange.runner import answering, hooks
from orange.runner.execute import execute
from orange.runner.stepfiles import prompts_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.terminal import Session

#: Lines of a failed step's output that are kept as evidence.
EVIDENCE = 40
_STATUS = re.compile(r"^status:[ \t]*[\"']?([a-z_]+)", re.MULTILINE)
#: Bytes of a task's file that are looked at for its status.
_HEAD = 64 << 10


class Around(NamedTuple):
    """What surrounds the steps of a run."""

    job: Job
    folder: RunFolder
    session: Session
    #: What a program of this job gets as its environment.
    environment: Callable[[Job], Mapping[str, str] | Ending]


class Came(NamedTuple):
    """What came of a step."""

    outcome: str
    ending: Ending
    #: Whether the run ends with it, whatever the pipeline says.
    final: bool = False


def walk(around: Around) -> Ending:
    """Do the steps that are left; returns how the run ended. Raises OSError when the disk refuses its records."""
    return _Walk(around).run()


class _Walk:
    """The steps of one run."""

    def __init__(self, around: Around) -> None:
        self._job, self._folder, self._session, self._environment = around
        self._results: list[Result] = list(self._job.results)
        self._last = Ending(FINISHED, "the agent finished", 0)
        #: Seconds that are left of the run; 0 where it has no limit.
        self._left = self._job.limit

    def run(self) -> Ending:
        while True:
            place = steps.stand(self._job.steps, self._results, self._job.run)
            if place.failure:
                return self._last
            step = self._job.steps[place.at] if place.at < len(self._job.steps) else None
            if step is None or step.kind in steps.LAST:
                return self._last if self._last.outcome == FINISHED else Ending(FINISHED, "the agent finished", 0)
            if step.kind == steps.APPROVAL:
                return Ending(APPROVAL, f"the step {step.name} waits for your approval", stage=_stage(step))
            came = self._step(step, place.because)
            if came.final:
                return came.ending
            ended = self._told_already()
            if ended:
                return ended

    def _told_already(self) -> Ending | None:
        """Return the end of a run that was told to end between two steps."""
        orders = self._session.orders
        orders.take()
        orders.look()
        return Ending(orders.verdict, orders.reason or "the run ended between two steps") if orders.verdict else None

    def _step(self, step: Step, because: Result | None) -> Came:
        folder = self._folder
        self._write(step.name)
        begun, at = self._session.clock(), folder.stamp()
        with folder.stage("execute", step.name) as stage:
            came = self._do(step, because)
            stage.failed = came.ending.message if came.outcome == steps.FAILED or came.ending.failed else None
            stage.outcome = came.outcome
        output = "\n".join(readable(came.ending.output).splitlines()[-EVIDENCE:]) if stage.failed else ""
        seconds = round(self._session.clock() - begun, 3)
        message = came.ending.message
        self._results.append(Result(step.name, came.outcome, message, self._job.run, at, seconds, output))
        self._write(None)
        self._last = came.ending
        return came

    def _write(self, now: str | None) -> None:
        """Write down where the run is. What a power cut takes of it is done again."""
        results = [result._asdict() for result in self._results]
        told = {"format": runfiles.FORMAT, "run": self._job.run, "pipeline": self._job.pipeline}
        self._folder.write_json(runfiles.STEPS, {**told, "now": now, "results": results})

    def _do(self, step: Step, because: Result | None) -> Came:
        if step.condition:
            came = self._command(step, step.condition, f"{step.name}.condition")
            if came.final or came.outcome != steps.DONE:
                skipped = came.ending.exit_code == 1
                reason = Ending(FINISHED, f"its condition is not met: {step.condition}")
                return Came(steps.SKIPPED, reason) if skipped and not came.final else came
        if step.kind == steps.COMMAND:
            return self._command(step, str(step.run), step.name)
        if step.kind == steps.GATE:
            return self._gate(step)
        if step.kind == steps.VERIFY and self._job.checks and step.prompt is None:
            return Came(steps.DONE, Ending(FINISHED, "the project's checks verify what the run has committed", 0))
        assert step.kind in steps.BY_AGENT
        return self._agent(step, because)

    # -- what a step may be

    def _agent(self, step: Step, because: Result | None) -> Came:
        job = self._job.of_step(step.name)
        if job.refusal:
            ending = Ending("agent_missing", job.refusal, stage=_stage(step))
            return Came(steps.INTERRUPTED, ending, final=True)
        files = prompts_for(self._job, step, because, self._folder)
        for name, text in {**job.files, **files}.items():
            self._folder.write(name, text.encode("utf-8", "surrogateescape"))
        limit, own = self._limit(step)
        job = job._replace(limit=limit, followup=files.get(runfiles.FOLLOWUP))
        env = self._environment(job)
        if isinstance(env, Ending):
            return Came(steps.INTERRUPTED, env._replace(stage=_stage(step)), final=True)
        before = self._review_before(step)
        ending, left = execute(job, self._folder, self._session, {**env, **self._marks(step)}, _stage(step))
        self._spend(limit, left)
        if ending.outcome == TIMEOUT and own:
            ending = ending._replace(
                outcome=FAILED, message=f"the step {step.name} took longer than {limit:g} s (`timeout`)"
            )
        if ending.outcome == FINISHED and before is not None:
            after = answering.section(self._task_text(1 << 20))
            ending = answering.answered(job, self._folder, before, after, ending)
        elif ending.outcome == FINISHED and not self._is_working():
            return Came(steps.INTERRUPTED, ending, final=True)
        outcome = {FINISHED: steps.DONE, FAILED: steps.FAILED}.get(ending.outcome, steps.INTERRUPTED)
        return Came(outcome, ending, final=outcome == steps.INTERRUPTED)

    def _review_before(self, step: Step) -> str | None:
        """Make room for a reviewer's answer; returns the task's review section. None for a step that works."""
        if step.kind != steps.REVIEWER:
            return None
        answering.clear(self._job)
        return answering.section(self._task_text(1 << 20))

    def _command(self, step: Step, command: str, log: str) -> Came:
        limit, own = self._limit(step)
        env = self._environment(self._job)
        if isinstance(env, Ending):
            return Came(steps.INTERRUPTED, env._replace(stage=_stage(step)), final=True)
        around = hooks.Around(
            self._folder, self._session, {**env, **self._marks(step)}, self._job.workspace, self._job.within
        )
        ended = hooks.run_command(command, limit, (hooks.step_log(log), runfiles.OUTPUT), around)
        self._spend(limit, ended.left)
        what = f"the step {step.name}"
        if ended.verdict == TIMEOUT:
            why = "`timeout`" if own else "`limits.run`"
            message = f"{what} took longer than {limit:g} s ({why}) and was ended"
            outcome = FAILED if own else TIMEOUT
            ending = Ending(outcome, message, None, _stage(step), command, ended.output)
            return Came(steps.FAILED if own else steps.INTERRUPTED, ending, final=not own)
        if ended.verdict:
            ending = Ending(
                ended.verdict, self._session.orders.reason or f"{what} was ended with the run", stage=_stage(step)
            )
            return Came(steps.INTERRUPTED, ending, final=True)
        if ended.status == 0:
            return Came(steps.DONE, Ending(FINISHED, f"{what} succeeded", 0, _stage(step), command))
        message = ended.trouble or f"{what} ended with exit code {ended.status}"
        return Came(steps.FAILED, Ending(FAILED, message, ended.status, _stage(step), command, ended.output))

    def _gate(self, step: Step) -> Came:
        from orange.core.sections import lacking  # seldom needed, and heavy

        reason = lacking(self._task_text(1 << 20), str(step.section))
        if reason is None:
            return Came(steps.DONE, Ending(FINISHED, f"the section {step.section} is filled", 0, _stage(step)))
        return Came(steps.FAILED, Ending(FAILED, f"the step {step.name}: {reason}", None, _stage(step)))

    # -- what it needs to know

    def _limit(self, step: Step) -> tuple[float, bool]:
        """Return how long a step may take, and whether that is its own time; 0 is without end."""
        if step.timeout is not None and (not self._left or step.timeout < self._left):
            return float(step.timeout), True
        return self._left, False

    def _spend(self, limit: float, left: float | None) -> None:
        """Take what a step used of its time from the run's; waiting for somebody is not counted."""
        if self._left and left is not None:
            self._left = max(0.001, self._left - max(0.0, limit - left))

    def _marks(self, step: Step) -> dict[str, str]:
        main = {runfiles.MAIN_MARK: "1"} if step.name == self._job.main else {}
        return {runfiles.STEP_MARK: step.name, **main}

    def _is_working(self) -> bool:
        """Whether the task still is what this run works on; its agent may have asked something, or handed over."""
        found = _STATUS.search(self._task_text(_HEAD))
        return found is None or found[1] == "working"

    def _task_text(self, most: int) -> str:
        try:
            with open(self._job.task_file, encoding="utf-8", errors="replace") as file:
                return file.read(most)
        except OSError:
            return ""


def _stage(step: Step) -> str:
    return f"execute, step {step.name}"
