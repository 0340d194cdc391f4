"""The worktree `.orange`: what is there, and how it is made, linked again or filled.

It is made elsewhere, filled, and renamed into place, so that nobody ever sees half of the task files; git's own links
to it are two small files that are written here, because `git worktree repair` would follow those of a copied
repository back into the original.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from orange import recordfile
from orange.adapters.git import Git
from orange.adapters.records.fill import fill
from orange.core.layout import RECORDS_BRANCH, Layout
from orange.core.problems import TreeInTheWay

#: A file in the worktree's git folder that says whose it is.
_MARK = "orange-records"
_COMMIT = re.compile(r"(?!0+$)(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_FORMAT = re.compile(rb"^format:[ \t]*[0-9]", re.MULTILINE)
#: Neither the user's patterns nor links from the branch have a say in how this worktree looks.
_PLAIN = ("-c", "core.symlinks=false", "-c", "core.sparseCheckout=false")


class State(Enum):
    """What is at `.orange`."""

    #: Nothing, an empty folder, or one that holds nothing but git's link.
    ABSENT = 1
    #: The worktree.
    OURS = 2
    #: Its files, without a sound link to this repository.
    UNLINKED = 3
    #: Something else.
    FOREIGN = 4


class Mended(Enum):
    """What was done; the value is shown."""

    NOTHING = "nothing to do"
    LINKED = "`.orange` was linked to the repository again"
    FILLED = "`.orange` was missing and has been restored from its branch"


@dataclass(frozen=True, slots=True)
class Place:
    """What was found at `.orange`."""

    state: State
    #: The worktree's git folder, if a sound one was found.
    admin: str | None = None

    @property
    def head(self) -> str | None:
        """The commit the worktree last showed, or None."""
        found = _read(f"{self.admin}/HEAD") if self.admin else ""
        return found if _COMMIT.match(found) else None


def drop_remains(layout: Layout) -> None:
    """Remove what a kill left half-made. Comes first: a worktree whose HEAD is zeros makes git fail everywhere."""
    inside, beside = _making(layout)
    for admin in _admins(layout):
        folder = _tree_of(admin)
        half_made = not folder and os.path.basename(admin).startswith(RECORDS_BRANCH)
        if half_made or folder.startswith((f"{inside}/", f"{beside}/")):
            shutil.rmtree(admin)
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(inside, ignore_errors=True)
    if os.path.isfile(f"{layout.tree}/.git.new"):
        os.unlink(f"{layout.tree}/.git.new")
    if os.path.isdir(beside) and not os.listdir(beside):
        os.rmdir(beside)


def survey(layout: Layout) -> Place:
    """Look at what is there. Raises TreeInTheWay for what is not orange's."""
    place = _survey(layout)
    if place.state is State.FOREIGN:
        raise TreeInTheWay(layout.tree)
    return place


def _survey(layout: Layout) -> Place:
    try:
        found = os.lstat(layout.tree)
    except FileNotFoundError:
        return Place(State.ABSENT, _own_admin(layout))
    if not stat.S_ISDIR(found.st_mode) or os.path.isdir(f"{layout.tree}/.git"):
        return Place(State.FOREIGN)
    names = os.listdir(layout.tree)
    admin = _own_admin(layout)
    if names in ([], [".git"]) and not _somebodys(layout):
        return Place(State.ABSENT, admin)
    linked = admin is not None and os.path.basename(_link_of(layout.tree)) == os.path.basename(admin)
    if not linked and not _looks_like_records(layout.tree):
        return Place(State.FOREIGN)
    return Place(State.OURS if admin else State.UNLINKED, admin)


def _looks_like_records(folder: str) -> bool:
    try:
        with open(f"{folder}/config.yaml", "rb") as file:
            return _FORMAT.search(file.read(1 << 16)) is not None
    except OSError:
        return False


def _own_admin(layout: Layout) -> str | None:
    """The worktree's git folder here: marked as ours, or said by the link and registered for this path."""
    said = os.path.basename(_link_of(layout.tree))
    for admin in sorted(_admins(layout), key=lambda path: os.path.basename(path) != said):
        ours = os.path.exists(f"{admin}/{_MARK}") or (
            os.path.basename(admin) == said and _tree_of(admin) == layout.tree and _looks_like_records(layout.tree)
        )
        if ours and _is_sound(admin):
            return admin
    return None


def _somebodys(layout: Layout) -> bool:
    """Whether an otherwise empty `.orange` is a worktree that a person made for something else."""
    said = _link_of(layout.tree)
    return bool(said) and _is_sound(said) and not os.path.exists(f"{said}/{_MARK}")


def _is_sound(admin: str) -> bool:
    head = _read(f"{admin}/HEAD")
    return bool(head.startswith("ref: ") or _COMMIT.match(head)) and os.path.isfile(f"{admin}/commondir")


def _is_linked(layout: Layout, admin: str) -> bool:
    there = _link_of(layout.tree)
    return bool(there) and os.path.realpath(there) == os.path.realpath(admin) and _tree_of(admin) == layout.tree


def ensure(layout: Layout, git: Git, place: Place, tip: str) -> Mended:
    """Bring the worktree about. Raises TreeInTheWay when something appeared in its place, GitFailed, OSError."""
    if place.state is State.ABSENT:
        _replace(layout, git, tip)
        return Mended.FILLED
    if place.admin and _is_linked(layout, place.admin):
        return Mended.NOTHING
    admin = place.admin or _make(layout, git, tip)
    _link(layout.tree, admin)
    drop_remains(layout)
    return Mended.LINKED


def _replace(layout: Layout, git: Git, tip: str) -> None:
    admin = _make(layout, git, tip)
    making = _tree_of(admin)
    fill(git, tip, making)
    _clear_empty(layout.tree)
    try:
        os.rename(making, layout.tree)
    except OSError as error:
        raise TreeInTheWay(layout.tree) from error
    _link(layout.tree, admin)
    recordfile.sync_folder(layout.root)
    drop_remains(layout)


def _make(layout: Layout, git: Git, tip: str) -> str:
    """Make a worktree without files where it disturbs nobody; returns its git folder."""
    for admin in _admins(layout):
        if os.path.exists(f"{admin}/{_MARK}") or _tree_of(admin) == layout.tree:
            shutil.rmtree(admin)
    making = f"{_making(layout)[_apart(layout)]}/{RECORDS_BRANCH}"
    os.makedirs(os.path.dirname(making))
    git.run(*_PLAIN, "worktree", "add", "--quiet", "--detach", "--no-checkout", making, tip)
    admin = _link_of(making)
    recordfile.replace(f"{admin}/{_MARK}", b"the git folder of `.orange`, the task files of orange\n")
    Git(making, keep=git.keep).run(*_PLAIN, "read-tree", tip)
    return admin


def _making(layout: Layout) -> tuple[str, str]:
    """The folders a worktree is made in; the second where the git directory is on another file system."""
    return f"{layout.runtime}/making", f"{layout.root}/.orange.making"


def _apart(layout: Layout) -> bool:
    return os.stat(layout.runtime).st_dev != os.stat(layout.root).st_dev


def _clear_empty(folder: str) -> None:
    """Make way: an empty folder, or one with nothing but a dead link of git's."""
    if os.path.isdir(folder):
        if os.path.lexists(f"{folder}/.git"):
            os.unlink(f"{folder}/.git")
        os.rmdir(folder)


def _link(folder: str, admin: str) -> None:
    """Make the worktree and its git folder point at each other."""
    _put(f"{admin}/gitdir", f"{folder}/.git\n")
    _put(f"{folder}/.git", f"gitdir: {admin}\n")
    if os.path.exists(f"{admin}/locked"):  # left by a kill while git made it
        os.unlink(f"{admin}/locked")


def _put(path: str, text: str) -> None:
    """Replace a file for good, by way of a name that the next `drop_remains` knows."""
    with open(f"{path}.new", "wb") as file:
        file.write(os.fsencode(text))
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{path}.new", path)


def _admins(layout: Layout) -> Iterator[str]:
    """The git folders of all linked worktrees."""
    folder = f"{layout.common}/worktrees"
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return (f"{folder}/{name}" for name in names)


def _tree_of(admin: str) -> str:
    """The worktree a git folder says it belongs to; empty where it does not say."""
    said = _read(f"{admin}/gitdir")
    return os.path.normpath(os.path.join(admin, os.path.dirname(said))) if said else ""


def _link_of(folder: str) -> str:
    """The git folder a worktree's `.git` file names; empty where there is none."""
    said = _read(f"{folder}/.git").removeprefix("gitdir: ")
    return os.path.normpath(os.path.join(folder, said)) if said else ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(1 << 13).rstrip("\n")
    except OSError:
        return ""
