"""Living processes that work in a folder: those whose current directory, program or open files lie in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from orange.adapters import process

_PROC = "/proc"


@dataclass(frozen=True, slots=True)
class Occupant:
    """A process with something open in a folder."""

    pid: int
    #: Its program's short name.
    program: str


def find(folders: Sequence[str], proc: str = _PROC) -> Occupant | None:
    """The first process that works below one of these folders, other than this one; None when none is seen."""
    inside = tuple(folder.rstrip("/") + "/" for folder in folders)
    if not os.path.isdir(f"{proc}/self"):
        return _listed(inside)
    for pid in os.listdir(proc):
        if pid.isdigit() and int(pid) != os.getpid() and _works_in(f"{proc}/{pid}", inside):
            return Occupant(int(pid), _program(f"{proc}/{pid}"))
    return None


def visible(proc: str = _PROC) -> bool:
    """Whether open files of other processes can be seen here at all."""
    return os.path.isdir(f"{proc}/self/fd")


def _works_in(folder: str, inside: tuple[str, ...]) -> bool:
    return any(f"{target}/".startswith(inside) for target in _targets(folder))


def _targets(folder: str) -> Iterator[str]:
    """What a process refers to; nothing where it has ended, or is somebody else's."""
    links = [f"{folder}/cwd", f"{folder}/exe"]
    with suppress(OSError):
        links += [f"{folder}/fd/{name}" for name in os.listdir(f"{folder}/fd")]
    for link in links:
        try:
            yield os.readlink(link)
        except OSError:
            continue


def _program(folder: str) -> str:
    try:
        with open(f"{folder}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def _listed(inside: tuple[str, ...]) -> Occupant | None:
    """Ask `lsof` for current directories where there is no process table in the file system."""
    try:
        ended = process.run(["lsof", "-a", "-d", "cwd", "-F", "pcn"])
    except process.ProgramMissing:
        return None
    return parse_lsof(ended.text, inside)


def parse_lsof(text: str, inside: tuple[str, ...]) -> Occupant | None:
    """Read the field output of `lsof -F pcn`: the first process whose folder lies inside."""
    pid, program = 0, "unknown"
    for line in text.splitlines():
        kind, value = line[:1], line[1:]
        if kind == "p":
            pid, program = int(value), "unknown"
        elif kind == "c":
            program = value
        elif kind == "n" and pid != os.getpid() and f"{value}/".startswith(inside):
            return Occupant(pid, program)
    return None
