"""`orange task list|show|why`: reading tasks. Next in the flow: `render` lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, many, task
from orange.cli.render import one_line, reasons, task_page, task_table, task_tree
from orange.core.lifecycle import Status
from orange.project.requests import Filter

_STATUSES = click.Choice([status.value for status in Status])
#: How people may write several statuses in one word.
_NOTHING = "no task matches: `orange task list --all` shows closed ones too"


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  orange task list --ready
  orange task list --status stuck --status reviewing
  orange task list --tree --all
""",
)
@click.option("--ready", is_flag=True, help="Only what may start now, in the order in which it will.")
@many("--status", "statuses", type=_STATUSES, help="Only this status; may be repeated.")
@click.option("--blocked", is_flag=True, help="Only what cannot start: open blockers, or stuck.")
@click.option("--parent", metavar="ID", help="Only the children of this task.")
@click.option("--label", metavar="L", help="Only tasks with this label.")
@click.option("--session", metavar="S", help="Only tasks of this session.")
@click.option("--tree", is_flag=True, help="Children beneath their parents.")
@click.option("--all", "everything", is_flag=True, help="Done and cancelled ones too.")
@click.option("--body", is_flag=True, help="With --json: the body of each task too.")
@common
def list_tasks(call: Call, /, *, tree: bool, body: bool, statuses: tuple[str, ...], **chosen: Any) -> None:
    """List tasks."""
    everything = chosen.pop("everything")
    wanted = Filter(statuses=tuple(map(Status, statuses)), all=everything, **chosen)
    keeper = call.doors.keeper(call.project) if call.out.json and wanted == Filter(ready=True) and not body else None
    known = keeper.found() if keeper else None
    views = known if known is not None else call.project.list(wanted, body=body)
    if keeper is not None:
        text = call.out.give({"tasks": views}, list)
        if known is None:
            keeper.keep(views, text)
        return
    if not views:
        call.out.note(_NOTHING)
    lay_out = task_tree if tree else task_table
    call.out.give({"tasks": views}, lambda: lay_out(views, call.style))


@click.command(cls=Command, epilog="Example: orange task show oauth-api --json")
@task()
@common
def show(call: Call, /, task: str | None) -> None:
    """Show one task."""
    view = call.project.view(call.address(task))
    call.out.give({"task": view}, lambda: task_page(view, call.style))


@click.command(cls=Command, epilog="Example: orange task why oauth-api")
@task()
@common
def why(call: Call, /, task: str | None) -> None:
    """Say what a task waits for, and what would unblock it."""
    found = call.project.find(call.address(task))
    waiting = call.project.why(found.id)
    call.out.give(
        {"task": found.id, "waiting": waiting},
        lambda: _why_lines(f"{found.id} {one_line(found.title)}", found.status, waiting, call),
    )


def _why_lines(name: str, status: str, waiting: Iterable[dict[str, Any]], call: Call) -> Iterator[str]:
    yield f"{call.out.shade(name, 'bold')} is {status}"
    yield from reasons(waiting, call.style) or [_NOT_WAITING.get(status, "it waits for nothing")]


_NOT_WAITING = {
    "working": "it is being worked on: `orange task log --follow` shows it",
    "done": "it is done and waits for nothing",
    "cancelled": "it was dropped: `orange task restore` brings it back",
    "backlog": "it is in the backlog and starts when you say so: `orange task update --status pending`",
}
