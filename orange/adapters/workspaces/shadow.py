"""A private git directory that looks at a workspace's files, so that nothing planted in the repository runs.

It has its own configuration, HEAD and index, and the repository's objects. The index begins as a copy of the
workspace's own (with its time stamp: git compares it with the files' to find what changed in the same instant), so
that looking costs no more than `git status`, and no `index.lock` of the agent's is ever taken.

Next in the flow: `leftovers` commits what it sees, `survey` and `rescue` save it, `sweep` cleans by it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from orange.adapters.git import Git
from orange.adapters.workspaces import folders, gitconfig
from orange.adapters.workspaces.gitconfig import GitConfig
from orange.adapters.workspaces.site import LONG
from orange.core.problems import GitFailed

_SETTINGS = {
    "core.bare": "false",
    "core.splitindex": "false",
    "core.untrackedcache": "false",
    "index.sparse": "false",
    "index.threads": "true",
    # What is saved must outlive a power cut before anything is removed.
    "core.fsync": "committed",
    "core.fsyncmethod": "batch",
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a shadow looks at."""

    #: The git directory with HEAD and index: git's folder for a worktree, or a nested repository's.
    git_dir: str
    #: The git directory with objects and `info`.
    common: str
    #: The folder with the files.
    files: str
    #: Where shadows are kept.
    folder: str


@dataclass(frozen=True, slots=True)
class Shadow:
    """A private git directory over a workspace's files."""

    git: Git
    index: str
    #: The commit it was opened on; None before the first.
    head: str | None
    config: GitConfig

    def changes(self, *options: str) -> tuple[str, ...]:
        """The fields of `git status`; see `survey`."""
        return self.fields(
            "status",
            "--porcelain=v2",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignore-submodules=dirty",
            *options,
        )

    def fields(self, *args: str) -> tuple[str, ...]:
        """Run git for as long as a large tree takes; returns the NUL-separated fields. Raises GitFailed."""
        return tuple(field for field in self.git.run(*args, timeout=LONG).text.split("\0") if field)

    def add(self, paths: Sequence[str]) -> None:
        """Take files into the private index as they are now, or out of it where they are gone. Raises GitFailed."""
        there = {path for path in paths if folders.reachable(self.git.directory, path)}
        # Given by name: git itself refuses to look for a file beyond what has become a link.
        self._update([path for path in paths if path not in there], "--force-remove")
        self._update([path for path in paths if path in there], "--add", "--remove", "--replace")

    def _update(self, paths: Sequence[str], *options: str) -> None:
        if paths:
            self.git.run("update-index", *options, "-z", "--stdin", stdin=listed(paths), timeout=LONG)

    def tree(self) -> str:
        """Write the private index as a tree. Raises GitFailed, also while paths are in conflict."""
        missing = ("--missing-ok",) if self.config.partial else ()
        return self.git.line("write-tree", *missing)

    def tracked(self) -> dict[str, str]:
        """Path -> mode of everything in the private index."""
        found = {}
        for field in self.fields("ls-files", "--stage", "-z"):
            meta, _, path = field.partition("\t")
            found[path] = meta.split(" ", 1)[0]
        return found


@contextmanager
def look(source: Source, config: GitConfig, head: str | None, keep: tuple[int, ...] = ()) -> Iterator[Shadow]:
    """Open a shadow over a workspace's files, and remove it afterwards. Raises GitFailed, OSError."""
    os.makedirs(source.folder, exist_ok=True)
    place = tempfile.mkdtemp(prefix=folders.mark(), dir=source.folder)
    try:
        _furnish(place, source, config, head)
        index = f"{place}/index"
        env = {
            "GIT_DIR": place,
            "GIT_WORK_TREE": source.files,
            "GIT_INDEX_FILE": index,
            "GIT_OBJECT_DIRECTORY": f"{source.common}/objects",
            **config.neutral(),
        }
        shadow = Shadow(Git(source.files, env, keep), index, head, config)
        _begin(shadow, source)
        yield shadow
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _furnish(place: str, source: Source, config: GitConfig, head: str | None) -> None:
    sha256 = config.values.get("extensions.objectformat", "sha1") != "sha1"
    settings = {"core.repositoryformatversion": "1" if sha256 else "0", "lfs.storage": f"{source.common}/lfs"}
    os.makedirs(f"{place}/refs")
    os.makedirs(f"{place}/info")
    _write(f"{place}/HEAD", f"{head or 'ref: refs/heads/none'}\n")
    _write(f"{place}/config", gitconfig.render(config.followed | settings | _SETTINGS))
    excluded = _text(f"{source.common}/info/exclude")
    _write(f"{place}/info/exclude", f"{excluded}\n/.orange\n")
    _write(f"{place}/info/attributes", _text(f"{source.common}/info/attributes"))


def _begin(shadow: Shadow, source: Source) -> None:
    """Start from a copy of the workspace's index, or, where that is missing or broken, from its commit."""
    place = os.path.dirname(shadow.index)
    try:
        shutil.copy2(f"{source.git_dir}/index", shadow.index, follow_symlinks=False)
        for name in os.listdir(source.git_dir):
            if name.startswith("sharedindex."):
                shutil.copy2(f"{source.git_dir}/{name}", f"{place}/{name}", follow_symlinks=False)
        usable = shadow.git.attempt("ls-files", "--unmerged").status == 0
    except OSError:
        usable = False
    if not usable:
        with suppress(FileNotFoundError):
            os.unlink(shadow.index)
        if shadow.head:
            shadow.git.run("read-tree", shadow.head)


def install(shadow: Shadow, git_dir: str) -> bool:
    """Make the private index the workspace's own, as git itself replaces one; False where somebody holds its lock.

    The new index is linked to `index.lock` from a name of ours, so that a lock left by a kill is known to be ours.
    """
    ours, lock = f"{git_dir}/index.orange", f"{git_dir}/index.lock"
    folders.remove(ours)
    shutil.copy2(shadow.index, ours)
    try:
        os.link(ours, lock)
    except FileExistsError:
        os.unlink(ours)
        return False
    os.rename(lock, f"{git_dir}/index")
    os.unlink(ours)
    return True


def free_index(git_dir: str) -> None:
    """Clear an `index.lock` that a kill inside `install` left: it is the same file as the one it was made from."""
    lock = f"{git_dir}/index.lock"
    try:
        mine = os.path.samefile(lock, f"{git_dir}/index.orange")
    except OSError:
        mine = False
    if mine:
        folders.remove(lock)


def commit_of(git: Git, name: str = "HEAD") -> str | None:
    """The commit a name stands for, or None."""
    try:
        return git.line("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except GitFailed:
        return None


def listed(paths: Iterable[str]) -> bytes:
    """Paths as git reads them from standard input with `-z`."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
