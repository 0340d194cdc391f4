"""Tasks: list, create, read, change, connect, remove.

Next in the flow: `Project` does it.
"""

from __future__ import annotations

from orange.core.lifecycle import Status
from orange.core.present import revision
from orange.core.service.shapes import Items, Record, Text, Truth, Whole, choice_of
from orange.core.service.views import COUNT, EVENT, ONE_TASK, TEXT, WAITING, many, maybe, named, record
from orange.core.service.views import TASKS as MANY_TASKS
from orange.project.requests import Edit, Filter
from orange.web.operation import Answer, Kind, Operation, Request
from orange.web.taskinput import CHANGES, NEW, UPDATE, edit, new_task

_PATH = "/api/v2/tasks"
_ONE = f"{_PATH}/{{task}}"
_ADDRESS = Text(least=1, longest=500)
_MOST = 1000


def _list(request: Request) -> object:
    query = request.query
    wanted = Filter(
        ready=query.get("ready", False),
        statuses=query.get("status", ()),
        blocked=query.get("blocked", False),
        parent=query.get("parent"),
        label=query.get("label"),
        session=query.get("session"),
        all=query.get("all", False),
        ids=query.get("id", ()),
    )
    rows, total, following = request.project.page(wanted, query.get("cursor"), query.get("limit", 100))
    return {"tasks": rows, "total": total, "next_cursor": following}


def _create(request: Request) -> object:
    project = request.project
    made = project.create(new_task(request.body))
    return {"task": project.view(made.id)}


def _create_many(request: Request) -> object:
    project = request.project
    new = [new_task(said) for said in request.body.get("tasks", ())]
    edits = [(said["task"], edit(said, said.get("if_match"))) for said in request.body.get("updates", ())]
    made = project.batch(new, edits)
    return {"tasks": project.views([task.id for task in made])}


def _read(request: Request) -> object:
    project = request.project
    found = project.view(request.task)
    task = project.find(str(found["id"]))
    return Answer({"task": found}, {"ETag": f'"{revision(task, str(found["body"]))}"'})


def _change(request: Request) -> object:
    project = request.project
    changed = project.edit(request.task, edit(request.body, request.if_match))
    return {"task": project.view(changed.id)}


def _remove(request: Request) -> object:
    project = request.project
    task = project.find(request.task)
    project.remove(task.id)
    return {"removed": task.id}


def _connect(request: Request) -> object:
    return _edited(request, Edit(block=request.body["blocked_by"]))


def _disconnect(request: Request) -> object:
    return _edited(request, Edit(unblock=(request.places["dependency"],)))


def _edited(request: Request, change: Edit) -> object:
    project = request.project
    return {"task": project.view(project.edit(request.task, change).id)}


def _why(request: Request) -> object:
    project = request.project
    task = project.find(request.task)
    return {"task": task.id, "waiting": project.why(task.id)}


def _diff(request: Request) -> object:
    project = request.project
    task = project.find(request.task)
    commit = project.tip(task.id)  # first: approving it is refused where the diff shows more than it
    return {"task": task.id, "branch": task.branch, "commit": commit, "diff": project.diff(task.id)}


def _screen(request: Request) -> object:
    return request.project.screen(request.places["session"])


def _events(request: Request) -> object:
    project = request.project
    task = project.find(request.task)
    return {"task": task.id, "events": project.events(task.id)}


_FILTER = Record(
    {
        "ready": Truth("Only those that would be started now, in order."),
        "blocked": Truth("Only those that wait for something."),
        "all": Truth("Also done and cancelled ones."),
        "status": Items(choice_of(Status), most=len(Status), about="Only in one of these."),
        "parent": Text("Only the children of this task.", least=1, longest=500),
        "label": Text("Only with this label.", least=1, longest=500),
        "session": Text("Only of this session.", least=1, longest=500),
        "id": Items(
            Text(least=1, longest=64), most=_MOST, about="Only these; those that are not there are passed over."
        ),
        "limit": Whole(1, _MOST, "How many at most; 100 unless told."),
        "cursor": Text("Where to go on: `next_cursor` of the answer before.", least=1, longest=500),
    }
)
_PAGE = record({"tasks": many(named("Task")), "total": COUNT, "next_cursor": maybe(TEXT)}, more=False)
_BATCH = Record(
    {
        "tasks": Items(NEW, most=_MOST, about="Tasks to create; each may wait for those before it."),
        "updates": Items(UPDATE, most=_MOST, about="Changes to tasks, made after that."),
    }
)
_EDGES = Record({"blocked_by": Items(_ADDRESS, single=True)}, ("blocked_by",))
_WHY = record({"task": TEXT, "waiting": many(WAITING)}, more=False)
_DIFF = record({"task": TEXT, "branch": maybe(TEXT), "commit": maybe(TEXT), "diff": TEXT}, more=False)
_EVENTS = record({"task": TEXT, "events": many(EVENT)}, more=False)

OPERATIONS = (
    Operation("list_tasks", "GET", _PATH, "List tasks in dispatch order, page by page.", _PAGE, _list, _FILTER),
    Operation("create_task", "POST", _PATH, "Create a task.", ONE_TASK, _create, body=NEW, status=201),
    Operation(
        "create_tasks",
        "POST",
        f"{_PATH}/batch",
        "Create and change many tasks: all of it, or nothing.",
        MANY_TASKS,
        _create_many,
        body=_BATCH,
        status=201,
        largest=16 << 20,
    ),
    Operation("get_task", "GET", _ONE, "Read a task.", ONE_TASK, _read),
    Operation(
        "update_task", "PATCH", _ONE, "Change what a task says; not its status.", ONE_TASK, _change, body=CHANGES
    ),
    Operation("remove_task", "DELETE", _ONE, "Delete a task; history keeps it.", record({"removed": TEXT}), _remove),
    Operation(
        "add_dependency", "POST", f"{_ONE}/dependencies", "Let a task wait for others.", ONE_TASK, _connect, body=_EDGES
    ),
    Operation(
        "remove_dependency",
        "DELETE",
        f"{_ONE}/dependencies/{{dependency}}",
        "Let it no longer wait for another.",
        ONE_TASK,
        _disconnect,
    ),
    Operation("why", "GET", f"{_ONE}/why", "Say what a task waits for, and what would help.", _WHY, _why),
    Operation("diff", "GET", f"{_ONE}/diff", "Show what a task's branch changes against its base.", _DIFF, _diff),
    Operation(
        "terminal",
        "GET",
        "/api/v2/sessions/{session}/terminal",
        "Show what a task's latest run says, as it says it: a WebSocket; the token is one of its protocols.",
        TEXT,
        _screen,
        status=101,
        kind=Kind.SOCKET,
    ),
    Operation("events_of_task", "GET", f"{_ONE}/events", "Read a task's audit trail, oldest first.", _EVENTS, _events),
)
