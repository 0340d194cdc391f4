"""What a reader makes of a source: its items, in order, with what is to be said about them.

Next in the flow: `resolve` turns keys into ids and items into tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from orange.core.model import Task
from orange.core.problems import OrangeError


class ImportRefused(OrangeError):
    """A source that cannot be taken; names the file, and the line or record with its field."""

    code = "invalid_import"
    http_status = 422

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where, self.reason = where, reason


def _nothing(_path: str) -> str | None:
    """Find no file: what has been sent by another program lies nowhere."""
    return None


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported: one file, or those of a folder."""

    #: The file's or the folder's own name, for messages and for telling sources apart.
    name: str
    #: The texts, by path below the folder (of a single file: by its name), in order.
    files: Mapping[str, str]
    #: Gives the text of a file that a record names, by its path below the folder; None where there is none.
    beside: Callable[[str], str | None] = _nothing
    #: The name of the folder the file lies in; empty for standard input.
    folder: str = ""
    #: Whether it is a folder.
    many: bool = False

    @property
    def text(self) -> str:
        """The text of a single file."""
        return next(iter(self.files.values()), "")


@dataclass(frozen=True, slots=True)
class Note:
    """One remark of the report."""

    #: The item's key; empty for the source as a whole.
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Item:
    """One task of the source."""

    #: Names it within its format, and is the same each time the source is read.
    key: str
    #: The file, and the line or record it stands in.
    where: str
    #: What a task file has keys for, without id and edges; `extra` holds what has no place.
    draft: Task
    body: str = ""
    #: Whether it may start: it gets the project's status for new tasks.
    open: bool = False
    #: Keys of other items.
    blockers: tuple[str, ...] = ()
    parent: str | None = None
    notes: tuple[str, ...] = ()
    #: Why nothing is to be created of it.
    skip: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole source, read."""

    items: tuple[Item, ...]
    warnings: tuple[Note, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Item], *warnings: str) -> Reading:
        """Gather items, with remarks about the source as a whole."""
        return cls(tuple(items), tuple(Note("", warning) for warning in warnings))
