"""`orange agents`: which agents this machine has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line
from orange.cli.table import Cell, Column, layout


@click.command(cls=Command)
@common
def agents(call: Call, /) -> None:
    """List the agents: what is installed, and why one is unusable."""
    found = call.doors.agents(call.path)
    call.out.give({"agents": list(found)}, lambda: _table(found, call))


def _table(found: Sequence[Mapping[str, Any]], call: Call) -> list[str]:
    columns = (Column("AGENT"), Column("USABLE"), Column("VERSION"), Column("WHY NOT", flexible=True))
    rows = [
        (
            Cell(agent["name"], "bold"),
            Cell("yes", "green") if agent["usable"] else Cell("no", "red"),
            Cell(one_line(agent.get("version"))),
            Cell(one_line(agent.get("reason"))),
        )
        for agent in found
    ]
    return layout(columns, rows, call.out.width, call.out.shade)
