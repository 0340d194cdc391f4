"""`orange task edit|write`: the task's file in a person's editor (judged like any hand edit), or one section of it."""

from __future__ import annotations

import os
import tempfile

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, FreeText, TaskAddress, common, task
from orange.cli.render import one_line
from orange.cli.task_update import changed_line
from orange.core.problems import OrangeError, StaleWrite


@click.command(cls=Command)
@task()
@common
def edit(call: Call, /, task: str | None) -> None:
    """Open a task's file in your editor ($VISUAL or $EDITOR)."""
    project = call.project
    found = project.find(call.address(task))
    before = project.text(found.id)
    after = click.edit(before, extension=".md", require_save=False)
    if after is None or after == before:
        call.out.note("nothing was changed")
    else:
        try:
            _save(call, found.id, before, after)
        except OrangeError as refused:
            raise EditKept(refused, _keep(found.id, after)) from refused
    done = project.find(found.id)
    call.out.give({"task": project.view(found.id) if call.out.json else {}}, lambda: [changed_line(done)])


def _save(call: Call, task_id: str, before: str, after: str) -> None:
    if call.project.text(task_id) != before:
        raise StaleWrite(task_id, "its file is no longer what you were editing")
    call.project.replace_text(task_id, after)


class EditKept(OrangeError):
    """An edit that was refused; what was written is kept."""

    code = "edit_refused"

    def __init__(self, refused: OrangeError, path: str) -> None:
        super().__init__(f"{refused.message}. What you wrote is in {path}")


def _keep(task_id: str, text: str) -> str:
    fd, path = tempfile.mkstemp(prefix=f"orange-{task_id}-", suffix=".md")
    with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path


@click.command(cls=Command, epilog="Example: orange task write Handoff - < handoff.md")
@click.argument("section", cls=FreeText)
@click.argument("text", cls=FreeText)
@click.option("--task", "task_", metavar="TASK", type=TaskAddress(), help="Another task than this workspace's.")
@common
def write(call: Call, /, section: str, text: str, task_: str | None) -> None:
    """Write one body section of this workspace's task; TEXT `-` reads standard input."""
    done = call.project.write_section(call.address(task_), section, call.read_text(text))
    view = call.project.view(done.id) if call.out.json else {}
    call.out.give({"task": view}, lambda: [f"{done.id} {one_line(done.name)}: wrote {one_line(section)}"])
