"""YAML as orange writes it: one value as text, quoted exactly where a reader would take it for something else.

A reader here is any: YAML 1.1 or 1.2, whatever words and numbers it knows. One line for each key, list item and map
item; no anchors, no folding, no comments.

Next in the flow: `splice` puts the text into a file, `document.render` makes a new one of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orange.core import times
from orange.core.entries import ODD, Raw
from orange.core.fastyaml import ITEM, PLAIN
from orange.core.schema import Bare, number_text

_PLAIN = re.compile(PLAIN)
_ITEM = re.compile(ITEM)
#: What some reader takes for a truth value, null, or an instruction.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "<<", "=", ".inf", ".nan"})
#: What some reader takes for a number or a date.
_NUMBER = re.compile(
    r"""[-+]?(?: 0b[01_]+ | 0o?[0-7_]+ | 0x[0-9a-fA-F_]+ | \.inf
      | [0-9][0-9_,]*(?::[0-5]?[0-9])*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?
      | \.[0-9_]+(?:[eE][-+]?[0-9]+)? )
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\s].*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_ODD = re.compile(rf"[{ODD}\r]")
_SPECIAL = re.compile(rf'["\\\n\t\r{ODD}]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Written:
    """A value as text: on the key's own line, or as lines beneath it (without indentation of their own)."""

    inline: str | None
    lines: tuple[str, ...] = ()


NULL = Written("null")


def written(value: Raw, *, block: bool) -> Written:
    """Write a value; `block` says that a list has a line for each item."""
    if isinstance(value, dict) and value:
        return Written(None, tuple(_lines(value)))
    if isinstance(value, list) and value and (block or not all(_is_scalar(item) for item in value)):
        return Written(None, tuple(_lines(value)))
    return Written(_inline(value))


def entry(key: str, value: Written, indent: str = "") -> list[str]:
    """Write a key with its value as lines of a frontmatter block."""
    head = f"{indent}{scalar(key)}:"
    if value.inline is not None:
        return [f"{head} {value.inline}"]
    return [head, *(f"{indent}  {line}" for line in value.lines)]


def scalar(text: str) -> str:
    """Write a text so that every YAML reader reads exactly this text."""
    if isinstance(text, Bare) and times.is_time(text):
        return text
    if _PLAIN.fullmatch(text) and not _misleads(text):
        return text
    if not _SPECIAL.search(text):
        return f'"{text}"'
    if "'" not in text and not _ODD.search(text) and "\n" not in text and "\t" not in text:
        return f"'{text}'"
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _misleads(text: str) -> bool:
    return text.lower() in _WORDS or _NUMBER.fullmatch(text) is not None


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or (f"\\x{ord(character):02x}" if character < "\x80" else f"\\u{ord(character):04x}")


def _is_scalar(value: Raw) -> bool:
    return not isinstance(value, (list, dict))


def _inline(value: Raw) -> str:
    """Write a scalar, an empty collection or a list of scalars on one line."""
    if isinstance(value, list):
        return f"[{', '.join(_item(item) for item in value)}]"
    if isinstance(value, dict):
        return "{}"
    if value is None:
        return "null"
    return scalar(value) if isinstance(value, str) else number_text(value)


def _item(value: Raw) -> str:
    """Write an item of a list on one line, where commas and brackets have a meaning."""
    if not isinstance(value, str) or (_ITEM.fullmatch(value) and not _misleads(value)):
        return _inline(value)
    text = scalar(value)
    return text if text[0] in "\"'" else f'"{_SPECIAL.sub(_escape, value)}"'


def _lines(value: list[Raw] | dict[str, Raw]) -> Iterator[str]:
    """Write a collection as lines, each level indented by two spaces more."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from entry(key, written(item, block=True))
        return
    for item in value:
        part = written(item, block=True)
        first, *rest = (part.inline,) if part.inline is not None else part.lines
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)
