"""What a workspace holds that no commit holds: seen through a shadow, without changing anything in the workspace.

`look_over` is the cheap part (one `git status`); `survey` is the whole truth, needed before anything is removed.

Next in the flow: `leftovers` commits changes, `rescue` saves what was surveyed.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from orange.adapters.workspaces import folders, nested
from orange.adapters.workspaces.folders import Entry
from orange.adapters.workspaces.nested import REGENERABLE, Repository
from orange.adapters.workspaces.shadow import Shadow, Source, listed

#: orange's own folder: never part of a task's work.
_OURS = ".orange"


@dataclass(frozen=True, slots=True)
class Changes:
    """What is uncommitted, by kind; paths relative to the workspace."""

    #: In conflict.
    unmerged: tuple[str, ...] = ()
    #: Tracked and different from the commit, in the index, the file, or both.
    changed: tuple[str, ...] = ()
    #: Not tracked and not ignored.
    untracked: tuple[str, ...] = ()
    #: Folders that are repositories of their own.
    repositories: tuple[str, ...] = ()
    #: Different in the index from the commit, and in the file again from the index.
    twice: tuple[str, ...] = ()
    #: Governed by a filter that orange does not run: their content cannot be committed as the repository means it.
    withheld: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.unmerged or self.changed or self.untracked or self.withheld)


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything only this workspace holds."""

    changes: Changes
    #: The workspace's files as a tree: the commit's where nothing differs.
    tree: str
    #: The index as a tree, where it holds content that neither commit nor files have.
    staged: str | None
    #: Files to save besides, by path: ignored, provided and then changed, in nested repositories.
    extras: Mapping[str, Entry] = field(default_factory=dict)
    #: Nested repositories that hold something of their own.
    repositories: tuple[Repository, ...] = ()
    #: Every file there was, by path, to see later whether anything moved.
    stamps: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)
    #: Tells the folders that were not looked into.
    skip: Callable[[str], bool] = field(default=lambda _: False)

    @property
    def weights(self) -> dict[str, int]:
        """Bytes of what would be saved besides the tree, by path."""
        files = {path: entry.status.st_size for path, entry in self.extras.items()}
        return files | {found.stored: found.size for found in self.repositories if found.git_dir}


def look_over(shadow: Shadow, leave_out: Collection[str] = ()) -> Changes:
    """See what is uncommitted; `leave_out` are untracked paths that are not work. Raises GitFailed."""
    unmerged: list[str] = []
    tracked: list[str] = []
    untracked: list[str] = []
    twice: list[str] = []
    for line in shadow.changes():
        path = line.split(" ", {"u": 10, "?": 1}.get(line[0], 8))[-1]
        if f"{path}/".startswith(f"{_OURS}/"):
            continue
        if line[0] == "?":
            untracked.append(path)
        else:
            (unmerged if line[0] == "u" else tracked).append(path)
        if line[0] == "1" and "." not in line[2:4]:
            twice.append(path)
    files = [path for path in untracked if not path.endswith("/") and path not in leave_out]
    withheld = _withheld(shadow, tracked + files)
    return Changes(
        tuple(unmerged),
        tuple(path for path in tracked if path not in withheld),
        tuple(path for path in files if path not in withheld),
        tuple(path.rstrip("/") for path in untracked if path.endswith("/")),
        tuple(twice),
        tuple(sorted(withheld)),
    )


def _withheld(shadow: Shadow, paths: list[str]) -> set[str]:
    if not shadow.config.filters or not paths:
        return set()
    fields = shadow.git.run("check-attr", "-z", "--stdin", "filter", stdin=listed(paths)).text.split("\0")
    return {path for path, name in zip(fields[::3], fields[2::3], strict=False) if name in shadow.config.filters}


def take_in(shadow: Shadow, changes: Changes) -> tuple[str, str | None]:
    """Take the changes into the private index; returns the files' tree, and the index's where only it has something."""
    staged = shadow.tree() if changes.twice and not changes.unmerged else None
    if shadow.head and shadow.git.run("ls-files", "--", _OURS).stdout:
        shadow.git.run("reset", "--quiet", shadow.head, "--", _OURS)
    shadow.add([*changes.changed, *changes.untracked, *changes.unmerged])
    tree = shadow.tree()
    return tree, staged if staged and _only_staged(shadow, changes, staged, tree) else None


def _only_staged(shadow: Shadow, changes: Changes, staged: str, tree: str) -> bool:
    """Whether a staged version of a file would be lost: the file is gone, or is as it was in the commit."""
    in_index, in_files = _blobs(shadow, staged), _blobs(shadow, tree)
    in_commit = _blobs(shadow, shadow.head) if shadow.head else {}
    return any(
        path in in_index and (path not in in_files or in_files[path] == in_commit.get(path)) for path in changes.twice
    )


def _blobs(shadow: Shadow, tree: str) -> dict[str, str]:
    fields = (field.partition("\t") for field in shadow.fields("ls-tree", "-r", "-z", tree))
    return {path: meta for meta, _, path in fields}


def survey(shadow: Shadow, source: Source, main: str | None, leave_out: Collection[str]) -> Survey:
    """Find everything only this workspace holds; `main` is the checkout whose equal files are safe.

    Raises GitFailed, OSError.
    """
    reveal(shadow, source)
    changes = look_over(shadow, leave_out)
    tree, staged = take_in(shadow, changes)
    regenerable = _regenerable(shadow)
    found = nested.find(source, _files(source.files, regenerable))

    def skip(path: str) -> bool:
        return path in found.pristine or regenerable(path)

    entries = _files(source.files, skip)
    known = shadow.tracked().keys() - set(changes.withheld)
    extras = {
        path: entry
        for path, entry in entries.items()
        if path not in known and entry.storable and ".git" not in path.split("/") and not _same(source, main, path)
    }
    stamps = {path: entry.stamp for path, entry in entries.items()}
    return Survey(changes, tree, staged, extras, found.holding, stamps, skip)


def unchanged(files: str, before: Survey) -> bool:
    """Whether every file is as it was when it was surveyed, and none was added. Raises OSError."""
    return {path: entry.stamp for path, entry in _files(files, before.skip).items()} == before.stamps


def _files(folder: str, skip: Callable[[str], bool]) -> dict[str, Entry]:
    return {entry.path: entry for entry in folders.walk(folder, skip) if entry.path != ".git"}


def reveal(shadow: Shadow, source: Source) -> None:
    """Show files that index flags hide (assume-unchanged, skip-worktree), where there is a file."""
    entries = shadow.fields("ls-files", "-v", "-z")
    flagged = [e[2:] for e in entries if e[0].islower() or e[0] == "S"]
    there = [path for path in flagged if folders.reachable(source.files, path)]
    if there:
        for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
            shadow.git.run("update-index", flag, "-z", "--stdin", stdin=listed(there))


def _regenerable(shadow: Shadow) -> Callable[[str], bool]:
    """Tell the folders that need not be looked into: ignored, and made again by a build."""
    listed = shadow.fields("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    ignored = tuple(path for path in listed if path.endswith("/"))
    return lambda path: path.rpartition("/")[2] in REGENERABLE and f"{path}/".startswith(ignored)


def _same(source: Source, main: str | None, path: str) -> bool:
    """Whether the main checkout has the same file, or the file is a link to it."""
    here, there = f"{source.files}/{path}", f"{main}/{path}"
    if main is None or not os.path.lexists(there):
        return False
    if os.path.islink(here):
        return os.readlink(here) == there or (os.path.islink(there) and os.readlink(here) == os.readlink(there))
    return os.path.isfile(there) and not os.path.islink(there) and filecmp.cmp(here, there, shallow=False)
