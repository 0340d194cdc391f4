"""What of a run's folder is shown, and where a page of its log ends."""

from __future__ import annotations

import pytest

from orange.core.service.runpages import PAGE, cut, shown


@pytest.mark.parametrize(
    "name",
    [
        "task_context.json",
        "prompt.md",
        "output.log",
        "stages.jsonl",
        "logs/execute.log",
        "logs/steps/implement.log",
        "logs/steps/verify.condition.log",
        "patches/changes.patch",
        "reports/run_summary.json",
        "error.md",
    ],
)
def test_the_record_of_a_run_is_shown(name: str) -> None:
    """Every file that the reference of runs names."""
    assert shown(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "spec.json",
        "result.json",
        "mail/answer",
        "skills/a/SKILL.md",
        "../k3f9x2ab-1/output.log",
        "/etc/passwd",
        "logs/steps/../execute.log",
        "logs/steps/.hidden.log",
        "logs/steps/a/b.log",
        "logs/steps/a.log\n",
        "./output.log",
        "output.log/",
        "OUTPUT.LOG",
    ],
)
def test_nothing_else_is_shown(name: str) -> None:
    """Orders to the supervisor, other folders, and names that only look like one of the record."""
    assert not shown(name)


@pytest.mark.parametrize(
    ("data", "last", "expected"),
    [
        (b"", False, 0),
        (b"one\ntw", False, 4),
        (b"one\ntw", True, 6),
        (b"no end", False, 0),
        (b"x" * PAGE, False, PAGE),
        (b"x" * (PAGE - 1) + "é".encode()[:1], False, PAGE - 1),
        (b"x" * (PAGE - 2) + "é".encode(), False, PAGE),
        (b"x" * (PAGE - 3) + "😀".encode()[:3], False, PAGE - 3),
        (b"\x80" * PAGE, False, PAGE),
    ],
)
def test_a_page_ends_with_a_line(data: bytes, last: bool, expected: int) -> None:
    """What is not finished comes with the next page; a line longer than a page is cut between letters."""
    assert cut(data, last=last) == expected
