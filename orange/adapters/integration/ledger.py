"""What orange remembers of its bases between looks: which commits are its own, and what it last saw of the user's.

Machine-local, like the integrated bases themselves. `integrated` holds a line for every commit orange made on one: it
tells work that tasks brought in from commits of the user's that were taken in, which the user may amend or drop.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from orange import recordfile
from orange.core.layout import Layout

#: A line that says: there were merges before this file was begun.
_UNKNOWN = "*"


@dataclass(frozen=True, slots=True)
class Note:
    """What was last seen of a base."""

    #: The user's branch, when it last stood where orange wanted it, or moved on from there.
    seen: str | None = None
    #: The user's commit that the integrated base was moved along to last.
    taken: str | None = None
    #: The pair of commits that `reason` is about.
    branch: str | None = None
    integrated: str | None = None
    reason: str | None = None


class Ledger:
    """The two files. Writers hold the integration lock."""

    def __init__(self, layout: Layout) -> None:
        self._own = f"{layout.runtime}/integrated"
        self._notes = f"{layout.runtime}/bases.json"

    def own(self) -> frozenset[str] | None:
        """The commits orange made on integrated bases; None when that is not known for all of them."""
        try:
            with open(self._own, encoding="ascii", errors="replace") as file:
                lines = frozenset(file.read().split())
        except FileNotFoundError:
            return None
        return None if _UNKNOWN in lines else lines

    def begin(self) -> None:
        """Note that no integrated base exists yet: whatever comes will be in the file."""
        recordfile.create(self._own, b"")

    def add(self, commit: str) -> None:
        """Note a commit before the base is moved to it."""
        recordfile.create(self._own, f"{_UNKNOWN}\n".encode())
        fd = os.open(self._own, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(fd, f"\n{commit}\n".encode())
            os.fsync(fd)
        finally:
            os.close(fd)

    def notes(self) -> dict[str, Note]:
        """What is noted, by base."""
        try:
            with open(self._notes, encoding="utf-8") as file:
                return {base: Note(**fields) for base, fields in json.load(file).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def of(self, base: str) -> Note:
        """What is noted of one base."""
        return self.notes().get(base, Note())

    def note(self, base: str, note: Note) -> None:
        """Note something of a base."""
        notes = self.notes()
        if notes.get(base) != note:
            notes[base] = note
            text = json.dumps({name: asdict(known) for name, known in notes.items()})
            recordfile.replace(self._notes, text.encode(), sync=False)
