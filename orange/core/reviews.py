"""What an agent says of another's work: its answer as text, read into a verdict and findings. Pure.

An answer is JSON by a published schema: in the file that the prompt names, or at the end of what the reviewer says; a
first line `Verdict: PASS` or `Verdict: FAIL` with text behind it is understood too. What makes no sense is refused in
one sentence that names the place, for the reviewer to be asked again. Imports next to nothing: a supervisor reads it.

Next in the flow: `runner.answering` takes an answer in, `judging` says what follows from it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What begins the name of a run that reviews.
_PREFIX = "review-"
#: The file in the reviewer's folder that the answer is written to.
ANSWER = "orange-review.json"
#: Bytes of an answer, and findings in it, that are looked at.
MOST, MOST_FINDINGS = 1 << 20, 200
PASS, FAIL = "PASS", "FAIL"
#: How bad a finding may be, the worst first.
SEVERITIES = ("blocker", "major", "minor", "nit")
#: With one of these the work does not pass, whatever the verdict says.
SERIOUS = frozenset({"blocker", "major"})
#: How often a reviewer is asked again whose answer made no sense.
ASKED_AGAIN = 2
#: Findings that are named where there is room for one line.
_NAMED = 3

#: Places from which on JSON is looked for.
_TRIED = 500

_FENCED = re.compile(r"^[ \t]*```(?:json)?[ \t]*\n(.*?)^[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE)
_VERDICT = re.compile(r"[ \t]*[*_#]*[ \t]*Verdict:[*_]*[ \t]*[*_]*(PASS|FAIL)[*_]*\.?[ \t]*", re.IGNORECASE)


class Finding(NamedTuple):
    """One thing that a reviewer found."""

    severity: str
    message: str
    #: Relative to the repository; None where it is about no file.
    file: str | None = None
    #: The first is 1.
    line: int | None = None

    @property
    def place(self) -> str:
        """`api.py:12`, `api.py`, or nothing."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.file or ""


class Answer(NamedTuple):
    """What a reviewer says."""

    verdict: str
    findings: tuple[Finding, ...] = ()
    summary: str = ""

    @property
    def passed(self) -> bool:
        """Whether the work may go on: it says so, and nothing serious was found."""
        return self.verdict == PASS and not any(found.severity in SERIOUS for found in self.findings)


class BadAnswer(ValueError):
    """An answer that makes no sense; says why in one clause."""


def run_of(task: str, epoch: int | str) -> str:
    """Name the run that reviews a task under an epoch."""
    return f"{_PREFIX}{task}-{epoch}"


def is_review(run: str | None) -> bool:
    """Whether a run reviews."""
    return run is not None and run.startswith(_PREFIX)


def task_of(run: str) -> str:
    """Name the task of an agent's run, be it one that works or one that reviews."""
    return run.removeprefix(_PREFIX).rpartition("-")[0]


def read(text: str) -> Answer:
    """Read an answer. Raises BadAnswer."""
    told = _json_in(text)
    if told is not None:
        return _answer(told)
    lines = text.strip().split("\n")
    found = next((number for number, line in enumerate(lines) if _VERDICT.fullmatch(line)), None)
    if found is None:
        raise BadAnswer('there is neither JSON with a "verdict" in it nor a line `Verdict: PASS` or `Verdict: FAIL`')
    match = _VERDICT.fullmatch(lines[found])
    assert match is not None
    said = "\n".join(lines[found + 1 :]).strip()
    if match[1].upper() == FAIL and not said:
        raise BadAnswer("the verdict is FAIL and nothing says why")
    return Answer(match[1].upper(), (), said)


def _json_in(text: str) -> object | None:
    """Return the JSON that a text is, or that it ends with; None where there is none. Raises BadAnswer."""
    text = text.strip()
    if text.startswith("{"):
        return _loaded(text)
    fenced = [match for match in _FENCED.finditer(text) if match.end() == len(text)]
    if fenced:
        return _loaded(fenced[-1][1])
    return _last_object(text) if text.endswith("}") else None


def _last_object(text: str) -> object | None:
    """Return the JSON object that begins on a line of its own and ends with the text; None for none."""
    begun = [match.start() for match in re.finditer(r"^[ \t]*\{", text, re.MULTILINE)]
    for start in reversed(begun[-_TRIED:]):
        try:
            return _loaded(text[start:])
        except BadAnswer:
            continue
    return None


def _loaded(text: str) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"it is no JSON: {error}") from None
    return found


def _answer(told: object) -> Answer:
    if not isinstance(told, dict):
        raise BadAnswer("expected a JSON object with verdict and findings")
    verdict = _word(told.get("verdict"), "verdict", (PASS, FAIL))
    findings = told.get("findings", [])
    if not isinstance(findings, list):
        raise BadAnswer(f"findings: expected a list, found {_shown(findings)}")
    if len(findings) > MOST_FINDINGS:
        raise BadAnswer(f"findings: expected {MOST_FINDINGS} at most, found {len(findings)}")
    summary = told.get("summary") or ""
    if not isinstance(summary, str):
        raise BadAnswer(f"summary: expected a text, found {_shown(summary)}")
    if verdict == FAIL and not findings and not summary.strip():
        raise BadAnswer("the verdict is FAIL and there is neither a finding nor a summary")
    found = tuple(_finding(item, f"findings[{at}]") for at, item in enumerate(findings))
    return Answer(verdict, found, summary.strip())


def _finding(told: object, where: str) -> Finding:
    if not isinstance(told, dict):
        raise BadAnswer(f"{where}: expected an object, found {_shown(told)}")
    severity = _word(told.get("severity"), f"{where}.severity", SEVERITIES)
    message, file, line = told.get("message"), told.get("file"), told.get("line")
    if not isinstance(message, str) or not message.strip():
        raise BadAnswer(f"{where}.message: expected a text, found {_shown(message)}")
    if file is not None and not isinstance(file, str):
        raise BadAnswer(f"{where}.file: expected a path or null, found {_shown(file)}")
    if line is not None and (not isinstance(line, int) or isinstance(line, bool) or line < 1):
        raise BadAnswer(f"{where}.line: expected a number of 1 or more, or null, found {_shown(line)}")
    return Finding(severity, message.strip(), file or None, line)


def _word(told: object, where: str, words: tuple[str, ...]) -> str:
    found = next((word for word in words if isinstance(told, str) and told.strip().casefold() == word.casefold()), None)
    if found is None:
        raise BadAnswer(f"{where}: expected one of {', '.join(words)}, found {_shown(told)}")
    return found


def _shown(value: object) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def summary(answer: Answer) -> str:
    """Say in one clause what came of a review, the worst findings by name."""
    if not answer.findings:
        said = answer.summary.partition("\n")[0].rstrip(". ")
        return f"{answer.verdict}{f': {said}' if said else ' without findings'}"
    counts = (f"{_count(answer.findings, word)} {word}" for word in SEVERITIES if _count(answer.findings, word))
    named = "; ".join(_line(found) for found in by_severity(answer.findings)[:_NAMED])
    return f"{answer.verdict} with {', '.join(counts)}: {named}"


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Put the worst first; equals stay as they were told."""
    return sorted(findings, key=lambda found: SEVERITIES.index(found.severity))


def _count(findings: Iterable[Finding], severity: str) -> int:
    return sum(found.severity == severity for found in findings)


def _line(found: Finding) -> str:
    message = found.message.partition("\n")[0].rstrip(". ")
    return f"{found.place}: {message}" if found.place else message


def feedback(answer: Answer) -> str:
    """Put an answer together to what the agent is told whose work it is about: everything at once."""
    lines = [_told(found) for found in by_severity(answer.findings)]
    return "\n\n".join(part for part in (answer.summary, "\n".join(lines)) if part)


def _told(found: Finding) -> str:
    first, *more = found.message.split("\n")
    head = f"{found.place}: {found.severity}: {first}" if found.place else f"{found.severity}: {first}"
    return "\n".join([head, *(f"    {line}".rstrip() for line in more)])


def report(answer: Answer, about: Mapping[str, object]) -> dict[str, object]:
    """Compose the artifact of a review; `about`: run, task, commit, agent and time."""
    findings = [found._asdict() for found in answer.findings]
    told = {"verdict": answer.verdict, "passed": answer.passed, "summary": answer.summary, "findings": findings}
    return {"format": 1, **about, **told}


def answer_of(told: Mapping[str, object] | None) -> Answer | None:
    """Read the artifact again; None where there is none, or it makes no sense any more."""
    try:
        return _answer(dict(told)) if told else None
    except BadAnswer:
        return None
