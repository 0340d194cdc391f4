"""Views of a whole project: its board, order, status, figures, settings; and the switch of its dispatch.

Next in the flow: `Project` answers.
"""

from __future__ import annotations

from orange.core.service.cards import BOARD
from orange.core.service.shapes import Record, Text, Whole
from orange.core.service.views import COUNT, OBJECT, TASKS, TEXT, TRUTH, many, maybe, record
from orange.project import Project, dispatching
from orange.project.requests import Filter
from orange.web.operation import Answer, Operation, Request

_TASKS = "/api/v2/tasks"


def _board(request: Request) -> object:
    project = request.project
    shown = request.face.boards.read(project, request.face.revision(project.layout.root))
    return Answer(shown.text, {"ETag": f'"{shown.tag}"'})


def _ready(request: Request) -> object:
    return {"tasks": request.project.list(Filter(ready=True))}


def _order(request: Request) -> object:
    return {"batches": [list(wave) for wave in request.project.waves()]}


def _status(request: Request) -> object:
    project = request.project
    return {"daemon": dict(request.face.status()), "project": project.status(), "dispatch": _switch(project)}


def _stats(request: Request) -> object:
    return request.project.stats(request.query.get("task"), request.query.get("since"))


def _config(request: Request) -> object:
    return {"settings": request.project.config_show()}


def _forecast(request: Request) -> object:
    return request.project.forecast()


def _plans(request: Request) -> object:
    return {
        "plans": [
            {
                "id": held.id,
                "path": held.path,
                "title": held.plan.title if held.plan else None,
                "status": held.plan.status.value if held.plan else None,
                "tasks": len(held.plan.tasks) if held.plan else 0,
                "problems": [f"{found.line}: {found.message}" for found in held.problems],
            }
            for held in request.project.plans.list()
        ]
    }


def _switch(project: Project) -> dict[str, object]:
    found = dispatching.read(project.layout.dispatch)
    reason = found.get("reason")
    return {
        "paused": bool(found.get("paused")),
        "draining": bool(found.get("draining")),
        "reason": reason if isinstance(reason, str) else None,
    }


def _pause(request: Request) -> object:
    project = request.project
    project.pause(request.body.get("reason"))
    return {"dispatch": _switch(project)}


def _resume(request: Request) -> object:
    project = request.project
    project.resume()
    return {"dispatch": _switch(project)}


def _drain(request: Request) -> object:
    project = request.project
    project.drain(request.body.get("reason"))
    return {"dispatch": _switch(project)}


_DISPATCH = record({"paused": TRUTH, "draining": TRUTH, "reason": maybe(TEXT)}, more=False)
_SWITCHED = record({"dispatch": _DISPATCH}, more=False)
_PLAN = record(
    {
        "id": TEXT,
        "path": TEXT,
        "title": maybe(TEXT),
        "status": maybe(TEXT),
        "tasks": COUNT,
        "problems": many(TEXT),
    },
    more=False,
)
_REASON = Record({"reason": Text("Shown to whoever asks why nothing starts.", longest=1000)})
_STATS = Record(
    {
        "task": Text("Only of this task and those below it.", least=1, longest=500),
        "since": Whole(1, 10 * 366 * 86400, "Only of the last seconds."),
    }
)

OPERATIONS = (
    Operation(
        "board",
        "GET",
        f"{_TASKS}/board",
        "Read every task as a card, by column, each in dispatch order.",
        BOARD,
        _board,
    ),
    Operation("ready", "GET", f"{_TASKS}/ready", "List the tasks that may start now, in order.", TASKS, _ready),
    Operation(
        "execution_order",
        "GET",
        f"{_TASKS}/execution-order",
        "List open tasks in waves: those of a wave may be done at the same time.",
        record({"batches": many(many(TEXT))}, more=False),
        _order,
    ),
    Operation(
        "status",
        "GET",
        "/api/v2/status",
        "Say how the daemon and a project are, what waits and why.",
        record({"daemon": OBJECT, "project": OBJECT, "dispatch": _DISPATCH}, more=False),
        _status,
    ),
    Operation("stats", "GET", "/api/v2/stats", "Say what runs took, used and came to.", OBJECT, _stats, _STATS),
    Operation(
        "config",
        "GET",
        "/api/v2/config",
        "List the settings, and where each comes from.",
        record({"settings": many(OBJECT)}, more=False),
        _config,
    ),
    Operation("forecast", "GET", "/api/v2/forecast", "Say which open branches would conflict.", OBJECT, _forecast),
    Operation("plans", "GET", "/api/v2/plans", "List the plans.", record({"plans": many(_PLAN)}, more=False), _plans),
    Operation(
        "pause",
        "POST",
        "/api/v2/daemon/pause",
        "Start nothing new; what runs goes on.",
        _SWITCHED,
        _pause,
        body=_REASON,
        body_optional=True,
    ),
    Operation("resume", "POST", "/api/v2/daemon/resume", "Start new work again.", _SWITCHED, _resume),
    Operation(
        "drain",
        "POST",
        "/api/v2/daemon/drain",
        "Start nothing new, and stop the daemon when nothing runs any more.",
        _SWITCHED,
        _drain,
        body=_REASON,
        body_optional=True,
    ),
)
