"""The project's checks on an agent's work: each runs in the workspace as `sh -c`, time-boxed, with a log of its own.

Called once what the agent left is committed, so that what is checked is what would be merged. All of them run, also
after one that failed: the agent is told everything at once.

Next in the flow: `supervise` ends the run by what they came to, and the daemon hands the evidence to the next attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orange.core import checks, runfiles
from orange.core.ending import CHECKS_FAILED, FINISHED, Ending
from orange.runner import hooks
from orange.runner.patience import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orange.core.checks import Check, CheckResult
    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.terminal import Session

#: Characters of evidence in the report of a failed run, for each check.
_QUOTED = 2000


def run_checks(job: Job, folder: RunFolder, session: Session, env: Mapping[str, str], commit: str | None) -> Ending:
    """Run the job's checks on its workspace, which is at `commit`, and record what they came to in the run's folder.

    Returns an ending whose `checked` says whether all passed: finished, checks failed, or what the run was ended for.
    Raises OSError when the disk refuses their logs.
    """
    results: list[CheckResult] = []
    for check in job.checks:
        ended, result = _run(check, job, folder, session, env)
        if ended:
            return Ending(ended, session.orders.reason or f"the run ended during the check {check.name}")
        results.append(result)
        folder.write_json(runfiles.CHECKS, checks.report(results, commit, folder.stamp()))
    return _ending(results)


def _ending(results: Sequence[CheckResult]) -> Ending:
    failed = [result for result in results if not result.passed]
    figures = {result.name: result.figure for result in results if result.figure is not None} or None
    if not failed:
        return Ending(FINISHED, "the agent finished, and all checks passed", 0, checked=True, figures=figures)
    said = "\n".join(f"{result.name}: {result.message}\n{result.evidence[-_QUOTED:]}" for result in failed)
    stage, output = f"execute, check {failed[0].name}", said.encode("utf-8", "surrogateescape")
    message = checks.summary(results) or ""
    return Ending(CHECKS_FAILED, message, failed[0].exit_code, stage, failed[0].command, output, checked=False)


def _run(
    check: Check, job: Job, folder: RunFolder, session: Session, env: Mapping[str, str]
) -> tuple[str | None, CheckResult]:
    """Run one check; returns what the run was ended for meanwhile, if it was, and what the check came to."""
    with folder.stage("execute", f"check {check.name}") as step:
        begun, around = session.clock(), hooks.Around(folder, session, env, job.workspace, job.within)
        ran = hooks.run_command(check.run, check.timeout, (hooks.step_log(f"check-{check.name}"),), around)
        late = ran.verdict == TIMEOUT
        trial = checks.Trial(ran.status, ran.output, session.clock() - begun, late=late, error=ran.error)
        result = checks.judge(check, trial)
        step.failed = None if result.passed else result.message
        folder.note("execute", f"check {check.name}: {result.verdict}: {result.message}")
    return (None if late else ran.verdict), result
