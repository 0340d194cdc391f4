"""The answers of the API, described as JSON Schema. Pure.

Next in the flow: the operations of `orange.web` name the description of what they answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from orange.core.lifecycle import BoardState, Status
from orange.core.model import Priority, Publish
from orange.core.quick import State
from orange.core.service.queue import STAGES, JobStatus, StageStatus
from orange.core.service.shapes import Schema

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TRUTH: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}


def words(values: object) -> Schema:
    """Describe one of some words."""
    return {"enum": [str(value) for value in values]}  # type: ignore[attr-defined]  # an enumeration is iterable


def many(of: Schema) -> Schema:
    """Describe a list."""
    return {"type": "array", "items": of}


def maybe(of: Schema) -> Schema:
    """Describe a value that may be null."""
    return {"anyOf": [of, {"type": "null"}]}


def record(keys: Mapping[str, Schema], *, more: bool = True, about: str = "") -> Schema:
    """Describe an object all of whose keys are always there; with `more`, there may be others."""
    found: Schema = {"type": "object", "properties": dict(keys), "required": list(keys)}
    found |= {} if more else {"additionalProperties": False}
    return found | ({"description": about} if about else {})


def named(name: str) -> Schema:
    """Refer to a part of the document that has a name."""
    return {"$ref": f"#/components/schemas/{name}"}


WAITING = record(
    {
        "code": {**TEXT, "description": "Stable, for programs."},
        "message": {**TEXT, "description": "One sentence, for people."},
        "since": maybe(TEXT),
        "evidence": {"description": "What it was seen in."},
        "remedy": maybe({**TEXT, "description": "What would help."}),
    },
    about="One thing that a task waits for.",
)
TASK = record(
    {
        "id": TEXT,
        "title": TEXT,
        "name": TEXT,
        "status": words(Status),
        "state": {**words(BoardState), "description": "The column of the board."},
        "ready": {**TRUTH, "description": "Whether it would be started now, were a slot free."},
        "type": TEXT,
        "priority": words(Priority),
        "blocked_by": many(TEXT),
        "parent": maybe(TEXT),
        "children": many(TEXT),
        "labels": many(TEXT),
        "acceptance_criteria": many(TEXT),
        "context_files": many(TEXT),
        "agent": maybe(TEXT),
        "model": maybe(TEXT),
        "publish": maybe(words(Publish)),
        "branch": maybe(TEXT),
        "run": maybe(TEXT),
        "attempts": COUNT,
        "progress": maybe(record({"done": COUNT, "total": COUNT})),
        "waiting": many(named("Waiting")),
        "project": TEXT,
        "path": {**TEXT, "description": "The file, below `.orange`."},
        "created_at": maybe(TEXT),
        "updated_at": maybe(TEXT),
    },
    about="A task: the keys of its file, those orange does not know too, and what is derived from the others.",
)
PROBLEM = record(
    {
        "type": TEXT,
        "title": TEXT,
        "status": COUNT,
        "code": {**TEXT, "description": "Stable, for programs."},
        "detail": {**TEXT, "description": "One sentence, for people."},
    },
    about="RFC 9457: why a request was refused. An illegal move says from, to, legal and blockers, too.",
)
EVENT = record({"at": TEXT, "type": TEXT, "by": TEXT, "data": OBJECT}, about="A line of a task's audit trail.")
_STAGE = record(
    {
        "stage": words(STAGES),
        "status": words(StageStatus),
        "startedAt": maybe(TEXT),
        "finishedAt": maybe(TEXT),
        "message": maybe(TEXT),
    },
    more=False,
    about="One stage of a job's latest run.",
)
_SUMMARY: Mapping[str, Schema] = {
    "id": {**TEXT, "description": "The task's."},
    "type": TEXT,
    "status": words(JobStatus),
    "taskStatus": words(Status),
    "title": TEXT,
    "priority": {"type": "integer"},
    "affinityKey": {"description": "As it was sent."},
    "maxAttempts": {**COUNT, "description": "As it was sent, within the project's limit."},
    "attempt": COUNT,
    "runtime": TEXT,
    "model": maybe(TEXT),
    "effort": maybe(TEXT),
    "skill": TEXT,
    "publishMode": maybe(words(Publish)),
    "run": maybe(TEXT),
    "createdAt": maybe(TEXT),
    "updatedAt": maybe(TEXT),
    "stages": many(_STAGE),
}
JOB_SUMMARY = record(_SUMMARY, more=False, about="A job of the queue, in short.")
JOB = record(
    {
        **_SUMMARY,
        "payload": {**OBJECT, "description": "Canonical, as the task is now."},
        "events": many(named("Event")),
        "outcome": maybe({**TEXT, "description": "The outcome code of its latest run."}),
        "publishResult": maybe({**OBJECT, "description": "What came last of publishing."}),
        "warnings": many(TEXT),
    },
    more=False,
    about="A job of the queue.",
)

QUICK_RUN = record(
    {
        "id": TEXT,
        "prompt": TEXT,
        "title": TEXT,
        "status": words(State),
        "agent": TEXT,
        "created_at": TEXT,
        "started_at": maybe(TEXT),
        "finished_at": maybe(TEXT),
        "logs_ref": maybe({**TEXT, "description": "The file of what its agent says."}),
        "result_summary": maybe({**TEXT, "description": "The last that its agent said."}),
        "error": maybe(TEXT),
        "changed_files": COUNT,
        "patch": maybe({**TEXT, "description": "The file of what it changed."}),
        "promoted_task_id": maybe(TEXT),
    },
    about="A quick action.",
)

#: The parts of the document that have a name.
COMPONENTS: Mapping[str, Schema] = {
    "Task": TASK,
    "Waiting": WAITING,
    "Problem": PROBLEM,
    "Event": EVENT,
    "Job": JOB,
    "JobSummary": JOB_SUMMARY,
    "QuickRun": QUICK_RUN,
}

ONE_TASK = record({"task": named("Task")}, more=False)
TASKS = record({"tasks": many(named("Task"))}, more=False)
