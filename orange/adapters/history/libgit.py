"""The history through libgit2, in a process that stays: no program is started for a tip, a blob or a small commit.

The only module that imports pygit2. Whatever libgit2 refuses (a repository it cannot open, a name it cannot write, a
tip that moved in between) is done by the git program instead, with its own compare-and-swap.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orange.adapters.history import changes as change
from orange.adapters.history.changes import Changes
from orange.adapters.history.fast_import import FastImportHistory
from orange.core.layout import RECORDS_REF, Layout

if TYPE_CHECKING:
    import pygit2

#: Above this many paths one `git fast-import` is faster than as many loose objects, each synced.
_SMALL = 12
_FILE, _FOLDER = 0o100644, 0o040000
#: Part of a change below one folder: name -> new bytes, None to delete, or the changes of a folder.
_Branch = dict[str, Any]


class LibgitHistory(FastImportHistory):
    """Satisfies `ports.History`."""

    def __init__(self, layout: Layout, now: Callable[[], float]) -> None:
        super().__init__(layout, now)
        self._path = layout.common
        self._guard = threading.Lock()
        self._opened: pygit2.Repository | None = None
        self._usable = True

    def tip(self) -> str | None:
        """Return the branch's commit, or None before the first. Raises GitFailed."""
        found = self._try(_tip)
        return found or super().tip()

    def read(self, blob: str) -> bytes:
        """Return a blob's bytes. Raises GitFailed."""
        found: bytes | None = self._try(lambda repository: repository.read(blob)[1])
        return super().read(blob) if found is None else found

    def commit(self, changes: Changes, message: str) -> str:
        """Commit changed paths (None deletes) on top of the tip; retries when the tip moved. Raises GitFailed."""
        change.check(changes)
        with self._alone() as git:
            made: str | None = None
            if len(changes) <= _SMALL:
                made = self._try(lambda repository: self._build(repository, changes, message))
            return made or self._commit(git, changes, message)

    def _try(self, work: Callable[[pygit2.Repository], Any]) -> Any:
        """Let libgit2 do it; None where it cannot. The git program then says what is really wrong."""
        import pygit2

        with self._guard:
            try:
                repository = self._open()
                return work(repository) if repository else None
            except (pygit2.GitError, KeyError, ValueError, OSError):
                self._opened = None  # opened anew next time: a repack or a move may have outdated it
                return None

    def _open(self) -> pygit2.Repository | None:
        import pygit2

        if self._opened is None and self._usable:
            pygit2.settings.enable_fsync_gitdir(True)  # noqa: FBT003 - it takes no keyword
            try:
                self._opened = pygit2.Repository(self._path)
            except (pygit2.GitError, ValueError, OSError):
                self._usable = False  # sha256, reftable, a partial clone, another owner: it stays so
        return self._opened

    def _build(self, repository: pygit2.Repository, changes: Changes, message: str) -> str | None:
        """Make the commit and move the branch to it, or None if anything is not as it should be.

        `create_commit` moves the branch only while it points to the commit's first parent.
        """
        import pygit2

        before = _tip(repository)
        if before is None:
            return None
        root = repository[before].tree
        tree = _write(repository, root, _nested(changes)) or repository.TreeBuilder().write()
        if tree == root.id:
            return before
        name, email = self._signature().split(" <", 1)
        by = pygit2.Signature(name, email.split(">", 1)[0], int(self._now()), 0, "utf-8")
        text = change.clean(message).decode()
        return str(repository.create_commit(RECORDS_REF, by, by, text, tree, [before]))


def _tip(repository: pygit2.Repository) -> str | None:
    reference = repository.references.get(RECORDS_REF)
    return None if reference is None else str(reference.target)


def _nested(changes: Changes) -> _Branch:
    """Turn paths into folders within folders."""
    root: _Branch = {}
    for path, data in sorted(changes.items(), key=lambda item: item[1] is not None):
        *folders, name = path.split("/")
        here = root
        for folder in folders:
            if not isinstance(here.get(folder), dict):
                here[folder] = {}
            here = here[folder]
        here[name] = data
    return root


def _write(repository: pygit2.Repository, tree: Any, branch: _Branch) -> pygit2.Oid | None:
    """Write a folder's tree with its changes; None when nothing is left in it."""
    builder = repository.TreeBuilder(tree) if tree is not None else repository.TreeBuilder()
    for name, what in branch.items():
        entry: Any = builder.get(name)  # its stub forgets that it may be None
        is_folder = entry is not None and entry.filemode == _FOLDER
        if isinstance(what, dict):
            below = _write(repository, repository[entry.id] if is_folder else None, what)
            if below is not None:
                builder.insert(name, below, _FOLDER)
            elif is_folder:
                builder.remove(name)
        elif what is not None:
            blob = repository.create_blob(what)
            if is_folder or entry is None or entry.id != blob:  # else its mode stays, too
                builder.insert(name, blob, _FILE)
        elif entry is not None and not is_folder:
            builder.remove(name)
    return builder.write() if len(builder) else None
