"""Any task survives its file, and edits lead from any task to any other."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orange.core import document
from orange.core.document import Document
from orange.core.model import Task
from tests.data import tasks as some


def _parsed(data: bytes) -> Document:
    found = document.parse(data, "")
    assert isinstance(found, Document), found
    return found


@given(some.tasks, st.sampled_from(["", "\n", "\n## Context\nx", "\r\n---\r\nx\x1b", "x\n---\n"]))
def test_a_written_task_is_read_back(task: Task, body: str) -> None:
    """Any task and body come back from their file as they were."""
    assert _parsed(document.render(task, body)) == Document(task, body)


@given(some.tasks, some.tasks)
def test_edits_lead_from_any_task_to_any_other(old: Task, new: Task) -> None:
    """The changes between two tasks turn the file of the one into the other, and back."""
    new = replace(new, extra=old.extra)
    data = document.render(old, "\nbody\n")
    changes = document.task_changes(old, new)
    edited = document.edit(data, changes)
    assert _parsed(edited) == Document(new, "\nbody\n")
    assert _parsed(document.edit(edited, document.task_changes(new, old))) == Document(old, "\nbody\n")
    assert document.edit(edited, changes) == edited
