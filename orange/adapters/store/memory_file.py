"""Carries what is known of the disk into the index file and back.

Only plain files go in: what is odd, unreadable or too fresh to be sure of is read again. So a reader of the index alone
knows that every row in it is in force.

Next in the flow: `shelf` loads it at the start and saves it when enough has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orange.adapters.store.index import (
    CLOSED,
    COLUMNS,
    FILE_NUMBERS,
    FOLDER_NUMBERS,
    STATUS,
    IndexFile,
    Row,
    pack,
    unpack,
)
from orange.adapters.store.scan import File, Memory, Place

_ID, _BLOCKERS = COLUMNS.index("id"), COLUMNS.index("blocked_by")


@dataclass(frozen=True, slots=True)
class Kept:
    """What an index file holds."""

    memory: Memory
    #: The commit the accepted contents are of.
    tip: str | None
    #: Task files of that commit: path -> blob id.
    at_tip: dict[str, str]
    #: When accepted files were first found missing.
    missing: dict[str, float]


def sections(kept: Kept, odd: Iterable[str]) -> dict[str, Any]:
    """Put everything into the index file's sections."""
    memory, skipped = kept.memory, frozenset(odd)
    files = {path: file for path, file in memory.files.items() if file.signature and file.row and path not in skipped}
    rows = {True: dict[str, tuple[int, Row]](), False: dict[str, tuple[int, Row]]()}
    for number, file in enumerate(files.values()):
        row = file.row or ()
        rows[row[STATUS] in CLOSED][row[_ID]] = (number, row)
    return {
        "scan": (
            "\n".join(memory.folders),
            pack(_surely(path, place, memory) for path, place in memory.folders.items()),
            bytes(place.has_task for place in memory.folders.values()),
            "\n".join(files),
            pack(file.signature for file in files.values()),
        ),
        "live": (rows[False], _referenced(rows[False], rows[True])),
        "closed": rows[True],
        "rest": ("".join(file.blob for file in files.values()), _tip_differences(kept, files), kept.missing),
    }


def _surely(path: str, place: Place, memory: Memory) -> tuple[int, ...]:
    """A folder's signature, or one that no folder has, to have it listed again."""
    return place.signature if place.signature and path not in memory.linked else (0,) * FOLDER_NUMBERS


def whole(memory: Memory, odd: Iterable[str]) -> bool:
    """Whether the index holds everything, so that a reader may do with it alone."""
    unsure = any(not file.signature or not file.row for file in memory.files.values())
    return not (unsure or memory.unknown or memory.linked or any(True for _ in odd))


def _referenced(live: Mapping[str, tuple[int, Row]], closed: Mapping[str, tuple[int, Row]]) -> dict[str, str]:
    """The statuses of the closed tasks that open ones are blocked by."""
    wanted = {blocker for _, row in live.values() for blocker in row[_BLOCKERS]}
    return {blocker: closed[blocker][1][STATUS] for blocker in wanted if blocker in closed}


def _tip_differences(kept: Kept, files: Mapping[str, File]) -> dict[str, str | None]:
    """Where the tip has another content than the file, or none, or the only one."""
    differing: dict[str, str | None] = {
        path: kept.at_tip.get(path) for path, file in files.items() if kept.at_tip.get(path) != file.blob
    }
    return differing | {path: blob for path, blob in kept.at_tip.items() if path not in files}


def restore(index: IndexFile) -> Kept | None:
    """Take an index file's content over; None where it is damaged."""
    try:
        folders, folder_numbers, has_task, paths, numbers = index.section("scan")
        (live, _), closed = index.section("live"), index.section("closed")
        blobs, differing, missing = index.section("rest")
        names = paths.split("\n") if paths else []
        rows: list[Row | None] = [None] * len(names)
        for number, row in (*live.values(), *closed.values()):
            rows[number] = row
        width = len(blobs) // len(names) if names else 0
        hashes = [blobs[at : at + width] for at in range(0, len(blobs), width or 1)]
        known = zip(names, unpack(numbers, FILE_NUMBERS), hashes, rows, strict=True)
        files = {path: File(signature, blob, row) for path, signature, blob, row in known}
        memory = Memory(files, _folders(folders.split("\n"), unpack(folder_numbers, FOLDER_NUMBERS), has_task))
        return Kept(memory, index.header["tip"], _at_tip(files, differing), missing)
    except (ValueError, EOFError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _folders(paths: list[str], signatures: list[tuple[int, ...]], has_task: bytes) -> dict[str, Place]:
    inside: dict[str, list[str]] = {}
    for path in paths:
        parent, _, name = path.rpartition("/")
        if name:
            inside.setdefault(parent, []).append(path)
    known = zip(paths, signatures, has_task, strict=True) if paths != [""] else ()
    return {path: Place(signature, tuple(inside.get(path, ())), bool(task)) for path, signature, task in known}


def _at_tip(files: Mapping[str, File], differing: Mapping[str, str | None]) -> dict[str, str]:
    at_tip = {path: file.blob for path, file in files.items()}
    for path, blob in differing.items():
        at_tip.pop(path, None)
        if blob is not None:
            at_tip[path] = blob
    return at_tip
