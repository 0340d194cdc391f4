"""The JSON artifacts in a run's folder, described as JSON Schema. Pure.

Next in the flow: the supervisor writes them, the schemas are published in the docs.
"""

from __future__ import annotations

from collections.abc import Mapping

from orange.core import reviews
from orange.core.publish_result import Outcome

_TEXT = {"type": "string"}
_COUNT = {"type": "integer"}
_COMMIT = {"pattern": "^[0-9a-f]{40}([0-9a-f]{24})?$"}

#: What a run came to, in the words of job queues; those of the first line are known when it is published.
CODES = (
    "PUBLISHED_PR", "PUBLISHED_BRANCH", "PUBLISHED_MERGE", "NO_CHANGES", "PUBLISH_DISABLED",
    "EXECUTED", "WAITING", "FAILED", "CANCELLED", "RATE_LIMITED",
)  # fmt: skip
#: What came of publishing -> the code it gives the run, where it gives one.
PUBLISHED: Mapping[Outcome, str] = {
    Outcome.MERGED: "PUBLISHED_MERGE",
    Outcome.NO_CHANGES: "NO_CHANGES",
    Outcome.DISABLED: "PUBLISH_DISABLED",
    Outcome.PUSHED: "PUBLISHED_BRANCH",
    Outcome.PR_OPENED: "PUBLISHED_PR",
}


def task_context() -> dict[str, object]:
    """Describe `task_context.json`."""
    runtime = {"agent": _told("The agent."), "model": _or_null(_TEXT), "effort": _or_null(_TEXT)}
    branches = {"base": _told("The branch it was cut from."), "working": _or_null(_TEXT)}
    limits = {"stall": _number(), "run": _number()}
    return _schema(
        "task_context.json: what a run was given",
        {
            "format": {"const": 1},
            "task": _told("The task's id."),
            "title": _TEXT,
            "run": _TEXT,
            "attempt": _COUNT,
            "pipeline": _or_null(_told("The name of the pipeline.")),
            "steps": {"type": "array", "items": _TEXT, "description": "The names of its steps."},
            "runtime": _object(runtime),
            "branches": _object(branches),
            "workspace": _told("The path of the worktree."),
            "task_file": _TEXT,
            "ports": {"type": "array", "items": _COUNT},
            "limits": _object(limits),
            "prepared_at": _told("When, RFC 3339 UTC."),
        },
    )


def steps() -> dict[str, object]:
    """Describe `steps.json`."""
    return _schema(
        "steps.json: what came of the steps of a pipeline up to now",
        {
            "format": {"const": 1},
            "run": _TEXT,
            "pipeline": _or_null(_TEXT),
            "now": _or_null(_told("The step under way.")),
            "results": {"type": "array", "items": _object(_result())},
        },
    )


def run_summary() -> dict[str, object]:
    """Describe `reports/run_summary.json`."""
    stage = {"stage": _TEXT, "step": _or_null(_TEXT), "status": {"enum": ["finished", "failed"]}, "seconds": _number()}
    return _schema(
        "reports/run_summary.json: how a run went",
        {
            "format": {"const": 1},
            "run": _TEXT,
            "task": _TEXT,
            "attempt": _COUNT,
            "agent": _TEXT,
            "outcome": _told("How it ended, in orange's own word."),
            "code": {"enum": list(CODES), "description": "What it came to; changed once it is published."},
            "message": _TEXT,
            "exit_code": _or_null(_COUNT),
            "commit": _or_null(_COMMIT),
            "conversation": _or_null({"type": "object"}),
            "stages": {"type": "array", "items": _object(stage)},
            "steps": {"type": "array", "items": _object(_result())},
            "ended_at": _TEXT,
        },
    )


def review() -> dict[str, object]:
    """Describe `review.json`."""
    about = {
        "format": {"const": 1},
        "run": _told("The run that reviewed."),
        "task": _TEXT,
        "commit": {**_COMMIT, "type": "string", "description": "What was reviewed."},
        "agent": _told("Who reviewed."),
        "at": _told("When, RFC 3339 UTC."),
        "passed": {"type": "boolean", "description": "The verdict is PASS, and nothing serious was found."},
    }
    findings = {"type": "array", "items": _object(_finding())}
    return _schema(
        "review.json: what an agent said of another's work",
        {**about, "verdict": _VERDICT, "summary": _TEXT, "findings": findings},
    )


def review_answer() -> dict[str, object]:
    """Describe what a reviewer answers: what it leaves out is null or empty, what it adds is passed over."""
    finding = {"type": "object", "properties": _finding(), "required": ["severity", "message"]}
    findings = {"type": "array", "items": finding, "maxItems": reviews.MOST_FINDINGS}
    known = {"verdict": _VERDICT, "summary": _or_null(_TEXT), "findings": findings}
    return {**_schema("A reviewer's answer", known), "required": ["verdict"], "additionalProperties": True}


_VERDICT = {"enum": [reviews.PASS, reviews.FAIL]}


def _finding() -> dict[str, object]:
    line = {"type": "integer", "minimum": 1, "description": "As the reviewed commit has it."}
    return {
        "severity": {"enum": list(reviews.SEVERITIES), "description": "With the first two the work does not pass."},
        "message": {"type": "string", "minLength": 1},
        "file": _or_null(_told("Relative to the repository.")),
        "line": _or_null(line),
    }


def _result() -> dict[str, object]:
    outcomes = ["done", "failed", "skipped", "interrupted", "approved", "rejected"]
    return {
        "step": _TEXT,
        "outcome": {"enum": outcomes},
        "message": _TEXT,
        "run": _told("The run it belongs to; empty for what a person said."),
        "at": _TEXT,
        "seconds": _number(),
        "output": _told("The end of what a failed step said."),
    }


def _schema(title: str, known: Mapping[str, object]) -> dict[str, object]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_object(known)}


def _object(known: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": dict(known), "required": list(known), "additionalProperties": False}


def _told(about: str) -> dict[str, object]:
    return {"type": "string", "description": about}


def _number() -> dict[str, object]:
    return {"type": "number"}


def _or_null(schema: Mapping[str, object]) -> dict[str, object]:
    return {"anyOf": [dict(schema), {"type": "null"}]}
