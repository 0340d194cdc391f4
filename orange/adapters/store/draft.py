"""One task within a transaction: what its file holds, what is in force, and what the transaction makes of it.

A draft has two texts: the accepted one, which goes into the history, and the one the file gets. They differ where a
hand edit is refused: it stays in the file for the person to see, until the transaction itself sets that key.

Next in the flow: `transaction` turns drafts into the operations of one journal entry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from orange.adapters.journal import Kind, Op
from orange.adapters.store.judge import Judgement
from orange.core import document
from orange.core.body import with_section
from orange.core.document import Document
from orange.core.model import FIXED, Task
from orange.core.problems import BrokenFile, InvalidInput, Problem, StaleWrite


@dataclass(slots=True)
class Draft:
    """A task under change."""

    path: str
    #: The file's content when it was read; None for a new file.
    base: bytes | None
    #: The task in force, with what the transaction has set.
    task: Task
    body: str
    #: The accepted text, and the one the file gets.
    accepted: bytes
    shown: bytes
    #: Keys whose values in the file are refused.
    refused: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    changed: bool = False

    def put(self, task: Task, now: str) -> None:
        """Take over the keys that differ from what is in force. Raises StaleWrite, InvalidInput, EditFailed."""
        if task.epoch < self.task.epoch:
            raise StaleWrite(task.id, f"epoch {task.epoch} is over, it is at {self.task.epoch}")
        changes = document.task_changes(self.task, task)
        for key in FIXED:
            if key in changes:
                raise InvalidInput(key, "it is fixed at creation")
        if changes:
            self._apply({**changes, "updated_at": now})

    def write_section(self, name: str, text: str, now: str) -> None:
        """Set one section of the body. Raises InvalidInput, EditFailed."""
        body = with_section(self.body, name, text)
        if body == self.body:
            return
        self.accepted = document.with_body(self.accepted, body, self.path)
        self.shown = document.with_body(self.shown, body, self.path)
        self.body, self.sections = body, (*self.sections, name)
        self._apply({"updated_at": now})

    def _apply(self, changes: dict[str, Any]) -> None:
        self.accepted = document.edit(self.accepted, changes, self.path)
        self.shown = document.edit(self.shown, changes, self.path) if self.refused else self.accepted
        self.refused = tuple(key for key in self.refused if key not in changes)
        self.task, self.changed = replace(self.task, **changes), True

    def op(self) -> Op:
        """Make the journal's operation of it."""
        shown = None if self.shown == self.accepted else self.shown
        return Op(Kind.WRITE, self.path, self.accepted, base=self.base, shown=shown, sections=self.sections)


def opened(path: str, base: bytes, found: Judgement) -> Draft:
    """Begin with a file as it was judged: what is in force becomes the accepted text.

    Raises EditFailed, InvalidInput when the file cannot be made to say it.
    """
    accepted = _says(found, found.task, path)
    if not found.refused:
        return Draft(path, base, found.task, found.body, accepted, accepted)
    kept = {key: getattr(found.written, key) for key in found.refused}
    shown = _says(found, replace(found.task, **kept), path)
    return Draft(path, base, found.task, found.body, accepted, shown, found.refused)


def _says(found: Judgement, task: Task, path: str) -> bytes:
    changes = document.task_changes(found.written, task)
    return document.edit(found.text, changes, path) if changes else found.text


def created(path: str, task: Task, body: str) -> Draft:
    """Begin with a new task. Raises InvalidInput, EditFailed."""
    data = document.render(task, body)
    return Draft(path, None, replace(task, path=path), body, data, data, changed=True)


def adopted(path: str, data: bytes) -> Draft:
    """Begin with a complete file's text. Raises BrokenFile."""
    found = understood(data, path)
    return Draft(path, None, found.task, found.body, data, data, changed=True)


def understood(data: bytes, path: str) -> Document:
    """Read a task file. Raises BrokenFile."""
    found = document.parse(data, path)
    if isinstance(found, Problem):
        raise BrokenFile(found)
    return found
