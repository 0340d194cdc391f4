"""`orange session ...`: what each run of the daemon did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import age, age_of, one_line
from orange.cli.table import Cell, Column, layout
from orange.core.allowance import Bill

_View = Mapping[str, Any]
_SHADES = {"active": "green", "paused": "yellow", "completed": "", "failed": "red"}
_COLUMNS = (
    *map(Column, ("ID", "STATUS", "BEGAN", "TOOK", "RUNS", "DONE", "FAILED", "USED")),
    Column("ENDED BECAUSE", flexible=True),
)


@click.command(cls=Command)
@common
def list_sessions(call: Call, /) -> None:
    """List the daemon's sessions, the latest first."""
    found = call.doors.sessions()
    if not found:
        call.out.note("no daemon has run yet")
    rows = [_row(view, call) for view in found]
    call.out.give(
        {"sessions": list(found)}, lambda: layout(_COLUMNS, rows, call.out.width, call.out.shade) if rows else []
    )


def _row(view: _View, call: Call) -> list[Cell]:
    return [
        Cell(view["id"]),
        Cell(view["status"], _SHADES[view["status"]]),
        Cell(f"{age(view['started_at'], call.now)} ago"),
        Cell(_took(view, call)),
        *(Cell(f"{len(view[name]):,}") for name in ("runs", "done", "failed")),
        Cell(_bill(view)),
        Cell(one_line(view["reason"])),
    ]


def _took(view: _View, call: Call) -> str:
    """Say how long it lasted; nothing of one that ended without a word."""
    if view["status"] == "failed":
        return ""
    end = datetime.fromisoformat(view["ended_at"]).timestamp() if view["ended_at"] else call.now
    return age_of(end - datetime.fromisoformat(view["started_at"]).timestamp())


def _bill(view: _View) -> str:
    return str(Bill(view["minutes"], view["tokens"], view["usd"]))


@click.command(cls=Command)
@click.argument("session", metavar="ID")
@common
def show(call: Call, /, session: str) -> None:
    """Show one session of the daemon: what it was told, did and used."""
    view = call.doors.session(session)
    call.out.give({"session": dict(view)}, lambda: _page(view, call))


def _page(view: _View, call: Call) -> Iterator[str]:
    yield f"{view['id']}  {call.out.shade(view['status'], _SHADES[view['status']])}"
    told = ", ".join(f"{name.replace('_', '-')} {_told(value)}" for name, value in view["options"].items())
    for name, text in (
        ("began", f"{view['started_at']} ({age(view['started_at'], call.now)} ago), process {view['pid']}"),
        ("ended", f"{view['ended_at']}: {view['reason']}" if view["ended_at"] else _open_end(view)),
        ("told", told),
        ("projects", ", ".join(view["projects"])),
        ("done", ", ".join(view["done"])),
        ("failed", ", ".join(view["failed"])),
        ("runs", f"{len(view['runs']):,}" if view["runs"] else ""),
        ("used", _bill(view)),
    ):
        if text:
            yield f"{call.out.shade(f'{name:<20}', 'dim')} {one_line(text)}"


def _told(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is True else str(value)


def _open_end(view: _View) -> str:
    return "without a word: it was killed, or the machine went down" if view["status"] == "failed" else ""
