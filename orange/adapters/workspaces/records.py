"""What orange intends with each workspace and spare: one small file each, written before git is touched.

A record says how far things had come, so that `repair` knows after a kill what may be finished, undone or thrown
away: only a spare's folder ever may.

Next in the flow: `spares` and `worktrees` write them, `repair` heals by them.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from enum import StrEnum

from orange import recordfile
from orange.core.problems import WorkspaceBusy

_PAUSE = 0.02


class State(StrEnum):
    """How far a workspace has come."""

    #: A spare being made or renewed: nothing in it is anyone's work.
    MAKING = "making"
    #: A spare ready to be handed over.
    READY = "ready"
    #: A spare whose work was saved and read back: what is left of it may be thrown away.
    SCRUBBING = "scrubbing"
    #: At a commit that is being checked; nobody works there, and no task owns it.
    CHECKING = "checking"
    #: A spare on its way to a task, not yet on the task's branch.
    MOVING = "moving"
    #: On its branch; files are being provided and `after_create` runs.
    PREPARING = "preparing"
    #: The task's.
    BOUND = "bound"
    #: The task's; the base is being merged in, and there was nothing uncommitted before.
    MERGING = "merging"
    #: On its way to the spares: its work is saved, but was not compared again.
    LEAVING = "leaving"


_SPARE = frozenset({State.MAKING, State.READY, State.SCRUBBING, State.CHECKING})


@dataclass(frozen=True, slots=True)
class Record:
    """One workspace or spare."""

    #: Its folder's name: `<name>-<id>`, or `.spare-<n>`.
    name: str
    state: State
    #: Where it stands.
    path: str
    #: The name of git's own folder for it.
    admin: str | None = None
    #: Whose it is, or, of one that is checked, for whom it was made.
    task: str | None = None
    branch: str | None = None
    #: The name of the spare it comes from or goes to.
    spare: str | None = None
    #: Wall-clock seconds of the last use.
    used_at: float = 0.0
    #: Paths inside that orange copied or linked there.
    provided: tuple[str, ...] = ()

    @property
    def is_spare(self) -> bool:
        """Whether no task owns it."""
        return self.state in _SPARE


class Records:
    """The folder of records, and a lock for each."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, name: str) -> Record | None:
        """One record, or None where there is none that can be understood."""
        try:
            with open(f"{self._folder}/{name}.json", "rb") as file:
                found = json.loads(file.read())
            return Record(**{**found, "state": State(found["state"]), "provided": tuple(found["provided"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, record: Record) -> Record:
        """Write one record for good. Raises OSError."""
        os.makedirs(self._folder, exist_ok=True)
        recordfile.replace(f"{self._folder}/{record.name}.json", json.dumps(asdict(record)).encode())
        return record

    def drop(self, name: str) -> None:
        """Forget one record."""
        with suppress(FileNotFoundError):
            os.unlink(f"{self._folder}/{name}.json")

    def all(self) -> tuple[Record, ...]:
        """Every record, by name."""
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return ()
        found = (self.read(name.removesuffix(".json")) for name in names if name.endswith(".json"))
        return tuple(record for record in found if record)

    def of_path(self, path: str) -> Record | None:
        """The record of what stands at a path."""
        return next((record for record in self.all() if record.path == path), None)

    @contextmanager
    def lock(self, name: str, patience: float = 300.0) -> Iterator[int]:
        """Hold the lock of one workspace, for seconds at most; yields its descriptor. Raises WorkspaceBusy."""
        os.makedirs(self._folder, exist_ok=True)
        fd = os.open(f"{self._folder}/{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _wait(fd, name, patience)
            try:
                yield fd
            finally:
                fcntl.flock(fd, fcntl.LOCK_UN)
        finally:
            os.close(fd)


def _wait(fd: int, name: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WorkspaceBusy(name) from None
            time.sleep(_PAUSE)
        else:
            return
