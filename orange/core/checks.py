"""The project's checks: what one came to, what is told of it, and the coverage its output names. Pure.

Exit codes decide, never what a program said; a coverage check also needs its figure to reach `min`. What a check wrote
is evidence for whoever mends it: its last lines, bounded. Imports next to nothing: a supervisor reads this.

Next in the flow: `runner.checking` runs them, `settle` and `landing` judge what they came to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from orange.core.ending import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: What a check came to.
PASSED, FAILED, UNUSABLE, TIMED_OUT = "passed", "failed", "could not run", "timed out"
#: The kind whose output names a figure.
COVERAGE = "coverage"
#: The version of a report.
FORMAT = 1

#: What a shell says of a command that is not executable, or not there.
_NOT_RUN = {126: "its command is not executable (exit code 126)", 127: "its command was not found (exit code 127)"}
#: Lines and characters of a check's output that are kept as evidence; characters of all that an agent is told.
_LINES, _CHARACTERS, _TOLD = 40, 4000, 12_000


class Check(NamedTuple):
    """A command that must pass."""

    name: str
    run: str
    #: test, lint, build or coverage.
    kind: str = "test"
    #: For coverage: the least percentage.
    min: float | None = None
    #: Seconds.
    timeout: int = 600


class Trial(NamedTuple):
    """How a check's command went."""

    #: The exit code, negative for a signal; None when it could not be started or was ended.
    status: int | None
    #: What its terminal showed, as far back as it was kept.
    output: bytes
    #: Whole and broken seconds.
    seconds: float
    #: Whether it was ended because it took longer than its timeout.
    late: bool = False
    #: Why it could not be started; None when it was.
    error: str | None = None


class CheckResult(NamedTuple):
    """What a check came to."""

    name: str
    kind: str
    command: str
    verdict: str
    #: In half a sentence: why it did not pass, or the figure.
    message: str
    exit_code: int | None
    seconds: float
    #: The percentage that the output of a coverage check named.
    figure: float | None
    #: The last lines of its output.
    evidence: str

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.verdict == PASSED


def judge(check: Check, trial: Trial) -> CheckResult:
    """Say what a check came to."""
    figure = coverage_in(readable(trial.output)) if check.kind == COVERAGE else None
    verdict, message = _verdict(check, trial, figure)
    code = None if trial.late or trial.error else trial.status
    kept = evidence(trial.output)
    return CheckResult(check.name, check.kind, check.run, verdict, message, code, round(trial.seconds, 3), figure, kept)


def _verdict(check: Check, trial: Trial, figure: float | None) -> tuple[str, str]:
    if trial.error:
        return UNUSABLE, f"it could not be started: {trial.error}"
    if trial.late:
        return TIMED_OUT, f"it took longer than {check.timeout} s and was ended"
    if trial.status in _NOT_RUN:
        return UNUSABLE, _NOT_RUN[trial.status]
    if trial.status:
        return FAILED, f"exit code {trial.status}" if trial.status > 0 else f"killed by signal {-trial.status}"
    return _by_figure(check.min, figure) if check.kind == COVERAGE else (PASSED, "exit code 0")


def _by_figure(least: float | None, figure: float | None) -> tuple[str, str]:
    if figure is None:
        return (PASSED, "exit code 0") if least is None else (UNUSABLE, "its output names no coverage percentage")
    if least is not None and figure < least:
        return FAILED, f"{figure:g} % is less than the {least:g} % that are asked for"
    return PASSED, f"{figure:g} %"


_PERCENT = r"(\d{1,3}(?:\.\d+)?)"
#: The forms a figure may have; the last one in the output counts. Compiled when they are needed: few runs need them.
_FIGURES = (
    rf"^total\b[^\n]*?\b{_PERCENT} ?%",  # coverage.py, go tool cover -func
    rf"^all files *\| *{_PERCENT} *\|",  # the table of Istanbul, nyc, Jest, c8
    rf"^ *lines[ .]*: *{_PERCENT} ?%",  # lcov, the summary of Istanbul
    rf"\bcoverage\b[^\n%\d]{{0,40}}{_PERCENT} ?%",  # go test -cover, Jacoco's and most others' own words
    rf"\b{_PERCENT} ?% coverage\b",  # tarpaulin
)


def coverage_in(text: str) -> float | None:
    """Find the percentage that output names last; None where it names none."""
    found = [match for form in _FIGURES for match in re.finditer(form, text, re.IGNORECASE | re.MULTILINE)]
    figures = [match for match in found if float(match[1]) <= 100]
    return float(max(figures, key=lambda match: match.start(1))[1]) if figures else None


def evidence(output: bytes) -> str:
    """Return the last lines of an output as text, not too much of it."""
    lines = [line.rstrip() for line in readable(output[-4 * _CHARACTERS :]).splitlines()]
    return "\n".join(lines[-_LINES:])[-_CHARACTERS:].strip("\n")


def report(results: Iterable[CheckResult], commit: str | None, at: str) -> dict[str, object]:
    """Compose the record of a round of checks: at which commit, when, and what each came to."""
    return {"format": FORMAT, "commit": commit, "at": at, "results": [result._asdict() for result in results]}


def results_of(told: Mapping[str, object]) -> tuple[CheckResult, ...]:
    """Read the results of a report; what makes no sense counts as none."""
    rows = told.get("results")
    try:
        return tuple(CheckResult(**row) for row in rows) if isinstance(rows, list) else ()
    except TypeError:
        return ()


def summary(results: Sequence[CheckResult]) -> str | None:
    """Say in one clause which checks did not pass; None when all did."""
    failed = [result for result in results if not result.passed]
    if not failed:
        return None
    if len(failed) == 1:
        return f"the check {failed[0].name} did not pass: {failed[0].message}"
    named = ", ".join(f"{result.name} ({result.message})" for result in failed)
    return f"{len(failed)} of {len(results)} checks did not pass: {named}"


def feedback(results: Sequence[CheckResult], where: str) -> str:
    """Tell an agent what did not pass `where`, with the evidence."""
    failed = [result for result in results if not result.passed]
    share = _TOLD // max(1, len(failed))
    told = (_one(result, share) for result in failed)
    return "\n\n".join((f"{(summary(results) or 'all checks passed').capitalize()}; {where}.", *told))


def _one(result: CheckResult, share: int) -> str:
    quoted = result.evidence[-share:].splitlines() or ["(it printed nothing)"]
    return "\n".join([f"{result.name}: {result.message}", f"$ {result.command}", *(f"    {line}" for line in quoted)])
