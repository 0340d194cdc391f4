"""The one write path: every change of task files is one entry here, synced first, then applied.

An applied entry stays until the history has it, so the ledger holds exactly the own writes that are not at the tip.
Whoever takes the project lock finishes what is open.

Next in the flow: `store` makes transactions of it and drops entries when the history has them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orange.adapters.journal import redo
from orange.adapters.journal.carry import Carry, Merge, split
from orange.adapters.journal.durable import Disk, Folder
from orange.adapters.journal.entry import Entry, Op, Torn, blob_id, decode, encode
from orange.adapters.journal.ledger import Ledger
from orange.adapters.journal.lock import ProjectLock
from orange.core.layout import Layout
from orange.core.problems import StaleWrite, StorageFailed, UnfinishedWrite

#: The folder of staged files, in the records' folder: renames need one file system.
STAGING = ".staging"
#: Lies in it as long as the records' folder is the one that was written to: a folder made anew has none.
_HOME = "home"
_PART, _LATE = "part-", "late-"


class Journal:
    """The journal of one project."""

    def __init__(self, layout: Layout, merge: Merge, disk: Disk | None = None) -> None:
        self._layout, self._merge = layout, merge
        #: The file operations.
        self.disk = disk or Disk()
        self._lock = ProjectLock(layout.lock, self.disk.step)
        self._ledger = Ledger(self.disk, layout.journal, self._lock)
        self._at_home = False

    @property
    def conflicts(self) -> str:
        """The folder of versions that could neither be applied nor merged."""
        return f"{self._layout.runtime}/conflicts"

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

    def settle(self) -> None:
        """Finish open entries if nobody is writing. For readers. Raises StorageFailed."""
        if self._ledger.may_have_open():
            with self._storage(), self._lock.tried() as held:
                if held:
                    self._recover()

    def number(self) -> int:
        """Return the number of the last entry ever written. Needs no lock."""
        return self._lock.state().last

    def entries(self) -> tuple[Entry, ...]:
        """Every applied entry that the history does not have, in order. Unreadable ones are left out."""
        with self._storage():
            return self._ledger.entries()

    @property
    def unsettled(self) -> bool:
        """Whether the last `entries` found one that is not applied yet."""
        return self._ledger.unsettled

    def drop(self, up_to: int) -> None:
        """Delete the applied entries up to a number: the history has them. Needs the lock."""
        with self._storage():
            self._ledger.drop(up_to)

    @property
    def displaced(self) -> bool:
        """Whether the records' folder was made anew since we wrote to it, so that applied entries may be missing."""
        here = os.path.exists(f"{self._layout.tree}/{STAGING}/{_HOME}")
        return not here and os.path.isdir(self._layout.tree) and os.path.exists(self._note)

    @property
    def _note(self) -> str:
        return f"{self._layout.runtime}/{_HOME}"

    def move_in(self) -> None:
        """Mark the records' folder as the one that is written to. Raises StorageFailed."""
        with self._storage(), self._staging() as staging, self.disk.open(self._layout.runtime) as runtime:
            for folder in (staging, runtime):
                with contextlib.suppress(FileExistsError):
                    self.disk.create(folder, _HOME, b"orange writes here\n")
        self._at_home = True

    def write(self, message: str, ops: Sequence[Op]) -> int:
        """Publish an entry and apply it; returns its number. Needs the lock.

        Raises StorageFailed or StaleWrite with nothing changed, UnfinishedWrite where not even that could be had.
        """
        if not self._at_home and not self.displaced:
            self.move_in()
        with self._storage(), self._tree() as tree, self._staging() as staging:
            carry = Carry(self.disk, tree, staging, self._merge, self._aside, self._ledger.begin())
            self._carry_out(carry, message, tuple(ops))
        return carry.number

    def _carry_out(self, carry: Carry, message: str, ops: tuple[Op, ...]) -> None:
        try:
            redo.stage(carry, ops)
            self._ledger.publish(carry.number, encode(message, ops))
            redo.apply(carry, ops)
        except (OSError, StaleWrite) as error:
            self._take_back(carry, error)
            raise
        # From here on a failure is none: the entry is finished once more by the next who looks.
        with contextlib.suppress(OSError):
            self._ledger.finished(carry.number, Entry(carry.number, message, ops))
            self._ledger.all_finished()
        self._tidy(carry)

    def _take_back(self, carry: Carry, cause: Exception) -> None:
        """Undo a failed entry. If the disk refuses even that, the entry stays open and is finished later."""
        try:
            carry.undo()
            self._ledger.withdraw(carry.number)
        except OSError as error:
            raise UnfinishedWrite(str(error.filename), _reason(error)) from cause
        with contextlib.suppress(OSError):
            self._ledger.all_finished()
        self._tidy(carry)

    def _tidy(self, carry: Carry) -> None:
        carry.tidy()
        self._sweep(carry)

    # --- after a kill

    def _recover(self) -> None:
        if self._ledger.may_have_open():
            for number, data in self._ledger.open_entries():
                self._finish(number, data)
            self._ledger.all_finished()
        if os.path.isdir(self._layout.tree):
            self._clean_staging()

    def _finish(self, number: int, data: bytes) -> None:
        try:
            entry = decode(number, data)
        except Torn:
            self._aside(f"journal/{number}", data)
            self._ledger.withdraw(number)
            return
        with self._tree() as tree, self._staging() as staging:
            carry = Carry(self.disk, tree, staging, self._merge, self._aside, number)
            redo.finish(carry, entry.ops)
            self._ledger.finished(number)
            self._tidy(carry)

    def _sweep(self, carry: Carry) -> None:
        """Delete an entry's staged files, but keep what another program may still write into."""
        for name, blob in carry.late.items():
            with contextlib.suppress(OSError):
                self.disk.rename((carry.staging, name), (carry.staging, f"{_LATE}{blob}-{name}"))
        prefix = f"{carry.number}-"
        for name in self._names_quietly(carry.staging):
            if name.startswith((prefix, _PART + prefix)):
                self.disk.discard(carry.staging, name)

    def _clean_staging(self) -> None:
        """Delete what kills have left staged: no entry is open, so none of it is needed."""
        try:
            staging = self.disk.open(f"{self._layout.tree}/{STAGING}")
        except FileNotFoundError:
            return
        with staging:
            for name in self._names_quietly(staging):
                if name.startswith(_LATE):
                    self._look_after(staging, name)
                elif name != _HOME:
                    self.disk.discard(staging, name)

    def _look_after(self, staging: Folder, name: str) -> None:
        """Keep aside what another program wrote into a file after it was swapped out, once it has closed it."""
        content = self.disk.settled(staging, name, wait=False)
        if content is not None:
            if blob_id(content) not in name:
                self._aside(f"late/{name}", content)
            self.disk.discard(staging, name)

    def _names_quietly(self, folder: Folder) -> list[str]:
        try:
            return self.disk.names(folder)
        except OSError:
            return []

    def _aside(self, path: str, data: bytes) -> None:
        """Keep a version nobody could place, for a person to look at."""
        name = f"{blob_id(data)[:8]}-{path.replace('%', '%25').replace('/', '%2F')}"[-200:]
        with self.disk.open(self.conflicts, make=True) as folder, contextlib.suppress(FileExistsError):
            self.disk.create(folder, name, data)

    def read(self, path: str) -> bytes:
        """Read a file of the records' folder by relative path, following no link. Raises OSError."""
        parent, name = split(path)
        with self._tree() as tree, self.disk.enter(tree, parent) as folder:
            data = self.disk.read(folder, name)
        if data is None:
            raise FileNotFoundError(path)
        return data

    def _tree(self) -> Folder:
        return self.disk.open(self._layout.tree)

    def _staging(self) -> Folder:
        with self._tree() as tree:
            return self.disk.enter(tree, STAGING, make=True)

    @contextmanager
    def _storage(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageFailed(str(error.filename or self._layout.runtime), _reason(error)) from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
