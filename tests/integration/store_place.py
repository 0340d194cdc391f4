"""A place for the store's tests: folders as a project has them, a clock that is turned by hand, and counting seams."""

from __future__ import annotations

import errno
import json
import os
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orange.adapters.journal import Disk
from orange.adapters.store import FileStore
from orange.core.layout import Layout
from orange.core.lifecycle import Status
from orange.core.model import Claim, Task
from orange.core.storeports import Transaction
from orange.testing.fakehistory import FakeHistory

NOW = 1_790_000_000.0
STAMP = "2026-09-21T14:13:20Z"
CREATED = "2026-09-20T09:00:00Z"
BODY = "\n## Context\nWhat is wanted.\n"
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


@dataclass
class HandClock:
    """Time that passes when a test says so."""

    seconds: float = NOW

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


class Counter:
    """A seam that counts operations, and fails or kills at one of them."""

    def __init__(self, at: int = 0, error: int = 0, *, kill: bool = False) -> None:
        self.at, self.error, self.kill = at, error, kill
        self.count = 0
        self.last = ""

    def __call__(self, operation: str, path: str) -> None:
        self.count += 1
        if self.count != self.at:
            return
        self.last = f"{operation} {path}"
        if self.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(self.error, os.strerror(self.error))


#: What a disk says when it is full, broken or not ours.
FAULTS = (errno.EIO, errno.ENOSPC, errno.EACCES)


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Make a folder in memory where there is such a file system: thousands of syncs take no time there."""
    with tempfile.TemporaryDirectory(prefix="o-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)


@dataclass
class Place:
    """One project's folders, without git: the history is a fake one in a folder."""

    root: Path
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.layout = Layout(str(self.root), str(self.root / ".git"))
        for folder in (f"{self.layout.tree}/tasks", self.layout.runtime, self.history_folder):
            os.makedirs(folder, exist_ok=True)
        self.history = FakeHistory(self.history_folder)

    @property
    def history_folder(self) -> str:
        return str(self.root / "history")

    def store(self, step: Callable[[str, str], None] | None = None, **options: Any) -> FileStore:
        """Open the store as a new process would."""
        disk = Disk(step, **options) if step else Disk(**options)
        return FileStore(self.layout, FakeHistory(self.history_folder), self.clock, disk=disk)

    def path(self, relative: str) -> Path:
        return Path(self.layout.tree) / relative

    def text(self, relative: str) -> str:
        return self.path(relative).read_bytes().decode()

    def save(self, relative: str, text: str) -> None:
        """Save a file by hand, in place."""
        path = self.path(relative)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def replace(self, relative: str, *pairs: tuple[str, str]) -> str:
        """Edit a file by hand; every old text must be there."""
        text = self.text(relative)
        for old, new in pairs:
            assert old in text, f"{old!r} is not in {text!r}"
            text = text.replace(old, new)
        self.save(relative, text)
        return text

    def pass_time(self, seconds: float) -> None:
        self.clock.seconds += seconds


def make_id(number: int) -> str:
    """Make the id of the N-th task."""
    digits = ""
    for _ in range(7):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return f"k{digits}"


def task(number: int = 1, **keys: Any) -> Task:
    """Make the N-th task."""
    given = {"title": f"Task {number}", "name": f"task-{number}", "created_at": CREATED, **keys}
    return Task(make_id(number), **given)


def add(store: Any, *tasks: Task) -> list[Task]:
    """Create tasks in one transaction."""
    with store.transaction("create") as tx:
        return [tx.create(one, BODY) for one in tasks]


def claim(tx: Transaction, task_id: str, run: str) -> Task:
    """Claim a task as the facade does: read it again, refuse unless it is pending, write status and claim."""
    found = tx.task(task_id)
    if found.status is not Status.PENDING:
        raise LookupError(task_id)
    held = Claim(run, found.epoch + 1, "n0nce", "host", STAMP)
    claimed = replace(found, status=Status.WORKING, claim=held, run=run)
    tx.put(claimed)
    return claimed


def in_processes(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do a piece of work in so many processes at once; their JSON-able results. A failure in one fails here."""
    children = []
    for number in range(count):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(read)
                with os.fdopen(write, "w") as pipe:
                    json.dump(work(number), pipe)
                status = 0
            except BaseException:
                traceback.print_exc()
                raise
            finally:
                os._exit(status)
        os.close(write)
        children.append((pid, read))
    results = []
    for pid, read in children:
        with os.fdopen(read) as pipe:
            results.append(pipe.read())
        assert os.waitpid(pid, 0)[1] == 0
    return [json.loads(result) for result in results]
