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
    """List the agents: what is installed, who is logged in, and why one is unusable."""
    found = call.doors.agents(call.path)
    call.out.give({"agents": list(found)}, lambda: _table(found, call))


def _table(found: Sequence[Mapping[str, Any]], call: Call) -> list[str]:
    columns = (
        Column("AGENT"),
        Column("USABLE"),
        Column("VERSION"),
        Column("LOGIN"),
        Column("WHY NOT", flexible=True),
    )
    rows = [
        (
            Cell(agent["name"], "bold"),
            Cell("yes", "green") if agent["usable"] else Cell("no", "red"),
            Cell(one_line(agent.get("version"))),
            _login(agent),
            Cell(one_line(_why_not(agent))),
        )
        for agent in found
    ]
    return layout(columns, rows, call.out.width, call.out.shade)


def _login(agent: Mapping[str, Any]) -> Cell:
    """Say what the latest run of an agent told; a dash for one that needs no login."""
    state = (agent.get("login") or {}).get("state", "-")
    return Cell(state, {"logged in": "green", "logged out": "red"}.get(state, ""))


def _why_not(agent: Mapping[str, Any]) -> str | None:
    """Say why an agent is unusable, or what its latest run failed for."""
    login = agent.get("login") or {}
    out = f"{login['run']} was refused: {login['remedy']}" if login.get("remedy") else None
    return agent.get("reason") or out
