"""The index file: a cache of every task's row, in sections that are loaded only when they are needed.

It may be deleted, stale or damaged at any time: whatever is off, it is not used, and the files are read again. This
module imports neither dataclasses nor the model, so that a reader of ready tasks may do with it alone.

Sections: `scan` (what to compare with a stat of every folder and file), `live` and `closed` (the rows), `rest`.

Next in the flow: `scan` keeps the memory it is loaded into up to date.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import zlib
from array import array
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, TypeAlias

#: A task's flat tuple: the values of COLUMNS, then a dict of the keys that are not at their default, or None.
Row: TypeAlias = tuple[Any, ...]
#: What a row begins with.
COLUMNS = (
    "id", "title", "name", "status", "type", "priority", "blocked_by", "parent", "assignee", "requires",
    "created_at", "updated_at",
)  # fmt: skip
STATUS = COLUMNS.index("status")
#: Statuses whose rows lie in the closed section.
CLOSED = frozenset({"done", "cancelled"})

_MAGIC = b"orange-index 1\n"
_WIDTH = 8
#: Numbers kept of a file's stat (modified, changed, size, inode) and of a folder's (modified, changed, inode).
FILE_NUMBERS, FOLDER_NUMBERS = 4, 3


class IndexFile:
    """An index as found on disk: the header, and sections on demand."""

    def __init__(self, data: bytes, header: Mapping[str, Any], start: int) -> None:
        self._data, self._start = data, start
        #: `fingerprint`, `tip`, `number` (of the last journal entry seen), `sections`.
        self.header = header

    def section(self, name: str) -> Any:
        """Load a section. Raises ValueError when it is damaged."""
        offset, length, checksum = self.header["sections"][name]
        part = self._data[self._start + offset : self._start + offset + length]
        if zlib.crc32(part) != checksum:
            raise ValueError(name)
        return marshal.loads(part)  # noqa: S302 - our own file in the git directory, and its checksum is right


def load(path: str, fingerprint: str) -> IndexFile | None:
    """Open an index; None where there is none that can be used."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        start = len(_MAGIC) + _WIDTH
        length = int.from_bytes(data[len(_MAGIC) : start], "big")
        head = data[start : start + length]
        if not data.startswith(_MAGIC) or zlib.crc32(head) != int.from_bytes(data[start + length :][:4], "big"):
            return None
        header = marshal.loads(head)  # noqa: S302 - as above
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return IndexFile(data, header, start + length + 4) if header.get("fingerprint") == fingerprint else None


def save(path: str, header: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
    """Replace an index in one piece. A cache that cannot be written is done without."""
    parts, table, offset = [], {}, 0
    for name, value in sections.items():
        part = marshal.dumps(value)
        parts.append(part)
        table[name] = (offset, len(part), zlib.crc32(part))
        offset += len(part)
    head = marshal.dumps({**header, "sections": table})
    head_parts = (_MAGIC, len(head).to_bytes(_WIDTH, "big"), head, zlib.crc32(head).to_bytes(4, "big"))
    part_name = f"{path}.{os.getpid()}"
    try:
        with open(part_name, "wb") as file:
            file.writelines((*head_parts, *parts))
        os.replace(part_name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part_name)


def pack(signatures: Iterable[tuple[int, ...]]) -> bytes:
    """Put the numbers of many stats into one string of bytes."""
    return array("q", list(chain.from_iterable(signatures))).tobytes()


def unpack(data: bytes, width: int) -> list[tuple[int, ...]]:
    """Take the numbers of many stats apart again."""
    numbers = array("q")
    numbers.frombytes(data)
    return list(zip(*(iter(numbers),) * width, strict=True))


class TipLog:
    """What each recorded commit changed: brings an index of an older tip forward without asking git."""

    def __init__(self, path: str) -> None:
        self._path = path
        #: How many commits were followed.
        self.steps = 0

    def add(self, before: str | None, after: str, blobs: Mapping[str, str | None]) -> None:
        """Note a commit's task files: path -> blob id, None for a deleted one."""
        import json

        line = json.dumps([before, after, blobs]) + "\n"
        try:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError:
            return  # then the tree is listed instead

    def between(self, before: str | None, after: str | None) -> dict[str, str | None] | None:
        """Give what changed from one tip to another, or None where that is not noted."""
        import json

        steps: dict[str | None, tuple[str, dict[str, str | None]]] = {}
        for line in self._lines():
            with contextlib.suppress(ValueError, TypeError):
                source, target, blobs = json.loads(line)
                steps[source] = (target, blobs)
        changed: dict[str, str | None] = {}
        here = before
        while here != after:
            if here not in steps:
                return None
            here, blobs = steps.pop(here)
            changed.update(blobs)
            self.steps += 1
        return changed

    def _lines(self) -> list[str]:
        try:
            with open(self._path, encoding="utf-8") as file:
                return file.readlines()
        except (OSError, UnicodeDecodeError):
            return []

    def clear(self) -> None:
        """Forget everything: the index itself has the tip now."""
        self.steps = 0
        with contextlib.suppress(OSError):
            os.unlink(self._path)
