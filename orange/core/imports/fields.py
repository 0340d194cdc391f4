"""One record of a source: its known fields are taken out one by one, with their types; what is left has no place.

Next in the flow: each reader takes the fields of its format and makes an item of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from orange.core import times
from orange.core.imports import clean, words
from orange.core.imports.item import ImportRefused, Item
from orange.core.lifecycle import Status
from orange.core.model import Priority, Task


class Fields:
    """The fields of one record that are not taken yet."""

    def __init__(self, record: object, where: str) -> None:
        if not isinstance(record, dict):
            raise ImportRefused(where, f"expected an object, found {_kind(record)}")
        self.where = where
        self._left: dict[str, Any] = dict(record)

    def __contains__(self, name: str) -> bool:
        return self._left.get(name) is not None

    def take(self, name: str) -> Any:
        """Take a field as it is."""
        return self._left.pop(name, None)

    def keep(self, name: str, value: object) -> None:
        """Keep a value among the fields without a place."""
        self._left[name] = value

    def text(self, *names: str) -> str:
        """Take a text under the first of these names that holds one; a number is a text too."""
        for name in names:
            value = self._left.get(name)
            if value not in (None, ""):
                del self._left[name]
                return self._scalar(name, value)
        return ""

    def texts(self, *names: str) -> tuple[str, ...]:
        """Take a list of texts; a single one is a list of one."""
        for name in names:
            value = self._left.pop(name, None)
            if value not in (None, "", [], {}):
                listed = value if isinstance(value, list) else [value]
                return tuple(
                    found for item in listed if item is not None for found in [self._scalar(name, item)] if found
                )
        return ()

    def records(self, name: str) -> list[Any]:
        """Take a list of records."""
        value = self._left.pop(name, None)
        if value is None:
            return []
        if not isinstance(value, list):
            raise ImportRefused(self.where, f"{name}: expected a list, found {_kind(value)}")
        return value

    def time(self, *names: str) -> str:
        """Take a time; one that cannot be read is left."""
        for name in names:
            value = self._left.get(name)
            found = times.normal(value.strip()) if isinstance(value, str) else None
            if found:
                del self._left[name]
                return found
        return ""

    def kind(self, *names: str) -> str:
        """Take the word for a type; one that is not known is left, under the first of the names."""
        word = self.text(*names)
        found = words.kind(word)
        if word and found == "task" and word != "task":
            self.keep(names[0], word)
        return found

    def priority(self, *names: str) -> tuple[Priority, tuple[str, ...]]:
        """Take a priority, with a remark about a word that is not known; that word is left."""
        name = next((name for name in names if name in self), "")
        given = self.text(name) if name else ""
        found = words.priority(given)
        if found is not None:
            return found, ()
        self.keep(name, given)
        return Priority.MEDIUM, (f"its priority {given[:60]!r} is not known: it is medium",)

    def rest(self) -> dict[str, object]:
        """Give what is left and says something."""
        return {name: value for name, value in self._left.items() if value not in (None, "", [], {})}

    def _scalar(self, name: str, value: object) -> str:
        if isinstance(value, (str, int, float)):
            return str(value).lower() if isinstance(value, bool) else str(value).strip("\n")
        raise ImportRefused(self.where, f"{name}: expected a text, found {_kind(value)}")


def item(  # noqa: PLR0913 - keyword-only: the parts of an item
    fields: Fields,
    tool: str,
    *,
    key: str,
    title: str,
    draft: Task,
    status: str = "",
    parts: Iterable[tuple[str, str]] = (),
    blockers: Iterable[str] = (),
    parent: str | None = None,
    notes: Iterable[str] = (),
    skip: str | None = None,
) -> Item:
    """Make an item: its standing by the tool's word, its body by its parts, and what is left of its fields kept."""
    waits = tuple(dict.fromkeys(blockers))
    stand = words.standing(status, tool, blocked=bool(waits))
    short, whole = clean.title_and_rest(title)
    if stand.note:
        fields.keep("status", status)
    key = clean.line(key)
    extra, more = clean.kept(tool, fields.rest())
    body = clean.sections(("", whole), *parts, ("", more))
    source = {"kind": "imported", "format": tool, "reference": key}
    return Item(
        key,
        fields.where,
        replace(draft, title=short, status=stand.status, stuck=stand.stuck, source=source, extra=extra),
        body,
        open=stand.open,
        blockers=tuple(map(clean.line, waits)),
        parent=clean.line(parent) if parent else None,
        notes=tuple(filter(None, (stand.note, *notes))),
        skip=skip or (None if short else "it has no title"),
    )


def blank(**known: Any) -> Task:
    """Make a draft with the keys that a reader knows."""
    return Task("", "", "", Status.PENDING, **known)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
