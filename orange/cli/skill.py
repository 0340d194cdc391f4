"""`orange skill list|install`: puts orange's own skills where each agent looks for skills.

Installing again is harmless: a file that is as orange left it is brought up to date, one that somebody changed stays
as it is and is named. What was installed is remembered beside it, by hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import click

from orange import skillfiles
from orange.cli.call import Call
from orange.cli.parsing import Command, choose_named, common, common_but_project, many
from orange.cli.render import one_line
from orange.cli.table import Cell, Column, layout
from orange.core import skills
from orange.core.activeskills import FILE

#: Beside an installed skill: file -> hash as installed.
_MANIFEST = ".installed.json"


def skill_names(folder: str) -> list[str]:
    """List the skills in a folder."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name for name in names if os.path.isfile(f"{folder}/{name}/{FILE}"))


@click.command("list", cls=Command)
@common
def list_skills(call: Call, /) -> None:
    """List orange's skills and where they are installed."""
    found = [_described(name, call) for name in skill_names(skillfiles.own())]
    call.out.give({"skills": found}, lambda: _table(found, call))


def _described(name: str, call: Call) -> dict[str, Any]:
    home = _home(call)
    installed = {
        agent: f"{home}/{below}/{name}"
        for agent, places in skills.PLACES.items()
        for below in places.user
        if os.path.isfile(f"{home}/{below}/{name}/{FILE}")
    }
    with open(f"{skillfiles.own()}/{name}/{FILE}", encoding="utf-8") as file:
        described = skills.read(file.read(), name)
    return {"name": name, "description": described.description, "installed": installed}


def _table(found: list[dict[str, Any]], call: Call) -> list[str]:
    columns = (Column("SKILL"), Column("INSTALLED FOR"), Column("WHAT FOR", flexible=True))
    rows = [
        (
            Cell(one_line(skill["name"]), "bold"),
            Cell(", ".join(skill["installed"]) or "no agent"),
            Cell(one_line(skill["description"])),
        )
        for skill in found
    ]
    return layout(columns, rows, call.out.width, call.out.shade)


@click.command(cls=Command, epilog="Example: orange skill install --agent claude --agent codex")
@many("--agent", "agents", type=click.Choice(list(skills.PLACES)), help="Only for this agent; may be repeated.")
@click.option(
    "--project",
    metavar="[NAME]",
    is_flag=False,
    flag_value="",
    help="In the project (this one, or the registered NAME) instead of your home.",
)
@click.option("--force", is_flag=True, help="Overwrite files that were changed, too.")
@common_but_project
def install(call: Call, /, agents: tuple[str, ...], project: str | None, force: bool) -> None:
    """Put orange's skills where an agent looks for them; safe to repeat."""
    if project:
        call.chosen = choose_named(call, project)
    base = call.project.layout.root if project is not None else _home(call)
    folders = skills.folders(agents or skills.PLACES, user=project is None)
    done = [line for folder in folders for line in install_into(f"{base}/{folder}", force=force)]
    call.out.give({"skills": done}, lambda: [_said(line) for line in done])


def install_into(folder: str, *, force: bool) -> list[dict[str, str]]:
    """Copy every skill into a folder of skills; returns what was done with each file."""
    return [
        {"skill": name, "path": path, "result": result}
        for name in skill_names(skillfiles.own())
        for path, result in _install_one(f"{skillfiles.own()}/{name}", f"{folder}/{name}", force=force)
    ]


def _install_one(source_folder: str, folder: str, *, force: bool) -> Iterator[tuple[str, str]]:
    left = _read_manifest(folder)
    hashes = dict(left)
    for name in _files(source_folder):
        with open(f"{source_folder}/{name}", "rb") as file:
            content = file.read()
        result = _judge(f"{folder}/{name}", content, left.get(name), force=force)
        if result != "kept":
            hashes[name] = _hash(content)
        if result in {"installed", "updated", "overwritten"}:
            _write(f"{folder}/{name}", content)
        yield f"{folder}/{name}", result
    if hashes != left:
        _write(f"{folder}/{_MANIFEST}", json.dumps(hashes, indent=1, sort_keys=True).encode() + b"\n")


def _judge(path: str, content: bytes, left: str | None, *, force: bool) -> str:
    """Say what becomes of one file: `left` is the hash of what was installed there last."""
    try:
        with open(path, "rb") as file:
            there = file.read()
    except FileNotFoundError:
        return "installed"
    if there == content:
        return "unchanged"
    if _hash(there) == left:
        return "updated"
    return "overwritten" if force else "kept"


def _files(folder: str) -> list[str]:
    found = (os.path.relpath(f"{where}/{name}", folder) for where, _, names in os.walk(folder) for name in names)
    return sorted(name for name in found if not name.endswith(".pyc"))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_manifest(folder: str) -> Mapping[str, str]:
    try:
        with open(f"{folder}/{_MANIFEST}", encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(content)
    os.replace(temporary, path)


def _home(call: Call) -> str:
    return call.env.get("HOME") or os.path.expanduser("~")


def _said(line: Mapping[str, str]) -> str:
    more = " (somebody changed it; --force overwrites it)" if line["result"] == "kept" else ""
    return f"{line['result']} {one_line(line['path'])}{more}"
