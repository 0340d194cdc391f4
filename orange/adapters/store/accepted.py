"""What content of each task file is accepted: the newest own write in the journal, else what the history's tip has.

A file with any other content is a hand edit.

Next in the flow: `judge` compares a hand edit with the accepted content, `view` keeps the board by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orange.adapters.journal import Entry, Journal, Kind, Op, blob_id
from orange.adapters.store.index import TipLog
from orange.adapters.store.scan import is_task_path
from orange.core.storeports import History


@dataclass(frozen=True, slots=True)
class Version:
    """An accepted content."""

    blob: str
    #: The bytes where the journal holds them; the history has the others.
    data: bytes | None = None


class Accepted:
    """The accepted content of every path, as of the last `refresh`."""

    def __init__(self, journal: Journal, history: History, log: TipLog) -> None:
        self._journal, self._history, self._log = journal, history, log
        self.entries: tuple[Entry, ...] = ()
        self.tip: str | None = None
        #: Task files of the tip: path -> blob id.
        self.at_tip: dict[str, str] = {}
        #: Paths with own writes that are not at the tip; None for a deleted file.
        self.pending: dict[str, Version | None] = {}
        self._known_tip = False

    @property
    def algorithm(self) -> str:
        """The hash of blob ids in this repository."""
        return "sha256" if self.tip and len(self.tip) == 64 else "sha1"

    def adopt(self, tip: str | None, at_tip: dict[str, str]) -> None:
        """Begin with what an index says of a tip."""
        self.tip, self.at_tip, self._known_tip = tip, at_tip, True

    def refresh(self) -> set[str]:
        """Look at the journal, then at the tip; returns the task files whose accepted content may have changed.

        In this order: an entry that is gone from the journal is at the tip already.
        """
        entries = self._journal.entries()
        tip, algorithm = self._history.tip(), self.algorithm
        changed = self._follow(tip) if tip != self.tip or not self._known_tip else set()
        if self.algorithm != algorithm:
            self.entries = ()
        return changed | self._refold(entries)

    def _refold(self, entries: tuple[Entry, ...]) -> set[str]:
        """Work out the pending contents; returns the paths concerned."""
        if entries is self.entries:
            return set()
        known = len(self.entries)
        if known and entries[:known] == self.entries:
            changed, new = set[str](), entries[known:]
        else:
            changed, new = set(self.pending), entries
            self.pending = {}
        self.entries = entries
        for op in (op for entry in new for op in entry.ops):
            self._fold(op)
            changed |= {op.path, *(path for moved in op.files for path in (moved.source, moved.target))}
        return {path for path in changed if is_task_path(path)}

    def _fold(self, op: Op) -> None:
        match op.kind:
            case Kind.WRITE if is_task_path(op.path):
                self.pending[op.path] = Version(blob_id(op.data, self.algorithm), op.data)
            case Kind.REMOVE if is_task_path(op.path):
                self.pending[op.path] = None
            case Kind.MOVE:
                for moved in op.files:
                    if is_task_path(moved.source):
                        held = self.pending.get(moved.source)
                        if held is None and moved.accepted:
                            held = Version(moved.accepted)
                        self.pending[moved.source] = None
                        if held:
                            self.pending[moved.target] = held

    def _follow(self, tip: str | None) -> set[str]:
        """Take over another tip: by the log of own commits, else by listing its tree."""
        before = self.at_tip
        noted = self._log.between(self.tip, tip) if self._known_tip else None
        if noted is None:
            at_tip = {path: blob for path, blob in self._history.blobs().items() if is_task_path(path)}
            changed = {path for path in before.keys() | at_tip.keys() if before.get(path) != at_tip.get(path)}
        else:
            at_tip = dict(before)
            for path, blob in noted.items():
                at_tip.pop(path, None)
                if blob is not None:
                    at_tip[path] = blob
            changed = set(noted)
        self.tip, self.at_tip, self._known_tip = tip, at_tip, True
        return changed

    def version(self, path: str) -> Version | None:
        """The accepted content of a path; None where none is, or where the file was deleted."""
        if path in self.pending:
            return self.pending[path]
        blob = self.at_tip.get(path)
        return Version(blob) if blob else None

    def blob(self, path: str) -> str | None:
        """The blob id of a path's accepted content."""
        if path in self.pending:
            version = self.pending[path]
            return version.blob if version else None
        return self.at_tip.get(path)

    def data(self, version: Version) -> bytes:
        """The bytes of an accepted content. Raises GitFailed."""
        return self._history.read(version.blob) if version.data is None else version.data

    def older(self, path: str) -> Iterator[bytes]:
        """The contents the journal still knows the file to have had, the newest first."""
        return older(self.entries, path)

    def paths(self) -> set[str]:
        """Every task file that has accepted content."""
        found = set(self.at_tip)
        for path, version in self.pending.items():
            if version is None:
                found.discard(path)
            else:
                found.add(path)
        return found

    def wide_since(self, number: int) -> bool:
        """Whether an entry newer than `number` changed more than one task file."""
        newer = (entry for entry in self.entries if entry.number > number)
        return any(sum(op.kind is not Kind.APPEND for op in entry.ops) > 1 for entry in newer)

    def has_all(self, first: int, last: int) -> bool:
        """Whether the entries of a range of numbers are all at hand."""
        numbers = {entry.number for entry in self.entries}
        return all(number in numbers for number in range(first, last + 1))

    def recorded(self, tip: str, blobs: Mapping[str, str | None]) -> None:
        """Take over what a commit of our own changed."""
        self._log.add(self.tip, tip, blobs)
        at_tip = dict(self.at_tip)
        for path, blob in blobs.items():
            at_tip.pop(path, None)
            if blob is not None:
                at_tip[path] = blob
        self.tip, self.at_tip = tip, at_tip


def older(entries: Sequence[Entry], path: str) -> Iterator[bytes]:
    """List the contents that entries know a file to have had, the newest first."""
    for entry in reversed(entries):
        for op in reversed(entry.ops):
            if op.kind is Kind.WRITE and op.path == path:
                yield op.data
                if op.base is not None:
                    yield op.base
