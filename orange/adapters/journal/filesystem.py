"""One call that Linux has and POSIX has not: making all of a file system durable, with an error where that failed.

Where thousands of files are written at once it takes the place of thousands of single syncs. Elsewhere `durable` syncs
each file by itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache

_Sync = Callable[[int], int]


@cache
def _syncfs() -> _Sync | None:
    import ctypes

    if not sys.platform.startswith("linux"):
        return None
    try:
        function: _Sync = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError):
        return None
    return function


@cache
def tells_errors() -> bool:
    """Whether the system has the call, and the call says when a write failed: kernels before 5.8 kept that silent."""
    version = os.uname().release.split(".", 2)
    found = tuple(int(part) for part in version[:2] if part.isdecimal())
    return _syncfs() is not None and found >= (5, 8)


def sync(fd: int) -> None:
    """Make everything on the file system of an open folder durable. Raises OSError."""
    import ctypes

    function = _syncfs()
    if function is None or function(fd) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
