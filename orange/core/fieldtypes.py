"""The types a key of the file format can have: each reads a raw value, or says in one sentence what is wrong with it.

Strict but kind: exact words and shapes only, with the nearest right one in the hint. An empty text is no value at all.

Next in the flow: `schema` gives every key one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import TypeAlias

from orange.core import names, times
from orange.core.entries import Raw

#: Reads a raw value that is not null as the typed one; None for the default.
Reader: TypeAlias = Callable[[Raw], object]

_SIZES = frozenset({"XS", "S", "M", "L", "XL"})
_KIND_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
_ID_HINT = f"an id is {names.ID_LENGTH} characters of {names.ID_ALPHABET}, a letter first"


class Misfit(Exception):
    """A value that does not fit its key. Never leaves `document`, which makes a Problem of it."""

    def __init__(self, message: str, hint: str, key: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.key = message, hint, key


def shown(value: Raw) -> str:
    """Show a value in a message, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def text(value: Raw) -> str | None:
    """Read any text."""
    if not isinstance(value, str):
        raise Misfit(
            f"must be a text, not {_kind(value)}", "write it as `key: text`, in quotes if it has odd characters"
        )
    return value or None


def line(value: Raw) -> str | None:
    """Read a text of one line."""
    if isinstance(value, str) and "\n" not in value:
        return value or None
    found = text(value)
    if found and "\n" in found.rstrip("\n"):
        raise Misfit("must be one line", "put the rest into the body")
    return found and found.rstrip("\n")


def word_of(words: type[StrEnum]) -> Reader:
    """Make a reader of exactly these words."""
    table: dict[Raw, StrEnum] = {word.value: word for word in words}

    def read(value: Raw) -> object:
        if isinstance(value, str) and value in table:
            return table[value]
        found = text(value)
        if found is None:
            return None
        known = [word.value for word in words]
        raise Misfit(f"{shown(found)} is not known", nearest(found, known))

    return read


def nearest(given: str, known: Collection[str]) -> str:
    """Word the hint for a word that is not known."""
    from difflib import get_close_matches  # only where something is wrong already

    close = get_close_matches(given.lower(), known, 1, 0.5)
    listed = f"it can be {', '.join(known)}"
    return f"did you mean {close[0]!r}? {listed}" if close else listed


def task_id(value: Raw) -> str | None:
    """Read a task id."""
    if isinstance(value, str) and names.is_id(value):
        return value
    found = text(value)
    if found is not None and not names.is_id(found):
        raise Misfit(f"{shown(found)} is not a task id", _ID_HINT)
    return found


def name(value: Raw) -> str | None:
    """Read a task's name."""
    if isinstance(value, str) and names.is_slug(value):
        return value
    found = text(value)
    if found is not None and not names.is_slug(found):
        raise Misfit(f"{shown(found)} is not a name", f"a name looks like {names.slug(found)!r}, at most 48 characters")
    return found


def kind(value: Raw) -> str | None:
    """Read the name of a type or pipeline: it becomes a file name."""
    if isinstance(value, str) and 0 < len(value) <= 64 and not value.strip(_KIND_ALPHABET):
        return value
    found = text(value)
    if found is not None and (found.strip(_KIND_ALPHABET) or len(found) > 64):
        raise Misfit(f"{shown(found)} is not a type", "use letters, digits, - and _")
    return found


def branch(value: Raw) -> str | None:
    """Read a branch: it reaches git and a shell."""
    found = text(value)
    if found is not None and not names.is_safe_branch(found):
        raise Misfit(f"{shown(found)} is not a safe branch name", "use letters, digits, `.`, `_`, `-` and `/`")
    return found


def time(value: Raw) -> str | None:
    """Read an RFC 3339 time, brought into UTC."""
    found = text(value)
    if found is None:
        return None
    normal = times.normal(found)
    if normal is None:
        raise Misfit(f"{shown(found)} is not a time", "a time looks like 2026-11-20T09:00:00Z")
    return normal


def estimate(value: Raw) -> str | None:
    """Read a size or a duration."""
    found = text(value)
    if found is not None and found not in _SIZES and not times.is_duration(found):
        raise Misfit(
            f"{shown(found)} is not an estimate", "it is XS, S, M, L, XL or a duration such as 90s, 10m, 2h, 3d"
        )
    return found


def count(value: Raw) -> int | None:
    """Read a whole number from 0."""
    found = text(value)
    if found is None:
        return None
    if not (found.isascii() and found.isdigit() and len(found) <= 15):
        raise Misfit(f"{shown(found)} is not a whole number", "write digits only")
    return int(found)


def number(value: Raw) -> float | None:
    """Read a number from 0, whole or with a point."""
    whole, point, part = (text(value) or "").partition(".")
    if not whole and not point:
        return None
    if not point:
        return count(whole)
    if not (whole.isascii() and whole.isdigit() and part.isascii() and part.isdigit() and len(whole + part) <= 24):
        raise Misfit(f"{shown(value)} is not a number", "write it as 12 or 12.5")
    return float(f"{whole}.{part}")


def port(value: Raw) -> int | None:
    """Read a port number."""
    found = count(value)
    if found is not None and not 0 < found < 65536:
        raise Misfit(f"{found} is not a port", "a port is 1 to 65535")
    return found


def list_of(item: Reader) -> Reader:
    """Make a reader of lists."""

    def read(value: Raw) -> object:
        if not isinstance(value, list):
            if value == "":
                return None
            hint = "write it as [one, two]" if isinstance(value, dict) else f"write it as [{shown(value)[1:-1]}]"
            raise Misfit(f"must be a list, not {_kind(value)}", hint)
        found = tuple([item(entry) for entry in value])  # a list first: a generator costs more than most lists
        if None in found:
            raise Misfit(f"item {found.index(None) + 1} is empty", "write the item or delete its line")
        return found

    return read


def mapping(value: Raw) -> dict[str, Raw] | None:
    """Read a map of anything."""
    if isinstance(value, dict):
        return value
    if value == "":
        return None
    raise Misfit(f"must be a map, not {_kind(value)}", "write `key: value` lines below it, indented by two spaces")


def texts_by_key(value: Raw) -> dict[str, str] | None:
    """Read a map of texts; keys without a text are left out."""
    found = {key: text(part) for key, part in (mapping(value) or {}).items() if part is not None}
    return {key: part for key, part in found.items() if part is not None}


def record(readers: dict[str, Reader], cls: type[object] = dict, **missing: object) -> Reader:
    """Make a reader of maps with known keys, as `cls`; `missing` fills what may be left out, the rest is required."""
    required = readers.keys() - missing.keys() if cls is not dict else set()

    def read(value: Raw) -> object:
        if not value or value.__class__ is not dict:
            return mapping(value) or None
        typed, key = dict(missing), ""
        try:
            for key, part in value.items():
                found = None if part is None else readers[key](part)
                if found is not None:
                    typed[key] = found
        except KeyError:
            raise Misfit(f"has the unknown key {shown(key)}", nearest(key, list(readers))) from None
        except Misfit as misfit:
            raise Misfit(f"`{key}` {misfit.message}", misfit.hint) from None
        if not typed.keys() >= required:
            lacking = ", ".join(f"`{key}`" for key in sorted(required - typed.keys()))
            raise Misfit(f"has no {lacking}", f"it has {', '.join(readers)}")
        return cls(**typed)

    return read


def _kind(value: Raw) -> str:
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return "a map" if isinstance(value, dict) else "a text"
