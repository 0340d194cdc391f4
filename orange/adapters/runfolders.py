"""The folders of runs, as programs are shown them: files of the record only, never through a link.

Next in the flow: `project.runviews`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from orange.core import redact, reviews, runfiles
from orange.core.layout import Layout
from orange.core.service.runpages import LARGEST, PAGE, Page, TooLarge, cut, shown

#: The folders of a run's folder that hold files of its record.
_FOLDERS = ("", "logs", "logs/steps", "patches", "reports")


class FileRunFolders:
    """Satisfies `core.service.runpages.RunFolders`."""

    def __init__(self, layout: Layout, secrets: redact.Secrets = redact.SHAPES) -> None:
        self._root, self._secrets = layout.runs, secrets

    def runs(self, task: str) -> Sequence[str]:
        """Name every run of a task that left anything here, the earliest first."""
        try:
            names = os.listdir(self._root)
        except FileNotFoundError:
            return ()
        numbered = ((name.rpartition("-")[2], name) for name in names if reviews.task_of(name) == task)
        return tuple(name for _, name in sorted((int(epoch), name) for epoch, name in numbered if epoch.isdecimal()))

    def files(self, run: str) -> Mapping[str, int]:
        """Return the files of a run's record and their bytes."""
        if not runfiles.is_safe(run):
            return {}
        return dict(sorted(found for folder in _FOLDERS for found in self._in(f"{self._root}/{run}", folder)))

    def _in(self, root: str, folder: str) -> Iterator[tuple[str, int]]:
        path = f"{root}/{folder}" if folder else root
        if os.path.islink(path):
            return
        try:
            entries = list(os.scandir(path))
        except OSError:
            return
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if shown(name) and entry.is_file(follow_symlinks=False):
                yield name, entry.stat(follow_symlinks=False).st_size

    def page(self, run: str, start: int, *, ended: bool) -> Page:
        """Return the part of a run's log that begins at a byte."""
        data, size = self._bytes(run, runfiles.OUTPUT, start, PAGE) or (b"", 0)
        end = cut(data, last=ended and start + len(data) >= size)
        return Page(self._secrets.mask_bytes(data[:end]), start + end, size)

    def read(self, run: str, name: str) -> bytes | None:
        """Return a file of a run's record, secrets masked. Raises TooLarge."""
        data, size = self._bytes(run, name, 0, LARGEST) or (None, 0)
        if size > LARGEST:
            raise TooLarge(name)
        return None if data is None else self._secrets.mask_bytes(data)

    def _bytes(self, run: str, name: str, start: int, most: int) -> tuple[bytes, int] | None:
        if not (runfiles.is_safe(run) and shown(name)):
            return None
        path = f"{self._root}/{run}/{name}"
        if os.path.realpath(path) != f"{os.path.realpath(self._root)}/{run}/{name}":
            return None
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return None
            file.seek(start)
            return file.read(most), found.st_size
