"""Reads what of a repository git would run: hooks and configuration files, as they lie on disk, without git.

For both sides of a session. Imports nothing of orange.
"""

from __future__ import annotations

import os

#: Bytes of each file that are looked at.
LIMIT = 1 << 18


def hooks(common: str) -> dict[str, bytes]:
    """Return the hooks that git would run, by name; what cannot be read counts as empty."""
    folder = f"{common}/hooks"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    paths = {name: f"{folder}/{name}" for name in names if not name.endswith(".sample")}
    return {name: _content(path) for name, path in paths.items() if os.access(path, os.X_OK) and os.path.isfile(path)}


def configs(common: str, workspace: str) -> dict[str, bytes]:
    """Return the configuration files of a repository and of one of its worktrees, by name."""
    paths = {name: f"{common}/{name}" for name in ("config", "config.worktree")}
    pointer = _content(f"{workspace}/.git").decode("utf-8", "surrogateescape").strip()
    if pointer.startswith("gitdir: "):
        folder = os.path.join(workspace, pointer.removeprefix("gitdir: "))
        paths["the worktree's config"] = f"{folder}/config.worktree"
    return {name: _content(path) for name, path in paths.items() if os.path.isfile(path)}


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(LIMIT)
    except OSError:
        return b""
