"""The frontmatter of one file, read but not yet typed: what each key holds and where its bytes lie.

Two readers make it: `fastyaml` for what orange itself writes, `guardedyaml` for everything else. They agree on
every file that the first accepts; a property test holds them to it.

Next in the flow: `schema` types the values, `splice` replaces the bytes of changed keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

#: A value as read: scalars are strings whatever YAML thinks of them, a plain null is None. Only below `job`, which
#: carries a JSON payload, plain JSON scalars keep their type.
Raw: TypeAlias = "str | int | float | bool | list[Raw] | dict[str, Raw] | None"

#: Bytes of a file.
MAX_FILE = 1 << 20
#: Bytes of its frontmatter.
MAX_FRONTMATTER = 64 << 10
#: Collections within one another.
MAX_DEPTH = 16
#: The key whose scalars keep their JSON type.
JSON_KEY = "job"
#: Plain scalars that YAML reads as null.
NULLS = frozenset({"null", "Null", "NULL", "~", ""})
#: Characters that have no place in a line of text: YAML refuses them, or takes them for a line break.
ODD = r"\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff"


class Unreadable(Exception):
    """A file that cannot be understood. Never leaves `document`, which makes a Problem of it."""

    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one key of the frontmatter lies; offsets count characters of the file's text."""

    #: Of the key's first character.
    start: int
    #: Just behind the key's colon.
    colon: int
    #: The value, from its first to behind its last character; an empty value begins where it ends.
    value: tuple[int, int]
    #: Whether the value is a list or map with a line of its own for each item.
    block: bool = False
    #: Of a block list: each item's place.
    items: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Frontmatter:
    """A frontmatter block, read."""

    raw: Mapping[str, Raw]
    entries: Mapping[str, Entry]
    #: Where the closing `---` line begins.
    end: int
    #: Where the body begins.
    body: int
