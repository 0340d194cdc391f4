"""Looks at a single file that is not plainly what is accepted at its path, and says what it means.

It may be edited, broken, new, moved here by hand, or missing.

Next in the flow: `view` relates all the files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orange.adapters.store.accepted import Accepted, Version
from orange.adapters.store.index import COLUMNS, STATUS, Row
from orange.adapters.store.judge import Edited, Judgement, judge
from orange.adapters.store.rows import flatten
from orange.adapters.store.scan import Memory, read_plain
from orange.core import document, names
from orange.core.document import Document
from orange.core.lifecycle import AT_REST, Facts
from orange.core.model import Task
from orange.core.problems import Problem
from orange.core.times import stamp

#: Seconds between the two looks that make a missing file a deleted one: editors' backups make files vanish briefly.
TWO_LOOKS = 0.5
_PARENT = COLUMNS.index("parent")


@dataclass(frozen=True, slots=True)
class Edit:
    """A hand edit that may be accepted."""

    path: str
    #: The content to record; None for a deletion.
    content: bytes | None
    #: The content the file should get for it to say what is in force; None when it does.
    due: bytes | None = None
    #: The path the file was moved away from by hand.
    moved_from: str | None = None


@dataclass(frozen=True, slots=True)
class Odd:
    """A path whose file is not plainly what is accepted there."""

    #: The task it belongs to, as far as that can be told.
    id: str | None = None
    #: The task in force; None where there is none.
    row: Row | None = None
    problems: tuple[Problem, ...] = ()
    frozen: bool = False
    #: The hand edit, where it may be accepted as it is.
    edit: Edit | None = None
    #: Where the file was moved to by hand.
    moved_to: str | None = None


@dataclass(slots=True)
class Examiner:
    """Looks at odd paths."""

    tree: str
    memory: Memory
    accepted: Accepted
    #: Wall-clock seconds, for the two looks.
    now: Callable[[], float]
    #: When each accepted file was first found missing.
    missing: dict[str, float] = field(default_factory=dict)

    def present(self, path: str, absent: Mapping[str, str]) -> Odd | None:
        """Look at a file; None for a plain one. `absent` are the missing files' ids, with their paths."""
        if self.missing.pop(path, None) is not None:
            # Files are coming back: whatever else is missing may be about to. All are looked at anew.
            self.missing = dict.fromkeys(self.missing, self.now())
        file = self.memory.files[path]
        if file.problem is None and file.blob == self.accepted.blob(path):
            return None
        version = self.accepted.version(path)
        if file.problem is not None:
            return Odd(self._id_of_broken(path, version), None, (file.problem,), frozen=True)
        try:
            data, found = read_plain(f"{self.tree}/{path}")
        except OSError:
            return self._vanished(path, version)
        if version is not None:
            return self._judged(self._edited(path, data, version, found.st_mtime), self.id_at(path))
        return self._unknown(path, data, found.st_mtime, absent)

    def _vanished(self, path: str, version: Version | None) -> Odd:
        """Say what holds of a file that changed again while it was looked at; the next look knows more."""
        row = self._held(path, version) if version else None
        return Odd(row[0], row) if row else Odd()

    def _edited(self, path: str, data: bytes, version: Version, saved_at: float) -> Edited:
        return Edited(path, data, self.accepted.data(version), tuple(self.accepted.older(path)), saved_at)

    def _judged(self, edited: Edited, task_id: str | None, moved_from: str | None = None) -> Odd:
        result = judge(edited, self.facts)
        if isinstance(result, Problem):
            return Odd(task_id, None, (result,), frozen=True)
        edit = None if result.refused else _edit(edited, result, moved_from)
        return Odd(result.task.id, flatten(result.task), result.problems, edit=edit)

    def _unknown(self, path: str, data: bytes, saved_at: float, absent: Mapping[str, str]) -> Odd:
        """Look at a file where none was accepted: a new one, or one moved here by hand."""
        found = document.parse_foreign(data, path)
        if isinstance(found, Problem):
            return Odd(self._id_of_broken(path, None), None, (found,), frozen=True)
        task = found.task
        origin = absent.get(task.id)
        version = self.accepted.version(origin) if origin else None
        if origin and version:
            return self._judged(self._edited(path, data, version, saved_at), task.id, origin)
        if task.status not in AT_REST:
            return Odd(task.id, None, (_too_early(path, task),), frozen=True)
        return Odd(task.id, flatten(task), edit=Edit(path, data, new_text(data, task, saved_at)))

    def gone(self, path: str, claimants: Mapping[str, tuple[str, ...]]) -> Odd | None:
        """Look at a path without a file; None where none is accepted. `claimants` are the paths that say an id."""
        version = self.accepted.version(path)
        if version is None:
            self.missing.pop(path, None)
            return None
        row = self._held(path, version)
        if row is None:
            return Odd()
        if self._is_hidden(path):
            self.missing.pop(path, None)
            return Odd(row[0], row, frozen=True)
        now = self.now()
        first = self.missing.setdefault(path, now)
        if now < first:  # the clock was set back
            first = self.missing[path] = now
        others = claimants.get(row[0])
        if others:  # the file at its new place says what holds
            return Odd(moved_to=others[0] if len(others) == 1 else None)
        return self._lost(path, row, now - first)

    def _lost(self, path: str, row: Row, since: float) -> Odd:
        """Look at an accepted file that is nowhere: about to come back, or deleted by hand."""
        if any(
            path == where or path.startswith(f"{where}/") for where in (*self.memory.unknown, *self.memory.uprooted)
        ):
            return Odd(row[0], row, frozen=True)
        if os.path.lexists(f"{self.tree}/{os.path.dirname(path)}/events.jsonl"):
            return Odd(row[0], row, (_half_gone(path),), frozen=True)
        if since < TWO_LOOKS:
            return Odd(row[0], row)
        return Odd(row[0], edit=Edit(path, None))

    def _is_hidden(self, path: str) -> bool:
        """Whether nobody can tell what lies at a path."""
        places = (*self.memory.unknown, *self.memory.uprooted)
        return any(path == where or path.startswith(f"{where}/") for where in places)

    def _held(self, path: str, version: Version) -> Row | None:
        """The row of a path's accepted content; None where that cannot be read."""
        last = self.memory.last.get(path)
        if last is not None and last.blob == version.blob:
            return last.row
        held = document.parse(self.accepted.data(version), path)
        return flatten(held.task) if isinstance(held, Document) else None

    def id_at(self, path: str) -> str | None:
        """The id of what is accepted at a path."""
        version = self.accepted.version(path)
        row = self._held(path, version) if version else None
        return row[0] if row else None

    def _id_of_broken(self, path: str, version: Version | None) -> str | None:
        """Tell whose file it is that cannot be understood: by what was accepted there, else by its folder's name."""
        if version is not None:
            return self.id_at(path)
        name = os.path.basename(os.path.dirname(path)).rpartition("-")[2]
        return name if names.is_id(name) else None

    def facts(self, task_id: str) -> Facts:
        """Gather what the lifecycle must know of a task's children, as their files say."""
        rows = (file.row for file in self.memory.files.values() if file.row)
        children = [row for row in rows if row[_PARENT] == task_id]
        done = bool(children) and all(row[STATUS] == "done" for row in children)
        return Facts(children=len(children), children_done=done)


def _edit(edited: Edited, result: Judgement, moved_from: str | None) -> Edit | None:
    if edited.current == edited.accepted and moved_from is None:
        return None
    return Edit(edited.path, edited.current, normal_text(result) if result.due else None, moved_from)


def _too_early(path: str, task: Task) -> Problem:
    hint = "set its status to backlog or pending, then use the `orange task` command"
    return Problem(path, 1, f"a new task cannot begin as {task.status}", hint)


def _half_gone(path: str) -> Problem:
    hint = "restore it from the branch `orange-tasks`, or delete the whole folder if the task is to go"
    return Problem(path, 0, "the task's file is missing beside its events.jsonl", hint)


def normal_text(result: Judgement) -> bytes:
    """Write a judged file as it should be for it to say what is in force. Raises EditFailed, InvalidInput."""
    return document.edit(result.text, document.task_changes(result.written, result.task), result.task.path)


def new_text(data: bytes, task: Task, saved_at: float) -> bytes | None:
    """Write into a hand-made file what is fixed at creation; None when it is there."""
    text = data
    if b"\nname:" not in data:
        # In two steps, for the name derived from the title is what the file already means.
        text = document.edit(document.edit(text, {"name": f"{task.name[:40]}-x"}), {"name": task.name})
    if not task.created_at:
        text = document.edit(text, {"created_at": stamp(saved_at)})
    return None if text == data else text
