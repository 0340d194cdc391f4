"""`orange workspace list|gc` and `orange cleanup`: the places where work is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, task
from orange.cli.render import one_line
from orange.cli.table import Cell, Column, layout


@click.command("list", cls=Command)
@common
def list_workspaces(call: Call, /) -> None:
    """List workspaces and spares."""
    found = call.project.workspaces()
    if not found:
        call.out.note("there are no workspaces yet: each task gets one when it starts")
    call.out.give({"workspaces": found}, lambda: _table(found, call) if found else [])


def _table(found: Iterable[Mapping[str, Any]], call: Call) -> list[str]:
    columns = (Column("TASK"), Column("BRANCH"), Column("PATH"), Column("THERE"))
    rows = [
        (
            Cell(one_line(place.get("task")) or "(spare)"),
            Cell(one_line(place.get("branch"))),
            Cell(one_line(place["path"])),
            Cell("" if place.get("presence", "there") == "there" else one_line(place["presence"]), "yellow"),
        )
        for place in found
    ]
    return layout(columns, rows, call.out.width, call.out.shade)


@click.command(cls=Command)
@common
def gc(call: Call, /) -> None:
    """Mend half-made workspaces and tidy the spares; nothing unsaved is touched."""
    done = list(call.project.gc())
    call.out.give({"done": done}, lambda: [one_line(line) for line in done] or ["nothing to do"])


@click.command(cls=Command, epilog="Example: orange cleanup --dry-run")
@task()
@click.option("--done-only", is_flag=True, help="Only of tasks that are done.")
@click.option("--cancelled-only", is_flag=True, help="Only of cancelled tasks.")
@click.option("--keep-worktree", is_flag=True, help="Keep the worktrees themselves.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@common
def cleanup(call: Call, /, task: str | None, **options: bool) -> None:
    """Remove workspaces whose work is provably safe; name what is kept, and why."""
    from orange.project.cleanup import Options

    found = call.project.cleanup(task, Options(**options))
    call.out.give({"workspaces": found}, lambda: _said(found, call) if found else ["there is nothing to clean up"])


def _said(found: Iterable[Mapping[str, Any]], call: Call) -> list[str]:
    lines = []
    for place in found:
        verb = call.out.shade("removed", "green") if place["removed"] else call.out.shade("kept", "yellow")
        reason = one_line(place.get("reason"))
        verb = "" if reason.startswith("would be") else f"{verb} "
        lines.append(f"{verb}{one_line(place['path'])}: {reason}")
    return lines
