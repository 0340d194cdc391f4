"""What follows from a failure: how long to wait, whether to try again, when to stop and ask.

A failure is never retried for ever: attempts are counted, an agent that fails the same way again and again is stopped
early, and failures of several tasks in a row mean that something common is broken, so dispatch pauses.

Next in the flow: `settle` turns a verdict into the action that brings a run's end into its task.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orange.core.lifecycle import StuckReason
from orange.core.model import Outcome, RequestKind, Run, Task
from orange.core.settings import Limits

#: Seconds to wait after the first failed attempt; each further one doubles it.
FIRST = 10
#: Seconds to wait at most.
LONGEST = 300

#: Outcomes that use up an attempt.
FAILURES = frozenset({Outcome.FAILED, Outcome.STALLED, Outcome.TIMEOUT, Outcome.CRASHED, Outcome.CHECKS_FAILED})
#: Outcomes that say nothing about the work: the run was told to end, or its agent's provider refused to go on.
NEUTRAL = frozenset({Outcome.STOPPED, Outcome.RATE_LIMITED})

#: Only the end of a log is looked at: characters.
_TAIL = 32_768
#: And only the end of a line: the patterns below may look at each character of it many times.
_WIDTH = 400
_LINES = 5


def backoff(attempts: int) -> int:
    """Return the seconds to wait after that many failed attempts: 10 s, doubling, 5 min at most; 0 after none."""
    if attempts <= 0:
        return 0
    return min(FIRST << min(attempts - 1, 10), LONGEST)


def backoff_end(task: Task, last: Run | None) -> float | None:
    """Return until when a task waits after its last run failed, in seconds since 1970; None when it does not."""
    if last is None or last.ended_at is None or last.outcome not in FAILURES or task.attempts <= 0:
        return None
    if last.outcome is Outcome.CHECKS_FAILED:
        return None  # waiting mends nothing: the agent goes on with what it is told
    return last.ended_at + backoff(task.attempts)


_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_TELLING = re.compile(
    r"error|exception|fail|fatal|panic|denied|refused|not found|no such|cannot|unable|invalid|abort|killed|timed out",
    re.IGNORECASE,
)
#: What differs between two equal failures: paths, ids, addresses, then every number (times, pids, lines, counts).
_VARYING = (
    (re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE), "<url>"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[~.\w@+-]*[/\\])+[^\s:'\"()\[\]]*"), "<path>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "#"),
    (re.compile(r"\s+"), " "),
)


def signature(text: str) -> str:
    """Name what a failure looks like: equal for equal failures at other times, places and process ids."""
    lines = [line for raw in _ANSI.sub("", text[-_TAIL:]).splitlines() if (line := _constant(raw[-_WIDTH:]))]
    telling = [line for line in lines if _TELLING.search(line)]
    core = (telling or lines)[-_LINES:]
    return hashlib.sha256("\n".join(core).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _constant(line: str) -> str:
    """Take out of a line what differs from one time to the next."""
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.strip().lower()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a failed run means for its task."""

    #: Why the task needs someone; None: it is tried again.
    stuck: StuckReason | None
    message: str
    #: Whether an attempt is used up.
    failed: bool = True


def verdict(task: Task, run: Run, earlier: Sequence[Run], limits: Limits) -> Verdict:
    """Judge a run that did not do its work. `earlier` holds the task's ended runs before it, newest first."""
    attempts, most = task.attempts + 1, allowed(task, limits)
    what = describe(run)
    if run.outcome is Outcome.AGENT_MISSING:
        return Verdict(StuckReason.AGENT_MISSING, what, failed=False)
    if attempts >= most:
        return Verdict(_final_reason(task, run), f"{what}; attempt {attempts} of {most}, the last")
    same = alike(run, failures(earlier)[: task.attempts])
    if limits.same_failure > 1 and same >= limits.same_failure:
        reason = StuckReason.CHECKS_FAILED if run.outcome is Outcome.CHECKS_FAILED else StuckReason.NO_PROGRESS
        return Verdict(reason, f"{what}; {same} times in a row without progress")
    if run.outcome is Outcome.CHECKS_FAILED:
        return Verdict(None, f"{what}; attempt {attempts} of {most}, the agent is told")
    again = f"attempt {attempts} of {most}, again in {backoff(attempts)} s"
    return Verdict(None, f"{what}; {again}")


def allowed(task: Task, limits: Limits) -> int:
    """Return how many attempts a task has: what its job asks for, within the project's limit."""
    asked = task.job.get("maxAttempts")
    return min(asked, limits.attempts) if isinstance(asked, int) and asked >= 1 else limits.attempts


def _final_reason(task: Task, run: Run) -> StuckReason:
    if run.outcome is Outcome.TIMEOUT:
        return StuckReason.TIMEOUT
    if run.outcome is Outcome.CHECKS_FAILED:
        return StuckReason.CHECKS_FAILED
    asked = task.request.kind if task.request else None
    if asked is RequestKind.CONFLICT:
        return StuckReason.CONFLICT
    return StuckReason.CHECKS_FAILED if asked is RequestKind.CHECKS else StuckReason.FAILED


def alike(run: Run, before: Sequence[Run]) -> int:
    """Count the failures in a row, this one included, that look the same or left the branch where it was."""
    looks = _streak(run.signature, (other.signature for other in before))
    return max(looks, _streak(run.commit, (other.commit for other in before)))


def failures(earlier: Iterable[Run]) -> list[Run]:
    """List the failures up to the first run that was none; runs that were told to end do not interrupt."""
    found = []
    for run in earlier:
        if run.outcome in FAILURES:
            found.append(run)
        elif run.outcome not in NEUTRAL:
            break
    return found


def _streak(value: str | None, others: Iterable[str | None]) -> int:
    if not value:
        return 1
    count = 1
    for other in others:
        if other != value:
            break
        count += 1
    return count


_ENDINGS = {
    Outcome.FINISHED: "it ended without mending what it was asked to mend",
    Outcome.STALLED: "the agent stopped making progress and was ended",
    Outcome.TIMEOUT: "the run took longer than limits.run and was ended",
    Outcome.STOPPED: "the run was told to end",
    Outcome.CRASHED: "the run disappeared without a result",
    Outcome.RATE_LIMITED: "the model's provider refused to go on",
    Outcome.AGENT_MISSING: "the agent's program is missing or unusable",
    Outcome.CHECKS_FAILED: "the project's checks did not pass",
    Outcome.APPROVAL: "it waits for your approval",
}


def describe(run: Run) -> str:
    """Say in one clause how a run ended."""
    if run.message:
        return run.message.rstrip(". ")
    if run.outcome in _ENDINGS:
        return _ENDINGS[run.outcome]
    return f"the agent ended with exit code {run.exit_code}" if run.exit_code is not None else "the run failed"


def failing_tasks(runs: Iterable[Run], since: float | None) -> tuple[str, ...]:
    """List the different tasks whose runs failed in a row up to now, newest first, counting from `since`."""
    ended = [run for run in runs if run.ended_at is not None and (since is None or run.ended_at > since)]
    found: dict[str, None] = {}
    for run in sorted(ended, key=lambda run: (run.ended_at or 0.0, run.id), reverse=True):
        if run.outcome in FAILURES or run.outcome is Outcome.AGENT_MISSING:
            found.setdefault(run.task)
        elif run.outcome not in NEUTRAL:
            break
    return tuple(found)


def remembered(limits: Limits) -> int:
    """Say how many attempts of a task the limits look back on: the one that is judged, and those it is held against."""
    return max(2, min(limits.same_failure, limits.attempts))


def row_began(runs: Iterable[Run], since: float | None, limits: Limits) -> float | None:
    """Return from when on a success would keep these failures from pausing dispatch; None when they do not."""
    known = tuple(runs)
    failing = failing_tasks(known, since)[: limits.consecutive_failures]
    if not failing or len(failing) < limits.consecutive_failures:
        return None
    return max(run.ended_at for run in known if run.task == failing[-1] and run.ended_at is not None)


def pause_reason(runs: Iterable[Run], since: float | None, limits: Limits) -> str | None:
    """Say why dispatch should pause: so many different tasks failed in a row; None when it should not."""
    failing = failing_tasks(runs, since)
    if limits.consecutive_failures <= 0 or len(failing) < limits.consecutive_failures:
        return None
    return f"{len(failing)} different tasks failed in a row: {', '.join(failing)}"
