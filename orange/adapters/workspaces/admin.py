"""Git's own folder for a worktree, `<common>/worktrees/<name>`: found, read, moved and dropped without starting git.

The layout of these folders is documented (gitrepository-layout). Finding them here, and not through a worktree's
`.git` file, means that a workspace cannot point orange at another git directory.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace

from orange.adapters.workspaces import folders

#: How git names its folder for a worktree made as `.spare-<n>`, as all of orange's are.
_OURS = re.compile(r"-spare-[0-9]+")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
#: What git left there of an operation that a commit ends.
_OPERATION = ("MERGE_HEAD", "MERGE_MODE", "MERGE_MSG", "CHERRY_PICK_HEAD", "REVERT_HEAD", "SQUASH_MSG", "AUTO_MERGE")
#: All that a clean worktree's folder holds besides its index.
_ESSENTIAL = frozenset({"HEAD", "commondir", "gitdir", "locked"})


@dataclass(frozen=True, slots=True)
class Admin:
    """One worktree as git records it."""

    #: Absolute.
    folder: str
    #: Where git believes the worktree is; None where that cannot be read.
    path: str | None
    #: The first line of its `HEAD`.
    head: str

    @property
    def name(self) -> str:
        """The folder's name, by which records refer to it."""
        return os.path.basename(self.folder)

    @property
    def ours(self) -> bool:
        """Whether orange made it."""
        return _OURS.fullmatch(self.name) is not None

    @property
    def branch(self) -> str | None:
        """The full ref it has checked out, or None when detached."""
        return self.head.removeprefix("ref: ") if self.head.startswith("ref: ") else None

    @property
    def commit(self) -> str | None:
        """The commit it is detached at, or None where its HEAD is anything else."""
        return self.head if _COMMIT.fullmatch(self.head) and self.head.strip("0") else None

    @property
    def sound(self) -> bool:
        """Whether git can work with it: a kill inside `worktree add` leaves a HEAD of zeros, or less."""
        known = self.commit is not None or self.head.startswith("ref: refs/")
        return known and self.path is not None and os.path.isfile(f"{self.folder}/commondir")

    @property
    def merging(self) -> bool:
        """Whether a merge is in progress."""
        return os.path.exists(f"{self.folder}/MERGE_HEAD")

    @property
    def operating(self) -> bool:
        """Whether anything that spans several commands is in progress."""
        names = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "sequencer")
        return any(os.path.exists(f"{self.folder}/{name}") for name in names)


def read(folder: str) -> Admin:
    """Read one of git's folders, whatever state it is in."""
    git_file = folders.first_line(f"{folder}/gitdir")
    path = os.path.normpath(os.path.join(folder, os.path.dirname(git_file))) if git_file else None
    return Admin(folder, path, folders.first_line(f"{folder}/HEAD"))


def scan(common: str) -> tuple[Admin, ...]:
    """Read all of them."""
    try:
        names = sorted(os.listdir(f"{common}/worktrees"))
    except FileNotFoundError:
        return ()
    return tuple(read(f"{common}/worktrees/{name}") for name in names)


def find(common: str, path: str) -> Admin | None:
    """The folder of the worktree at a path."""
    return next((found for found in scan(common) if found.path == path), None)


def of(common: str, name: str | None, path: str) -> Admin | None:
    """The folder of the worktree at a path, looked for under a name first.

    The name alone is no proof: git gives it to another worktree once it is free.
    """
    found = named(common, name)
    return found if found and found.path == path else find(common, path)


def named(common: str, name: str | None) -> Admin | None:
    """The folder of that name, whichever worktree it is for."""
    folder = f"{common}/worktrees/{name}"
    return read(folder) if name and os.path.isdir(folder) else None


def relocate(admin: Admin, target: str) -> Admin:
    """Move a worktree: its folder by one rename, then git's note of it; locked against pruning in between."""
    source = admin.path or ""
    _note(admin, "locked", "orange is moving it")
    os.rename(source, target)
    point(admin, target)
    return replace(admin, path=target)


def point(admin: Admin, path: str) -> None:
    """Make git's folder and the worktree at `path` know of each other, and unlock it."""
    _note(admin, "gitdir", f"{path}/.git")
    git_file = f"{path}/.git"
    if folders.first_line(git_file) != f"gitdir: {admin.folder}":
        folders.remove(git_file)
        _replace(git_file, f"gitdir: {admin.folder}\n")
    unlock(admin)


def is_worktree(admin: Admin, path: str) -> bool:
    """Whether what stands at a path is the worktree: its `.git` file leads to git's folder for it."""
    line = folders.first_line(f"{path}/.git")
    found = os.path.realpath(os.path.join(path, line.removeprefix("gitdir:").strip()))
    return line.startswith("gitdir:") and found == os.path.realpath(admin.folder)


def is_moving(admin: Admin) -> bool:
    """Whether a lock of orange's own is on it."""
    return folders.first_line(f"{admin.folder}/locked").startswith("orange is ")


def unlock(admin: Admin) -> None:
    """Let git treat it as any other worktree."""
    with suppress(FileNotFoundError):
        os.unlink(f"{admin.folder}/locked")


def attach(admin: Admin, ref: str, commit: str, now: float) -> None:
    """Put a detached worktree whose files are those of a commit on a branch that is at this commit.

    The log comes first: a HEAD without its line in it would look moved from elsewhere (`moved_beneath`).
    """
    os.makedirs(f"{admin.folder}/logs", exist_ok=True)
    who, what = "orange <orange@localhost>", f"orange: check out {ref.removeprefix('refs/heads/')}"
    with open(f"{admin.folder}/logs/HEAD", "a", encoding="utf-8") as file:
        file.write(f"{admin.head} {commit} {who} {int(now)} +0000\t{what}\n")
    reattach(admin, ref)


def reattach(admin: Admin, ref: str) -> None:
    """Put the worktree on a branch by name alone, where its HEAD cannot be understood."""
    _note(admin, "HEAD", f"ref: {ref}")


def moved_beneath(admin: Admin, head: str) -> bool:
    """Whether its branch was moved from elsewhere, so that its files are those of another commit than `head`.

    The worktree's own log says which commit it had last; without a log nothing can be told.
    """
    try:
        lines = folders.read(f"{admin.folder}/logs/HEAD").splitlines()
    except OSError:
        return False
    return bool(lines) and lines[-1].split(b" ")[1:2] != [head.encode()]


def trace(admin: Admin) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever anything is committed, staged or checked out in the worktree."""
    found = []
    for name in ("HEAD", "index", "logs/HEAD", "ORIG_HEAD", "MERGE_HEAD"):
        try:
            status = os.lstat(f"{admin.folder}/{name}")
        except FileNotFoundError:
            continue
        found.append((name, status.st_mtime_ns, status.st_size))
    return tuple(found)


def detach(admin: Admin, commit: str | None) -> None:
    """Take the worktree off its branch; where it has no commit it stays as it is."""
    if commit:
        _note(admin, "HEAD", commit)


def strip(admin: Admin, commit: str) -> None:
    """Leave nothing in git's folder of what was done in the worktree: detached at `commit`, without an index.

    Detached before anything else: whatever is reset afterwards can move no branch.
    """
    _note(admin, "HEAD", commit)
    for name in os.listdir(admin.folder):
        if name not in _ESSENTIAL:
            folders.remove(f"{admin.folder}/{name}")


def end_operation(admin: Admin) -> None:
    """Forget a merge, pick or revert in progress, as git does when it is committed."""
    for name in _OPERATION:
        with suppress(FileNotFoundError):
            os.unlink(f"{admin.folder}/{name}")


def drop(admin: Admin, trash: str) -> None:
    """Remove git's folder, at one instant for git. Only once what it holds is safe."""
    folders.discard(admin.folder, trash)


def _note(admin: Admin, name: str, text: str) -> None:
    _replace(f"{admin.folder}/{name}", f"{text}\n")


def _replace(path: str, text: str) -> None:
    temporary = f"{path}.orange"
    with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.rename(temporary, path)
