"""`orange task export`: every task with its text, for other programs, for people, or for another project."""

from __future__ import annotations

import json

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.core import export as forms
from orange.project.requests import Filter

_EPILOG = """\b
Examples:
  orange task export > tasks.json
  orange task export --format md > tasks.md
  orange -C ../other task import tasks.json
"""


@click.command("export", cls=Command, epilog=_EPILOG)
@click.option(
    "--format",
    "format_",
    type=click.Choice(("json", "jsonl", "md")),
    default="json",
    show_default=True,
    help="The form.",
)
@common
def export(call: Call, /, format_: str) -> None:
    """Print every task with its text, closed ones too: JSON, JSON Lines or Markdown."""
    tasks = call.project.list(Filter(all=True), body=True)
    if format_ == "json" or call.out.json:
        call.out.lines([json.dumps({"tasks": tasks}, ensure_ascii=False, indent=None if call.out.json else 2)])
    elif format_ == "jsonl":
        call.out.lines(forms.json_lines(tasks))
    else:
        call.out.lines(forms.markdown(call.project.name, tasks))
