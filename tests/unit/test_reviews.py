"""What a reviewer's answer says, how it is told to others, and what is refused."""

from __future__ import annotations

import json

import pytest

from orange.core.artifacts import review, review_answer
from orange.core.reviews import (
    MOST_FINDINGS,
    Answer,
    BadAnswer,
    Finding,
    answer_of,
    feedback,
    is_review,
    read,
    report,
    run_of,
    summary,
    task_of,
)
from tests.data.schemas import faults

NIT = Finding("nit", "Spelling", "a.py", 3)
MAJOR = Finding("major", "It loses data.\nTwice.", "b.py")
BARE = Finding("minor", "No test")
PLAIN = '{"verdict": "PASS", "findings": []}'


def told(**keys: object) -> str:
    """Write an answer with one good finding but for the keys given."""
    return json.dumps({"verdict": "FAIL", "findings": [{"severity": "major", "message": "x", **keys}]})


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (PLAIN, Answer("PASS")),
        ('{"verdict": "pass"}', Answer("PASS")),
        ('\n {"verdict": "FAIL", "summary": " No. "}\n', Answer("FAIL", (), "No.")),
        (told(file="b.py", line=7), Answer("FAIL", (Finding("major", "x", "b.py", 7),))),
        (told(file=None, line=None, severity="Blocker", more=1), Answer("FAIL", (Finding("blocker", "x"),))),
        (f"I looked at it.\n```json\n{PLAIN}\n```\n", Answer("PASS")),
        (f"I looked at it.\n{PLAIN}", Answer("PASS")),
        ('It is {odd}.\n{ not JSON\n{\n  "verdict": "PASS"\n}', Answer("PASS")),
        ("Verdict: PASS", Answer("PASS")),
        ("Some words\n\n**Verdict: FAIL**\n\nIt is wrong.\n", Answer("FAIL", (), "It is wrong.")),
    ],
)
def test_an_answer_is_understood(text: str, answer: Answer) -> None:
    """As JSON, as the JSON that a longer text ends with, or as a verdict with text behind it."""
    assert read(text) == answer


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", 'there is neither JSON with a "verdict" in it nor a line'),
        ("It looks good to me.", "there is neither JSON"),
        # what is quoted in the middle of a text is no answer
        (f"The file says\n{PLAIN}\nand that is odd.", "there is neither JSON"),
        ("{", "it is no JSON: "),
        ("{" * 100_000, "it is no JSON: "),
        ("```json\n[1]\n```", "expected a JSON object"),
        ('{"findings": []}', "verdict: expected one of PASS, FAIL, found nothing"),
        ('{"verdict": "MAYBE"}', 'verdict: expected one of PASS, FAIL, found "MAYBE"'),
        ('{"verdict": "FAIL"}', "the verdict is FAIL and there is neither a finding nor a summary"),
        ("Verdict: FAIL", "the verdict is FAIL and nothing says why"),
        ('{"verdict": "PASS", "findings": {}}', r"findings: expected a list, found \{\}"),
        ('{"verdict": "PASS", "summary": 3}', "summary: expected a text, found 3"),
        ('{"verdict": "PASS", "findings": ["x"]}', r'findings\[0\]: expected an object, found "x"'),
        (told(severity="high"), r'findings\[0\].severity: expected one of blocker, major, minor, nit, found "high"'),
        (told(message=" "), r'findings\[0\].message: expected a text, found " "'),
        (told(file=3), r"findings\[0\].file: expected a path or null, found 3"),
        (told(line=0), r"findings\[0\].line: expected a number of 1 or more, or null, found 0"),
        (told(line=True), r"findings\[0\].line: expected a number of 1 or more, or null, found true"),
        (
            json.dumps({"verdict": "PASS", "findings": [{}] * (MOST_FINDINGS + 1)}),
            f"findings: expected {MOST_FINDINGS} at most, found {MOST_FINDINGS + 1}",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_place(text: str, complaint: str) -> None:
    """One clause names the place and what was expected there."""
    with pytest.raises(BadAnswer, match=complaint):
        read(text)


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        (Answer("PASS"), True),
        (Answer("PASS", (NIT, BARE)), True),
        (Answer("PASS", (NIT, MAJOR)), False),
        (Answer("FAIL", (NIT,)), False),
    ],
)
def test_serious_findings_weigh_more_than_the_verdict(answer: Answer, passed: bool) -> None:
    """With a blocker or a major finding nothing passes."""
    assert answer.passed is passed


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Answer("PASS"), "PASS without findings"),
        (Answer("PASS", (), "Fine.\nReally."), "PASS: Fine"),
        (Answer("FAIL", (NIT, MAJOR)), "FAIL with 1 major, 1 nit: b.py: It loses data; a.py:3: Spelling"),
        (Answer("PASS", (NIT, BARE)), "PASS with 1 minor, 1 nit: No test; a.py:3: Spelling"),
        (Answer("PASS", (NIT,) * 4), "PASS with 4 nit: a.py:3: Spelling; a.py:3: Spelling; a.py:3: Spelling"),
    ],
)
def test_a_line_names_the_worst(answer: Answer, line: str) -> None:
    """Counts of every severity, and three findings at most."""
    assert summary(answer) == line


def test_the_agent_is_told_everything_at_once() -> None:
    """The summary first, then the findings, the worst first; further lines are indented."""
    answer = Answer("FAIL", (NIT, MAJOR, BARE), "Not yet.")
    assert feedback(answer) == (
        "Not yet.\n\nb.py: major: It loses data.\n    Twice.\nminor: No test\na.py:3: nit: Spelling"
    )


def test_a_report_holds_the_whole_answer() -> None:
    """What is read from it again is what was told; what is no report says nothing."""
    answer = Answer("FAIL", (NIT, MAJOR, BARE), "Not yet.")
    assert answer_of(report(answer, {"run": "r", "commit": "c"})) == answer
    assert answer_of(None) is None
    assert answer_of({"verdict": "?"}) is None


def test_runs_that_review_are_known_by_name() -> None:
    """The task of either kind of run is found in its name."""
    run = run_of("k3f9x2ab", 12)
    assert (run, is_review(run), task_of(run)) == ("review-k3f9x2ab-12", True, "k3f9x2ab")
    assert (is_review("k3f9x2ab-12"), is_review(None), task_of("k3f9x2ab-12")) == (False, False, "k3f9x2ab")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (PLAIN, True),
        (told(file=None, line=None, more=1), True),
        (told(severity="high"), False),
        (told(message=""), False),
        (told(file=3), False),
        (told(line=0), False),
        (told(line=True), False),
        ('{"findings": []}', False),
        ('{"verdict": "PASS", "findings": ["x"]}', False),
        ('{"verdict": "PASS", "summary": 3}', False),
    ],
)
def test_the_published_schema_says_what_is_understood(text: str, fits: bool) -> None:
    """What it lets pass is read, what it refuses is refused."""
    assert (faults(json.loads(text), review_answer()) == []) is fits
    if fits:
        read(text)
        return
    with pytest.raises(BadAnswer):
        read(text)


def test_a_report_is_as_its_schema_says() -> None:
    """The artifact of any answer validates."""
    about = {"run": "r", "task": "t", "commit": "c" * 40, "agent": "claude", "at": "2026-11-20T10:00:00Z"}
    for answer in (Answer("PASS"), Answer("FAIL", (NIT, MAJOR, BARE), "Not yet.")):
        assert faults(report(answer, about), review()) == []
