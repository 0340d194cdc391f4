"""Finds out who speaks, by evidence: the process tree a command runs in, not what its environment claims.

A supervisor (`orange.runner RUN`) is an ancestor of everything its agent starts, because it is their subreaper; its
own record names its process. So the walk up the tree ends at a supervisor whose record agrees, or finds a person.
"""

from __future__ import annotations

import getpass
import json
import os

from orange.core.layout import Layout

#: How many ancestors are looked at.
DEPTH = 64


def run_of_process(layout: Layout, pid: int) -> str | None:
    """Return the run in whose process tree a process is, or None. Never raises for processes that end meanwhile."""
    for _ in range(DEPTH):
        run = _supervised(layout, pid)
        if run:
            return run
        parent = _parent(pid)
        if not parent or parent == pid:
            return None
        pid = parent
    return None


def _supervised(layout: Layout, pid: int) -> str | None:
    words = _read(f"/proc/{pid}/cmdline").split("\0")
    if "orange.runner" not in words:
        return None
    run = words[words.index("orange.runner") + 1 :][:1]
    if not run or not run[0] or "/" in run[0]:
        return None
    try:
        record = json.loads(_read(f"{layout.runs}/{run[0]}/supervisor.json") or "{}")
    except ValueError:
        return None
    return run[0] if record.get("pid") == pid else None


def _parent(pid: int) -> int:
    text = _read(f"/proc/{pid}/stat")
    fields = text.rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def task_of_folder(layout: Layout, folder: str) -> str | None:
    """Return the task id in the name of the workspace a folder lies in, or None outside of workspaces."""
    where = os.path.realpath(folder)
    top = _top(where)
    git_file = _read(f"{top}/.git") if top else ""
    if not top or not git_file.startswith("gitdir:") or top == layout.tree:
        return None
    task = os.path.basename(top).rpartition("-")[2]
    return task if len(task) == 8 else None


def _top(folder: str) -> str | None:
    while not os.path.lexists(f"{folder}/.git"):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def user_name() -> str:
    """Return the name of the user this process runs as."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
