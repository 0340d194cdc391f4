"""What differs between two commits, path by path, and how a checkout's files and index compare with it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orange.adapters.git import Git

#: A path's mode and object id in a tree; None where the tree has no such path.
Entry = tuple[str, str] | None

_SUBMODULE = "160000"
#: Configuration that would make an index of ours more than one plain file.
_PLAIN = ("-c", "core.splitIndex=false", "-c", "core.untrackedCache=false", "-c", "index.sparse=false")


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs."""

    path: str
    old: Entry
    new: Entry

    @property
    def is_submodule(self) -> bool:
        """Whether a submodule is involved; its files are left alone."""
        return any(entry is not None and entry[0] == _SUBMODULE for entry in (self.old, self.new))


def between(git: Git, old: str, new: str) -> tuple[Change, ...]:
    """List what differs between two trees or commits. Raises GitFailed."""
    return tuple(_raw(git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new).stdout))


def staged(git: Git, tree: str) -> Mapping[str, Entry]:
    """Map every path that the index has otherwise than a tree to its entry there; unmerged ones to a mode of 0."""
    options = ("--cached", "-z", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=none")
    changes = list(_raw(git.run("diff-index", *options, tree, "--").stdout))
    return {change.path: change.new for change in changes}


def _raw(answer: bytes) -> Iterable[Change]:
    fields = answer.split(b"\0")
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        old_mode, mode, old_id, oid, kind = meta.decode().removeprefix(":").split(" ")
        new = ("0", "") if kind == "U" else _entry(mode, oid)
        yield Change(os.fsdecode(path), _entry(old_mode, old_id), new)


def _entry(mode: str, oid: str) -> Entry:
    return None if mode == "000000" else (mode, oid)


def index_info(entries: Mapping[str, Entry], zeros: str) -> bytes:
    """Write entries as `git update-index -z --index-info` reads them."""
    lines = (
        (f"{entry[0]} {entry[1]}\t" if entry else f"0 {zeros}\t").encode() + os.fsencode(path) + b"\0"
        for path, entry in entries.items()
    )
    return b"".join(lines)


def load(git: Git, entries: Mapping[str, Entry]) -> None:
    """Put entries into the index that `git` uses. Raises GitFailed."""
    zeros = "0" * max((len(entry[1]) for entry in entries.values() if entry), default=40)
    git.run(*_PLAIN, "update-index", "-z", "--index-info", stdin=index_info(entries, zeros))


class Probe:
    """A throw-away index that holds just the paths in question, to compare files with or to write them from.

    The comparison goes by git's own rules: line ends, filters, modes, links.
    """

    def __init__(self, worktree: str, path: str, keep: tuple[int, ...]) -> None:
        self._path = path
        self._git = Git(worktree, {"GIT_INDEX_FILE": path}, keep)
        self._root = worktree

    def _load(self, entries: Mapping[str, Entry]) -> None:
        for stale in (self._path, f"{self._path}.lock"):
            if os.path.exists(stale):
                os.unlink(stale)
        load(self._git, entries)

    def differing(self, entries: Mapping[str, Entry]) -> set[str]:
        """Return the paths whose file is not as the entry says; for None: where there is a file. Raises GitFailed."""
        there = {path: entry for path, entry in entries.items() if entry is not None}
        found = {path for path, entry in entries.items() if entry is None and is_file(f"{self._root}/{path}")}
        if there:
            self._load(there)
            options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
            found.update(os.fsdecode(path) for path in self._fields("diff", *options))
        return found

    def _fields(self, *arguments: str) -> list[bytes]:
        result = self._git.run(*_PLAIN, "-c", "diff.relative=false", *arguments)
        return [field for field in result.stdout.split(b"\0") if field]

    def write(self, entries: Mapping[str, Entry]) -> None:
        """Make files as the entries say; None removes one, with the folders that become empty. Raises GitFailed."""
        for path, entry in entries.items():
            if entry is None:
                _remove(self._root, path)
        there = {path: entry for path, entry in entries.items() if entry is not None}
        if there:
            self._load(there)
            names = b"".join(os.fsencode(path) + b"\0" for path in there)
            self._git.run(*_PLAIN, "checkout-index", "-f", "-z", "--stdin", stdin=names)

    def is_begun(self, change: Change) -> bool:
        """Whether a file is missing, or only the beginning of what was being written there. Raises GitFailed."""
        full = f"{self._root}/{change.path}"
        if not os.path.lexists(full):
            return True
        if not stat.S_ISREG(os.lstat(full).st_mode):
            return False
        with open(full, "rb") as file:
            have = file.read()
        return any(self._whole(change.path, entry[1]).startswith(have) for entry in (change.old, change.new) if entry)

    def _whole(self, path: str, blob: str) -> bytes:
        return self._git.run("cat-file", "--filters", f"--path={path}", blob).stdout

    def drop(self) -> None:
        """Remove the index."""
        if os.path.exists(self._path):
            os.unlink(self._path)


def hidden(git: Git) -> set[str]:
    """Return the paths that a sparse checkout leaves out. Raises GitFailed."""
    if git.query("config", "--type=bool", "core.sparseCheckout") != "true":
        return set()
    fields = git.run("ls-files", "-t", "-z").stdout.split(b"\0")
    return {os.fsdecode(field[2:]) for field in fields if field.startswith(b"S ")}


def is_file(path: str) -> bool:
    """Whether something is there that is no folder."""
    try:
        return not stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _remove(root: str, path: str) -> None:
    full = f"{root}/{path}"
    if not is_file(full):
        return
    os.unlink(full)
    folder = os.path.dirname(full)
    while folder != root and not os.listdir(folder):
        os.rmdir(folder)
        folder = os.path.dirname(folder)
