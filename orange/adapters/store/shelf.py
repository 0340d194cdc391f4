"""Everything the store knows of the files, kept up to date: scanner, accepted contents, view and index.

Readers take no lock. What they see is one state: when something was written while they looked, they look again, in the
end under the lock.

Next in the flow: `files` answers reads from it, `transaction` finds tasks with it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterable, Mapping

from orange.adapters.journal import Journal, Op, blob_id
from orange.adapters.store import index, memory_file
from orange.adapters.store.accepted import Accepted
from orange.adapters.store.events import EVENTS
from orange.adapters.store.index import TipLog
from orange.adapters.store.memory_file import Kept
from orange.adapters.store.restoring import lost_ops
from orange.adapters.store.rows import FINGERPRINT
from orange.adapters.store.scan import NAME, Scanner, is_task_path
from orange.adapters.store.view import View
from orange.core.layout import Layout
from orange.core.model import Board
from orange.core.ports import Clock
from orange.core.problems import Problem, StorageFailed
from orange.core.storeports import History

#: How often a reader looks again without the lock.
_LOOKS = 3
#: The index is written anew when so many files were read again, or one in so many.
_MANY, _ONE_IN = 64, 200


class Shelf:
    """The files of one project. Its methods may be called from several threads."""

    def __init__(self, layout: Layout, journal: Journal, history: History, clock: Clock) -> None:
        self._layout, self._journal, self._clock = layout, journal, clock
        self._log = TipLog(f"{layout.index}.tips")
        self.accepted = Accepted(journal, history, self._log)
        self.scanner = Scanner(layout.tree, journal.disk.ticks)
        self.view = View(layout.tree, self.scanner.memory, self.accepted, clock.now)
        self.mutex = threading.RLock()
        #: Whether the index was looked for.
        self._loaded = False
        #: Whether everything was looked at once: by this process or when the index was written, and by this process.
        self._complete = self._seen = False
        #: Files read again since the index was written.
        self._unsaved = 0
        #: Paths whose accepted content changed since the view was updated.
        self._due: set[str] = set()
        #: Paths of our own writing that were not looked at since.
        self._wrote: set[str] = set()
        self._board: Board | None = None
        self._conflicts: tuple[str, ...] = ()
        self._trouble: tuple[Problem, ...] = ()

    def board(self) -> Board:
        """Look at everything and make the board of it; the same one as before when nothing changed."""
        self.refresh()
        return self.made()

    def made(self) -> Board:
        """Make the board of what was seen last; looks if nothing was seen yet."""
        if not self._seen:
            self.refresh()
        elif self._wrote:
            self.refresh(())
        with self.mutex:
            conflicts = self._conflict_names()
            if self._board is None or conflicts != self._conflicts:
                self._board = self.view.board(self._conflict(name) for name in conflicts)
                self._conflicts = conflicts
            return self._board

    def refresh(self, only: Collection[str] | None = None) -> None:
        """Look at everything, or at some paths only."""
        if self._journal.mine:
            with self.mutex:
                self._look(only)
            return
        with contextlib.suppress(StorageFailed):  # the disk refuses to write: reading goes on
            self._journal.settle()
            if self._journal.displaced:
                with self._journal.locked():
                    self.begin()
        for _ in range(_LOOKS):
            with self.mutex:
                if self._look(only):
                    return
        with contextlib.suppress(StorageFailed), self._journal.locked(), self.mutex:
            self._look(only)

    def _look(self, only: Collection[str] | None) -> bool:
        """Look once; whether what was seen is one state."""
        before = self._journal.number()
        self._due |= self._load()
        wrote, self._wrote = self._wrote, set()
        some = self._complete and only is not None
        changed = self.scanner.look({*(only or ()), *wrote}) if some else self.scanner.scan()
        self._unsaved += len(changed)
        self._due |= changed
        again = self.accepted.refresh()
        unsettled = self._journal.unsettled
        if self.scanner.algorithm != self.accepted.algorithm:
            again |= self._rehash()
        elif some:
            again |= self.scanner.look(again)
        self._take_in(again)
        memory = self.scanner.memory
        trouble = (*memory.unknown.values(), *memory.uprooted.values(), *memory.linked.values())
        if trouble != self._trouble:
            self._board, self._trouble = None, trouble
        after = self._journal.number()
        if not some:
            self._complete = self._seen = True
            self._save_if_worth(after)
        return not unsettled and (after == before or not self._torn(before, after))

    def _torn(self, before: int, after: int) -> bool:
        """Whether what was written meanwhile may have been seen in part."""
        if self.view.odd or not self.accepted.has_all(before + 1, after):
            return True
        return self.accepted.wide_since(before)

    def _take_in(self, paths: set[str]) -> None:
        """Bring the view up to date with these paths and all that are due."""
        paths = paths | self._due
        if paths or self.view.odd:
            odd = dict(self.view.odd)
            self.view.update(paths)
            if paths or odd != self.view.odd:
                self._board = None
        self._due = set()

    def _rehash(self) -> set[str]:
        """Begin anew: the repository names its contents by another hash than was thought."""
        self.scanner.algorithm = self.accepted.algorithm
        gone = set(self.scanner.memory.files)
        self.scanner.memory.files.clear()
        return gone | self.scanner.scan()

    # --- the index

    def _load(self) -> set[str]:
        """Begin with what the index holds; returns the paths that came with it."""
        if self._loaded:
            return set()
        self._loaded = True
        found = index.load(self._layout.index, FINGERPRINT)
        kept = memory_file.restore(found) if found else None
        if kept is None:
            return set()
        self.scanner.memory.files.update(kept.memory.files)
        self.scanner.memory.folders.update(kept.memory.folders)
        self._complete = True
        self.accepted.adopt(kept.tip, kept.at_tip)
        self.scanner.algorithm = self.accepted.algorithm
        self.view.examiner.missing.update(kept.missing)
        return {*kept.memory.files, *kept.at_tip}

    def _save_if_worth(self, number: int) -> None:
        if max(self._unsaved, self._log.steps) >= min(_MANY, 1 + len(self.scanner.memory.files) // _ONE_IN):
            self.save(number)

    def save(self, number: int) -> None:
        """Write the index."""
        memory = self.scanner.memory
        if memory.unknown or not os.path.isdir(self._layout.runtime):
            return
        kept = Kept(memory, self.accepted.tip, self.accepted.at_tip, self.view.examiner.missing)
        header = {
            "fingerprint": FINGERPRINT,
            "tip": self.accepted.tip,
            "number": number,
            "whole": memory_file.whole(memory, self.view.odd),
        }
        index.save(self._layout.index, header, memory_file.sections(kept, self.view.odd))
        self._log.clear()
        self._unsaved = 0

    # --- for transactions

    def begin(self) -> None:
        """Look at what is accepted, under the lock, and write again what went with the folder. Raises StorageFailed."""
        with self.mutex:
            if self._journal.displaced:
                self._restore()
            self._due |= self._load()
            if self._complete:
                self._due |= self.accepted.refresh()
            else:
                self._look(None)

    def _restore(self) -> None:
        self._due |= self._load() | self.accepted.refresh()
        ops = lost_ops(self._layout.tree, self.accepted)
        if ops:
            self._journal.write("Write again what the folder lost", ops)
            self.wrote(ops)
        self._journal.move_in()

    def wrote(self, ops: Iterable[Op]) -> None:
        """Note what a transaction of ours has written: it is looked at when somebody asks."""
        paths = {path for op in ops for path in (op.path, *(moved.target for moved in op.files))}
        with self.mutex:
            self._wrote |= paths

    def recorded(self, before: str | None, made: str, changes: Mapping[str, bytes | None]) -> None:
        """Take over a commit of our own on top of `before`."""
        blobs = {p: None if data is None else self.blob_of(data) for p, data in changes.items() if is_task_path(p)}
        with self.mutex:
            if self.accepted.tip == before:
                self.accepted.recorded(made, blobs)
            if self.view.claimants:
                self._take_in(set(blobs))
            else:
                self._due |= set(blobs)

    def blob_of(self, data: bytes) -> str:
        """Compute a content's blob id, by the hash of this repository."""
        return blob_id(data, self.accepted.algorithm)

    def recorded_files(self) -> set[str]:
        """List the task files and audit trails there are, looking at everything."""
        self.refresh()
        found = set(self.scanner.memory.files)
        trails = (f"{path.removesuffix(NAME)}{EVENTS}" for path in tuple(found))
        return found | {path for path in trails if os.path.lexists(f"{self._layout.tree}/{path}")}

    # --- finding

    def paths_of(self, task_id: str) -> tuple[str, ...]:
        """Where a task's file was when last looked at."""
        with self.mutex:
            self._due |= self.scanner.look(self._wrote)
            self._wrote = set()
        found = self.view.claimants.get(task_id, ())
        if found or not self._due:
            return found
        files = self.scanner.memory.files.items()  # the index was loaded and not looked at yet
        return tuple(path for path, file in files if file.row and file.row[0] == task_id)

    # --- conflicts

    def _conflict_names(self) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(self._journal.conflicts)))
        except OSError:
            return ()

    def _conflict(self, name: str) -> Problem:
        path = f"{self._journal.conflicts}/{name}"
        return Problem(
            path,
            0,
            "two versions of a file met and could not be merged; this one was kept aside",
            "take from it what you need, then delete it",
        )
