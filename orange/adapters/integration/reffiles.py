"""Reading refs from git's own files: what a look costs that is made several times a second.

A ref is a file of its own, or a line of `packed-refs` (gitrepository-layout, git-pack-refs). Whatever is not plainly
that (symbolic or broken refs, the reftable format) is left to the git program.

Next in the flow: `refs` reads bases and branches with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

_COMMIT = re.compile(rb"([0-9a-f]{64}|[0-9a-f]{40})\n?$")


class _Unclear(Exception):
    """Only git can tell."""


def read(common: str, names: Iterable[str]) -> dict[str, str] | None:
    """Map full ref names to object ids, those that do not exist left out; None where only git can tell.

    `common` is the git directory that all worktrees share. A name may hold `*` for one whole part.
    """
    if os.path.lexists(f"{common}/reftable"):
        return None
    found: dict[str, str] = {}
    missing: list[str] = []
    try:
        for name in names:
            # First the files, then what is packed: a ref that is packed meanwhile is seen all the same.
            found |= (loose := dict(_loose(common, name)))
            if "*" in name or not loose:
                missing.append(name)
        return {**_packed(common, missing), **found} if missing else found
    except (_Unclear, OSError):
        return None


def _loose(common: str, name: str) -> Iterator[tuple[str, str]]:
    above, star, below = name.partition("*")
    names = [f"{above}{part}{below}" for part in _parts(f"{common}/{above}")] if star else [name]
    for full in names:
        try:
            with open(f"{common}/{full}", "rb") as file:
                match = _COMMIT.match(file.read(80))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        if match is None:
            raise _Unclear
        yield full, match[1].decode()


def _parts(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _packed(common: str, names: list[str]) -> dict[str, str]:
    try:
        with open(f"{common}/packed-refs", "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    patterns = (re.escape(os.fsencode(name)).replace(rb"\*", rb"[^/\n]+") for name in names)
    lines = re.finditer(rb"^([0-9a-f]{40,64}) (" + b"|".join(patterns) + rb")$", text, re.MULTILINE)
    return {os.fsdecode(line[2]): line[1].decode() for line in lines}
