"""One journal entry: what a transaction changes, as bytes that are whole or never happened.

A header line of JSON says what each operation does and how long its parts are; the parts follow; a checksum ends it.
Blob ids are git's, so that an entry compares with the tree of a commit.

Next in the flow: `journal` publishes entries, `redo` carries their operations out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orange.core.problems import NewerFormat

_VERSION = 1
_CHECKSUM = 41


class Kind(StrEnum):
    """What an operation does."""

    #: Make a file, or replace its content.
    WRITE = "write"
    #: Add to the end of a file.
    APPEND = "append"
    #: Delete a file.
    REMOVE = "remove"
    #: Rename a file or a folder to a place that is free.
    MOVE = "move"


def blob_id(data: bytes, algorithm: str = "sha1") -> str:
    """Compute the id git gives a file's content."""
    digest = hashlib.sha1 if algorithm == "sha1" else hashlib.sha256
    return digest(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Moved:
    """A recorded file that a move takes elsewhere."""

    source: str
    target: str
    #: The blob id of its accepted content; None when none was ever accepted.
    accepted: str | None


@dataclass(frozen=True, slots=True)
class Op:
    """One operation on a path relative to the records' folder."""

    kind: Kind
    path: str
    #: WRITE: the accepted content. APPEND: the bytes added.
    data: bytes = b""
    #: WRITE, REMOVE: the content that was read; None where there was no file.
    base: bytes | None = None
    #: WRITE: what the file gets where that differs from the accepted content (a refused hand edit stays visible).
    shown: bytes | None = None
    #: WRITE: the names of the body sections it sets.
    sections: tuple[str, ...] = ()
    #: APPEND: the size of the file before.
    offset: int = 0
    #: MOVE: where to.
    to: str = ""
    #: MOVE: the recorded files that it takes along.
    files: tuple[Moved, ...] = ()

    @property
    def target(self) -> bytes:
        """WRITE: what the file gets."""
        return self.data if self.shown is None else self.shown

    @property
    def old(self) -> str | None:
        """The blob id of what was read, or None where there was no file."""
        return None if self.base is None else blob_id(self.base)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one transaction changes."""

    number: int
    message: str
    ops: tuple[Op, ...]


class Torn(Exception):
    """Bytes that are not a whole entry."""


def encode(message: str, ops: Sequence[Op]) -> bytes:
    """Write an entry's bytes."""
    header = {"version": _VERSION, "message": message, "ops": [_header(op) for op in ops]}
    whole = json.dumps(header).encode() + b"\n" + b"".join(part for op in ops for part in _parts(op))
    return whole + hashlib.sha1(whole, usedforsecurity=False).hexdigest().encode() + b"\n"


def decode(number: int, data: bytes) -> Entry:
    """Read an entry's bytes. Raises Torn, NewerFormat."""
    whole, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if hashlib.sha1(whole, usedforsecurity=False).hexdigest().encode() + b"\n" != checksum:
        raise Torn
    line, _, rest = whole.partition(b"\n")
    header = json.loads(line)
    if header["version"] > _VERSION:
        raise NewerFormat(header["version"], _VERSION)
    return Entry(number, header["message"], tuple(_ops(header["ops"], rest)))


def _parts(op: Op) -> tuple[bytes, bytes, bytes]:
    return op.data, op.base or b"", op.shown or b""


def _header(op: Op) -> dict[str, object]:
    return {
        "kind": op.kind.value,
        "path": op.path,
        "to": op.to,
        "old": op.old,
        "new": blob_id(op.data) if op.kind is Kind.WRITE else None,
        "lengths": [len(op.data), -1 if op.base is None else len(op.base), -1 if op.shown is None else len(op.shown)],
        "sections": op.sections,
        "offset": op.offset,
        "files": [[moved.source, moved.target, moved.accepted] for moved in op.files],
    }


def _ops(headers: list[dict[str, Any]], rest: bytes) -> Iterator[Op]:
    at = 0
    for header in headers:
        parts: list[bytes | None] = []
        for length in header["lengths"]:
            parts.append(None if length < 0 else rest[at : at + length])
            at += max(0, length)
        yield Op(
            Kind(header["kind"]),
            header["path"],
            data=parts[0] or b"",
            base=parts[1],
            shown=parts[2],
            sections=tuple(header["sections"]),
            offset=header["offset"],
            to=header["to"],
            files=tuple(Moved(*moved) for moved in header["files"]),
        )
