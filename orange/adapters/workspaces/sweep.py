"""Cleaning a workspace for good, so that nothing leaks from one task to the next.

Everything that is not a file of the commit goes (ignored files, nested repositories, empty folders); git's folder is
stripped; the index is made anew, so that no flag in it can hide a file; what differs in content or permissions is
written again. Only ever called on a spare whose work was saved and read back.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import folders, shadow
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.gitconfig import GitConfig
from orange.adapters.workspaces.shadow import Source
from orange.adapters.workspaces.site import LONG, WORKERS

_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class _Modes:
    """The permissions that files and folders get here when they are made."""

    folder: int
    plain: int
    program: int


def clean(admin: Admin, source: Source, config: GitConfig, commit: str, keep: tuple[int, ...]) -> None:
    """Make a worktree exactly a commit, detached. Raises GitFailed, OSError."""
    admins.strip(admin, commit)
    folders.remove(f"{source.files}/.git")
    admins.point(admin, source.files)
    # Stripped of its index, the worktree is looked at with one that is exactly the commit and knows no file's time.
    with shadow.look(source, config, commit, keep) as looking:
        remove_others(source.files, looking.tracked())
        looking.git.attempt("update-index", "-q", "--refresh", timeout=LONG)
        workers = f"checkout.workers={WORKERS}"
        looking.git.run("-c", workers, "checkout-index", "--all", "--force", "--index", "--quiet", timeout=LONG)
        shadow.install(looking, admin.folder)


def remove_others(root: str, tracked: Mapping[str, str]) -> None:
    """Remove all below `root` but the tracked files (path -> mode) that are as git makes them. Raises OSError."""
    modes = _modes(root)
    needed = {folder for path in tracked for folder in _above(path)}
    needed |= {path for path, mode in tracked.items() if mode == _SUBMODULE}
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        folder = f"{root}/{prefix}"
        _permit(folder, modes)
        for entry in _entries(folder):
            path = prefix + entry.name
            if path == ".git":
                continue
            if entry.is_dir(follow_symlinks=False) and path in needed:
                waiting.append(f"{path}/")
            elif not _intact(entry, tracked.get(path), modes):
                folders.remove(entry.path)
    for path, mode in tracked.items():
        if mode == _SUBMODULE:
            os.makedirs(f"{root}/{path}", exist_ok=True)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _permit(folder: str, modes: _Modes) -> None:
    if stat.S_IMODE(os.lstat(folder).st_mode) != modes.folder:
        os.chmod(folder, modes.folder)


def _intact(entry: os.DirEntry[str], mode: str | None, modes: _Modes) -> bool:
    """Whether a file may stay, to be compared with the commit: of the right kind and permissions, and no other's."""
    if mode is None or entry.is_dir(follow_symlinks=False):
        return False
    found = entry.stat(follow_symlinks=False)
    if mode == "120000":
        return stat.S_ISLNK(found.st_mode)
    expected = modes.program if mode == "100755" else modes.plain
    return stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == expected and found.st_nlink == 1


def _modes(root: str) -> _Modes:
    """See what permissions new files and folders get, without touching the process's umask."""
    probe = f"{root}/.orange-probe"
    folders.remove(probe)
    os.mkdir(probe)
    try:
        folder = stat.S_IMODE(os.lstat(probe).st_mode)
        return _Modes(folder, _made(f"{probe}/plain", 0o666), _made(f"{probe}/program", 0o777))
    finally:
        folders.remove(probe)


def _made(path: str, mode: int) -> int:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        return stat.S_IMODE(os.fstat(fd).st_mode)
    finally:
        os.close(fd)
