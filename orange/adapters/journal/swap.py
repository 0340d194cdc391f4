"""Two renames that Linux has and POSIX has not: exchanging two names, and never replacing one.

Exchanging shows what was swapped out, so that an edit made in the last instant is found. Where the kernel or the file
system cannot, `exchange` says so and `durable` reads, compares and renames instead.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import cache

_NOREPLACE, _EXCHANGE = 1, 2
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})

_Rename = Callable[[int, bytes, int, bytes, int], int]


@cache
def _renameat2() -> _Rename | None:
    import ctypes

    try:
        function: _Rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    return function


def _call(source: tuple[int, str], target: tuple[int, str], flags: int) -> bool:
    """Rename with flags; False where that is not to be had. Raises OSError."""
    function = _renameat2()
    if function is None:
        return False
    import ctypes

    if function(source[0], os.fsencode(source[1]), target[0], os.fsencode(target[1]), flags) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), target[1])


def exchange(source: tuple[int, str], target: tuple[int, str]) -> bool:
    """Exchange two names, each a folder's descriptor and a name in it; False where that is not to be had."""
    return _call(source, target, _EXCHANGE)


def place(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Rename onto a name that must not exist. Raises FileExistsError."""
    if _call(source, target, _NOREPLACE):
        return
    try:
        os.link(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False)
    except PermissionError:  # a folder cannot be linked; renaming it replaces nothing but an empty folder
        os.rename(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0])
    else:
        os.unlink(source[1], dir_fd=source[0])
