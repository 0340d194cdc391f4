"""What carrying out one journal entry needs at hand: the opened folders, the staged files, and how to take it back.

What is staged or swapped out lies in `.staging` beside the task files, named for its entry: `<number>-<op>-<n>`.

Next in the flow: `replace` and `redo` carry single operations out with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from orange.adapters.journal.durable import Disk, Folder
from orange.adapters.journal.entry import Op

#: Merges what an operation changes into another version of its file; None where that cannot be done.
Merge = Callable[[Op, bytes], bytes | None]
#: Keeps a content that has no place for a person to look at: the path it belongs to, and the bytes.
Aside = Callable[[str, bytes], None]


class Unmergeable(Exception):
    """A file holds something that an operation cannot be merged into."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(slots=True)
class Carry:
    """The work on one entry. Needs the project lock."""

    disk: Disk
    #: The records' folder, and the folder of staged files in it.
    tree: Folder
    staging: Folder
    merge: Merge
    aside: Aside
    number: int
    #: Displaced files that another program still has open for writing: staged name -> blob id when swapped out.
    late: dict[str, str] = field(default_factory=dict)
    _undo: list[Callable[[], None]] = field(default_factory=list)
    #: Folders whose names changed, and folders that may be empty now.
    _touched: set[str] = field(default_factory=set)
    _emptied: set[str] = field(default_factory=set)

    def slot(self, index: int, serial: int = 0) -> str:
        """The staged name of an operation's file."""
        return f"{self.number}-{index}-{serial}"

    def staged(self, index: int) -> list[str]:
        """The staged names of one operation, the oldest first."""
        prefix = f"{self.number}-{index}-"
        found = [name for name in self.disk.names(self.staging) if name.startswith(prefix)]
        return sorted(found, key=lambda name: int(name.removeprefix(prefix)))

    def restage(self, index: int, data: bytes) -> str:
        """Stage another content for an operation. Its name appears only when it is whole."""
        taken = self.staged(index)
        last = int(taken[-1].rpartition("-")[2]) if taken else -1
        name = self.slot(index, last + 1)
        self.disk.discard(self.staging, f"part-{name}")  # of somebody who was killed here
        self.disk.create(self.staging, f"part-{name}", data)
        self.disk.rename((self.staging, f"part-{name}"), (self.staging, name))
        return name

    def folder(self, path: str, *, new: bool = False) -> Folder:
        """Open the folder of a path for a change in it; `new` makes it where it is missing."""
        parent = split(path)[0]
        self._touched.add(parent)
        while new and parent:
            parent = split(parent)[0]
            self._touched.add(parent)
        return self.disk.enter(self.tree, split(path)[0], make=new)

    def exists(self, path: str) -> bool:
        """Whether anything lies at a path."""
        parent, name = split(path)
        try:
            with self.disk.enter(self.tree, parent) as folder:
                return name in self.disk.names(folder)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def emptied(self, path: str) -> None:
        """Note that a path's folder may have lost its last file."""
        self._emptied.add(split(path)[0])

    def undoing(self, step: Callable[[], None]) -> None:
        """Note how what was just done is taken back."""
        self._undo.append(step)

    @property
    def mark(self) -> int:
        """How much there is to take back."""
        return len(self._undo)

    def undo(self, mark: int = 0) -> None:
        """Take back what was done since `mark`, the last first. Raises OSError when the disk refuses that too."""
        while len(self._undo) > mark:
            self._undo[-1]()
            self._undo.pop()

    def sync(self) -> None:
        """Make every changed folder durable."""
        for path in () if self.disk.is_together else sorted(self._touched):
            try:
                with self.disk.enter(self.tree, path) as folder:
                    self.disk.sync(folder)
            except FileNotFoundError:
                continue  # it was moved away by this same entry

    def tidy(self) -> None:
        """Remove the folders that lost their last file."""
        for path in sorted(self._emptied, key=len, reverse=True):
            parent, name = split(path)
            try:
                with self.disk.enter(self.tree, parent) as folder:
                    self.disk.remove_folder(folder, name)
            except OSError:
                continue  # an empty folder harms nobody


def split(path: str) -> tuple[str, str]:
    """Split a relative path into folder and name."""
    folder, _, name = path.rpartition("/")
    return folder, name
