"""Small record files of one writer, written so that a reader finds them whole or not at all.

For the records of runs, on both sides of a session. (Task files are written by the journal alone.) Imports nothing
heavy: the supervisor starts with every run.
"""

from __future__ import annotations

import itertools
import json
import os
import stat
from typing import Any

#: Makes temporary names differ between threads.
_NUMBERS = itertools.count()


def replace(path: str, data: bytes, *, sync: bool = True) -> None:
    """Give a file new content by rename; with `sync` it also outlives a power cut. Raises OSError."""
    temporary = f"{path}.{os.getpid()}.{next(_NUMBERS)}.new"
    _write(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), data, sync=sync)
    os.rename(temporary, path)
    if sync:
        sync_folder(os.path.dirname(path))


def create(path: str, data: bytes) -> bool:
    """Make a file that must not exist yet, for good; False if it does. Raises OSError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    _write(fd, data, sync=True)
    sync_folder(os.path.dirname(path))
    return True


def values(path: str) -> dict[str, Any] | None:
    """Read a small JSON object: None where there is no file, empty where it cannot be understood."""
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read())
    except OSError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def plain(path: str, most: int) -> bytes | None:
    """Read so many bytes of a regular file, never through a link; None where there is none. Raises OSError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read(most) if stat.S_ISREG(os.fstat(fd).st_mode) else None


def sync_folder(path: str) -> None:
    """Make what was created, renamed or removed in a folder outlive a power cut. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(fd: int, data: bytes, *, sync: bool) -> None:
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        if sync:
            os.fsync(fd)
    finally:
        os.close(fd)
