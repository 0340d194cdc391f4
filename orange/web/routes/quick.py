"""Quick actions: one-off prompts that leave a record, and no task unless they are promoted.

Next in the flow: `Project.quick` does it.
"""

from __future__ import annotations

from orange.core.service.shapes import Nullable, Record, Text, Truth
from orange.core.service.views import many, named, record
from orange.web.operation import Operation, Request

_PATH = "/api/v2/quick-runs"
_ONE = f"{_PATH}/{{quick_run}}"


def _start(request: Request) -> object:
    said, quick = request.body, request.project.quick
    made = quick.run(said["prompt"], said.get("agent"), promote=said.get("promote", False))
    return {"quick_run": quick.show(made.id)}


def _list(request: Request) -> object:
    return {"quick_runs": request.project.quick.list()}


def _read(request: Request) -> object:
    return {"quick_run": request.project.quick.show(request.places["quick_run"])}


def _promote(request: Request) -> object:
    project, address = request.project, request.places["quick_run"]
    task = project.quick.promote(address)
    return {"quick_run": project.quick.show(address), "task": project.view(task.id)}


_NEW = Record(
    {
        "prompt": Text("What is to be done.", least=1),
        "agent": Nullable(Text("The project's unless told.", least=1, longest=64)),
        "promote": Truth("Make a task of it once it is completed."),
    },
    ("prompt",),
)
_ANSWER = record({"quick_run": named("QuickRun")}, more=False)

OPERATIONS = (
    Operation("start_quick_run", "POST", _PATH, "Ask for a quick action.", _ANSWER, _start, body=_NEW, status=201),
    Operation(
        "list_quick_runs",
        "GET",
        _PATH,
        "List quick actions, the latest first.",
        record({"quick_runs": many(named("QuickRun"))}, more=False),
        _list,
    ),
    Operation("get_quick_run", "GET", _ONE, "Tell all about a quick action.", _ANSWER, _read),
    Operation(
        "promote_quick_run",
        "POST",
        f"{_ONE}/promote",
        "Make a task of a completed quick action, once.",
        record({"quick_run": named("QuickRun"), "task": named("Task")}, more=False),
        _promote,
    ),
)
