"""Comments on lines of a branch: what a reviewer says before a decision, all of it sent with the decision. Pure.

They are kept in the task's audit trail, which is versioned with the task, only ever added to, and written with the
decision in one piece: so a comment is pending from the event that tells it to the event of the decision after it, and
nothing else has to remember.

Next in the flow: `project.comments` takes them in, `project.moves` sends them with the feedback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from orange.core.problems import InvalidInput
from orange.core.rules import Change
from orange.core.storeports import Event

#: The key of an event's data that says what happened to a review, and its words.
REVIEW = "review"
COMMENT, APPROVED, CHANGES_REQUESTED = "comment", "approved", "changes_requested"
_DECISIONS = frozenset({APPROVED, CHANGES_REQUESTED})
#: The kind of event that carries all of this.
EVENT = "task.updated"


class Comment(NamedTuple):
    """A remark on a line."""

    #: Relative to the repository.
    file: str
    #: In the file as the branch has it, the first being 1.
    line: int
    text: str
    #: Who, as events say it: `person:ada`.
    by: str = ""
    #: RFC 3339 UTC.
    at: str = ""
    #: The commit of the branch it was made on.
    commit: str = ""


def pending(events: Iterable[Event]) -> tuple[Comment, ...]:
    """List the comments since the last decision, in the order in which they were made."""
    found: list[Comment] = []
    for event in events:
        if event.data.get(REVIEW) == COMMENT:
            found.append(_comment(event))
        elif event.data.get(REVIEW) in _DECISIONS:
            found.clear()
    return tuple(found)


def _comment(event: Event) -> Comment:
    line = event.data.get("line")
    file, text, commit = (str(event.data.get(key, "")) for key in ("file", "text", "commit"))
    return Comment(file, line if isinstance(line, int) else 0, text, event.by, event.at, commit)


def batch(feedback: str, comments: Iterable[Comment]) -> str:
    """Put feedback and comments together to what the agent is told; a comment's further lines are indented."""
    lines = [f"{found.file}:{found.line}: {_indented(found.text)}" for found in comments]
    return "\n\n".join(part for part in (feedback, "\n".join(lines)) if part)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() if number else line for number, line in enumerate(text.split("\n")))


def check(change: Change | None, file: str, line: int, content: bytes | None) -> None:
    """Refuse a comment on what is not there; `content`: the file as the branch has it. Raises InvalidInput."""
    if change is None or file not in change.paths:
        raise InvalidInput("file", f"{file} is not changed by the branch: `orange task diff` shows what is")
    if content is None:
        raise InvalidInput("file", f"{file} is not a file on the branch: say it with --feedback when you reject")
    count = content.count(b"\n") + (not content.endswith(b"\n") if content else 0)
    if not 1 <= line <= count:
        raise InvalidInput("line", f"{file} has {count} line{'' if count == 1 else 's'} on the branch, not {line}")
