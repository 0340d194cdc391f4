"""Durable file operations: the one door through which every write of task files, journal and index passes.

Each single operation first calls the disk's `step`, the seam where tests let the N-th one fail or kill the process.
Names are looked up relative to opened folders, and no symbolic link is followed below the folder one starts from.

Next in the flow: `journal` writes its entries and `redo` carries them out with these.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from orange.adapters.journal import filesystem, swap

#: Called with the operation's name and the path before each operation.
Step = Callable[[str, str], None]

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_GONE = (FileNotFoundError, NotADirectoryError)
#: How long a program that has a displaced file open for writing is waited for, in seconds.
_PATIENCE = 2.0
_PAUSE = 0.005
#: So many operations are made durable by one call; for fewer, single calls do not wait for what others write.
_MANY = 100


class Irregular(OSError):
    """A link, device or folder where a plain file must be."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ELOOP, "it is not a plain file", path)


@dataclass(frozen=True, slots=True)
class Folder:
    """An opened folder. A context manager that closes it."""

    fd: int
    path: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self.fd)

    def of(self, name: str) -> str:
        """The path of a name in it, for messages."""
        return f"{self.path}/{name}"


def _no_step(_operation: str, _path: str) -> None:
    """Do nothing: the seam when nobody tests."""


class Disk:
    """The file operations. Every method may raise OSError, with `filename` the path concerned."""

    def __init__(
        self,
        step: Step = _no_step,
        *,
        exchange: bool = True,
        many: int = _MANY,
        pause: Callable[[float], None] = time.sleep,
        ticks: Callable[[], int] = time.time_ns,
    ) -> None:
        #: False makes it do without the exchange of names, as where the system has none.
        self._exchange = exchange
        #: From how many operations on they are synced together, and whether that is under way.
        self._many, self.is_together = many, False
        #: The seam itself, for the lock.
        self.step = step
        #: Waits, in seconds; and the clock of the file system, in nanoseconds since 1970.
        self.pause, self.ticks = pause, ticks

    @contextmanager
    def _doing(self, operation: str, path: str) -> Iterator[None]:
        try:
            self.step(operation, path)
            yield
        except OSError as error:
            error.filename, error.filename2 = path, None
            raise

    @contextmanager
    def together(self, folder: Folder, count: int) -> Iterator[None]:
        """Make `count` operations durable at the block's end by one call, where they are many and the system can.

        All of them lie on the file system of `folder`, which was opened before the first of them.
        """
        if count < self._many or not filesystem.tells_errors():
            yield
            return
        self.is_together = True
        try:
            yield
        finally:
            self.is_together = False
        with self._doing("syncfs", folder.path):
            filesystem.sync(folder.fd)

    def open(self, path: str, *, make: bool = False) -> Folder:
        """Open a folder by its absolute path."""
        with self._doing("folder", path):
            if make:
                os.makedirs(path, mode=0o777, exist_ok=True)
            return Folder(os.open(path, _FOLDER), path)

    def enter(self, root: Folder, relative: str, *, make: bool = False) -> Folder:
        """Open a folder below `root`, making the missing ones. Raises NotADirectoryError for a link on the way."""
        here = Folder(os.dup(root.fd), root.path)
        for name in filter(None, relative.split("/")):
            with here:
                here = self._descend(here, name, make=make)
        return here

    def _descend(self, folder: Folder, name: str, *, make: bool) -> Folder:
        path = folder.of(name)
        with self._doing("folder", path):
            try:
                return Folder(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder.fd), path)
            except FileNotFoundError:
                if not make:
                    raise
        with self._doing("mkdir", path):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o777, dir_fd=folder.fd)
            return Folder(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder.fd), path)

    def names(self, folder: Folder) -> list[str]:
        """List a folder, sorted."""
        with self._doing("list", folder.path):
            return sorted(os.listdir(folder.fd))

    def read(self, folder: Folder, name: str) -> bytes | None:
        """Read a plain file; None where there is none. Raises Irregular."""
        path = folder.of(name)
        with self._doing("read", path):
            try:
                fd = os.open(name, _READ, dir_fd=folder.fd)
            except _GONE:
                return None
            try:
                return _contents(fd, path)
            finally:
                os.close(fd)

    def create(self, folder: Folder, name: str, data: bytes, *, mode: int = 0o666) -> None:
        """Write a new file and sync it; a failure leaves none."""
        path = folder.of(name)
        with self._doing("create", path):
            fd = os.open(name, _WRITE | os.O_CREAT | os.O_EXCL, mode, dir_fd=folder.fd)
        try:
            self._fill(fd, path, data)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder.fd)
            raise
        finally:
            os.close(fd)

    def _fill(self, fd: int, path: str, data: bytes) -> None:
        with self._doing("write", path):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(fd, rest) :]
        if not self.is_together:
            with self._doing("fsync", path):
                os.fsync(fd)

    def append(self, folder: Folder, name: str, data: bytes) -> None:
        """Add bytes to the end of a file, made if missing, and sync it."""
        path = folder.of(name)
        with self._doing("create", path):
            fd = os.open(name, _WRITE | os.O_CREAT | os.O_APPEND, 0o666, dir_fd=folder.fd)
        try:
            self._fill(fd, path, data)
        finally:
            os.close(fd)

    def truncate(self, folder: Folder, name: str, size: int) -> None:
        """Cut a file back to `size` bytes."""
        with self._doing("truncate", folder.of(name)):
            fd = os.open(name, _WRITE, dir_fd=folder.fd)
            try:
                os.ftruncate(fd, size)
            finally:
                os.close(fd)

    def copy_mode(self, source: tuple[Folder, str], target: tuple[Folder, str]) -> None:
        """Give a file the permissions of another."""
        with self._doing("mode", target[0].of(target[1])):
            wanted = stat.S_IMODE(os.stat(source[1], dir_fd=source[0].fd, follow_symlinks=False).st_mode)
            have = stat.S_IMODE(os.stat(target[1], dir_fd=target[0].fd, follow_symlinks=False).st_mode)
            if wanted != have:
                os.chmod(target[1], wanted & 0o777, dir_fd=target[0].fd)

    def rename(self, source: tuple[Folder, str], target: tuple[Folder, str]) -> None:
        """Rename, replacing what is there."""
        with self._doing("rename", target[0].of(target[1])):
            os.rename(source[1], target[1], src_dir_fd=source[0].fd, dst_dir_fd=target[0].fd)

    def place(self, source: tuple[Folder, str], target: tuple[Folder, str]) -> None:
        """Rename onto a name that must not exist. Raises FileExistsError."""
        with self._doing("place", target[0].of(target[1])):
            swap.place((source[0].fd, source[1]), (target[0].fd, target[1]))

    def exchange(self, source: tuple[Folder, str], target: tuple[Folder, str]) -> bool:
        """Exchange two files' names; False where the system cannot. Raises FileNotFoundError."""
        if not self._exchange:
            return False
        with self._doing("exchange", target[0].of(target[1])):
            self._exchange = swap.exchange((source[0].fd, source[1]), (target[0].fd, target[1]))
            return self._exchange

    def settled(self, folder: Folder, name: str, *, wait: bool = True) -> bytes | None:
        """Read a file that was swapped out, once no program has it open for writing; None for one kept open."""
        path = folder.of(name)
        with self._doing("read", path):
            fd = os.open(name, _READ, dir_fd=folder.fd)
            try:
                return _contents(fd, path) if self._let_go(fd, _PATIENCE if wait else 0.0) else None
            finally:
                os.close(fd)

    def _let_go(self, fd: int, patience: float) -> bool:
        waited = 0.0
        while _open_for_writing(fd):
            if waited >= patience:
                return False
            self.pause(_PAUSE)
            waited += _PAUSE
        return True

    def remove(self, folder: Folder, name: str) -> None:
        """Delete a file."""
        with self._doing("unlink", folder.of(name)):
            os.unlink(name, dir_fd=folder.fd)

    def discard(self, folder: Folder, name: str) -> None:
        """Delete a file of our own if that can be done: what is left is swept up later."""
        with contextlib.suppress(OSError):
            self.remove(folder, name)

    def remove_folder(self, parent: Folder, name: str) -> None:
        """Delete a folder if it is empty."""
        with self._doing("rmdir", parent.of(name)), contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=parent.fd)

    def sync(self, folder: Folder) -> None:
        """Make a folder's names durable."""
        with self._doing("fsync", folder.path):
            os.fsync(folder.fd)


def _contents(fd: int, path: str) -> bytes:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise Irregular(path)
    parts = [os.read(fd, found.st_size + 1)]
    while parts[-1]:
        parts.append(os.read(fd, 1 << 16))
    return b"".join(parts)


def _open_for_writing(fd: int) -> bool:
    """Whether another program has the file open for writing: the kernel then grants no lease. False if it cannot say.

    The signal of a lease that is broken in between is set to one that is ignored.
    """
    setlease = getattr(fcntl, "F_SETLEASE", None)
    if setlease is None:
        return False
    try:
        fcntl.fcntl(fd, getattr(fcntl, "F_SETSIG", 10), signal.SIGURG)
        fcntl.fcntl(fd, setlease, fcntl.F_RDLCK)
        fcntl.fcntl(fd, setlease, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False
