"""Comments on lines: which wait for a decision, what the agent is told, what is refused."""

from __future__ import annotations

import pytest

from orange.core.comments import APPROVED, CHANGES_REQUESTED, COMMENT, EVENT, REVIEW, Comment, batch, check, pending
from orange.core.problems import InvalidInput
from orange.core.rules import Change
from orange.core.storeports import Event

AT = "2026-11-20T10:00:00Z"
WORK = Change(("api.py", "gone.py", "empty.py"), 3)


def said(text: str) -> Event:
    """Make the event of a comment."""
    told = {REVIEW: COMMENT, "file": "api.py", "line": 2, "text": text, "commit": "c1"}
    return Event(AT, EVENT, "person:ada", told)


def decided(word: str) -> Event:
    """Make the event of a reviewer's decision."""
    return Event(AT, EVENT, "person:ada", {REVIEW: word})


@pytest.mark.parametrize(
    ("events", "waiting"),
    [
        ([], []),
        ([said("a"), said("b")], ["a", "b"]),
        ([said("a"), decided(CHANGES_REQUESTED)], []),
        ([said("a"), decided(APPROVED), said("b")], ["b"]),
        ([said("a"), Event(AT, "task.claimed", "daemon", {"run": "r"}), decided("other")], ["a"]),
    ],
)
def test_comments_wait_for_the_decision_after_them(events: list[Event], waiting: list[str]) -> None:
    """A decision takes along all that were made before it, and nothing else does."""
    assert [found.text for found in pending(events)] == waiting


def test_a_comment_is_read_as_it_was_written() -> None:
    """Who, when, where and on which commit; what makes no sense in the trail is no reason to fail."""
    assert pending([said("Why?")]) == (Comment("api.py", 2, "Why?", "person:ada", AT, "c1"),)
    odd = Event(AT, EVENT, "file", {REVIEW: COMMENT, "line": "two"})
    assert pending([odd]) == (Comment("", 0, "", "file", AT, ""),)


@pytest.mark.parametrize(
    ("feedback", "comments", "told"),
    [
        ("", (), ""),
        ("Shorter", (), "Shorter"),
        ("", (Comment("a.py", 1, "Why?"), Comment("b.py", 12, "Odd")), "a.py:1: Why?\nb.py:12: Odd"),
        ("Shorter", (Comment("a.py", 1, "One\n\ntwo"),), "Shorter\n\na.py:1: One\n\n    two"),
    ],
)
def test_feedback_and_comments_are_one_batch(feedback: str, comments: tuple[Comment, ...], told: str) -> None:
    """Feedback first, then a line for each comment, whose further lines are indented."""
    assert batch(feedback, comments) == told


@pytest.mark.parametrize(
    ("change", "file", "line", "content", "complaint"),
    [
        (None, "api.py", 1, None, "file: api.py is not changed by the branch"),
        (WORK, "other.py", 1, b"x\n", "file: other.py is not changed by the branch"),
        (WORK, "gone.py", 1, None, "file: gone.py is not a file on the branch"),
        (WORK, "api.py", 0, b"x\n", "line: api.py has 1 line on the branch, not 0"),
        (WORK, "api.py", 3, b"x\ny\n", "line: api.py has 2 lines on the branch, not 3"),
        (WORK, "empty.py", 1, b"", "line: empty.py has 0 lines on the branch, not 1"),
        (WORK, "api.py", 2, b"x\ny", None),
    ],
)
def test_a_comment_is_on_a_line_that_is_there(
    change: Change | None, file: str, line: int, content: bytes | None, complaint: str | None
) -> None:
    """The file is one that the branch changes and has; the last line counts with and without its end."""
    if complaint is None:
        check(change, file, line, content)
        return
    with pytest.raises(InvalidInput, match=complaint):
        check(change, file, line, content)
