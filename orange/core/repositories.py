"""How people name a repository, and whether two names mean the same one. Pure."""

from __future__ import annotations

import re

#: How a valid name looks, in words.
EXPECTED = "owner/name, an https address without credentials, or git@host:path"
_NAME = re.compile(r"[\w.-]+/[\w.-]+|https?://[^\s/@]+(?:/[\w.~-]+)+/?|git@[\w.-]+:[\w.~-]+(?:/[\w.~-]+)*", re.ASCII)


def is_name(text: str) -> bool:
    """Whether a text names a repository, and nothing secret with it."""
    return _NAME.fullmatch(text) is not None


def same(wanted: str, address: str) -> bool:
    """Whether a name means the repository at an address: by its last two names, and its host where it says one."""
    return _places(wanted) == _places(address)[-len(_places(wanted)) :]


def last_name(text: str) -> str:
    """Return a repository's own name, in lower case."""
    return _places(text)[-1]


def _places(address: str) -> list[str]:
    """Split an address into host, where it has one, and the last two names."""
    plain = re.sub(r"^[a-z+]+://|^[^/@]*@", "", address.strip().rstrip("/").removesuffix(".git").lower())
    words = [word for word in re.split(r"[/:]", plain.rpartition("@")[2]) if word]
    return words if len(words) < 3 else [words[0], *words[-2:]]
