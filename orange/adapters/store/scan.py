"""Looks at every task folder and file, and reads those that changed since the last look.

A stat is compared with the one of the last reading (modified, changed, size, inode). A file whose stat is so fresh that
it may have been written again in the same tick of the file system's clock is read again next time.

Next in the flow: `view` relates what was read to what is accepted.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from orange.adapters.journal import blob_id
from orange.adapters.store.index import Row
from orange.adapters.store.rows import row_of
from orange.core import document
from orange.core.entries import MAX_FILE
from orange.core.problems import Problem

#: The folders that hold tasks.
ROOTS = ("tasks", "archive")
#: A task's file in its folder.
NAME = "TASK.md"
_SUFFIX = "/" + NAME
#: Nanoseconds by which a file system's clock may lag behind.
_RACY = 20_000_000
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
#: What a lookup raises where there is nothing (any more).
_ABSENT = (FileNotFoundError, NotADirectoryError)


@dataclass(slots=True)
class File:
    """One TASK.md as last read."""

    #: Modified, changed, size, inode; zeros to have it read again.
    signature: tuple[int, ...]
    #: The blob id of its content; empty where it could not be read.
    blob: str
    #: Its task; None where it is a problem.
    row: Row | None
    problem: Problem | None = None


@dataclass(slots=True)
class Place:
    """One folder as last listed."""

    #: Modified, changed, inode; zeros to have it listed again.
    signature: tuple[int, ...]
    #: The paths of the folders in it.
    folders: tuple[str, ...]
    #: Whether it holds a TASK.md.
    has_task: bool


@dataclass(slots=True)
class Memory:
    """What is known of the disk."""

    #: By path relative to the records' folder.
    files: dict[str, File] = field(default_factory=dict)
    folders: dict[str, Place] = field(default_factory=dict)
    #: Folders that could not be looked into: what lies in them is unknown, not absent.
    unknown: dict[str, Problem] = field(default_factory=dict)
    #: The roots that are missing altogether: somebody's accident rather than a wish to delete every task.
    uprooted: dict[str, Problem] = field(default_factory=dict)
    #: Files that went, as last read.
    last: dict[str, File] = field(default_factory=dict)
    #: Links to folders, by the folder they lie in; they are not followed.
    linked: dict[str, Problem] = field(default_factory=dict)


#: Notes a path that could not be looked at, and why, and adds what went with it to the set.
_Lost: TypeAlias = Callable[[str, OSError, set[str]], None]


@dataclass(frozen=True, slots=True)
class _Pass:
    """One look at the disk."""

    #: The open folder of the records, for the shortest ways to what lies in it.
    tree: int
    #: When it began, in nanoseconds.
    now: int
    #: What it finds changed.
    changed: set[str]


class Scanner:
    """Keeps a memory up to date with the disk."""

    def __init__(self, tree: str, now: Callable[[], int]) -> None:
        #: `now` gives nanoseconds since 1970 by the clock the file system uses.
        self._tree, self._now = tree, now
        #: Names the hash of blob ids: sha1, or sha256 in such a repository.
        self.algorithm = "sha1"
        self.memory = Memory()

    def scan(self) -> set[str]:
        """Look at everything; returns the paths of the files that changed, appeared or went."""
        self.memory.unknown, self.memory.uprooted = {}, {}
        changed = set[str]()
        tree = self._open(ROOTS, self._lost, changed)
        if tree is not None:
            try:
                self._walk(_Pass(tree, self._now(), changed))
            finally:
                os.close(tree)
        return changed

    def look(self, paths: Iterable[str]) -> set[str]:
        """Look at these files only."""
        wanted = [path for path in paths if is_task_path(path) and "/." not in path]
        changed = set[str]()
        tree = self._open(wanted, self._unseen, changed) if wanted else None
        if tree is not None:
            try:
                for path in wanted:
                    self._read(path, _Pass(tree, self._now(), changed))
            finally:
                os.close(tree)
        return changed

    def _open(self, paths: Iterable[str], lost: _Lost, changed: set[str]) -> int | None:
        """Open the records' folder, for short ways to what lies in it; None where all of `paths` are lost with it."""
        try:
            return os.open(self._tree, _FOLDER)
        except OSError as error:
            for path in paths:
                lost(path, error, changed)
            return None

    def _walk(self, here: _Pass) -> None:
        folders, files, look, tree = self.memory.folders, self.memory.files, os.stat, here.tree
        stack = list(ROOTS)
        while stack:
            folder = stack.pop()
            place = folders.get(folder)
            try:
                found = look(folder, dir_fd=tree, follow_symlinks=False)
                if place is None or place.signature != (found.st_mtime_ns, found.st_ctime_ns, found.st_ino):
                    place = self._list(folder, found, here)
            except OSError as error:
                self._lost(folder, error, here.changed)
                continue
            if place.folders:
                stack.extend(place.folders)
            if place.has_task:
                path = folder + _SUFFIX
                file = files.get(path)
                if file is None:
                    self._read(path, here)
                    continue
                try:
                    found = look(path, dir_fd=tree, follow_symlinks=False)
                except OSError as error:
                    self._unseen(path, error, here.changed)
                    continue
                if file.signature != (
                    found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino,
                ):  # fmt: skip
                    self._read(path, here)

    def _list(self, folder: str, found: os.stat_result, here: _Pass) -> Place:
        """List a folder anew. Raises OSError."""
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "it is not a folder")
        inside, has_task = [], False
        self.memory.linked.pop(folder, None)
        with os.scandir(f"{self._tree}/{folder}") as entries:
            for entry in entries:
                name = entry.name
                if name == NAME:
                    has_task = True
                elif entry.is_dir(follow_symlinks=False):
                    if not name.startswith("."):
                        inside.append(f"{folder}/{name}")
                elif entry.is_symlink() and entry.is_dir():
                    self.memory.linked[folder] = _linked(f"{folder}/{name}")
        signature = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        place = Place(signature if is_old(found, here.now) else (), tuple(sorted(inside)), has_task)
        self._replace(folder, place, here.changed)
        return place

    def _replace(self, folder: str, place: Place, changed: set[str]) -> None:
        before = self.memory.folders.get(folder)
        self.memory.folders[folder] = place
        if before is None:
            return
        for gone in set(before.folders).difference(place.folders):
            self._forget(gone, changed)
        if before.has_task and not place.has_task:
            self._drop(folder + _SUFFIX, changed)

    def _lost(self, folder: str, error: OSError, changed: set[str]) -> None:
        """Note a folder that is gone, or that could not be looked into."""
        if isinstance(error, _ABSENT):
            self._forget(folder, changed)
            if folder in ROOTS:
                self.memory.uprooted[folder] = uprooted(folder)
        else:
            self.memory.unknown[folder] = _unreadable(folder, error)

    def _unseen(self, path: str, error: OSError, changed: set[str]) -> None:
        if isinstance(error, _ABSENT):
            self._drop(path, changed)
        else:
            self.memory.unknown[path] = _unreadable(path, error)

    def _forget(self, folder: str, changed: set[str]) -> None:
        stack = [folder]
        while stack:
            gone = stack.pop()
            place = self.memory.folders.pop(gone, None)
            self.memory.linked.pop(gone, None)
            if place is not None:
                stack.extend(place.folders)
                self._drop(gone + _SUFFIX, changed)

    def _drop(self, path: str, changed: set[str]) -> None:
        gone = self.memory.files.pop(path, None)
        if gone is not None:
            self.memory.last[path] = gone
            changed.add(path)

    def _read(self, path: str, here: _Pass) -> None:
        """Read a file; the same content as before is no change."""
        try:
            data, found = read_plain(path, folder=here.tree)
        except OSError as error:
            self._unread(path, error, here)
            return
        old = is_old(found, here.now)
        signature = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino) if old else ()
        blob = blob_id(data, self.algorithm)
        before = self.memory.files.get(path)
        if before is not None and before.blob == blob:
            before.signature = signature
            return
        values = document.values(data, path)
        if isinstance(values, Problem):
            self._put(path, File(signature, blob, None, values), here.changed)
        else:
            self._put(path, File(signature, blob, row_of(values)), here.changed)

    def _unread(self, path: str, error: OSError, here: _Pass) -> None:
        """Note a file that could not be read: it is gone, a problem, or beyond a folder that lets nobody look."""
        if not isinstance(error, _ABSENT):
            try:
                os.stat(path, dir_fd=here.tree, follow_symlinks=False)
            except OSError as unseen:
                error = unseen
            else:
                self._put(path, File((), "", None, _unreadable(path, error)), here.changed)
                return
        self._unseen(path, error, here.changed)

    def _put(self, path: str, file: File, changed: set[str]) -> None:
        before = self.memory.files.get(path)
        self.memory.files[path] = file
        self.memory.last.pop(path, None)
        if before is None or before.blob != file.blob or before.problem != file.problem:
            changed.add(path)


def is_old(found: os.stat_result, now: int) -> bool:
    """Whether a later write is bound to show in the stat."""
    return found.st_ctime_ns < now - _RACY


def is_task_path(path: str) -> bool:
    """Whether a path relative to the records' folder is a task's file."""
    return path.endswith(_SUFFIX) and path.startswith(("tasks/", "archive/"))


def read_plain(path: str, limit: int = MAX_FILE, *, folder: int | None = None) -> tuple[bytes, os.stat_result]:
    """Read a plain file that is no larger than `limit` (else one byte more of it), without following a link.

    `folder` is an open folder that the path begins in. Raises OSError.
    """
    fd = os.open(path, _FLAGS, dir_fd=folder)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.ELOOP, "it is not a plain file", path)
        size = min(found.st_size, limit)
        data = os.read(fd, size + 1)
        while data and len(data) < size and (more := os.read(fd, size + 1 - len(data))):
            data += more
        return data, found
    finally:
        os.close(fd)


def walk(root: str, folder: str) -> Iterator[str]:
    """Yield the plain files below a folder, as paths relative to `root`; what cannot be looked into is passed over."""
    try:
        with os.scandir(f"{root}/{folder}") as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        path = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from walk(root, path)
        elif entry.is_file(follow_symlinks=False):
            yield path


def uprooted(root: str) -> Problem:
    """Say that a folder of tasks is missing altogether."""
    hint = f"`git -C .orange checkout orange-tasks -- {root}` brings it back; make it empty if all its tasks are to go"
    return Problem(root, 0, "the folder is missing", hint)


def _linked(path: str) -> Problem:
    return Problem(path, 0, "the folder is a symbolic link, which is not followed", "replace it by a real folder")


def _unreadable(path: str, error: OSError) -> Problem:
    if error.errno == errno.ELOOP:
        return Problem(path, 0, "it is not a plain file", "replace the link or device by a plain file")
    return Problem(path, 0, f"it cannot be read: {error.strerror}", "mend its permissions or the disk")
