"""Reads the text of a settings file into items that know their line, and nothing YAML would guess.

Works on the parser's events: anchors, aliases, tags and deep nesting are refused before anything is built of them, and
every scalar stays the text that was written. Next in the flow: `config` gives the items their types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from orange.core.entries import NULLS
from orange.core.problems import Problem

#: Bytes; a settings file is a page or two.
SIZE_LIMIT = 256 * 1024
DEPTH_LIMIT = 12

Value: TypeAlias = "str | tuple[Item, ...] | Mapping[str, Item] | None"


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in the text: offsets in characters, and the column its line's mapping starts at."""

    start: int
    end: int
    #: Whether it stands in a `{...}` or `[...]`, or is one.
    flow: bool = False
    column: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a settings file. None is null; scalars are the text as written."""

    value: Value
    #: 1-based line of its key, or of itself in a list.
    line: int = 0
    #: Whether a scalar was written without quotes.
    plain: bool = True
    span: Span = field(default=Span(0, 0), compare=False)


EMPTY = Item({})


class Unreadable(Exception):
    """The text cannot be understood as a whole; becomes a problem before it leaves this module."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def parse(text: bytes, path: str) -> tuple[Item, tuple[Problem, ...]]:
    """Read a settings file: its top mapping and what is wrong with it. Text that cannot be read is an empty mapping."""
    duplicates: list[Problem] = []
    try:
        top = _Reader(_events(_decode(text)), path, duplicates).document()
    except Unreadable as found:
        return EMPTY, (Problem(path, found.line, found.message, "mend it: until then the last good file counts"),)
    if top.value is None:
        return EMPTY, ()
    if not isinstance(top.value, Mapping):
        message = "expected `key: value` lines at the top"
        return EMPTY, (Problem(path, top.line, message, "see `orange config show` for the keys"),)
    return top, tuple(duplicates)


def _decode(text: bytes) -> str:
    if len(text) > SIZE_LIMIT:
        raise Unreadable(0, f"the file is larger than {SIZE_LIMIT // 1024} KiB")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(text.count(b"\n", 0, error.start) + 1, "the file is not UTF-8") from None


def _events(text: str) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not YAML"
        raise Unreadable(mark.line + 1 if mark else 0, f"the YAML cannot be read: {reason}") from None
    except (ValueError, OverflowError, RecursionError):
        raise Unreadable(0, "the YAML cannot be read: a character or number in it is impossible") from None


class _Reader:
    """Builds items from parser events, in one pass."""

    def __init__(self, events: Iterator[Any], path: str, problems: list[Problem]) -> None:
        self.events, self.path, self.problems = events, path, problems

    def document(self) -> Item:
        """Read the one document of the text."""
        event = self._content()
        top = Item(None) if event is None else self._item(event, 0)
        if self._content() is not None:
            raise Unreadable(top.line, "the file holds more than one YAML document")
        return top

    def _content(self) -> Any:
        for event in self.events:
            if type(event).__name__ not in _FRAME:
                return event
        return None

    def _item(self, event: Any, depth: int) -> Item:
        kind, line = type(event).__name__, event.start_mark.line + 1
        if kind == "AliasEvent" or event.anchor is not None:
            raise Unreadable(line, "anchors and aliases (& and *) are not read: write the value out")
        if event.tag is not None:
            raise Unreadable(line, "tags (!) are not read: write the plain value")
        if depth > DEPTH_LIMIT:
            raise Unreadable(line, f"the values are nested deeper than {DEPTH_LIMIT} levels")
        if kind == "ScalarEvent":
            return _scalar(event, line)
        build = self._mapping if kind == "MappingStartEvent" else self._sequence
        return build(event, depth)

    def _mapping(self, start: Any, depth: int) -> Item:
        found: dict[str, Item] = {}
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            key = self._item(event, depth + 1)
            item = self._item(next(self.events), depth + 1)
            if not isinstance(key.value, str):
                raise Unreadable(key.line, "a key must be a word")
            if key.value in found:
                self.problems.append(
                    Problem(self.path, key.line, f"{key.value} is set twice", "keep one; the first counts")
                )
                continue
            found[key.value] = Item(item.value, key.line, item.plain, item.span)
        return Item(found, start.start_mark.line + 1, span=_span(start, event))

    def _sequence(self, start: Any, depth: int) -> Item:
        found: list[Item] = []
        while type(event := next(self.events)).__name__ != "SequenceEndEvent":
            found.append(self._item(event, depth + 1))
        return Item(tuple(found), start.start_mark.line + 1, span=_span(start, event))


_FRAME = frozenset({"StreamStartEvent", "StreamEndEvent", "DocumentStartEvent", "DocumentEndEvent"})


def _scalar(event: Any, line: int) -> Item:
    plain = event.style in {None, ""}
    null = plain and event.value in NULLS
    span = Span(event.start_mark.index, event.end_mark.index, flow=False, column=event.start_mark.column)
    return Item(None if null else event.value, line, plain, span)


def _span(start: Any, end: Any) -> Span:
    flow = bool(start.flow_style)
    return Span(start.start_mark.index, end.end_mark.index, flow, start.start_mark.column)
