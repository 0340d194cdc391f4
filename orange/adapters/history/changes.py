"""What a history commit is asked to change, checked; and the stream that tells `git fast-import` of it. Pure."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orange.core.layout import RECORDS_REF
from orange.core.problems import InvalidInput

#: Relative path -> new bytes, or None to delete the file.
Changes = Mapping[str, bytes | None]

_ESCAPES = {ord("\\"): b"\\\\", ord('"'): b'\\"', ord("\n"): b"\\n"}
#: How each byte of a path is written.
_WRITTEN = [_ESCAPES.get(byte, bytes((byte,))) for byte in range(256)]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the tip holds, as far as a commit needs to know it."""

    #: The commit, or None before the first.
    tip: str | None
    #: Path -> blob id, of the changed paths that are files at the tip.
    blobs: Mapping[str, str]


def check(changes: Changes) -> None:
    """Refuse paths that cannot be in a git tree. Raises InvalidInput."""
    for path, data in changes.items():
        parts = path.split("/")
        if "\0" in path or any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
            raise InvalidInput("path", f"{path!r} cannot be recorded in git")
        folders = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if data is not None and any(changes.get(folder) is not None for folder in folders):
            raise InvalidInput("path", f"{path!r} lies below a path that is itself a file")


def needed(changes: Changes, standing: Standing) -> dict[str, bytes | None]:
    """Leave out what the tip already says. A deletion means a file: a folder of that name stays."""
    algorithm = "sha256" if standing.tip and len(standing.tip) == 64 else "sha1"
    return {
        path: data
        for path, data in changes.items()
        if standing.blobs.get(path) != (None if data is None else blob_id(data, algorithm))
    }


def blob_id(data: bytes, algorithm: str) -> str:
    """Compute the id git gives a blob."""
    digest = hashlib.new(algorithm, b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def stream(changes: Changes, parent: str | None, who: str, message: str) -> bytes:
    """Write the fast-import stream of one commit; git prints the commit's id. Deletions come first.

    Without a `done` at its end a stream is a failure, so that one cut short by a kill moves nothing.
    """
    return b"".join(_lines(changes, parent, who, message))


def _lines(changes: Changes, parent: str | None, who: str, message: str) -> Iterator[bytes]:
    text = clean(message)
    yield b"feature done\ncommit %b\nmark :1\n" % RECORDS_REF.encode()
    yield b"committer %b\ndata %d\n%b\n" % (who.encode("utf-8", "replace"), len(text), text)
    if parent:
        yield b"from %b\n" % parent.encode()
    for path, data in sorted(changes.items(), key=lambda item: (item[1] is not None, item[0])):
        if data is None:
            yield b"D %b\n" % _quoted(path)
        else:
            yield b"M 100644 inline %b\ndata %d\n%b\n" % (_quoted(path), len(data), data)
    yield b"\nget-mark :1\ndone\n"


def clean(message: str) -> bytes:
    """Make a commit message of a text: no NUL, one newline at its end."""
    return message.replace("\0", "").rstrip().encode("utf-8", "replace") + b"\n"


def _quoted(path: str) -> bytes:
    return b'"%b"' % b"".join(map(_WRITTEN.__getitem__, os.fsencode(path)))
