"""Folders of any depth and any permissions: walked without following links, removed for good."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from orange.adapters import process

_PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, link or special file below a folder."""

    #: Relative to where the walk began.
    path: str
    status: os.stat_result

    @property
    def storable(self) -> bool:
        """Whether it has content that can be saved: a plain file or a symbolic link."""
        return stat.S_ISREG(self.status.st_mode) or stat.S_ISLNK(self.status.st_mode)

    @property
    def stamp(self) -> tuple[int, int, int, int]:
        """What changes whenever its content does."""
        found = self.status
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def walk(folder: str, skip: Callable[[str], bool] = lambda _: False) -> Iterator[Entry]:
    """Every file below a folder, except below the relative paths that `skip` names. Raises OSError."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(f"{folder}/{prefix}") as entries:
            for entry in entries:
                path = prefix + entry.name
                if not entry.is_dir(follow_symlinks=False):
                    yield Entry(path, entry.stat(follow_symlinks=False))
                elif not skip(path):
                    waiting.append(f"{path}/")


def present(path: str) -> bool:
    """Whether there is anything at a path, a dangling link too."""
    return os.path.lexists(path)


def reachable(folder: str, path: str) -> bool:
    """Whether there is something at a relative path, without going through a link."""
    parts = path.split("/")
    above = ("/".join(parts[:count]) for count in range(1, len(parts)))
    return present(f"{folder}/{path}") and not any(os.path.islink(f"{folder}/{name}") for name in above)


def first_line(path: str) -> str:
    """The first line of a small file without its end; empty where it cannot be read. Links are not followed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.fsdecode(os.read(fd, 1 << 16).partition(b"\n")[0]).strip()
    except OSError:  # a folder
        return ""
    finally:
        os.close(fd)


def read(path: str) -> bytes:
    """A plain file's bytes, or where a link points. Raises OSError."""
    if os.path.islink(path):
        return os.fsencode(os.readlink(path))
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        return file.read()


def remove(path: str) -> None:
    """Remove a file, link or folder, if it exists. Raises OSError where something remains."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        _remove_tree(path)


def discard(path: str, trash: str) -> None:
    """Move something out of the way at one instant, then remove it; `trash` is on the same file system."""
    os.makedirs(trash, exist_ok=True)
    place = tempfile.mkdtemp(prefix=mark(), dir=trash)
    with suppress(FileNotFoundError):
        os.rename(path, f"{place}/it")
    remove(place)


def mark() -> str:
    """How the names of this process's temporary folders begin."""
    return f"{os.getpid()}-"


def empty(folder: str) -> None:
    """Remove what processes that have ended left in a folder of temporary ones, and nothing else. Raises OSError."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        pid = name.partition("-")[0]
        if pid.isdigit() and not _lives(int(pid)):
            remove(f"{folder}/{name}")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


def _remove_tree(path: str) -> None:
    # `rm` goes to any depth and follows no link; read-only folders of an agent must first be made writable.
    argv = ["rm", "-rf", "--", path]
    if process.run(argv, timeout=_PATIENCE).status != 0:
        process.run(["chmod", "-R", "u+rwx", "--", path], timeout=_PATIENCE)
        ended = process.run(argv, timeout=_PATIENCE)
        if ended.status != 0:
            raise OSError(f"cannot remove {path}: {ended.stderr.strip()}")
