"""The guard itself: builds plain values from YAML events, with the place of each key, and refuses what is not safe.

No aliases, anchors or tags (a few hundred bytes of them keep a reader busy for minutes), bounded depth and number of
events, no duplicate keys, and scalars stay strings. Nothing is recursive, nothing is constructed but str, list, dict.

Next in the flow: `guardedyaml` calls it through the frontmatter package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isinf
from typing import Protocol

import yaml

from orange.core.entries import JSON_KEY, MAX_DEPTH, NULLS, ODD, Raw

#: So many that even the slowest of them stay within 50 ms.
_MAX_EVENTS = 10_000
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_ODD_VALUE = re.compile(f"[{ODD}]")
_COLON = re.compile(r"[ \t]*:")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,4})?")
_JSON_WORDS = {"true": True, "false": False}

_HINTS = {
    "mapping values are not allowed": 'a text with ": " in it needs quotes around it',
    "cannot start any token": "a text that begins with this character needs quotes; indent with spaces, not tabs",
    "could not find expected ':'": "write `key: value` on one line, or indent the text that belongs to the line above",
    "unexpected end of stream": "a quote or bracket is opened and never closed",
    "escape": "within double quotes a backslash is written \\\\; within single quotes it needs nothing",
}
_PLAIN_HINT = "write the value in full, in quotes if it begins with one of & * ! "
_DEFAULT_HINT = "check indentation, quotes and brackets on this line and the one above"
_KEYS_HINT = "write one `key: value` a line"


class Misread(Exception):
    """What stands in a block cannot be accepted. Never leaves `guardedyaml`, which knows the line."""

    def __init__(self, offset: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.offset, self.message, self.hint = offset, message, hint


@dataclass(slots=True)
class Node:
    """A value and where it lies in the block."""

    value: Raw
    start: int
    #: Behind its last character: not where YAML's own mark of a block's end is, which may lie past blank lines.
    end: int
    #: A list or map with lines of its own.
    block: bool = False
    #: Of a list: each item's place.
    items: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Member:
    """One top-level key with its value."""

    start: int
    #: Just behind the colon.
    colon: int
    node: Node


@dataclass(slots=True)
class _Frame:
    """A collection being read."""

    node: Node
    #: The collection itself: `node.value`, typed.
    holder: list[Raw] | dict[str, Raw]
    #: The key read last, still without its value.
    key: str | None = None
    start: int = 0
    colon: int = 0


def read_tree(block: str) -> Mapping[str, Member]:
    """Read a frontmatter block as top-level members, in order. Raises Misread, never anything else."""
    builder = _Builder(block)
    try:
        for count, event in enumerate(yaml.parse(block, Loader=_LOADER)):
            if count > _MAX_EVENTS:
                raise Misread(_at(event), "it has too many parts", "move the bulk of it into the body")
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _misread(error) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Misread(0, f"broken YAML: {error}", _DEFAULT_HINT) from None
    return builder.members


def _misread(error: yaml.MarkedYAMLError) -> Misread:
    at = _mark(error.problem_mark or error.context_mark)
    problem = str(error.problem or error.context or "cannot be read")
    hint = next((hint for part, hint in _HINTS.items() if part in problem), _DEFAULT_HINT)
    return Misread(at, f"broken YAML: {problem}", hint)


class _Mark(Protocol):
    """What the marks of both parsers, the one in C and the one in Python, have in common."""

    @property
    def index(self) -> int:
        """Characters from the block's start."""


def _mark(mark: _Mark | None) -> int:
    return mark.index if mark else 0  # the parsers set one on every event


def _at(event: yaml.Event) -> int:
    return _mark(event.start_mark)


class _Builder:
    """Takes events one by one."""

    def __init__(self, block: str) -> None:
        self._block = block
        self._frames: list[_Frame] = []
        self.members: dict[str, Member] = {}

    def take(self, event: yaml.Event) -> None:
        """Build with one event. Raises Misread."""
        if isinstance(event, yaml.NodeEvent):
            self._check_node(event)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(_mark(event.end_mark))
        elif isinstance(event, (yaml.DocumentStartEvent, yaml.DocumentEndEvent)) and event.explicit:
            raise Misread(
                _at(event), "a line beginning with `---` or `...` divides the frontmatter", "delete that line"
            )

    def _check_node(self, event: yaml.NodeEvent) -> None:
        at = _at(event)
        if isinstance(event, yaml.AliasEvent):
            raise Misread(at, f"the alias *{event.anchor} is not allowed", _PLAIN_HINT)
        if event.anchor is not None:
            raise Misread(at, f"the anchor &{event.anchor} is not allowed", _PLAIN_HINT)
        if getattr(event, "tag", None) is not None:
            raise Misread(at, "YAML tags are not allowed", _PLAIN_HINT)
        if not self._frames and not (isinstance(event, yaml.MappingStartEvent) and not event.flow_style):
            raise Misread(at, "the frontmatter does not consist of keys", _KEYS_HINT)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end, text = _at(event), _mark(event.end_mark), event.value
        odd = None if text.isprintable() else _ODD_VALUE.search(text)
        if odd:
            raise Misread(start, f"the text contains the character U+{ord(odd[0]):04X}", "delete that character")
        if event.style in {"|", ">"}:
            end = start + len(self._block[start:end].rstrip())
        frame = self._frames[-1]
        if isinstance(frame.holder, dict) and frame.key is None:
            self._key(frame, text, start, end)
        else:
            self._place(Node(self._typed(text) if event.implicit[0] else text, start, end))

    def _typed(self, text: str) -> Raw:
        """Type a plain scalar: null everywhere, the rest of JSON below the one key that carries it."""
        if text in NULLS:
            return None
        return _json(text) if self._frames[0].key == JSON_KEY else text

    def _key(self, frame: _Frame, text: str, start: int, end: int) -> None:
        holder = frame.holder
        if text in holder:
            raise Misread(start, f"the key `{text[:60]}` appears twice", "keep one of the two")
        colon = _COLON.match(self._block, end)
        if frame.node.block and (not colon or not text):
            raise Misread(start, "a key is not written as `key: value`", _KEYS_HINT)
        frame.key, frame.start, frame.colon = text, start, colon.end() if colon else end

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        at = _at(event)
        if len(self._frames) >= MAX_DEPTH:
            raise Misread(at, f"more than {MAX_DEPTH} levels lie within one another", "flatten it")
        if self._frames and isinstance(self._frames[-1].holder, dict) and self._frames[-1].key is None:
            raise Misread(at, "a key is a list or a map", _KEYS_HINT)
        holder: list[Raw] | dict[str, Raw] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._frames.append(_Frame(Node(holder, at, at, block=not event.flow_style), holder))

    def _close(self, end: int) -> None:
        node = self._frames.pop().node
        if not node.block:
            node.end = end
        if self._frames:
            self._place(node)

    def _place(self, node: Node) -> None:
        """Put a finished value where it belongs."""
        frame = self._frames[-1]
        frame.node.end = max(frame.node.end, node.end)
        if isinstance(frame.holder, list):
            frame.holder.append(node.value)
            frame.node.items.append((node.start, node.end))
            return
        key = frame.key or ""
        frame.holder[key] = node.value
        if len(self._frames) == 1:
            self.members[key] = Member(frame.start, frame.colon, node)
        frame.key = None


def _json(text: str) -> Raw:
    """Type a plain scalar as JSON does; what JSON does not know stays a string."""
    if text in _JSON_WORDS:
        return _JSON_WORDS[text]
    number = _JSON_NUMBER.fullmatch(text)
    if not number:
        return text
    if not number[1] and not number[2]:
        return int(text)
    return text if isinf(float(text)) else float(text)
