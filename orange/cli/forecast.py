"""`orange forecast`: conflicts between branches, before they happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line

#: So many files of a conflict are named on a line.
_NAMED = 5


@click.command(cls=Command, epilog="Example: orange forecast --json")
@common
def forecast(call: Call, /) -> None:
    """Show which open branches would conflict with their base or with each other.

    Nothing is merged and no file is touched. Only what is committed counts: the uncommitted work of a running agent is
    not seen yet.
    """
    found = call.project.forecast()
    call.out.give(found, lambda: _lines(found, call))


def _lines(found: Mapping[str, Any], call: Call) -> Iterator[str]:
    branches: Sequence[Mapping[str, Any]] = found["branches"]
    names = {branch["task"]: f"{one_line(branch['name'])} ({branch['task']})" for branch in branches}
    for conflict in found["conflicts"]:
        who = [names[task] for task in conflict["tasks"]]
        what = f"{who[0]} and {who[1]} conflict" if len(who) == 2 else f"{who[0]} conflicts with {conflict['base']}"
        yield f"{call.out.shade(what, 'red')} in {_files(conflict['files'])}"
    for tasks in found["unknown"]:
        yield call.out.shade(f"could not be tried: {' and '.join(names[task] for task in tasks)}", "yellow")
    clear = [names[branch["task"]] for branch in branches if branch["clear"]]
    if clear:
        yield f"{call.out.shade('no conflict:', 'green')} {', '.join(clear)}"
    if not branches:
        yield "no open task has work on its branch that is not in its base"


def _files(files: Sequence[str]) -> str:
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return ", ".join(one_line(file) for file in files[:_NAMED]) + more
