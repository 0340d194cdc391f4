"""The task store over the files of one project: reads, transactions, and recording in history.

Next in the flow: the project facade and the reconciler use it through `ports.TaskStore`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from orange.adapters.journal import Disk, Journal, Op
from orange.adapters.store import events
from orange.adapters.store.accepted import older
from orange.adapters.store.draft import understood
from orange.adapters.store.merge import merge_op
from orange.adapters.store.recording import Recorder
from orange.adapters.store.scan import Memory, read_plain
from orange.adapters.store.shelf import Shelf
from orange.adapters.store.takeup import TakeUp
from orange.adapters.store.transaction import FileTransaction
from orange.core.layout import Layout
from orange.core.model import Board
from orange.core.ports import Clock
from orange.core.problems import BrokenFile, OrangeError, Problem, TaskNotFound
from orange.core.redact import SHAPES, Secrets
from orange.core.storeports import Event, History


class FileStore:
    """Satisfies `ports.TaskStore`."""

    def __init__(  # noqa: PLR0913 - the store's parts, the optional ones by name
        self,
        layout: Layout,
        history: History,
        clock: Clock,
        *,
        autorecord: bool = False,
        disk: Disk | None = None,
        secrets: Secrets = SHAPES,
    ) -> None:
        """Open a project's tasks.

        `autorecord` commits after each transaction, where no daemon does it in batches. `disk` is the seam of every
        write. `secrets` never reach a file.
        """
        disk = disk or Disk()
        self._layout, self._clock, self._autorecord, self._secrets = layout, clock, autorecord, secrets
        self._journal = Journal(layout, self._merge, disk)
        self._shelf = Shelf(layout, self._journal, history, clock)
        self._take_up = TakeUp(layout.tree, self._shelf, disk)
        self._recorder = Recorder(layout, self._journal, self._shelf, history)

    def _merge(self, op: Op, theirs: bytes) -> bytes | None:
        return merge_op(op, theirs, older(self._journal.entries(), op.path))

    def read(self) -> Board:
        """Every task as it is now. Never raises for bad files: they are problems on the board."""
        return self._shelf.board()

    def look(self, paths: Collection[str]) -> Board:
        """The board after a look at these files only (relative paths), for a caller that knows what changed.

        Whatever else changed is seen by the next `read`.
        """
        self._shelf.refresh(paths)
        return self._shelf.made()

    def seen(self) -> Memory | None:
        """What the last look saw on the disk; None while something is uncertain.

        That is so for what could not be looked at, and for a missing file, of which time tells whether it is gone.
        """
        memory = self._shelf.scanner.memory
        uncertain = memory.unknown or memory.linked or self._shelf.view.examiner.missing
        return None if uncertain else memory

    def body(self, task_id: str) -> str:
        """A task's body. Raises TaskNotFound, BrokenFile."""
        path = self._path(task_id)
        try:
            data = read_plain(f"{self._layout.tree}/{path}")[0]
        except OSError as error:
            raise BrokenFile(Problem(path, 0, f"it cannot be read: {error.strerror}")) from error
        return understood(data, path).body

    def text(self, path: str) -> str:
        """The text of a file under `.orange`, by relative path. Raises TaskNotFound."""
        parts = path.split("/")
        if any(part in {"", ".", ".."} for part in parts):
            raise TaskNotFound(path)
        try:
            return self._journal.read(path).decode("utf-8", "replace")
        except OSError as error:
            raise TaskNotFound(path) from error

    def names(self, folder: str) -> tuple[str, ...]:
        """List the names of the files in a folder that holds no tasks, sorted."""
        try:
            with os.scandir(f"{self._layout.tree}/{folder}") as found:
                return tuple(sorted(item.name for item in found if item.is_file(follow_symlinks=False)))
        except FileNotFoundError:
            return ()

    def events(self, task_id: str) -> tuple[Event, ...]:
        """A task's audit trail, oldest first; lines that cannot be read are skipped. Raises TaskNotFound."""
        folder = os.path.dirname(self._path(task_id))
        try:
            data = read_plain(f"{self._layout.tree}/{folder}/{events.EVENTS}", 1 << 30)[0]
        except OSError:
            return ()
        return tuple(events.read(data))

    def _path(self, task_id: str) -> str:
        """Find a task's file, looking at everything only where it is not where it was."""
        for look in (False, True):
            if look:
                self._shelf.refresh()
            paths = self._shelf.paths_of(task_id)
            if len(paths) == 1 and os.path.isfile(f"{self._layout.tree}/{paths[0]}"):
                return paths[0]
        problem = self._shelf.view.problem_of(task_id)
        raise BrokenFile(problem) if problem else TaskNotFound(task_id)

    @contextmanager
    def transaction(self, message: str) -> Iterator[FileTransaction]:
        """Take the project lock, finish any open journal entry, and apply what the block did as one entry.

        An exception in the block applies nothing. Raises StorageFailed when the disk refuses (nothing changed),
        StaleWrite when a file changed in the last instant in a way that cannot be merged.
        """
        with self._journal.locked():
            self._shelf.begin()
            transaction = FileTransaction(self._layout, self._shelf, self._clock, self._take_up, self._secrets)
            yield transaction
            ops = transaction.ops()
            if ops:
                self._journal.write(message, ops)
                self._shelf.wrote(ops)
        if ops and self._autorecord:
            # The journal holds the change: a history that fails now gets it later.
            with contextlib.suppress(OrangeError):
                self._recorder.record_own()

    def hand_edits(self) -> tuple[str, ...]:
        """Ids of tasks with acceptable hand edits not yet in history, as of the last `read`."""
        self._shelf.made()
        return tuple(sorted(self._shelf.view.edits()))

    def record(self, message: str | None = None, *, look: bool = True) -> str | None:
        """Commit every accepted change not yet in history; returns the commit, or None when there was nothing.

        `look=False` takes hand edits as of the last `read`. Raises GitFailed; then nothing is dropped from the journal.
        """
        return self._recorder.record(message, look=look)

    def unrecorded(self) -> int:
        """How many own writes wait to be recorded."""
        return len(self._journal.entries())
