"""`orange task edit|write`: the task's file in a person's editor (judged like any hand edit), or one section of it."""

from __future__ import annotations

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, FreeText, TaskAddress, common, task
from orange.cli.render import one_line
from orange.cli.task_update import changed_line
from orange.core.problems import OrangeError, Problem


@click.command(cls=Command)
@task()
@common
def edit(call: Call, /, task: str | None) -> None:
    """Open a task's file in your editor ($VISUAL or $EDITOR)."""
    found = call.project.find(call.address(task))
    path = call.project.path_of(found.id)
    click.edit(filename=path)
    call.project.parts.nudge()
    problems = [problem for problem in call.project.board().problems if path.endswith(f"/{problem.path}")]
    if problems:
        raise EditRefused(problems[0])
    done = call.project.find(found.id)
    call.out.give({"task": call.project.view(done.id) if call.out.json else {}}, lambda: [changed_line(done)])


class EditRefused(OrangeError):
    """An edited file of which not everything is believed; the file is as it was left."""

    code = "edit_refused"

    def __init__(self, problem: Problem) -> None:
        hint = f". {problem.hint[:1].upper()}{problem.hint[1:]}" if problem.hint else ""
        super().__init__(f"{problem.path}:{problem.line}: {problem.message}{hint}")


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
