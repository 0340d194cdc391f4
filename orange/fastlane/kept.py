"""Taking up an answer that was kept: when nothing it was made from has changed, it is the answer still.

Looked at are every task file, the folders that have folders in them, the settings, the refs, the programs' folders, and
that no daemon runs. The folder of a task without children, where somebody may make a child by hand, is looked at when
that was not done within the last poll interval: what the daemon promises. `wiring.answers` keeps the answers.
"""

from __future__ import annotations

import marshal
import os
import zlib

from orange import __version__
from orange.fastlane import socket_path

TYPE_CHECKING = False  # typing's own would have to be imported
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

#: The file, in the project's runtime folder.
NAME = "ready.answer"
MAGIC = b"orange-answer 2\n"
#: The question whose answers are kept.
QUESTION = ("--json", "--ready", "list", "task")
#: Seconds between two looks at the folders of tasks without children: the poll interval.
INTERVAL = 2.0

#: The variables that settings and the search for programs look at.
VARIABLES = (
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "FEATURE_PRD_AUTO_APPROVE_REVIEW",
)


def answer(argv: Sequence[str], environment: Mapping[str, str]) -> memoryview | None:
    """Return the kept answer to a question, or None when there is none that holds."""
    if tuple(sorted(argv)) != QUESTION or argv[1] != "list":
        return None
    try:
        common = common_folder(os.getcwd())
        path = f"{common}/orange/{NAME}"
        with open(path, "rb") as file:
            data = file.read()
        head, text = _opened(data)
        holds = head["version"] == __version__ and head["variables"] == variables(environment)
        return text if holds and _holds(head, path) and _is_down(socket_path(environment, os.getuid())) else None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _opened(data: bytes) -> tuple[dict[str, Any], memoryview]:
    """Take the file apart; it is megabytes, which are not copied. Raises ValueError, EOFError, TypeError."""
    start = len(MAGIC) + 12
    length = int.from_bytes(data[len(MAGIC) : start - 4], "big")
    view = memoryview(data)
    first = view[start : start + length]
    if not data.startswith(MAGIC) or zlib.crc32(first) != int.from_bytes(data[start - 4 : start], "big"):
        raise ValueError(NAME)
    head = marshal.loads(first)  # noqa: S302 - our own file, and its checksum is right
    text = view[start + length :]
    if len(text) != head["length"]:
        raise ValueError(NAME)
    return head, text


def packed(head: Mapping[str, Any], text: bytes) -> bytes:
    """Make the file."""
    first = marshal.dumps({**head, "length": len(text)})
    return b"".join((MAGIC, len(first).to_bytes(8, "big"), zlib.crc32(first).to_bytes(4, "big"), first, text))


def _holds(head: Mapping[str, Any], path: str) -> bool:
    """Whether nothing has changed. Raises OSError."""
    if any(numbers(place) != known for place, known in head["places"].items()):
        return False
    here = os.open(".", os.O_RDONLY)
    try:
        return _unchanged(head["tree"], head["watched"]) and (not head["quiet"] or _quiet(head, path))
    finally:
        os.fchdir(here)
        os.close(here)


def _quiet(head: Mapping[str, Any], path: str) -> bool:
    from time import time

    if 0 <= time() - os.stat(path).st_mtime < INTERVAL:
        return True
    if not _unchanged(head["tree"], head["quiet"]):
        return False
    os.utime(path)
    return True


def _is_down(path: str) -> bool:
    """Whether certainly no daemon listens."""
    if not os.path.lexists(path):
        return True
    import _socket

    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        link.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        return True
    finally:
        link.close()
    return False


# -- what an answer was made from, as the numbers of a stat


def numbers(path: str) -> tuple[int, int] | None:
    """Look at one path, not through a link; None where nothing is. Raises OSError for what cannot be told.

    Whatever happens to a file or a folder moves the time of its last change, or puts another inode there.
    """
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ctime_ns, found.st_ino


def _unchanged(tree: str, groups: Iterable[tuple[str, str, bytes]]) -> bool:
    """Whether every path has the numbers it had, for (folder, names below it, their numbers). Raises OSError."""
    for folder, names, known in groups:
        os.chdir(f"{tree}/{folder}")  # short paths are looked up faster
        if not unchanged(names.split("\n"), known):
            return False
    return True


def unchanged(paths: Iterable[str], known: bytes) -> bool:
    """Whether every path has the numbers it had. Raises OSError."""
    from _operator import attrgetter, ne

    flat = iter(memoryview(known).cast("q"))
    looks = map(attrgetter("st_ctime_ns", "st_ino"), map(os.lstat, paths))
    return not any(map(ne, looks, zip(flat, flat)))  # noqa: B905 - the paths come with these very numbers


def variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that matter."""
    return {name: environment.get(name) for name in VARIABLES}


def common_folder(folder: str) -> str | None:
    """Find the git directory that all worktrees share, as `adapters.locate` does, in the two usual cases."""
    while not os.path.lexists(f"{folder}/.git"):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    dot_git = f"{folder}/.git"
    if os.path.isdir(dot_git):
        return os.path.realpath(dot_git)
    return _linked(folder, _first_line(dot_git))


def _linked(folder: str, line: str) -> str | None:
    if not line.startswith("gitdir:"):
        return None
    git_folder = os.path.join(folder, line.removeprefix("gitdir:").strip())
    common = _first_line(f"{git_folder}/commondir")
    return os.path.realpath(os.path.join(git_folder, common)) if common else None


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().strip()
    except OSError:
        return ""


def folders_below(top: str) -> Iterator[str]:
    """Yield a folder and every folder below it."""
    for folder, _, _ in os.walk(top):
        yield folder
