"""`orange quick ...`: one-off prompts, outside of any task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, text
from orange.cli.render import age, one_line, text_lines
from orange.cli.table import Cell, Column, layout
from orange.cli.task_create import created_line

_View = Mapping[str, Any]
_SHADES = {"queued": "cyan", "running": "blue", "completed": "green", "failed": "red"}
_COLUMNS = (*map(Column, ("ID", "STATUS", "AGENT", "AGE", "FILES", "TASK")), Column("PROMPT", flexible=True))
#: So many lines of what the agent said are shown.
_LINES = 40


@click.command(cls=Command, epilog='Example: orange quick run "Which of our tests are slowest, and why?"')
@text("prompt")
@click.option("--agent", metavar="A", help="The agent; the project's by default.")
@click.option("--promote", is_flag=True, help="Make a task of it once it is completed.")
@common
def run(call: Call, /, prompt: str, agent: str | None, promote: bool) -> None:
    """Let an agent do something once, outside of any task.

    It works in a workspace of its own, cut from the base, and takes an agent slot. What it changes is kept as a patch
    and is not merged. `-` reads the prompt from standard input.
    """
    quick = call.project.quick.run(call.read_text(prompt), agent, promote=promote)
    view = call.project.quick.show(quick.id)
    call.out.give(
        {"quick_run": view}, lambda: [f"{quick.id} is queued: `orange quick show {quick.id}` says what comes of it"]
    )


@click.command(cls=Command)
@common
def list_quick(call: Call, /) -> None:
    """List the quick actions, the latest first."""
    found = call.project.quick.list()
    if not found:
        call.out.note("there are no quick actions: `orange quick run PROMPT`")
    rows = [_row(view, call) for view in found]
    call.out.give({"quick_runs": found}, lambda: layout(_COLUMNS, rows, call.out.width, call.out.shade) if rows else [])


def _row(view: _View, call: Call) -> list[Cell]:
    return [
        Cell(view["id"]),
        Cell(view["status"], _SHADES[view["status"]]),
        Cell(one_line(view["agent"])),
        Cell(age(view["created_at"], call.now), "dim"),
        Cell(str(view["changed_files"] or "")),
        Cell(view["promoted_task_id"] or ""),
        Cell(one_line(view["title"])),
    ]


@click.command(cls=Command)
@click.argument("quick", metavar="ID")
@common
def show(call: Call, /, quick: str) -> None:
    """Show one quick action and what its agent said."""
    view = call.project.quick.show(quick)
    call.out.give({"quick_run": view}, lambda: _page(view, call))


def _page(view: _View, call: Call) -> Iterator[str]:
    yield call.out.shade(one_line(view["title"]), "bold")
    yield f"{call.out.shade(view['status'], _SHADES[view['status']])}  {view['id']}"
    if view["waiting"]:
        yield f"it waits: {one_line(view['waiting'])}"
    for name in ("agent", "by", "created_at", "started_at", "finished_at", "outcome", "error", "workspace"):
        yield from _field(name.replace("_", " "), view[name], call)
    yield from _field("changed files", view["changed_files"] or None, call)
    yield from _field("patch", view["patch"], call)
    yield from _field("rescue ref", view["rescue"], call)
    yield from _field("log", view["logs_ref"], call)
    yield from _field("task", view["promoted_task_id"], call)
    said = view["output"].rstrip()
    if said:
        yield from ("", *list(text_lines(said))[-_LINES:])


def _field(name: str, value: object, call: Call) -> Iterator[str]:
    if value is not None:
        yield f"{call.out.shade(f'{name:<20}', 'dim')} {one_line(value)}"


@click.command(cls=Command)
@click.argument("quick", metavar="ID")
@common
def promote(call: Call, /, quick: str) -> None:
    """Make a task of a completed quick action; what it changed is on the task's branch. Safe to repeat."""
    task = call.project.quick.promote(quick)
    call.out.give({"task": call.project.view(task.id) if call.out.json else {}}, lambda: [created_line(task)])
