"""`orange task import`: tasks from what other programs write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line
from orange.cli.task_create import created_line, read_file

if TYPE_CHECKING:
    from orange.project.job_import import Imported

_FORMATS = ("job",)
_EPILOG = """\b
Examples:
  orange task import jobs.json --dry-run
  curl -s https://example.org/jobs | orange task import - --format job
"""


@click.command("import", cls=Command, epilog=_EPILOG)
@click.argument("file", type=click.Path())
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), default="job", show_default=True, help="What it holds."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be created.")
@common
def import_tasks(call: Call, /, file: str, format_: str, dry_run: bool) -> None:
    """Create tasks from a FILE (`-` is standard input), all or none.

    A job is a JSON object with `type` and `payload`; a file holds one, a list of them, or one a line.
    """
    found = call.project.import_jobs(read_file(call, file), dry_run=dry_run)
    call.out.give(
        {"tasks": [_view(call, item) for item in found], "format": format_, "dry_run": dry_run},
        lambda: [line for item in found for line in _lines(item)],
    )


def _view(call: Call, item: Imported) -> dict[str, object]:
    if not call.out.json:
        return {}
    told: dict[str, object] = {"payload": item.job.payload, "warnings": list(item.job.warnings)}
    return told if item.task is None else {**call.project.view(item.task.id), **told}


def _lines(item: Imported) -> list[str]:
    said = f"would create: {one_line(item.request.title)}" if item.task is None else created_line(item.task)
    return [said, *(f"  {one_line(warning)}" for warning in item.job.warnings)]
