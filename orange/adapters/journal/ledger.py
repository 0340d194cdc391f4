"""The journal's folder: its entries as files, listed no more often than needed.

`N.open` is published and not yet applied, `N.done` is applied. The counts in the lock file say whether anything changed
since the folder was last listed; after a power failure they may be out of date, so each process lists it once itself.

Next in the flow: `journal` publishes, applies and drops entries.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator

from orange.adapters.journal.durable import Disk
from orange.adapters.journal.entry import Entry, Torn, decode
from orange.adapters.journal.lock import Counts, ProjectLock

_OPEN, _DONE, _PART = ".open", ".done", "part-"
_DIGITS = 12


class Ledger:
    """The entries of one journal."""

    def __init__(self, disk: Disk, path: str, lock: ProjectLock) -> None:
        self._disk, self._path, self._lock = disk, path, lock
        self._mutex = threading.Lock()
        #: The applied entries as of the counts they were read at; None before the first listing.
        self._entries: tuple[Entry, ...] = ()
        self._read_at: Counts | None = None
        self._looked_for_open = False
        #: What this process wrote since: it need not be read.
        self._own: dict[int, Entry] = {}
        #: Whether the last `entries` found one that is not applied yet.
        self.unsettled = False

    # --- reading; needs no lock

    def entries(self) -> tuple[Entry, ...]:
        """Every applied entry, in order; the same tuple while there are no others. Raises OSError."""
        with self._mutex:
            # Until nothing was dropped or added meanwhile: of two entries the older must never be read alone.
            while (counts := self._lock.state()) != self._read_at:
                self._read(counts)
                if self.unsettled:
                    break
            return self._entries

    def _read(self, counts: Counts) -> None:
        """Read what is new as of these counts."""
        self.unsettled = bool(counts.applying)
        newer = self._newer(counts)
        every = self._listed() if newer is None else (*self._entries, *newer)
        self._own.clear()
        self._entries = tuple(entry for entry in every if entry.number > counts.dropped)
        self._read_at = None if self.unsettled else counts

    def _newer(self, counts: Counts) -> list[Entry] | None:
        """Read the entries since the last time alone; None where that is not all there is to know."""
        known = self._read_at
        if known is None or self.unsettled or counts.last < known.last:
            return None
        found = []
        with self._disk.open(self._path) as folder:
            for number in range(known.last + 1, counts.last + 1):
                own = self._own.get(number)
                data = None if own else self._disk.read(folder, _name(number, _DONE))
                found += [own] if own else _decoded(number, data) if data is not None else []
        return found

    def _listed(self) -> tuple[Entry, ...]:
        known = {entry.number: entry for entry in self._entries}
        found: list[Entry] = []
        try:
            folder = self._disk.open(self._path)
        except FileNotFoundError:
            return ()
        with folder:
            names = self._disk.names(folder)  # once: an entry changes its name when it is applied
            self.unsettled = self.unsettled or any(name.endswith(_OPEN) for name in names)
            for number in _numbers(names, _DONE):
                if number in known:
                    found.append(known[number])
                else:
                    found += _decoded(number, self._disk.read(folder, _name(number, _DONE)) or b"")
        return tuple(found)

    def may_have_open(self) -> bool:
        """Whether an entry may be open: one is being applied, or nobody has looked since this process began."""
        return not self._looked_for_open or bool(self._lock.state().applying)

    # --- writing; needs the lock

    def open_entries(self) -> Iterator[tuple[int, bytes]]:
        """Yield the number and bytes of each open entry; delete what a kill left unpublished, or dropped."""
        try:
            folder = self._disk.open(self._path)
        except FileNotFoundError:
            return
        with folder:
            names, dropped = self._disk.names(folder), self._lock.state().dropped
            gone = {_name(number, _DONE) for number in _numbers(names, _DONE) if number <= dropped}
            for name in names:
                if name.startswith(_PART) or name in gone:
                    self._disk.discard(folder, name)
            for number in _numbers(names, _OPEN):
                yield number, self._disk.read(folder, _name(number, _OPEN)) or b""

    def all_finished(self) -> None:
        """Note that no entry is open."""
        self._looked_for_open = True
        if self._lock.state().applying:
            self._lock.set_state(self._lock.state()._replace(applying=0))

    def begin(self) -> int:
        """Give the number of a new entry, and note that it is being applied."""
        counts = self._lock.state()
        last = counts.last
        if self._read_at is None:  # the counts may have been lost with the lock file
            with self._disk.open(self._path, make=True) as folder:
                last = max(last, *_numbers(self._disk.names(folder), _OPEN, _DONE), 0)
        self._lock.set_state(Counts(last + 1, last + 1, counts.dropped))
        return last + 1

    def publish(self, number: int, data: bytes) -> None:
        """Make an entry durable."""
        with self._disk.open(self._path, make=True) as folder:
            part = _PART + _name(number, "")
            self._disk.create(folder, part, data, mode=0o600)
            self._disk.rename((folder, part), (folder, _name(number, _OPEN)))
            self._disk.sync(folder)

    def withdraw(self, number: int) -> None:
        """Delete an entry that was published but is not to be."""
        with self._disk.open(self._path, make=True) as folder:
            if self._disk.read(folder, _name(number, _OPEN)) is not None:
                self._disk.remove(folder, _name(number, _OPEN))
                self._disk.sync(folder)

    def finished(self, number: int, entry: Entry | None = None) -> None:
        """Mark an entry as applied; `entry` is what it holds, if it need not be read again."""
        with self._disk.open(self._path) as folder:
            self._disk.rename((folder, _name(number, _OPEN)), (folder, _name(number, _DONE)))
        if entry is not None:
            with self._mutex:
                self._own[number] = entry

    def drop(self, up_to: int) -> None:
        """Delete the applied entries up to a number."""
        counts = self._lock.state()
        self._lock.set_state(counts._replace(dropped=max(up_to, counts.dropped)))  # for readers they are gone at once
        with self._disk.open(self._path, make=True) as folder:
            for number in _numbers(self._disk.names(folder), _DONE):
                if number <= up_to:
                    self._disk.remove(folder, _name(number, _DONE))


def _name(number: int, suffix: str) -> str:
    return f"{number:0{_DIGITS}}{suffix}"


def _numbers(names: Iterable[str], *suffixes: str) -> list[int]:
    return [int(name[:_DIGITS]) for name in names if name.endswith(suffixes) and name[:_DIGITS].isdigit()]


def _decoded(number: int, data: bytes) -> list[Entry]:
    """Read an entry; an unreadable one is left out."""
    with contextlib.suppress(Torn):
        return [decode(number, data)]
    return []
