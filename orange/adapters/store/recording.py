"""Brings what is accepted and not yet in the history there: first the own writes, then the hand edits.

In two commits, so that a value of ours that a hand edit replaced is in the history all the same. A file with a refused
value is never committed; its accepted content is.

Next in the flow: the history commits; then the journal drops its entries.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress

from orange.adapters.git import repository_lock
from orange.adapters.journal import Entry, Journal, Kind, Op
from orange.adapters.store.events import EVENTS
from orange.adapters.store.odd import Edit
from orange.adapters.store.scan import is_task_path, read_plain, walk
from orange.adapters.store.shelf import Shelf
from orange.core.layout import Layout
from orange.core.problems import StaleWrite
from orange.core.storeports import History

#: What else is recorded beside tasks.
_FILES, _FOLDERS = ("config.yaml",), ("plans", "pipelines", "prompts")
#: Subjects named in a commit message.
_NAMED = 20

#: Path -> content, None for a deleted file.
_Changes = dict[str, bytes | None]


class Recorder:
    """Records one project's changes. Only one process does so at a time."""

    def __init__(self, layout: Layout, journal: Journal, shelf: Shelf, history: History) -> None:
        self._layout, self._journal, self._shelf, self._history = layout, journal, shelf, history
        #: The stats of the files beside tasks when they were last found to be in the history.
        self._seen: dict[str, tuple[int, ...]] = {}
        #: Files beside tasks that were missing at the last look: a deletion needs two.
        self._gone: frozenset[str] = frozenset()

    def record(self, message: str | None, *, look: bool) -> str | None:
        """Commit everything accepted; `look` at all files first. Returns the last commit. Raises GitFailed."""
        with self._alone():
            if look:
                self._shelf.refresh()
            self._shelf.made()
            with self._journal.locked():
                accepted = self._shelf.view.edits()
                self._mend(accepted)
                hand = {**self._hand(accepted.values()), **self._beside()}
                own, last, told = self._gather()
            made = self._commit_own(own, last, message or told)
            subjects = [*accepted, *(path for path in hand if not is_task_path(path))]
            return self._commit(hand, _listed("Accept hand edits", subjects)) or made

    def record_own(self) -> str | None:
        """Commit the own writes alone; looks at no other file. Raises GitFailed."""
        with self._alone():
            with self._journal.locked():
                own, last, told = self._gather()
            return self._commit_own(own, last, told)

    def _alone(self) -> AbstractContextManager[object]:
        return repository_lock(f"{self._layout.runtime}/record.lock")

    def _commit_own(self, changes: _Changes, last: int, message: str) -> str | None:
        made = self._commit(changes, message)
        if last:
            with self._journal.locked():
                self._journal.drop(last)
        return made

    def _commit(self, changes: _Changes, message: str) -> str | None:
        if not changes:
            return None
        before = self._history.tip()
        made = self._history.commit(changes, message)
        self._shelf.recorded(before, made, changes)
        return None if made == before else made

    def _gather(self) -> tuple[_Changes, int, str]:
        """Collect the own writes: the changes, the number of the last entry, and what to call them."""
        self._shelf.begin()
        entries = self._shelf.accepted.entries
        return self._own(entries), entries[-1].number if entries else 0, _told(entries)

    # --- own writes

    def _own(self, entries: Iterable[Entry]) -> _Changes:
        paths: dict[str, None] = {}
        for op in (op for entry in entries for op in entry.ops):
            paths |= dict.fromkeys(_paths(op))
        return dict(self._contents(paths))

    def _contents(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        accepted = self._shelf.accepted
        for path in paths:
            if is_task_path(path):
                version = accepted.version(path)
                yield path, accepted.data(version) if version else None
            else:
                yield path, self._read(path)

    def _read(self, path: str) -> bytes | None:
        try:
            return read_plain(f"{self._layout.tree}/{path}", 1 << 30)[0]
        except FileNotFoundError:
            return None

    # --- hand edits

    def _mend(self, edits: Mapping[str, Edit]) -> None:
        """Write into hand-edited files what follows from the edit, so that they say what is in force."""
        due = [edit for edit in edits.values() if edit.due is not None and edit.content is not None]
        for edit in due:
            with suppress(StaleWrite):  # it is being edited again: next time
                self._journal.write(
                    "Complete a hand edit", [Op(Kind.WRITE, edit.path, edit.due or b"", base=edit.content)]
                )

    def _hand(self, edits: Iterable[Edit]) -> _Changes:
        changes: _Changes = {}
        for edit in edits:
            if edit.due is None:
                changes[edit.path] = edit.content
            folder = os.path.dirname(edit.path)
            if edit.content is None:
                changes[f"{folder}/{EVENTS}"] = None
        return changes | self._left_behind()

    def _left_behind(self) -> _Changes:
        """Delete the old places of files that were moved by hand, once the new place is accepted."""
        changes: _Changes = {}
        for path, odd in self._shelf.view.odd.items():
            if odd.moved_to and self._is_accepted(odd.moved_to):
                changes[path] = None
                old, new = (f"{os.path.dirname(place)}/{EVENTS}" for place in (path, odd.moved_to))
                changes |= {old: self._read(old), new: self._read(new)}
        return changes

    def _is_accepted(self, path: str) -> bool:
        odd = self._shelf.view.odd.get(path)
        return odd is None or odd.edit is not None

    # --- files beside tasks

    def _beside(self) -> _Changes:
        """The project's other files that a person or a command has changed."""
        tree = self._layout.tree
        there = {path for path in _FILES if os.path.isfile(f"{tree}/{path}")}
        there |= {path for folder in _FOLDERS for path in walk(tree, folder)}
        signatures = {path: _signature(f"{tree}/{path}") for path in there}
        if signatures == self._seen and not self._gone:
            return {}
        recorded = {path: blob for path, blob in self._history.blobs().items() if _is_beside(path)}
        contents = {path: self._read(path) for path in sorted(there) if signatures[path] != self._seen.get(path)}
        gone = frozenset(recorded.keys() - there)
        changes: _Changes = {
            path: data
            for path, data in contents.items()
            if data is not None and recorded.get(path) != self._shelf.blob_of(data)
        }
        changes |= dict.fromkeys(gone & self._gone)
        self._gone = gone - self._gone
        if not changes:
            self._seen = signatures
        return changes


def _is_beside(path: str) -> bool:
    return path in _FILES or path.startswith(tuple(f"{folder}/" for folder in _FOLDERS))


def _signature(path: str) -> tuple[int, ...]:
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _paths(op: Op) -> Iterator[str]:
    """The recorded files an operation concerns."""
    if op.kind is not Kind.MOVE:
        yield op.path
    for moved in op.files:
        yield from (moved.source, moved.target)


def _told(entries: tuple[Entry, ...]) -> str:
    messages = list(dict.fromkeys(entry.message for entry in entries))
    return messages[0] if len(messages) == 1 else _listed(f"Record {len(messages)} changes", messages)


def _listed(subject: str, items: list[str]) -> str:
    more = [f"- ... and {len(items) - _NAMED} more"] if len(items) > _NAMED else []
    return "\n".join([subject, "", *(f"- {item}" for item in items[:_NAMED]), *more])
