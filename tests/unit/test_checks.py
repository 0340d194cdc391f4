"""The project's checks: verdicts by exit code, the figure of a coverage check, the evidence and what is told of it."""

from __future__ import annotations

import pytest

from orange.core.checks import (
    Check,
    CheckResult,
    Trial,
    coverage_in,
    evidence,
    feedback,
    judge,
    report,
    results_of,
    summary,
)

TESTS = Check("tests", "pytest -q")
COVERAGE = Check("cov", "pytest --cov", "coverage", 80.0)


def a_result(name: str, verdict: str = "passed", message: str = "exit code 0", said: str = "") -> CheckResult:
    """Make a result."""
    return CheckResult(name, "test", f"run {name}", verdict, message, 0, 1.0, None, said)


@pytest.mark.parametrize(
    ("check", "trial", "verdict", "words"),
    [
        (TESTS, Trial(0, b"", 1.0), "passed", "exit code 0"),
        (TESTS, Trial(0, b"error: not found\nFAILED", 1.0), "passed", "exit code 0"),
        (TESTS, Trial(1, b"all good", 1.0), "failed", "exit code 1"),
        (TESTS, Trial(125, b"", 1.0), "failed", "exit code 125"),
        (TESTS, Trial(-9, b"", 1.0), "failed", "killed by signal 9"),
        (TESTS, Trial(127, b"", 1.0), "could not run", "was not found"),
        (TESTS, Trial(126, b"", 1.0), "could not run", "not executable"),
        (TESTS, Trial(None, b"", 0.0, error="No such file or directory"), "could not run", "could not be started"),
        (TESTS, Trial(-15, b"half", 600.0, late=True), "timed out", "longer than 600 s"),
        (COVERAGE, Trial(0, b"TOTAL 10 1 90%", 1.0), "passed", "90 %"),
        (COVERAGE, Trial(0, b"TOTAL 10 2 80%", 1.0), "passed", "80 %"),
        (COVERAGE, Trial(0, b"TOTAL 1000 201 79.9%", 1.0), "failed", "79.9 % is less than the 80 %"),
        (COVERAGE, Trial(2, b"TOTAL 10 1 90%", 1.0), "failed", "exit code 2"),
        (COVERAGE, Trial(0, b"nothing said", 1.0), "could not run", "no coverage percentage"),
        (COVERAGE._replace(min=None), Trial(0, b"nothing said", 1.0), "passed", "exit code 0"),
        (COVERAGE._replace(min=None), Trial(0, b"coverage: 12%", 1.0), "passed", "12 %"),
        (COVERAGE, Trial(-15, b"TOTAL 10 1 90%", 600.0, late=True), "timed out", "longer than 600 s"),
    ],
)
def test_the_exit_code_decides_and_for_coverage_the_figure(
    check: Check, trial: Trial, verdict: str, words: str
) -> None:
    """What a check said never matters, but for the figure of a coverage check whose command succeeded."""
    found = judge(check, trial)
    assert found.verdict == verdict
    assert words in found.message
    assert found.passed is (verdict == "passed")


@pytest.mark.parametrize(
    ("said", "figure"),
    [
        ("Name  Stmts  Miss  Cover\na.py  10  0  100%\n-----\nTOTAL  1234  56  95%\n", 95.0),
        ("TOTAL   10   2   4   1   78.57%", 78.57),
        ("FAIL Required test coverage of 80% not reached. Total coverage: 70.25%", 70.25),
        ("All files |   85.71 |    66.66 |     100 |   85.71 |\n a.js | 100 | 100 | 100 |", 85.71),
        ("Statements : 90% ( 9/10 )\nLines        : 88.2% ( 15/17 )", 88.2),
        ("  lines......: 88.2% (15 of 17 lines)\n  functions..: 100% (2 of 2)", 88.2),
        ("ok  example.com/x  0.01s  coverage: 76.5% of statements", 76.5),
        ("github.com/x/a.go:3:  F  100.0%\ntotal:  (statements)  66.7%", 66.7),
        ("87.50% coverage, 7/8 lines covered", 87.5),
        ("coverage: 10%\ncoverage: 20%\ncoverage: 30%", 30.0),
        ("\x1b[32mTOTAL 10 0 100%\x1b[0m", None),
        ("TOTAL 3 files, 250%", None),
        ("tests: 100% passed", None),
        ("", None),
    ],
)
def test_the_last_figure_that_output_names_counts(said: str, figure: float | None) -> None:
    """The forms of the usual programs are known; anything else names no figure."""
    assert coverage_in(said) == figure


def test_colours_do_not_hide_a_figure() -> None:
    """Escapes are taken out before the output is read."""
    assert judge(COVERAGE, Trial(0, b"\x1b[32mTOTAL 10 0 100%\x1b[0m\r\n", 1.0)).figure == 100.0


def test_evidence_is_the_end_and_bounded() -> None:
    """The last lines are kept, control characters visible, and never more than a page."""
    assert evidence(b"one\r\ntwo\x07\r\n\r\n") == "one\ntwo\\x07"
    lines = evidence(b"".join(b"line %d\n" % i for i in range(1000))).splitlines()
    assert (len(lines), lines[-1]) == (40, "line 999")
    assert len(evidence(b"x" * 1_000_000)) <= 4000
    assert evidence(b"\xff\xfe") == "\ufffd\ufffd"


def test_a_report_is_read_back() -> None:
    """What is written of a round of checks is what is read; what makes no sense is none."""
    results = (judge(TESTS, Trial(1, b"boom", 1.5)), judge(COVERAGE, Trial(0, b"coverage: 81%", 2.0)))
    told = report(results, "c0ffee", "2026-11-20T09:00:00Z")
    assert results_of(told) == results
    assert (told["commit"], told["at"]) == ("c0ffee", "2026-11-20T09:00:00Z")
    for broken in ({}, {"results": None}, {"results": [{"name": "x"}]}, {"results": ["x"]}):
        assert results_of(broken) == ()


def test_what_did_not_pass_is_said_with_its_evidence() -> None:
    """One sentence for people; for the agent the command and its last lines, all of them within bounds."""
    assert summary([a_result("a")]) is None
    one = [a_result("a"), a_result("b", "failed", "exit code 1", "boom\nbang")]
    assert summary(one) == "the check b did not pass: exit code 1"
    told = feedback(one, "at c0ffee")
    assert told.splitlines() == [
        "The check b did not pass: exit code 1; at c0ffee.",
        "",
        "b: exit code 1",
        "$ run b",
        "    boom",
        "    bang",
    ]
    many = [a_result(f"c{i}", "failed", "exit code 1", "x" * 4000) for i in range(30)]
    assert str(summary(many)).startswith("30 of 30 checks did not pass: c0 (exit code 1), ")
    assert len(feedback(many, "here")) < 16_000
