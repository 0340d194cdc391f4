"""Shapes of JSON values: each reads a value that came from outside, and describes itself as JSON Schema.

One declaration both refuses what does not fit and is published, so that the description cannot be wrong.
Next in the flow: the operations of `orange.web` declare their parameters and bodies with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from orange.core import times
from orange.core.problems import InvalidInput

#: Characters of a text, unless its shape says otherwise.
LONGEST = 100_000
#: JSON Schema, or a part of it.
Schema = dict[str, Any]


class Shape(Protocol):
    """What a value must look like."""

    def read(self, value: object, place: str) -> Any:
        """Return the value as the program uses it. Raises InvalidInput naming the place."""

    def schema(self) -> Schema:
        """Describe it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text without NUL characters and halves of surrogate pairs."""

    about: str = ""
    least: int = 0
    longest: int = LONGEST

    def read(self, value: object, place: str) -> str:
        """Return the text."""
        if not isinstance(value, str):
            raise InvalidInput(place, f"a text is expected, not {named(value)}")
        if not self.least <= len(value) <= self.longest:
            most = f"at most {self.longest} characters are" if value else "it may not be empty: some text is"
            raise InvalidInput(place, f"{most} expected")
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidInput(place, "it has characters that are no text")
        return value

    def schema(self) -> Schema:
        """Describe it."""
        return _told({"type": "string", "minLength": self.least, "maxLength": self.longest}, self.about)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; read as the member of an enumeration where one is given."""

    words: Sequence[str]
    about: str = ""
    of: type[Enum] | None = None
    #: Further words that are understood, and what they mean.
    also: Mapping[str, str] = field(default_factory=dict)

    def read(self, value: object, place: str) -> Any:
        """Return the word."""
        word = self.also.get(value, value) if isinstance(value, str) else value
        if word not in self.words:
            raise InvalidInput(place, f"{named(value)} is none of {', '.join(self.words)}")
        return self.of(word) if self.of else word

    def schema(self) -> Schema:
        """Describe it."""
        return _told({"enum": [*self.words, *self.also]}, self.about)


def choice_of(kind: type[Enum], about: str = "", **also: str) -> Choice:
    """Make the shape of an enumeration's members."""
    return Choice([str(member.value) for member in kind], about, kind, also)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number; in a query it is written in digits."""

    least: int
    most: int
    about: str = ""

    def read(self, value: object, place: str) -> int:
        """Return the number."""
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise InvalidInput(
                place, f"a whole number from {self.least} to {self.most} is expected, not {named(value)}"
            )
        return value

    def schema(self) -> Schema:
        """Describe it."""
        return _told({"type": "integer", "minimum": self.least, "maximum": self.most}, self.about)


_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Span:
    """A duration such as `90s`, `10m`, `24h` or `7d`; read as seconds."""

    about: str = ""

    def read(self, value: object, place: str) -> int:
        """Return its seconds."""
        if not isinstance(value, str) or not 1 < len(value) <= _SPAN or not times.is_duration(value):
            raise InvalidInput(place, f"a duration such as 90s, 10m, 24h or 7d is expected, not {named(value)}")
        return times.duration(value)

    def schema(self) -> Schema:
        """Describe it."""
        return _told({"type": "string", "pattern": f"^[0-9]{{1,{_SPAN - 1}}}[smhd]$"}, self.about)


#: Characters of a duration: its seconds stay within the calendar.
_SPAN = 6


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false; in a query it is written so."""

    about: str = ""

    def read(self, value: object, place: str) -> bool:
        """Return it."""
        found = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
        if not isinstance(found, bool):
            raise InvalidInput(place, f"true or false is expected, not {named(value)}")
        return found

    def schema(self) -> Schema:
        """Describe it."""
        return _told({"type": "boolean"}, self.about)


@dataclass(frozen=True, slots=True)
class Items:
    """A list; where `single`, one value alone is a list of it."""

    of: Shape
    most: int = 1000
    about: str = ""
    single: bool = False

    def read(self, value: object, place: str) -> tuple[Any, ...]:
        """Return its items."""
        if self.single and not isinstance(value, list):
            value = [value]
        if not isinstance(value, list):
            raise InvalidInput(place, f"a list is expected, not {named(value)}")
        if len(value) > self.most:
            raise InvalidInput(place, f"at most {self.most} items are expected, not {len(value)}")
        return tuple(self.of.read(item, f"{place}[{number}]") for number, item in enumerate(value))

    def schema(self) -> Schema:
        """Describe it."""
        many = {"type": "array", "items": self.of.schema(), "maxItems": self.most}
        return _told({"anyOf": [many, self.of.schema()]} if self.single else many, self.about)


@dataclass(frozen=True, slots=True)
class Nullable:
    """A value that may be null."""

    of: Shape

    def read(self, value: object, place: str) -> Any:
        """Return it."""
        return None if value is None else self.of.read(value, place)

    def schema(self) -> Schema:
        """Describe it."""
        return {"anyOf": [self.of.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by names of the client's own."""

    about: str = ""
    most: int = 100

    def read(self, value: object, place: str) -> dict[str, str]:
        """Return the texts by name."""
        if not isinstance(value, dict):
            raise InvalidInput(place, f"an object is expected, not {named(value)}")
        if len(value) > self.most:
            raise InvalidInput(place, f"at most {self.most} names are expected, not {len(value)}")
        name, text = Text(least=1, longest=_NAME), Text()
        return {name.read(key, place): text.read(part, _short(f"{place}.{key}")) for key, part in value.items()}

    def schema(self) -> Schema:
        """Describe it."""
        names = {"type": "string", "minLength": 1, "maxLength": _NAME}
        found = {"type": "object", "propertyNames": names, "additionalProperties": Text().schema()}
        return _told({**found, "maxProperties": self.most}, self.about)


_NAME = 200


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value: what reads it has rules of its own."""

    kind: str = "object"
    about: str = ""

    def read(self, value: object, place: str) -> Any:
        """Return it."""
        if self.kind == "object" and not isinstance(value, dict):
            raise InvalidInput(place, f"an object is expected, not {named(value)}")
        return value

    def schema(self) -> Schema:
        """Describe it."""
        return _told({"type": self.kind}, self.about)


@dataclass(frozen=True, slots=True)
class Record:
    """An object with known keys; one that is not given is missing from what is read."""

    keys: Mapping[str, Shape]
    required: Sequence[str] = ()
    #: Further names of keys that are understood.
    aliases: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    def read(self, value: object, place: str = "") -> dict[str, Any]:
        """Return its values by key."""
        if not isinstance(value, dict):
            raise InvalidInput(place or "body", f"an object is expected, not {named(value)}")
        found: dict[str, Any] = {}
        for given, part in value.items():
            key, where = self.aliases.get(given, given), f"{place}.{given}" if place else str(given)
            if key not in self.keys:
                raise InvalidInput(_short(where), f"there is no such key; there are {', '.join(self.keys)}")
            if key in found:
                raise InvalidInput(where, f"it is given twice, as {key} too")
            found[key] = self.keys[key].read(part, where)
        for key in self.required:
            if key not in found:
                raise InvalidInput(f"{place}.{key}" if place else key, "it is required")
        return found

    def schema(self) -> Schema:
        """Describe it."""
        properties = {key: shape.schema() for key, shape in self.keys.items()}
        properties |= {
            alias: {**self.keys[key].schema(), "description": f"The same as `{key}`."}
            for alias, key in self.aliases.items()
        }
        found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return _told(found | ({"required": list(self.required)} if self.required else {}), self.about)


def named(value: object) -> str:
    """Name a JSON value for a sentence."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, str)):
        return _short(repr(value))
    return "a list" if isinstance(value, list) else "an object"


_SHOWN = 60


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _told(schema: Schema, about: str) -> Schema:
    return {**schema, "description": about} if about else schema
