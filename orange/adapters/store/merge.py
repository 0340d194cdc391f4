"""Brings two changes of one task file together, key by key and section by section.

Next in the flow: the journal merges with it what an editor saved in the instant of a write, `judge` what an editor
saved that had read an older version.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from orange.adapters.journal import Op
from orange.adapters.store.scan import is_task_path
from orange.core import document
from orange.core.body import section, with_section
from orange.core.document import Document
from orange.core.model import PROTECTED, Task
from orange.core.problems import BrokenFile, EditFailed, InvalidInput, Problem

#: So many earlier contents are compared: an editor that is older than that began with none of them.
_CANDIDATES = 32

#: Keys whose own value counts whatever the other side says.
_OURS = frozenset({*PROTECTED, "updated_at"})


def merge(base: bytes, ours: bytes, theirs: bytes, sections: Iterable[str] | None = None) -> bytes | None:
    """Return their text with our changes since `base`; None where one of the texts cannot be understood.

    Where both changed the same key or section to different values, theirs stays: ours is in the history. `sections`
    names the body sections we set; None for any of ours.
    """
    texts = [document.parse(data, "") for data in (base, ours, theirs)]
    before, mine, yours = (text if isinstance(text, Document) else None for text in texts)
    if before is None or mine is None or yours is None:
        return None
    try:
        text = document.edit(theirs, _keys(before.task, mine.task, yours.task))
        body = _body(before.body, mine.body, yours.body, sections)
        return text if body == yours.body else document.with_body(text, body)
    except (BrokenFile, EditFailed, InvalidInput):
        return None


def merge_op(op: Op, theirs: bytes, older: Iterable[bytes]) -> bytes | None:
    """Merge a journal operation's change into another version of its file; None where that cannot be done.

    `older` are contents the file had before the operation: their editor may have begun with one of them.
    """
    if not is_task_path(op.path) or op.base is None:
        return None
    found = document.parse(theirs, "")
    if not isinstance(found, Document):
        return None
    return merge(nearest(found, (op.base, *older)) or op.base, op.target, theirs, op.sections)


def nearest(found: Document, candidates: Iterable[bytes]) -> bytes | None:
    """Tell which of the contents an editor began with: of those with the same `updated_at` the most similar one.

    None where none has it. Of equals, the first.
    """
    best: tuple[int, bytes] | None = None
    for data in islice(dict.fromkeys(candidates), _CANDIDATES):
        version = _read(data)
        if isinstance(version, Document) and version.task.updated_at == found.task.updated_at:
            distance = len(document.task_changes(version.task, found.task)) + (version.body != found.body)
            if best is None or distance < best[0]:
                best = (distance, data)
    return best[1] if best else None


@lru_cache(maxsize=2 * _CANDIDATES)
def _read(data: bytes) -> Document | Problem:
    """Read an earlier content; the same ones are compared again and again while an editor saves."""
    return document.parse(data, "")


def _keys(before: Task, mine: Task, yours: Task) -> dict[str, object]:
    moved = document.task_changes(before, yours)
    merged: dict[str, object] = {}
    for key, value in document.task_changes(before, mine).items():
        if key not in moved or key in _OURS:
            merged[key] = value
        elif isinstance(value, tuple):
            merged[key] = _items(getattr(before, key), value, getattr(yours, key))
    return merged


def _items(before: tuple[object, ...], mine: tuple[object, ...], yours: tuple[object, ...]) -> tuple[object, ...]:
    """Both sides' additions and removals, in their order."""
    kept = [item for item in yours if item in mine or item not in before]
    return (*kept, *(item for item in mine if item not in before and item not in yours))


def _body(before: str, mine: str, yours: str, sections: Iterable[str] | None) -> str:
    if mine in (before, yours):
        return yours
    if yours == before:
        return mine
    for name in sections or ():
        text = section(mine, name)
        if text is not None and section(yours, name) == section(before, name):
            yours = with_section(yours, name, text)
    return yours
