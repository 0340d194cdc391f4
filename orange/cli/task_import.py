"""`orange task import`: tasks from what other programs write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line
from orange.cli.task_create import created_line
from orange.core.imports import formats, report
from orange.core.imports.item import ImportRefused, Source
from orange.project.requests import Filter

if TYPE_CHECKING:
    from orange.core.imports.resolve import Resolved
    from orange.project.job_import import Imported

#: Bytes of all that is read; a list of tasks is never so long.
_LARGEST = 64 << 20
#: Files of a folder that hold tasks, or that tasks name.
_ENDINGS = (".md", ".markdown", ".json", ".jsonl")
_EPILOG = """\b
Examples:
  orange task import .taskmaster/tasks/tasks.json --dry-run
  orange task import TODO.md
  curl -s https://example.org/jobs | orange task import - --format job
"""


@click.command("import", cls=Command, epilog=_EPILOG)
@click.argument("file", type=click.Path())
@click.option("--format", "format_", type=click.Choice(formats.NAMES), help="What it holds; else it is recognised.")
@click.option("--dry-run", is_flag=True, help="Only say what would be created.")
@common
def import_tasks(call: Call, /, file: str, format_: str | None, dry_run: bool) -> None:
    """Create tasks from a FILE or folder of another tool (`-` is standard input), all or none.

    What is here already is left as it is; what a task has no place for is kept, and said.
    """
    source = read_source(call, file)
    chosen = format_ or formats.recognised(source)
    if chosen == formats.JOB:
        _import_jobs(call, source.text, dry_run=dry_run)
        return
    found = call.project.import_items(source, chosen, dry_run=dry_run)
    call.out.give(
        {"tasks": [] if dry_run else _created(call, found), "format": chosen, "dry_run": dry_run, **report.view(found)},
        lambda: report.lines(found, dry_run=dry_run),
    )


def _created(call: Call, found: Resolved) -> list[dict[str, object]]:
    """Give the task objects of what was created."""
    made = {task.id for task, _ in found.tasks} if call.out.json else set()
    return [task for task in call.project.list(Filter(all=True)) if task["id"] in made] if made else []


def _import_jobs(call: Call, text: str, *, dry_run: bool) -> None:
    found = call.project.import_jobs(text, dry_run=dry_run)
    call.out.give(
        {"tasks": [_view(call, item) for item in found], "format": formats.JOB, "dry_run": dry_run},
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


def read_source(call: Call, path: str) -> Source:
    """Read a file, a folder or standard input. Raises ImportRefused."""
    if path == "-":
        return Source("standard input", {"standard input": call.stdin.read()}, {})
    whole = os.path.abspath(path)
    name, folder = os.path.basename(whole), os.path.basename(os.path.dirname(whole))
    if os.path.isdir(path):
        return Source(name, _below(path), {}, folder, many=True)
    beside = _below(os.path.dirname(whole)) if name.endswith(".jsonl") else {}
    return Source(name, {name: _read(path, name)}, beside, folder)


def _below(folder: str) -> dict[str, str]:
    """Read the files of a folder that may hold tasks, by path below it."""
    found: dict[str, str] = {}
    size = 0
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".git"))
        for name in sorted(name for name in names if name.endswith(_ENDINGS)):
            path = os.path.join(at, name)
            found[os.path.relpath(path, folder)] = _read(path, os.path.relpath(path, folder))
            size += os.path.getsize(path)
            if size > _LARGEST:
                raise ImportRefused(folder, f"its files are larger than {_LARGEST >> 20} MiB together")
    return found


def _read(path: str, name: str) -> str:
    """Read a text file. Raises ImportRefused."""
    try:
        if os.path.getsize(path) > _LARGEST:
            raise ImportRefused(name, f"it is larger than {_LARGEST >> 20} MiB")
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ImportRefused(name, getattr(error, "strerror", None) or "it is not UTF-8 text") from None
