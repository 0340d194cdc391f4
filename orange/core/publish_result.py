"""What came of publishing a task: the one vocabulary of its events, and the artifact beside its run. Pure.

Next in the flow: `project.results` writes both; the schema is published in the docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """What came of it."""

    #: Merged into the integrated base.
    MERGED = "merged"
    #: Its work was found in the base: merged by hand, or elsewhere.
    MERGED_ELSEWHERE = "merged_elsewhere"
    #: There was nothing to merge: a success.
    NO_CHANGES = "no_changes"
    #: It publishes nothing by choice.
    DISABLED = "disabled"
    #: The branch does not merge; the files are named, and its agent is asked.
    CONFLICT = "conflict"
    #: The project's checks did not pass on the merged result; its agent is asked.
    CHECKS_FAILED = "checks_failed"
    #: The branch was pushed.
    PUSHED = "pushed"
    #: A pull request was opened.
    PR_OPENED = "pr_opened"
    #: Its pull request was closed without being merged.
    PR_CLOSED = "pr_closed"
    #: The reviewers or checks of its pull request ask for changes.
    CHANGES_REQUESTED = "changes_requested"
    #: Its merge was reverted.
    ROLLED_BACK = "rolled_back"


_DETAILS: Mapping[str, Mapping[str, object]] = {
    "branch": {"type": "string", "description": "The task's branch."},
    "base": {"type": "string", "description": "The base branch."},
    "commit": {"type": "string", "pattern": "^[0-9a-f]{40}([0-9a-f]{24})?$", "description": "What was made or pushed."},
    "files": {"type": "array", "items": {"type": "string"}, "description": "Files in conflict."},
    "remote": {"type": "string", "description": "The remote's name."},
    "url": {"type": "string", "description": "Address of the pull request."},
    "number": {"type": "integer", "description": "Number of the pull request."},
}


def result(task: str, run: str, outcome: Outcome, at: str, details: Mapping[str, object]) -> dict[str, object]:
    """Compose the artifact."""
    return {"format": 1, "task": task, "run": run, "outcome": outcome.value, "at": at, **details}


def schema() -> dict[str, object]:
    """Describe the artifact as JSON Schema."""
    known: dict[str, Mapping[str, object]] = {
        "format": {"const": 1},
        "task": {"type": "string", "description": "The task's id."},
        "run": {"type": "string", "description": "The run whose work was published."},
        "outcome": {"enum": [outcome.value for outcome in Outcome]},
        "at": {"type": "string", "description": "When, RFC 3339 UTC."},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "publish_result.json: what came last of publishing a run's work",
        "type": "object",
        "properties": {**known, **_DETAILS},
        "required": list(known),
        "additionalProperties": False,
    }
