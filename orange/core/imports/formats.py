"""The formats that can be imported, and how one is recognised by a source's content and name.

A new format is one module with `FORMAT` and `read`, one line here, and a rule in `recognised`.
Next in the flow: the reader of the format.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orange.core.imports import backlog, beads, checklist, github, orangefile, speckit, taskmaster, taskq
from orange.core.imports.item import ImportRefused, Reading, Source
from orange.core.imports.jsontext import is_lines, load

#: The queue's own; it is read by `jobfile`.
JOB = "job"
READERS: dict[str, Callable[[Source], Reading]] = {
    orangefile.FORMAT: orangefile.read,
    taskmaster.FORMAT: taskmaster.read,
    backlog.FORMAT: backlog.read,
    beads.FORMAT: beads.read,
    taskq.FORMAT: taskq.read,
    speckit.FORMAT: speckit.read,
    github.FORMAT: github.read,
    checklist.FORMAT: checklist.read,
}
NAMES = (orangefile.FORMAT, JOB, *[name for name in READERS if name != orangefile.FORMAT])


def recognised(source: Source) -> str:
    """Say which format a source has. Raises ImportRefused, also for broken JSON."""
    found = _by_json(source) if _first(source.text) in "{[" and not source.many else _by_text(source)
    if found is None:
        raise ImportRefused(source.name, f"it is not clear what it holds: say --format {'|'.join(NAMES)}")
    return found


def _first(text: str) -> str:
    return text.lstrip("\ufeff \t\r\n")[:1] or " "


def _by_text(source: Source) -> str | None:
    if source.many or backlog.is_one(source.text):
        return backlog.FORMAT
    if speckit.is_one(source.text):
        return speckit.FORMAT
    return checklist.FORMAT if checklist.boxes(source.text) else None


def _by_json(source: Source) -> str | None:
    text = source.text.strip()
    return _by_record(load(text.split("\n", 1)[0] if is_lines(text) else text, source.name))


def _by_record(found: Any) -> str | None:
    if taskmaster.is_one(found):
        return taskmaster.FORMAT
    if isinstance(found, dict) and isinstance(found.get("task"), dict) and "title" in found["task"]:
        return orangefile.FORMAT  # what `show` prints
    held = next((found[name] for name in _LISTS if name in found), found) if isinstance(found, dict) else found
    first = held[0] if isinstance(held, list) and held else held
    names = frozenset(first) if isinstance(first, dict) else frozenset()
    return next((name for name, marks in _MARKS if any(marks_of <= names for marks_of in marks)), None)


#: Keys under which a list of records may stand.
_LISTS = ("tasks", "jobs", "issues")
#: Keys of a record that give its format away, the most telling first.
_MARKS: tuple[tuple[str, tuple[frozenset[str], ...]], ...] = (
    (JOB, (frozenset({"payload"}), frozenset({"task"}))),
    (beads.FORMAT, (frozenset({"issue_type"}), frozenset({"id", "title", "dependency_count"}))),
    (github.FORMAT, (frozenset({"number", "title"}),)),
    (taskq.FORMAT, (frozenset({"id", "task_file"}), frozenset({"id", "worktree_path"}))),
    (orangefile.FORMAT, (frozenset({"title", "status", "blocked_by"}), frozenset({"title", "blocked_by"}))),
)
