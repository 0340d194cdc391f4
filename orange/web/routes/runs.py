"""Runs: what each came to, what it said, the files of its record; and the agents there are.

Next in the flow: `Project.runs` reads them.
"""

from __future__ import annotations

from orange.core.logins import State
from orange.core.service.shapes import Record, Whole
from orange.core.service.views import COUNT, TEXT, TRUTH, many, maybe, record, words
from orange.web.operation import Kind, Operation, Request

_ONE = "/api/v2/runs/{run}"


def _list(request: Request) -> object:
    project = request.project
    task = project.find(request.task)
    return {"task": task.id, "runs": project.runs.of(task)}


def _log(request: Request) -> object:
    return request.project.runs.log(request.places["run"], request.query.get("after", 0))


def _artifacts(request: Request) -> object:
    run = request.places["run"]
    return {"run": run, "artifacts": request.project.runs.artifacts(run)}


def _artifact(request: Request) -> object:
    return request.project.runs.artifact(request.places["run"], request.places["path"])


def _agents(request: Request) -> object:
    return {"agents": request.project.agents()}


_NUMBER = {"type": "number", "minimum": 0}
_RUN = record(
    {
        "run": TEXT,
        "task": TEXT,
        "kind": words(("work", "review")),
        "attempt": COUNT,
        "agent": maybe(TEXT),
        "model": maybe(TEXT),
        "started_at": maybe(TEXT),
        "ended_at": maybe(TEXT),
        "outcome": maybe({**TEXT, "description": "How it ended; null while it runs."}),
        "code": maybe({**TEXT, "description": "What it came to, in the words of job queues."}),
        "exit_code": maybe({"type": "integer"}),
        "message": maybe(TEXT),
        "commit": maybe(TEXT),
        "minutes": _NUMBER,
        "tokens": COUNT,
        "usd": _NUMBER,
    },
    more=False,
)
_LOG = record(
    {
        "run": TEXT,
        "text": TEXT,
        "after": {**COUNT, "description": "Where the next page begins."},
        "size": {**COUNT, "description": "Bytes there are by now."},
        "ended": {**TRUTH, "description": "Whether the run has ended: nothing more comes once `after` is `size`."},
    },
    more=False,
)
_FILE = record({"path": TEXT, "size": COUNT}, more=False)
_LOGIN = record({"state": words(State), "run": maybe(TEXT), "at": maybe(TEXT), "remedy": maybe(TEXT)}, more=False)
_AGENT = record(
    {"name": TEXT, "usable": TRUTH, "version": maybe(TEXT), "reason": maybe(TEXT), "login": maybe(_LOGIN)}, more=False
)

OPERATIONS = (
    Operation(
        "runs_of_task",
        "GET",
        "/api/v2/tasks/{task}/runs",
        "List a task's runs, the latest first.",
        record({"task": TEXT, "runs": many(_RUN)}, more=False),
        _list,
    ),
    Operation(
        "run_log",
        "GET",
        f"{_ONE}/log",
        "Read what a run said, page by page.",
        _LOG,
        _log,
        Record({"after": Whole(0, 1 << 48, "Bytes that were read before.")}),
    ),
    Operation(
        "run_artifacts",
        "GET",
        f"{_ONE}/artifacts",
        "List the files of a run's record.",
        record({"run": TEXT, "artifacts": many(_FILE)}, more=False),
        _artifacts,
    ),
    Operation(
        "run_artifact",
        "GET",
        f"{_ONE}/artifacts/{{path}}",
        "Read a file of a run's record, as text; its path may have slashes.",
        TEXT,
        _artifact,
        kind=Kind.TEXT,
    ),
    Operation(
        "agents",
        "GET",
        "/api/v2/agents",
        "List the agents: what is installed, and why one is unusable.",
        record({"agents": many(_AGENT)}, more=False),
        _agents,
    ),
)
