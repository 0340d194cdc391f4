"""`orange config show|set|validate`: the settings, where each comes from, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.output import compact
from orange.cli.parsing import Command, FreeText, common
from orange.cli.render import one_line, problem_lines
from orange.cli.table import Cell, Column, layout


@click.command(cls=Command)
@click.argument("key", required=False)
@common
def show(call: Call, /, key: str | None) -> None:
    """Show every setting and where its value comes from; with KEY only those below it."""
    settings = [line for line in call.project.config_show() if key is None or _below(line["key"], key)]
    if not settings:
        raise click.ClickException(f"there is no setting called {key!r}: `orange config show` lists all")
    call.out.give({"config": settings}, lambda: _table(settings, call))


def _below(name: object, key: str) -> bool:
    return str(name) == key or str(name).startswith(f"{key}.")


def _table(settings: Iterable[Mapping[str, Any]], call: Call) -> list[str]:
    columns = (Column("SETTING"), Column("VALUE", flexible=True), Column("FROM", flexible=True))
    rows = [
        (Cell(str(line["key"])), Cell(_value(line["value"])), Cell(one_line(line["source"]), "dim"))
        for line in settings
    ]
    return layout(columns, rows, call.out.width, call.out.shade)


def _value(value: object) -> str:
    return one_line(value) if isinstance(value, str) else compact(value)


@click.command("set", cls=Command, epilog="Example: orange config set review.by agent")
@click.argument("key")
@click.argument("value", cls=FreeText)
@click.option("--user", is_flag=True, help="In your own settings instead of the project's.")
@common
def set_value(call: Call, /, key: str, value: str, user: bool) -> None:
    """Change one setting: VALUE is read as YAML, such as 10m, true or [a, b]."""
    call.project.config_set(key, value, user=user)
    settings = [line for line in call.project.config_show() if _below(line["key"], key)]
    call.out.give({"config": settings}, lambda: [f"{line['key']} = {_value(line['value'])}" for line in settings])


@click.command(cls=Command)
@common
def validate(call: Call, /) -> int:
    """Check the configuration files; exit code 1 when something is wrong."""
    problems = [asdict(found) for found in call.project.config_problems()]
    call.out.give(
        {"problems": problems},
        lambda: problem_lines(problems, call.style) or ["the configuration is valid"],
    )
    return 1 if problems else 0
