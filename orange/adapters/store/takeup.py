"""Opens a task for a transaction: finds its file, reads it anew and judges what stands in it.

An editor that is saving right now may have moved the file away or emptied it for a moment; that is waited for.

Next in the flow: `transaction` changes the draft made here.
"""

from __future__ import annotations

from collections.abc import Callable

from orange.adapters.journal import Disk
from orange.adapters.store.accepted import Version
from orange.adapters.store.draft import Draft, opened
from orange.adapters.store.judge import Edited, Judgement, judge
from orange.adapters.store.scan import read_plain
from orange.adapters.store.shelf import Shelf
from orange.core import document
from orange.core.document import Document
from orange.core.lifecycle import AT_REST
from orange.core.problems import BrokenFile, Problem, TaskNotFound

#: Seconds an editor is given to finish saving, and between two looks.
_SAVING, _PAUSE = 0.5, 0.01
#: Nanoseconds after which a file is no longer taken to be in the middle of a save.
_RECENT = 1_000_000_000


#: Reads a task file.
Parse = Callable[[bytes, str], Document | Problem]


class TakeUp:
    """Opens tasks under the project lock."""

    def __init__(self, tree: str, shelf: Shelf, disk: Disk) -> None:
        self._tree, self._shelf, self._disk = tree, shelf, disk

    def open(self, task_id: str) -> Draft:
        """Open a task. Raises TaskNotFound, BrokenFile."""
        draft = self._where_it_was(task_id)
        if draft is None:
            self._shelf.refresh()
            draft = self._where_it_was(task_id)
        if draft is not None:
            return draft
        problem = self._shelf.view.problem_of(task_id)
        raise BrokenFile(problem) if problem else TaskNotFound(task_id)

    def _where_it_was(self, task_id: str) -> Draft | None:
        """Open the file that was the task's when last looked at; None where that is no longer so."""
        paths = self._shelf.paths_of(task_id)
        if len(paths) != 1:
            return None
        data, saved_at = self._settled(paths[0])
        if data is None:
            return None
        found = self._judged(paths[0], data, saved_at)
        if isinstance(found, Problem):
            raise BrokenFile(found)
        return opened(paths[0], data, found) if found.task.id == task_id else None

    def _settled(self, path: str) -> tuple[bytes | None, float]:
        """Read a file, once no editor is in the middle of saving it; None where there is none."""
        waited = 0.0
        while True:
            data, saved_at, recent = self._read(path)
            saving = recent and (data is None or isinstance(document.parse(data, path), Problem))
            if not saving or waited >= _SAVING:
                return data, saved_at
            self._disk.pause(_PAUSE)
            waited += _PAUSE

    def _read(self, path: str) -> tuple[bytes | None, float, bool]:
        """Read a file: its content, when it was saved, and whether that was just now."""
        try:
            data, found = read_plain(f"{self._tree}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None, 0.0, True
        except OSError as error:
            raise BrokenFile(Problem(path, 0, f"it cannot be read: {error.strerror}")) from error
        return data, found.st_mtime, found.st_mtime_ns > self._disk.ticks() - _RECENT

    def _judged(self, path: str, data: bytes, saved_at: float) -> Judgement | Problem:
        accepted = self._shelf.accepted
        version = accepted.version(path) or self._moved_here(path)
        if version is None:
            return _if_at_rest(_as_it_stands(path, data, document.parse_foreign), path)
        if version.blob == self._shelf.blob_of(data):
            return _as_it_stands(path, data)
        held = accepted.data(version)
        return judge(Edited(path, data, held, tuple(accepted.older(path)), saved_at), self._shelf.view.examiner.facts)

    def _moved_here(self, path: str) -> Version | None:
        """What is accepted of a file that a person moved here."""
        odd = self._shelf.view.odd.get(path)
        origin = odd.edit.moved_from if odd and odd.edit else None
        return self._shelf.accepted.version(origin) if origin else None


def _as_it_stands(path: str, data: bytes, parse: Parse = document.parse) -> Judgement | Problem:
    """Take a file for what it says."""
    found = parse(data, path)
    return Judgement(found.task, data, found.task, found.body) if isinstance(found, Document) else found


def _if_at_rest(found: Judgement | Problem, path: str) -> Judgement | Problem:
    """Refuse a new file that claims to be under way."""
    if isinstance(found, Problem) or found.task.status in AT_REST:
        return found
    return Problem(path, 1, f"a new task cannot begin as {found.task.status}", "set its status to pending")
