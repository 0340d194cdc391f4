"""Lays skills into a workspace for one run, and takes them out again.

A skill that is laid in is a link to the run's own copy. A `.gitignore` beside the links names them and itself, so that
nothing of it is ever committed, and no setting of the repository is touched. What is there already is left alone.

For both sides of a session. Imports nothing of orange.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

#: What hides the links and itself.
HIDING = ".gitignore"
#: How it begins: what tells it from a repository's own.
_BEGIN = f"/{HIDING}\n# Laid here by orange for one run, and gone with it:\n"
#: Bytes and files that a skill may have.
MOST_BYTES, MOST_FILES = 16 << 20, 1000
_PIECE = 1 << 20


def own() -> str:
    """Return the folder of orange's own skills: inside the installed package, or beside it in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    installed = f"{package}/skills"
    return installed if os.path.isdir(installed) else f"{os.path.dirname(package)}/skills"


class TooLarge(Exception):
    """A skill has more in it than a run is given."""


def found(folder: str, file: str, *, within: str | None = None) -> dict[str, str]:
    """List the skills in a folder, name -> real path; with `within`, only what really lies below that folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    places = {name: os.path.realpath(f"{folder}/{name}") for name in names}
    return {
        name: place
        for name, place in places.items()
        if _is_file(f"{place}/{file}") and (within is None or place.startswith(f"{os.path.realpath(within)}/"))
    }


def copy(source: str, target: str) -> None:
    """Copy a skill: its plain files, at any depth. Links in it are not followed. Raises OSError, TooLarge."""
    files = bytes_ = 0
    for where, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not os.path.islink(f"{where}/{name}"))
        place = target + where.removeprefix(source)
        os.makedirs(place, mode=0o700, exist_ok=True)
        for name in sorted(name for name in names if _is_file(f"{where}/{name}")):
            files, bytes_ = files + 1, bytes_ + _copied(f"{where}/{name}", f"{place}/{name}", MOST_BYTES - bytes_)
            if files > MOST_FILES:
                raise TooLarge(f"it has more than {MOST_FILES} files")


def _copied(source: str, target: str, room: int) -> int:
    """Copy a plain file; returns its size."""
    size = 0
    fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as read:
        mode = 0o700 if os.fstat(fd).st_mode & stat.S_IXUSR else 0o600
        out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(out, "wb") as written:
            while piece := read.read(_PIECE):
                size += len(piece)
                if size > room:
                    raise TooLarge(f"it has more than {MOST_BYTES >> 20} MiB")
                written.write(piece)
    return size


def lay(workspace: str, places: Iterable[str], skills: str) -> list[str]:
    """Link every skill in the folder `skills` into each place of the workspace; says what could not be."""
    said = []
    for place in places:
        root = f"{workspace}/{place}"
        if not _inside(root, workspace):
            said.append(f"{place} leads out of the workspace: no skills were linked there")
            continue
        try:
            _lay_at(root, skills)
        except FileExistsError:
            said.append(f"{place} has a {HIDING} of its own: no skills were linked there")
        except OSError as error:
            said.append(f"no skills were linked into {place}: {error.strerror}")
    return said


def _lay_at(root: str, skills: str) -> None:
    _take_out_at(root)
    names = [name for name in sorted(os.listdir(skills)) if not os.path.lexists(f"{root}/{name}")]
    if not names:
        return
    os.makedirs(root, exist_ok=True)
    # First what hides them: a kill in between leaves nothing that git would see.
    with open(f"{root}/{HIDING}", "x", encoding="ascii") as file:
        file.write(_BEGIN + "".join(f"/{name}\n" for name in names))
    for name in names:
        os.symlink(f"{skills}/{name}", f"{root}/{name}")


def take_out(workspace: str, places: Iterable[str]) -> None:
    """Remove the links; what somebody put in their place stays, and is seen by git again. Raises OSError."""
    for place in places:
        if _inside(f"{workspace}/{place}", workspace):
            _take_out_at(f"{workspace}/{place}")


def _take_out_at(root: str) -> None:
    names = _laid(root)
    if names is None:
        return
    for name in names:
        if os.path.islink(f"{root}/{name}"):
            os.unlink(f"{root}/{name}")
    os.unlink(f"{root}/{HIDING}")  # last: without it nobody would know whose the links are
    with contextlib.suppress(OSError):  # something else is in there
        os.rmdir(root)
        os.rmdir(os.path.dirname(root))


def _laid(root: str) -> list[str] | None:
    """Return the names of the links in a place; None where there are none of ours."""
    if not _is_file(f"{root}/{HIDING}"):
        return None
    with open(f"{root}/{HIDING}", encoding="ascii", errors="replace") as file:
        told = file.read()
    if not told.startswith(_BEGIN):
        return None
    names = (line.removeprefix("/") for line in told.removeprefix(_BEGIN).splitlines())
    return [name for name in names if name not in {"", ".", ".."} and "/" not in name]


def _inside(path: str, workspace: str) -> bool:
    return f"{os.path.realpath(path)}/".startswith(f"{os.path.realpath(workspace)}/")


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
