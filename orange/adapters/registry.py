"""The projects this user has registered: a small JSON file, written whole."""

from __future__ import annotations

import json

from orange.adapters.private import write_whole
from orange.core.home import Home


def roots(home: Home) -> tuple[str, ...]:
    """Return the registered repositories' folders, in the order they were registered."""
    try:
        with open(home.projects, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return ()
    listed = found.get("projects", []) if isinstance(found, dict) else []
    return tuple(root for root in listed if isinstance(root, str))


def register(home: Home, root: str) -> None:
    """Add a repository's folder, once."""
    known = roots(home)
    if root in known:
        return
    write_whole(home.projects, json.dumps({"format": 1, "projects": [*known, root]}, indent=1).encode())
