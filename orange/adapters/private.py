"""Folders that are this user's alone."""

from __future__ import annotations

import os
import stat

from orange.core.problems import StorageFailed


def private_folder(path: str) -> str:
    """Make a folder only its owner may enter. Raises StorageFailed where it is a link or somebody else's."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StorageFailed(path, "it is not a folder of this user's own")
    if found.st_mode & 0o077:
        os.chmod(path, 0o700)
    return path


def write_whole(path: str, data: bytes) -> None:
    """Replace a small file so that every reader sees the old or the new content. Raises StorageFailed."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise StorageFailed(path, error.strerror or "it cannot be written") from error
