"""The one write path: every change of task files is one entry here, synced first, then applied.

`N.open` is written and not yet applied, `N.done` is applied; an applied entry stays until the history has it, so the
folder holds exactly the own writes that are not at the tip. Whoever takes the project lock finishes what is open.

Next in the flow: `store` makes transactions of it and drops entries when the history has them.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orange.adapters.journal import redo
from orange.adapters.journal.carry import Carry, Merge, split
from orange.adapters.journal.durable import Disk, Folder
from orange.adapters.journal.entry import Entry, Op, Torn, blob_id, decode, encode
from orange.adapters.journal.lock import ProjectLock
from orange.core.layout import Layout
from orange.core.problems import StaleWrite, StorageFailed, UnfinishedWrite

#: The folder of staged files, in the records' folder: renames need one file system.
STAGING = ".staging"
_OPEN, _DONE = ".open", ".done"
_PART, _LATE = "part-", "late-"


class Journal:
    """The journal of one project."""

    def __init__(self, layout: Layout, merge: Merge, disk: Disk | None = None) -> None:
        self._layout, self._merge = layout, merge
        self._disk = disk or Disk()
        self._lock = ProjectLock(layout.lock, self._disk.step)
        self._mutex = threading.Lock()
        #: Entries read so far, by number; an entry never changes.
        self._known: dict[int, Entry] = {}

    @property
    def conflicts(self) -> str:
        """The folder of versions that could neither be applied nor merged."""
        return f"{self._layout.runtime}/conflicts"

    @property
    def disk(self) -> Disk:
        """The file operations."""
        return self._disk

    @property
    def mine(self) -> bool:
        """Whether this thread holds the project lock."""
        return self._lock.mine

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the project lock, with every open entry finished. Raises StorageFailed."""
        with self._storage(), contextlib.ExitStack() as stack:
            stack.enter_context(self._lock.held())
            self._recover()
            kept = stack.pop_all()
        with kept:
            yield

    def settle(self) -> bool:
        """Finish open entries if nobody is writing; returns whether none is left open. For readers."""
        if not self._has_open():
            return True
        with self._storage(), self._lock.tried() as held:
            if held:
                self._recover()
            return held

    def number(self) -> int:
        """The number of the last entry ever written. Needs no lock."""
        return self._lock.number()

    def write(self, message: str, ops: Sequence[Op]) -> int:
        """Publish an entry and apply it; returns its number. Needs the lock.

        Raises StorageFailed or StaleWrite with nothing changed, UnfinishedWrite where not even that could be had.
        """
        with self._storage(), self._tree() as tree, self._staging() as staging, self._folder() as folder:
            number = max(self._lock.number(), *self._numbers(folder, _OPEN, _DONE), 0) + 1
            carry = Carry(self._disk, tree, staging, self._merge, self._aside, number)
            self._carry_out(carry, folder, message, tuple(ops))
        return number

    def _carry_out(self, carry: Carry, folder: Folder, message: str, ops: tuple[Op, ...]) -> None:
        name = f"{carry.number:012}"
        try:
            redo.stage(carry, ops)
            self._lock.set_number(carry.number)
            self._publish(folder, name, encode(message, ops))
            redo.apply(carry, ops)
        except (OSError, StaleWrite) as error:
            self._take_back(carry, folder, name, error)
            raise
        self._complete(carry, folder, name)
        with self._mutex:
            self._known[carry.number] = Entry(carry.number, message, ops)

    def _publish(self, folder: Folder, name: str, data: bytes) -> None:
        part = _PART + name
        self._disk.create(folder, part, data, mode=0o600)
        self._disk.rename((folder, part), (folder, name + _OPEN))
        self._disk.sync(folder)

    def _take_back(self, carry: Carry, folder: Folder, name: str, cause: Exception) -> None:
        """Undo a failed entry. If the disk refuses even that, the entry stays open and is finished later."""
        try:
            carry.undo()
            if self._disk.read(folder, name + _OPEN) is not None:
                self._disk.remove(folder, name + _OPEN)
                self._disk.sync(folder)
        except OSError as error:
            raise UnfinishedWrite(str(error.filename), _reason(error)) from cause
        carry.tidy()
        self._sweep(carry)

    def _complete(self, carry: Carry, folder: Folder, name: str) -> None:
        """Mark an applied entry. Its failure is none: the entry is finished once more by the next who looks."""
        with contextlib.suppress(OSError):
            self._disk.rename((folder, name + _OPEN), (folder, name + _DONE))
        carry.tidy()
        self._sweep(carry)

    # --- after a kill

    def _has_open(self) -> bool:
        try:
            return any(name.endswith(_OPEN) for name in os.listdir(self._layout.journal))
        except FileNotFoundError:
            return False

    def _recover(self) -> None:
        try:
            folder = self._disk.open(self._layout.journal)
        except FileNotFoundError:
            return
        with folder:
            for name in self._disk.names(folder):
                if name.startswith(_PART):
                    self._disk.discard(folder, name)
                elif name.endswith(_OPEN):
                    self._finish(folder, name)
        if os.path.isdir(self._layout.tree):
            self._clean_staging()

    def _finish(self, folder: Folder, name: str) -> None:
        number = int(name.removesuffix(_OPEN))
        data = self._disk.read(folder, name)
        try:
            entry = decode(number, data or b"")
        except Torn:
            self._aside(f"journal/{name}", data or b"")
            self._disk.remove(folder, name)
            return
        with self._tree() as tree, self._staging() as staging:
            carry = Carry(self._disk, tree, staging, self._merge, self._aside, number)
            redo.finish(carry, entry.ops)
            self._disk.rename((folder, name), (folder, f"{number:012}{_DONE}"))
            carry.tidy()
            self._sweep(carry)

    def _sweep(self, carry: Carry) -> None:
        """Delete an entry's staged files, but keep what another program may still write into."""
        for name in carry.late:
            with contextlib.suppress(OSError):
                self._disk.rename((carry.staging, name), (carry.staging, _LATE + name))
        prefix = f"{carry.number}-"
        for name in self._names_quietly(carry.staging):
            if name.startswith((prefix, _PART + prefix)):
                self._disk.discard(carry.staging, name)

    def _clean_staging(self) -> None:
        """Delete what kills have left staged: no entry is open, so none of it is needed."""
        try:
            staging = self._disk.open(f"{self._layout.tree}/{STAGING}")
        except FileNotFoundError:
            return
        with staging:
            for name in self._names_quietly(staging):
                if name.startswith(_LATE):
                    self._look_after(staging, name)
                else:
                    self._disk.discard(staging, name)

    def _look_after(self, staging: Folder, name: str) -> None:
        """Keep aside what another program wrote into a file after it was swapped out."""
        content = self._disk.settled(staging, name)
        if content is not None:
            self._aside(f"late/{name}", content)
            self._disk.discard(staging, name)

    def _names_quietly(self, folder: Folder) -> list[str]:
        try:
            return self._disk.names(folder)
        except OSError:
            return []

    def _aside(self, path: str, data: bytes) -> None:
        """Keep a version nobody could place, for a person to look at."""
        name = f"{blob_id(data)[:8]}-{path.replace('%', '%25').replace('/', '%2F')}"[-200:]
        with self._disk.open(self.conflicts, make=True) as folder, contextlib.suppress(FileExistsError):
            self._disk.create(folder, name, data)

    # --- what is not in the history yet

    def entries(self) -> tuple[Entry, ...]:
        """Every applied entry that the history does not have, in order. Unreadable ones are left out."""
        with self._mutex, self._storage():
            try:
                folder = self._disk.open(self._layout.journal)
            except FileNotFoundError:
                self._known.clear()
                return ()
            with folder:
                return self._read_entries(folder)

    def _read_entries(self, folder: Folder) -> tuple[Entry, ...]:
        numbers = self._numbers(folder, _DONE)
        for gone in self._known.keys() - numbers:
            del self._known[gone]
        for number in numbers:
            if number not in self._known:
                data = self._disk.read(folder, f"{number:012}{_DONE}")
                with contextlib.suppress(Torn):
                    self._known[number] = decode(number, data or b"")
        return tuple(self._known[number] for number in numbers if number in self._known)

    def drop(self, up_to: int) -> None:
        """Delete the applied entries up to a number: the history has them. Needs the lock."""
        with self._storage(), self._folder() as folder:
            for number in self._numbers(folder, _DONE):
                if number <= up_to:
                    self._disk.remove(folder, f"{number:012}{_DONE}")

    def _numbers(self, folder: Folder, *suffixes: str) -> list[int]:
        return [int(name[:12]) for name in self._disk.names(folder) if name.endswith(suffixes) and name[:12].isdigit()]

    def read(self, path: str) -> bytes:
        """Read a file of the records' folder by relative path, following no link. Raises OSError."""
        parent, name = split(path)
        with self._tree() as tree, self._disk.enter(tree, parent) as folder:
            data = self._disk.read(folder, name)
        if data is None:
            raise FileNotFoundError(path)
        return data

    # --- folders and failures

    def _tree(self) -> Folder:
        return self._disk.open(self._layout.tree)

    def _staging(self) -> Folder:
        with self._tree() as tree:
            return self._disk.enter(tree, STAGING, make=True)

    def _folder(self) -> Folder:
        return self._disk.open(self._layout.journal, make=True)

    @contextmanager
    def _storage(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageFailed(str(error.filename or self._layout.runtime), _reason(error)) from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
