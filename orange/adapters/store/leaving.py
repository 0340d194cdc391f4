"""The operations of tasks that leave their place: removed, with nested tasks moving up, or moved to the archive.

Next in the flow: `transaction` puts them behind its writes in the journal entry.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator

from orange.adapters.journal import Kind, Moved, Op
from orange.adapters.store.accepted import Accepted
from orange.adapters.store.events import EVENTS
from orange.adapters.store.scan import NAME, is_task_path, read_plain
from orange.core.problems import InvalidInput


class Leaving:
    """Works out removals and moves on the files as they are under the lock."""

    def __init__(self, tree: str, accepted: Accepted, files: Iterable[str]) -> None:
        self._tree, self._accepted = tree, accepted
        #: The recorded files, as they will lie after what was worked out so far.
        self._files = set(files)

    def removed(self, paths: Collection[str]) -> Iterator[Op]:
        """Remove tasks by the paths of their files, the deepest first; what is nested in them moves up a level."""
        for path in sorted(paths, key=lambda path: path.count("/"), reverse=True):
            folder = os.path.dirname(path)
            for own in (path, f"{folder}/{EVENTS}"):
                yield from self._removal(own)
            for nested in sorted(self._nested(folder)):
                yield self._lifted(folder, nested)

    def _removal(self, path: str) -> Iterator[Op]:
        self._files.discard(path)
        try:
            data = read_plain(f"{self._tree}/{path}", 1 << 30)[0]
        except FileNotFoundError:
            return
        yield Op(Kind.REMOVE, path, base=data)

    def _nested(self, folder: str) -> set[str]:
        """The names of the folders in a folder that hold tasks."""
        prefix = f"{folder}/"
        inside = (path[len(prefix) :] for path in self._files if path.startswith(prefix))
        return {name.partition("/")[0] for name in inside if "/" in name}

    def _lifted(self, folder: str, name: str) -> Op:
        source, target = f"{folder}/{name}", self._free(f"{os.path.dirname(folder)}/{name}")
        inside = sorted(path for path in self._files if path.startswith(f"{source}/"))
        moved = tuple(self._moved(path, target + path[len(source) :]) for path in inside)
        return Op(Kind.MOVE, source, to=target, files=moved)

    def _free(self, wanted: str) -> str:
        """A path nothing lies at, the wanted one if possible."""
        path, number = wanted, 2
        while os.path.lexists(f"{self._tree}/{path}") or any(file.startswith(f"{path}/") for file in self._files):
            path, number = f"{wanted}-{number}", number + 1
        return path

    def _moved(self, source: str, target: str) -> Moved:
        self._files.discard(source)
        self._files.add(target)
        return Moved(source, target, self._accepted.blob(source) if is_task_path(source) else None)

    def moved(self, path: str, folder: str, *, events: bool) -> Iterator[Op]:
        """Move a task's two files into another folder, in a folder of the task's own name."""
        source = os.path.dirname(path)
        target = f"{folder}/{os.path.basename(source)}"
        if source == target:
            return
        if os.path.lexists(f"{self._tree}/{target}/{NAME}"):
            raise InvalidInput("folder", f"{target} holds a task already")
        names = [NAME, EVENTS] if events or os.path.lexists(f"{self._tree}/{source}/{EVENTS}") else [NAME]
        for name in names:
            moved = self._moved(f"{source}/{name}", f"{target}/{name}")
            yield Op(Kind.MOVE, moved.source, to=moved.target, files=(moved,))
