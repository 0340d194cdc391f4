"""The job queue: jobs in the words of job queues, each a task.

Next in the flow: `Project.queue` does it.
"""

from __future__ import annotations

from orange.core.jobs import CANONICAL, LEGACY
from orange.core.model import Publish
from orange.core.service.queue import STAGES, JobStatus, StageStatus, Wanted
from orange.core.service.shapes import Anything, Choice, Items, Nullable, Record, Span, Text, Whole, choice_of
from orange.core.service.views import COUNT, TEXT, many, maybe, named, record, words
from orange.web.operation import Operation, Request

_PATH = "/api/queue/jobs"
_TYPES = (CANONICAL, *LEGACY)
#: Seconds telemetry looks back unless told.
_DAY = 86400


def _submit(request: Request) -> object:
    return {"job": request.project.queue.submit(request.body)}


def _list(request: Request) -> object:
    query = request.query
    wanted = Wanted(
        statuses=query.get("status", ()),
        type=query.get("type"),
        runtime=query.get("runtime"),
        skill=query.get("skill"),
        publish_mode=query.get("publishMode"),
        stage=query.get("stage"),
        stage_status=query.get("stageStatus"),
    )
    jobs, total, following = request.project.queue.list(wanted, query.get("cursor"), query.get("limit", 100))
    return {"jobs": jobs, "total": total, "nextCursor": following}


def _read(request: Request) -> object:
    return {"job": request.project.queue.show(request.places["job"])}


def _telemetry(request: Request) -> object:
    return request.project.queue.telemetry(request.query.get("window", _DAY))


_ENVELOPE = Record(
    {
        "id": Nullable(Text("Your own name for it; becomes the task's `ref`.", longest=500)),
        "type": Choice(_TYPES, "The last two are of before: taken with a warning, unless `queue.legacy` is off."),
        "priority": Nullable(Whole(-(10**9), 10**9, "Higher goes first; 0 unless told.")),
        "payload": Anything(about="What is to be done; see the guide to importing jobs."),
        "affinityKey": Nullable(Text("Kept.", longest=500)),
        "maxAttempts": Nullable(Whole(1, 1000, "Within the project's `limits.attempts`.")),
    },
    ("type", "payload"),
)
_ONE = Text(least=1, longest=500)
_FILTER = Record(
    {
        "status": Items(choice_of(JobStatus), most=len(JobStatus), about="Only in one of these."),
        "type": Choice(_TYPES),
        "runtime": _ONE,
        "skill": _ONE,
        "publishMode": Choice([mode.value for mode in Publish]),
        "stage": Choice(STAGES, "Only those of which this stage is in `stageStatus`, or has begun."),
        "stageStatus": choice_of(StageStatus, "Only those of which `stage`, or any, is so."),
        "limit": Whole(1, 1000, "How many at most; 100 unless told."),
        "cursor": Text("Where to go on: `nextCursor` of the answer before.", least=1, longest=500),
    }
)
_WINDOW = Record({"window": Span("How far back: 24h unless told.")})
_ANSWER = record({"job": named("Job")}, more=False)
_PAGE = record({"jobs": many(named("JobSummary")), "total": COUNT, "nextCursor": maybe(TEXT)}, more=False)
_NUMBER = maybe({"type": "number"})
_COUNTS = {"type": "object", "additionalProperties": COUNT}
_TELEMETRY = record(
    {
        "since": TEXT,
        "until": TEXT,
        "volume": record({"total": COUNT, "byType": _COUNTS}, more=False),
        "legacy": record({"total": COUNT, "byType": _COUNTS, "rate": _NUMBER}, more=False),
        "stages": many(
            record(
                {"runtime": TEXT, "stage": words(STAGES), "finished": COUNT, "failed": COUNT, "failureRate": _NUMBER},
                more=False,
            )
        ),
        "publish": many(record({"outcome": TEXT, "count": COUNT, "rate": _NUMBER}, more=False)),
    },
    more=False,
)

OPERATIONS = (
    Operation(
        "submit_job",
        "POST",
        _PATH,
        "Send a job: a task of it is created.",
        _ANSWER,
        _submit,
        body=_ENVELOPE,
        status=201,
    ),
    Operation("list_jobs", "GET", _PATH, "List jobs, the latest first, page by page.", _PAGE, _list, _FILTER),
    Operation("get_job", "GET", f"{_PATH}/{{job}}", "Tell all about a job.", _ANSWER, _read),
    Operation(
        "queue_telemetry",
        "GET",
        "/api/queue/telemetry",
        "Count what came, what failed where, and what was published.",
        _TELEMETRY,
        _telemetry,
        _WINDOW,
    ),
)
