"""Importing a requirements document: preview, commit, and looking at it again.

Next in the flow: `project.plans` does it.
"""

from __future__ import annotations

from orange.core.plans.decompose import LARGEST
from orange.core.plans.model import Granularity, Parameters
from orange.core.service.shapes import Record, Text, Truth, Whole, choice_of
from orange.core.service.views import COUNT, OBJECT, TEXT, TRUTH, many, maybe, record, words
from orange.web.operation import Operation, Request

_PATH = "/api/v2/import"


def _preview(request: Request) -> object:
    said = dict(request.body)
    content, path = said.pop("prd_content", None), said.pop("prd_path", None)
    return request.project.plans.preview(content, path, Parameters(**said))


def _commit(request: Request) -> object:
    return request.project.plans.commit_job(request.body["job_id"])


def _read(request: Request) -> object:
    return {"job": request.project.plans.job(request.places["import"])}


_ASKED = Record(
    {
        "prd_content": Text("The document: Markdown or plain text.", least=1, longest=LARGEST),
        "prd_path": Text("Instead: a file of the repository; also a PDF.", least=1, longest=4096),
        "granularity": choice_of(Granularity, "How small the tasks are; balanced unless told."),
        "auto_ready": Truth("Its tasks become pending when it is committed: those that wait for nothing are ready."),
        "max_parallelism_hint": Whole(1, 1000, "How many tasks are worked on at once, for the waves."),
        "recursive": Truth("Go down as far as the document does."),
        "max_depth": Whole(1, 100, "Levels of tasks within one another."),
    }
)
_KEYS = many(TEXT)
_EDGE = record({"from": TEXT, "to": TEXT, "confidence": {"type": "number"}, "reason": TEXT}, more=False)
_TASK = record(
    {
        "key": TEXT,
        "title": TEXT,
        "parent": maybe(TEXT),
        "type": TEXT,
        "priority": TEXT,
        "blocked_by": _KEYS,
        "done": TRUTH,
    }
)
_WARNING = record({"kind": TEXT, "message": TEXT, "key": maybe(TEXT), "line": maybe({"type": "integer"})}, more=False)
_SUMMARY = {"task_count": COUNT, "leaf_count": COUNT, "dependency_count": COUNT, "wave_count": COUNT}
_SHOWN = record(
    {
        "prd_title": TEXT,
        "tasks": many(_TASK),
        "dependencies": many(_EDGE),
        "root_task_ids": {**_KEYS, "description": "Keys of the tasks that can start at once."},
        "blocked_root_ids": {**_KEYS, "description": "Keys of what stands at the top and waits for others."},
        "estimated_waves": many(_KEYS),
        "critical_path": _KEYS,
        "summary": record(_SUMMARY, more=False),
    },
    more=False,
)
_RESULT = {"created_task_ids": many(TEXT), "created_count": COUNT, "dependency_count": COUNT}
_JOB = record(
    {
        "id": {**TEXT, "description": "The plan's, too."},
        "kind": TEXT,
        "status": words(("preview_ready", "committed")),
        "created_at": maybe(TEXT),
        "request": OBJECT,
        "preview": _SHOWN,
        "committed_at": maybe(TEXT),
        "result": maybe(record({"job_id": TEXT, **_RESULT}, more=False)),
        "warnings": many(_WARNING),
    },
    more=False,
)

OPERATIONS = (
    Operation(
        "preview_prd",
        "POST",
        f"{_PATH}/prd/preview",
        "Make a plan of a document, and show what it would come to.",
        record({"job_id": TEXT, "preview": _SHOWN, "warnings": many(_WARNING)}, more=False),
        _preview,
        body=_ASKED,
        largest=2 * LARGEST,
    ),
    Operation(
        "commit_prd",
        "POST",
        f"{_PATH}/prd/commit",
        "Make tasks of a previewed document, all or none, and once.",
        record({"job_id": TEXT, **_RESULT}, more=False),
        _commit,
        body=Record({"job_id": Text(least=1, longest=200)}, ("job_id",)),
    ),
    Operation(
        "get_import",
        "GET",
        f"{_PATH}/{{import}}",
        "Tell all about an import.",
        record({"job": _JOB}, more=False),
        _read,
    ),
)
