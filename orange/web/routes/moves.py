"""Moves of a task: start it, stop it, judge it. The lifecycle decides whether; a refusal says what is legal.

Next in the flow: `Project` does it.
"""

from __future__ import annotations

from collections.abc import Callable

from orange.core.comments import Comment
from orange.core.lifecycle import Status, legal_targets
from orange.core.model import Task
from orange.core.problems import IllegalTransition
from orange.core.service.shapes import Items, Record, Text, Truth, Whole, choice_of
from orange.core.service.views import ONE_TASK
from orange.project import Project
from orange.project.requests import Edit
from orange.web.operation import NOTHING, Operation, Request

_ONE = "/api/v2/tasks/{task}"


def _with(move: Callable[[Project, str, Request], Task]) -> Callable[[Request], object]:
    """Carry out a move of the task in the path, and answer with the task."""

    def run(request: Request) -> object:
        project = request.project
        return {"task": project.view(move(project, request.task, request).id)}

    return run


def _move(
    id_: str, name: str, about: str, move: Callable[[Project, str, Request], Task], body: Record = NOTHING
) -> Operation:
    return Operation(
        id_, "POST", f"{_ONE}/{name}", about, ONE_TASK, _with(move), body=body, body_optional=not body.required
    )


def _transition(project: Project, task: str, request: Request) -> Task:
    said = request.body
    found = project.find(task)
    if said["status"] is Status.WORKING and Status.WORKING not in legal_targets(found.status):
        raise IllegalTransition(
            found.id, found.status, Status.WORKING, legal_targets(found.status), "it is not a legal transition", ()
        )
    return project.edit(found.id, Edit(status=said["status"], message=said.get("message"), reason=said.get("reason")))


def _run(project: Project, task: str, request: Request) -> Task:
    said = request.body
    return project.run(task, dirty=said.get("dirty_run", False), cleanup_on_fail=said.get("cleanup_on_fail", False))


def _comment(project: Project, task: str, request: Request) -> Task:
    found = project.find(task)
    for said in request.body["comments"]:
        found = project.comment(found.id, Comment(said["file"], said["line"], said["text"]))
    return found


_SAY = Text(least=1)
_STATUS = Record(
    {
        "status": choice_of(Status, "Where to go.", in_progress="working"),
        "reason": Text("Why it needs someone: a structured reason, for `stuck`.", least=1, longest=100),
        "message": _SAY,
    },
    ("status",),
)
_RUN = Record(
    {
        "cleanup_on_fail": Truth("Return its workspace once it has failed."),
        "dirty_run": Truth("Remove what a killed run left of its container."),
    }
)
_REMARK = Record(
    {"file": Text(least=1, longest=4096), "line": Whole(1, 10_000_000), "text": _SAY}, ("file", "line", "text")
)
_REMARKS = Record({"comments": Items(_REMARK, single=True)}, ("comments",))
_COMMIT = Record({"commit": Text("The commit that was looked at.", least=4, longest=64)})

OPERATIONS = (
    _move("transition", "transition", "Move a task to a status, if the lifecycle allows it.", _transition, _STATUS),
    _move("run", "run", "Start a task now, ahead of order; claimed exactly once.", _run, _RUN),
    _move("retry", "retry", "Give a stuck task fresh attempts.", lambda project, task, _: project.retry(task)),
    _move("cancel", "cancel", "Drop a task.", lambda project, task, _: project.cancel(task)),
    _move(
        "approve",
        "approve",
        "Approve a task's work at a commit.",
        lambda project, task, request: project.approve(task, request.body.get("commit")),
        _COMMIT,
    ),
    _move(
        "reject",
        "reject",
        "Request changes; comments that wait go with them.",
        lambda project, task, request: project.reject(task, request.body["feedback"]),
        Record({"feedback": _SAY}, ("feedback",)),
    ),
    _move("comment", "comments", "Comment on lines; sent with the decision.", _comment, _REMARKS),
    _move(
        "answer",
        "answer",
        "Answer a task's question.",
        lambda project, task, request: project.answer(task, request.body["text"]),
        Record({"text": _SAY}, ("text",)),
    ),
    _move("reopen", "reopen", "Make a done task pending again.", lambda project, task, _: project.reopen(task)),
    _move("restore", "restore", "Bring a cancelled task back.", lambda project, task, _: project.restore(task)),
    _move("merge", "merge", "Integrate a reviewed task.", lambda project, task, _: project.merge(task)),
    _move(
        "rollback", "rollback", "Take a task's work out of its base.", lambda project, task, _: project.rollback(task)
    ),
)
