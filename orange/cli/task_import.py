"""`orange task import`: tasks from what other programs write."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line
from orange.cli.task_create import created_line
from orange.core.imports import backlog, formats, report
from orange.core.imports.item import ImportRefused, Source
from orange.project.requests import Filter

if TYPE_CHECKING:
    from orange.core.imports.resolve import Resolved
    from orange.project.job_import import Imported

#: Bytes of a file; a list of tasks is never so long.
_LARGEST = 64 << 20
#: The file of a folder that holds the tasks, by tool.
_USUAL = ("tasks/tasks.json", "tasks.json", "issues.jsonl", "tasks.md", "tasks.jsonl")
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
    with call.out.busy(f"importing {source.name}"):
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
        return Source("standard input", {"standard input": call.stdin.read()})
    whole = os.path.abspath(path)
    if os.path.isdir(path):
        return _folder(whole)
    name, folder = os.path.basename(whole), os.path.dirname(whole)
    return Source(name, {name: _read(path, name)}, partial(_beside, folder), os.path.basename(folder))


def _folder(path: str) -> Source:
    """Read what a tool keeps in a folder: many files, or one that has a usual name."""
    name = os.path.basename(path)
    files = {at: _read(f"{path}/{at}", f"{name}/{at}") for at in _pages(path)}
    if files:
        return Source(name, files, many=True)
    for file in _USUAL:
        if os.path.isfile(f"{path}/{file}"):
            text = _read(f"{path}/{file}", file)
            return Source(os.path.basename(file), {file: text}, partial(_beside, path), name)
    raise ImportRefused(name, f"the folder holds neither tasks/*.md nor {', '.join(_USUAL)}: name the file itself")


def _pages(path: str) -> list[str]:
    """List the Markdown files of a folder in the places where tasks lie, by path below it."""
    places = [f"{above}{place}" for above in ("", "backlog/") for place in backlog.PLACES]
    return [
        f"{place}/{name}"
        for place in places
        if os.path.isdir(f"{path}/{place}")
        for name in sorted(os.listdir(f"{path}/{place}"))
        if name.lower().endswith(".md") and os.path.isfile(f"{path}/{place}/{name}")
    ]


def _beside(folder: str, path: str) -> str | None:
    """Read a file that a record names, below the folder of the list."""
    whole = os.path.join(folder, path)
    return _read(whole, path) if os.path.isfile(whole) else None


def _read(path: str, name: str) -> str:
    """Read a text file. Raises ImportRefused."""
    try:
        if os.path.getsize(path) > _LARGEST:
            raise ImportRefused(name, f"it is larger than {_LARGEST >> 20} MiB")
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ImportRefused(name, getattr(error, "strerror", None) or "it is not UTF-8 text") from None
