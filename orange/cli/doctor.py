"""`orange doctor` and `orange trust`: is this machine ready, and what may take effect on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line


@click.command(cls=Command)
@common
def doctor(call: Call, /) -> int:
    """Check this machine and this project; exit code 1 when something is wrong."""
    checks = call.doors.doctor(call.path)
    call.out.give({"checks": list(checks)}, lambda: _lines(checks, call))
    return 0 if all(check["ok"] for check in checks) else 1


def _lines(checks: Iterable[Mapping[str, Any]], call: Call) -> Iterator[str]:
    good, bad = ("✓", "✗") if call.out.unicode else ("ok", "!!")
    for check in checks:
        mark = call.out.shade(good, "green") if check["ok"] else call.out.shade(bad, "red")
        yield f"{mark} {one_line(check['check'])}: {one_line(check['message'])}"
        if check.get("hint") and not check["ok"]:
            yield f"    {call.out.shade('hint:', 'dim')} {one_line(check['hint'])}"


@click.command(cls=Command)
@common
def trust(call: Call, /) -> None:
    """Let this project's commands and foreign tasks take effect here."""
    found = call.doors.trust(call.path)
    call.out.give(dict(found), lambda: [one_line(found.get("message") or _said(found))])


def _said(found: Mapping[str, Any]) -> str:
    tasks = len(found.get("tasks") or ())
    commands = "the commands in its settings and pipelines and " if found.get("commands") else ""
    return f"trusted {commands}{tasks} task{'' if tasks == 1 else 's'} that came from elsewhere"
