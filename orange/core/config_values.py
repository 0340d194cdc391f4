"""The types a setting may have: how its text becomes a value, and what to say when it does not.

Next in the flow: `config_schema` gives every key one of these kinds, `config` applies them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from orange.core import times
from orange.core.config_file import Item
from orange.core.redact import SHAPES


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    #: One of a few words.
    WORD = "word"
    #: true or false.
    FLAG = "flag"
    WHOLE = "whole number"
    NUMBER = "number"
    #: Written `90s`, `10m`, `2h`, `14d`; kept in seconds.
    DURATION = "duration"
    #: A list of texts.
    TEXTS = "list"
    #: A list of mappings with keys of their own.
    ITEMS = "list of mappings"
    #: Anything; plain scalars become numbers and booleans as in JSON.
    FREE = "anything"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its dotted name, what it may be, and what it is for. A `*` in the name stands for any word."""

    name: str
    kind: Kind
    #: One or two sentences, as the documentation shows them.
    about: str
    #: For WORD: the legal ones.
    words: tuple[str, ...] = ()
    #: Whether null is a value.
    null: bool = False
    #: Bounds of numbers, inclusive; of durations in seconds.
    least: float | None = None
    most: float | None = None
    #: For TEXT and the elements of TEXTS: what it must look like as a whole.
    pattern: str | None = None
    #: The same, where a pattern cannot say it.
    fits: Callable[[str], bool] | None = None
    #: What was expected, in words, where the kind and bounds do not say it.
    expected: str | None = None
    #: U: a project cannot set it.
    user_only: bool = False
    #: Whether its words go from loose to strict, and a project may not loosen what the user has set.
    tightens: bool = False
    #: Whether its value, from a cloned repository, would run or send something here.
    command: bool = False
    #: Where `Settings` keeps it, if not under its own name.
    field: str | None = None
    #: For ITEMS: the keys of each mapping; empty for free ones.
    items: tuple[Key, ...] = ()
    #: For ITEMS: says what is wrong with a mapping whose keys are right one by one; None: nothing.
    sound: Callable[[Mapping[str, object]], str | None] | None = None
    #: For a key of an item: whether it must be there.
    needed: bool = False

    @property
    def wants(self) -> str:
        """What a value must be, as in `expected ...`."""
        wanted = self.expected or _WANTED[self.kind](self)
        return f"{wanted}, or null" if self.null else wanted


class Refused(Exception):
    """A value that its key does not take; becomes a problem before it leaves `config`."""

    def __init__(self, key: Key, item: Item, expected: str | None = None) -> None:
        super().__init__(f"expected {expected or key.wants}, found {_shown(item)}")
        self.line = item.line


_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?")


def typed(key: Key, item: Item) -> object:
    """Give an item the type of its key. Raises Refused."""
    if item.value is None and key.null:
        return None
    return _READERS[key.kind](key, item)


def free(item: Item) -> object:
    """Turn an item into plain data: mappings, lists, texts and what JSON would make of plain scalars."""
    if isinstance(item.value, Mapping):
        return {name: free(child) for name, child in item.value.items()}
    if isinstance(item.value, tuple):
        return [free(child) for child in item.value]
    if isinstance(item.value, str) and item.plain:
        return _scalar(item.value)
    return item.value


def _scalar(text: str) -> object:
    if text in {"true", "false"}:
        return text == "true"
    if _NUMBER.fullmatch(text) and not re.match(r"-?0\d", text):
        return float(text) if "." in text else int(text)
    return text


def _text(key: Key, item: Item) -> str:
    value = item.value
    if not isinstance(value, str) or not value.strip():
        raise Refused(key, item)
    if (key.pattern and not re.fullmatch(key.pattern, value)) or (key.fits and not key.fits(value)):
        raise Refused(key, item)
    return value


def _word(key: Key, item: Item) -> str:
    if item.value not in key.words:
        raise Refused(key, item)
    return str(item.value)


def _flag(key: Key, item: Item) -> bool:
    value = item.value.lower() if isinstance(item.value, str) else ""
    if value not in _FLAGS:
        raise Refused(key, item)
    return _FLAGS[value]


def _whole(key: Key, item: Item) -> int:
    if not isinstance(item.value, str) or not re.fullmatch(r"-?\d{1,15}", item.value):
        raise Refused(key, item)
    return int(_bounded(key, item, int(item.value)))


def _number(key: Key, item: Item) -> float:
    if not isinstance(item.value, str) or not _NUMBER.fullmatch(item.value):
        raise Refused(key, item)
    return _bounded(key, item, float(item.value))


def _duration(key: Key, item: Item) -> int:
    if not isinstance(item.value, str) or not times.is_duration(item.value):
        raise Refused(key, item)
    return int(_bounded(key, item, times.duration(item.value)))


def _bounded(key: Key, item: Item, value: float) -> float:
    if (key.least is not None and value < key.least) or (key.most is not None and value > key.most):
        raise Refused(key, item)
    return value


def _texts(key: Key, item: Item) -> tuple[str, ...]:
    if item.value is None:
        return ()
    if not isinstance(item.value, tuple):
        raise Refused(key, item)
    return tuple(_text(key, child) for child in item.value)


def _items(key: Key, item: Item) -> tuple[Item, ...]:
    if item.value is None:
        return ()
    if not isinstance(item.value, tuple) or not all(isinstance(child.value, Mapping) for child in item.value):
        raise Refused(key, item)
    return item.value


_READERS: dict[Kind, Callable[[Key, Item], object]] = {
    Kind.TEXT: _text,
    Kind.WORD: _word,
    Kind.FLAG: _flag,
    Kind.WHOLE: _whole,
    Kind.NUMBER: _number,
    Kind.DURATION: _duration,
    Kind.TEXTS: _texts,
    Kind.ITEMS: _items,
    Kind.FREE: lambda _key, item: free(item),
}


_WANTED: dict[Kind, Callable[[Key], str]] = {
    Kind.TEXT: lambda _key: "a text",
    Kind.WORD: lambda key: f"one of {', '.join(key.words)}",
    Kind.FLAG: lambda _key: "true or false",
    Kind.WHOLE: lambda key: f"a whole number{_range(key.least, key.most)}",
    Kind.NUMBER: lambda key: f"a number{_range(key.least, key.most)}",
    Kind.DURATION: lambda key: f"a duration{_at_least(key)} such as 90s, 10m, 2h or 14d",
    Kind.TEXTS: lambda _key: "a list of texts",
    Kind.ITEMS: lambda _key: "a list of `key: value` mappings",
    Kind.FREE: lambda _key: "a value",
}


def _at_least(key: Key) -> str:
    return f" of {times.duration_text(int(key.least))} or more" if key.least else ""


def _range(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    return f" of {least:g} or more" if least is not None else ""


def _shown(item: Item) -> str:
    if item.value is None:
        return "nothing"
    if isinstance(item.value, str):
        value = SHAPES.mask(item.value)
        return repr(value if len(value) <= 60 else value[:57] + "...")
    return "a list" if isinstance(item.value, tuple) else "a mapping"
