"""A strict grammar for the frontmatter orange itself writes: many times as fast as YAML, or no answer at all.

It knows `key: value` lines, one level of `  - item` or `  key: value` lines beneath a key, one-line flow lists and maps
of plain words (maps as people write them: orange itself does not), and quotes on one line. Whatever it is not sure of
(comments, other indentation, odd characters) it refuses; then `guardedyaml` reads the file. On every file that it
accepts, YAML gives the same answer.

Next in the flow: `schema` types what was read.
"""

from __future__ import annotations

import re

from orange.core.entries import JSON_KEY, NULLS, ODD, Entry, Frontmatter, Raw

_OPEN, _CLOSE = "---\n", "\n---\n"
#: Beyond this many characters there might be too many bytes: the other reader counts them.
_LIMIT = 16_000

#: Spaces of all kinds, in full: `\s` within a class would be tried for every character by itself.
_SPACES = r" \t\n\r\x1c-\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
#: A character within a word, where `#` is one too; at a word's beginning; at the scalar's beginning.
_IN_WORD = rf"[^{_SPACES}:{ODD}]"
_WORD = rf"[^{_SPACES}:#{ODD}]"
_FIRST = rf"[^{_SPACES}:#{ODD}\-?,\[\]{{}}&*!|>'\"%@`]"
#: A plain scalar: no indicator first, no `: `, no ` #`, no space at either end.
PLAIN = rf"{_FIRST}{_IN_WORD}*+(?:(?: ++{_WORD}|:++{_IN_WORD}){_IN_WORD}*+)*"
_DOUBLE = rf'"[^"\\\n\r{ODD}]*+(?:\\["\\nt][^"\\\n\r{ODD}]*+)*"'
_SINGLE = rf"'[^'\n\r{ODD}]*+'"
#: An item of a flow list: no character that means anything there.
ITEM = r"[A-Za-z0-9_][A-Za-z0-9_./-]*+"
_LISTED = rf'(?:{ITEM}|"[A-Za-z0-9_./ -]*+")'
_LIST = rf"\[(?:{_LISTED}(?:, {_LISTED})*)?\]"
_KEY = r"[a-z][A-Za-z0-9_-]{0,63}"
#: A value of a flow map: words with a space or a colon between them, so that a time is one too.
_MAPPED = rf'(?:{ITEM}(?:[ :][A-Za-z0-9_./][A-Za-z0-9_./-]*+)*|"[A-Za-z0-9_./: -]*+")'
_MAP = rf"\{{(?:{_KEY}: {_MAPPED}(?:, {_KEY}: {_MAPPED})*)?\}}"
_LINE = re.compile(rf"^(|  |  - )(?:({_KEY}):(?: |$))?({PLAIN}|{_DOUBLE}|{_SINGLE}|{_LIST}|{_MAP})?$", re.MULTILINE)
#: With what a value begins that is not plain text; the last three may be a null.
_MARKS = frozenset("\"'[{nN~")
_ESCAPE = re.compile(r"\\(.)")
_MEANT = {"n": "\n", "t": "\t"}


class _Unsure(Exception):
    """What stands there is not for this reader."""


def read(text: str, line: int = 3) -> tuple[dict[str, Raw], int] | None:
    """Read the frontmatter of a file's text: the raw mapping and where the body begins, or None when unsure.

    `line` is where the line ends behind which to begin, when somebody else has read those before.
    """
    end = text.find(_CLOSE, line, _LIMIT) if text.startswith(_OPEN) else -1
    if end == line > 3:
        return {}, end + 5
    if end <= line:
        return None
    block = text[line + 1 : end]
    lines = _LINE.findall(block)
    if len(lines) != block.count("\n") + 1:
        return None
    try:
        return _mapping(lines), end + 5
    except _Unsure:
        return None


def _mapping(lines: list[tuple[str, str, str]]) -> dict[str, Raw]:
    """Put the lines together; `holder` is what the indented lines beneath `parent` have made so far."""
    raw: dict[str, Raw] = {}
    parent = ""
    holder: list[Raw] | dict[str, Raw] | None = None
    for indent, key, value in lines:
        inner = value if value and value[0] not in _MARKS else _special(value)
        if not indent:
            if not key or key in raw or (parent and holder is None):
                raise _Unsure
            raw[key], parent, holder = inner, "" if value else key, None
        elif not value or (indent == "  ") != bool(key):
            raise _Unsure
        elif isinstance(holder, dict) and key and key not in holder:
            holder[key] = inner
        elif isinstance(holder, list) and not key:
            holder.append(inner)
        elif parent and holder is None:
            raw[parent] = holder = {key: inner} if key else [inner]
        else:
            raise _Unsure
    if (parent and holder is None) or JSON_KEY in raw:
        raise _Unsure
    return raw


def _special(value: str) -> Raw:
    """Read a value that may be more, or less, than plain text."""
    mark = value[:1]
    if mark == "'":
        return value[1:-1]
    if mark == '"':
        inner = value[1:-1]
        return _ESCAPE.sub(_meant, inner) if "\\" in inner else inner
    if mark == "[":
        return [_item(item) for item in value[1:-1].split(", ")] if value != "[]" else []
    if mark == "{":
        return _flow_map(value[1:-1])
    return None if value in NULLS else value


def _meant(escape: re.Match[str]) -> str:
    return _MEANT.get(escape[1], escape[1])


def _flow_map(text: str) -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    for part in text.split(", ") if text else ():
        key, _, value = part.partition(": ")
        if key in found:
            raise _Unsure
        found[key] = None if value in NULLS else value[1:-1] if value[0] == '"' else value
    return found


def _item(text: str) -> str:
    if text in NULLS:
        raise _Unsure
    return text[1:-1] if text[0] == '"' else text


def locate(text: str) -> Frontmatter | None:
    """Read a file's text with the place of every key, or None when unsure."""
    found = read(text)
    if found is None:
        return None
    entries: dict[str, Entry] = {}
    start, key = 4, ""
    for line in text[4 : found[1] - 5].split("\n"):
        end = start + len(line)
        if line[0] == " ":
            entries[key] = _grown(entries[key], start, end, item=line.startswith("  - "))
        else:
            key = line.partition(":")[0]
            colon = start + len(key) + 1
            entries[key] = Entry(start, colon, (min(colon + 1, end), end))
        start = end + 1
    return Frontmatter(found[0], entries, found[1] - 4, found[1])


def _grown(entry: Entry, start: int, end: int, *, item: bool) -> Entry:
    """Add an indented line to an entry whose value has lines of its own."""
    first = entry.value[0] if entry.block else start + 2
    items = (*entry.items, (start + 4, end)) if item else ()
    return Entry(entry.start, entry.colon, (first, end), block=True, items=items)
