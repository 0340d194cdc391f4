"""`orange task log|diff|events|review`: what happened to a task and what it changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, task
from orange.cli.render import age, evidence_lines, one_line, text_lines
from orange.cli.table import Cell, Column, layout
from orange.core.environment import outside
from orange.core.present import visible

#: Colours of the agent's own output: dropped, they would only be noise when made visible.
_PAINT = re.compile(r"\x1b\[[0-9;:]*m")


@click.command(cls=Command, epilog="Example: orange task log oauth-api --follow")
@task()
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@common
def log(call: Call, /, task: str | None, follow: bool) -> None:
    """Print the output of the latest run."""
    found = call.project.find(call.address(task))
    if follow and not call.out.json:
        for piece in complete_lines(call.project.follow(found.id)):
            call.out.line(_readable(piece))
        return
    path = call.project.log_file(found.id)
    text = "".join(call.project.follow(found.id)) if follow else _text_of(path)
    if not text:
        call.out.note(f"task {found.id} has no output yet")
    answer = {"task": found.id, "path": path, "log": text}
    call.out.give(answer, lambda: map(_readable, text.split("\n") if text else ()))


def complete_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Put a stream's pieces together to whole lines."""
    kept = ""
    for piece in pieces:
        *whole, kept = (kept + piece).split("\n")
        yield from whole
    if kept:
        yield kept


def _readable(line: str) -> str:
    return visible(_PAINT.sub("", line.rstrip("\r")))


def _text_of(path: str | None) -> str:
    if path is None:
        return ""
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        return file.read().removesuffix("\n")


@click.command(cls=Command)
@task()
@common
def diff(call: Call, /, task: str | None) -> None:
    """Print what the task's branch changes."""
    found = call.project.find(call.address(task))
    text = call.project.diff(found.id)
    if not text:
        call.out.note(f"task {found.id} changes nothing yet")
    call.out.give({"task": found.id, "diff": text}, lambda: (_painted(line, call) for line in text_lines(text)))


_DIFF_SHADES = (("+++", "bold"), ("---", "bold"), ("diff ", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


def _painted(line: str, call: Call) -> str:
    return next((call.out.shade(line, shade) for start, shade in _DIFF_SHADES if line.startswith(start)), line)


@click.command(cls=Command)
@task()
@common
def events(call: Call, /, task: str | None) -> None:
    """List what happened to a task."""
    found = call.project.find(call.address(task))
    happened = call.project.events(found.id)
    call.out.give({"task": found.id, "events": happened}, lambda: _event_table(happened, call))


def _event_table(happened: Sequence[Mapping[str, Any]], call: Call) -> list[str]:
    columns = (Column("AGE"), Column("WHEN"), Column("WHAT"), Column("BY"), Column("DETAILS", flexible=True))
    rows = [
        (
            Cell(age(event["at"], call.now), "dim"),
            Cell(one_line(event["at"])),
            Cell(one_line(event["type"])),
            Cell(one_line(event["by"])),
            Cell(_details(event.get("data") or {}), "dim"),
        )
        for event in happened
    ]
    return layout(columns, rows, call.out.width, call.out.shade)


def _details(data: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={one_line(value)}" for key, value in data.items() if value is not None)


@click.command(cls=Command)
@task()
@common
def review(call: Call, /, task: str | None) -> None:
    """Open what a reviewer needs: the diff in the pager, or what `review.open` says."""
    found = call.project.find(call.address(task))
    argv, said = call.project.review(found.id), call.project.evidence(found.id)
    if call.out.json:
        call.out.give({"task": found.id, "command": list(argv), **said}, list)
        return
    call.out.lines(evidence_lines(said, call.style))
    become(call, found.id, argv)


def become(
    call: Call, task_id: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None, folder: str | None = None
) -> None:
    """Let another program take this process's place; with `--json` only say which. `env` comes on top of the user's."""
    if call.out.json:
        call.out.give({"task": task_id, "command": list(argv)} | ({"folder": folder} if folder else {}), list)
        return
    call.out.close()
    try:
        if folder:
            os.chdir(folder)
        os.execvpe(argv[0], list(argv), outside(os.environ) | dict(env) if env is not None else os.environ)  # noqa: S606 - an argv list, no shell: the terminal is handed over
    except OSError as error:
        raise click.ClickException(f"cannot start {argv[0]!r}: {error.strerror}") from error
