"""Brings own writes back that went with the records' folder.

After it was made anew from the branch, what the journal holds beyond the branch comes on top again.

Next in the flow: `shelf` writes these as one more entry before anything else is read or written.
"""

from __future__ import annotations

from collections.abc import Iterator

from orange.adapters.journal import Kind, Op
from orange.adapters.store.accepted import Accepted, Version
from orange.adapters.store.scan import read_plain


def lost_ops(tree: str, accepted: Accepted) -> tuple[Op, ...]:
    """Work out what must be written again. Raises GitFailed, OSError."""
    return (*_files(tree, accepted), *_trails(tree, accepted))


def _files(tree: str, accepted: Accepted) -> Iterator[Op]:
    for path, version in sorted(accepted.pending.items()):
        there = _read(tree, path)
        if there is None and version is not None:
            yield Op(Kind.WRITE, path, accepted.data(version))
        elif there is not None and _is_of_the_branch(accepted, path, there):
            if version is None:
                yield Op(Kind.REMOVE, path, base=there)
            elif accepted.data(version) != there:
                yield Op(Kind.WRITE, path, accepted.data(version), base=there)


def _is_of_the_branch(accepted: Accepted, path: str, there: bytes) -> bool:
    blob = accepted.at_tip.get(path)
    return blob is not None and accepted.data(Version(blob)) == there


def _trails(tree: str, accepted: Accepted) -> Iterator[Op]:
    """Append the audit lines again that are missing, where they would have been moved to since."""
    lines: dict[str, bytes] = {}
    for entry in accepted.entries:
        for op in entry.ops:
            if op.kind is Kind.APPEND and op.data not in lines.get(op.path, b""):
                lines[op.path] = lines.get(op.path, b"") + op.data
            for moved in op.files:
                if moved.source in lines:
                    lines[moved.target] = lines.pop(moved.source)
    for path, data in lines.items():
        there = _read(tree, path) or b""
        if data not in there:
            yield Op(Kind.APPEND, path, data, offset=len(there))


def _read(tree: str, path: str) -> bytes | None:
    try:
        return read_plain(f"{tree}/{path}", 1 << 30)[0]
    except (FileNotFoundError, NotADirectoryError):
        return None
