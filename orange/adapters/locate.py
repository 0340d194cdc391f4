"""Finds the project a path belongs to, without starting git: from a checkout, a workspace or a bare repository."""

from __future__ import annotations

import os

from orange.core.layout import Layout


def find(path: str) -> Layout | None:
    """Return the layout of the repository that `path` lies in, or None. Raises nothing for unreadable folders."""
    folder = os.path.abspath(path)
    while True:
        common = _common_dir(folder)
        if common:
            return Layout(_root_of(common), common)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _common_dir(folder: str) -> str | None:
    dot_git = f"{folder}/.git"
    if os.path.isdir(dot_git):
        return os.path.realpath(dot_git) if _is_git_dir(dot_git) else None
    if os.path.isfile(dot_git):
        return _linked(dot_git)
    return os.path.realpath(folder) if _is_git_dir(folder) else None


def _linked(dot_git: str) -> str | None:
    text = _first_line(dot_git)
    if not text.startswith("gitdir:"):
        return None
    git_dir = os.path.join(os.path.dirname(dot_git), text.removeprefix("gitdir:").strip())
    common = _first_line(f"{git_dir}/commondir")
    found = os.path.realpath(os.path.join(git_dir, common) if common else git_dir)
    return found if _is_git_dir(found) else None


def _root_of(common: str) -> str:
    return os.path.dirname(common) if os.path.basename(common) == ".git" else common


def _is_git_dir(path: str) -> bool:
    return os.path.isdir(f"{path}/objects") and os.path.isdir(f"{path}/refs") and os.path.isfile(f"{path}/HEAD")


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().strip()
    except OSError:
        return ""
