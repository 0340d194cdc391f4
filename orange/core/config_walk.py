"""Walks the items of a settings file along the table of keys: typed settings out of them, and problems for the rest.

Next in the flow: `config` layers what several files set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from orange.core.config_file import Item
from orange.core.config_schema import BY_NAME, STAR_NAMES, Tree
from orange.core.config_values import Key, Kind, Refused, free, typed
from orange.core.problems import Problem


@dataclass(frozen=True, slots=True)
class Setting:
    """One value as a file sets it, typed."""

    #: The dotted name in parts; a part may itself hold a dot.
    parts: tuple[str, ...]
    value: object
    key: Key
    path: str
    line: int

    @property
    def name(self) -> str:
        """The dotted name."""
        return ".".join(self.parts)


#: What one file sets, by dotted name.
Raw: TypeAlias = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Walk:
    """Walks a file's items along the tree of keys, and notes what does not fit."""

    path: str
    problems: list[Problem]

    def section(self, item: Item, node: Tree, above: tuple[str, ...]) -> Iterator[Setting]:
        """Yield the settings of one section."""
        if item.value is None:
            return
        if not isinstance(item.value, Mapping):
            name = ".".join(above)
            self._problem(item.line, f"{name}: expected `key: value` lines", f"its keys are {_children(node)}")
            return
        for word, child in item.value.items():
            yield from self._member(word, child, node, above)

    def _member(self, word: str, item: Item, node: Tree, above: tuple[str, ...]) -> Iterator[Setting]:
        parts = (*above, word)
        found = node.get(word) if word != "*" else None
        if found is None and "*" in node:
            found = self._starred(word, item, node, parts)
        elif found is None:
            self._unknown(parts, item.line, node)
        if isinstance(found, Key):
            yield from self._setting(found, item, parts)
        elif found is not None:
            yield from self.section(item, found, parts)

    def _starred(self, word: str, item: Item, node: Tree, parts: tuple[str, ...]) -> Tree | Key | None:
        pattern, expected = STAR_NAMES.get(_place(node["*"], len(parts)), (".+", ""))
        if re.fullmatch(pattern, word):
            return node["*"]
        self._problem(item.line, f"{'.'.join(parts)}: expected {expected}, found {word!r}", "rename it")
        return None

    def _setting(self, key: Key, item: Item, parts: tuple[str, ...]) -> Iterator[Setting]:
        try:
            value = typed(key, item)
        except Refused as refused:
            self._problem(
                refused.line or item.line,
                f"{'.'.join(parts)}: {refused}",
                "mend it: until then the last good file counts",
            )
            return
        if key.kind is Kind.ITEMS:
            assert isinstance(value, tuple)
            value = tuple(self._items(key, value))
        yield Setting(parts, value, key, self.path, item.line)

    def _items(self, key: Key, items: tuple[Item, ...]) -> Iterator[dict[str, object]]:
        names: set[object] = set()
        for item in items:
            found = self._item(key, item)
            if found is None:
                continue
            if "name" in found and found["name"] in names:
                self._problem(item.line, f"{key.name}: two are called {found['name']}", "rename one; the first counts")
                continue
            names.add(found.get("name"))
            yield found

    def _item(self, key: Key, item: Item) -> dict[str, object] | None:
        assert isinstance(item.value, Mapping)
        if not key.items:
            found = free(item)
            return found if isinstance(found, dict) else None
        before = len(self.problems)
        tree: Tree = {child.name: child for child in key.items}
        found = {setting.parts[-1]: setting.value for setting in self.section(item, tree, (key.name,))}
        missing = [child.name for child in key.items if child.needed and child.name not in found]
        if len(self.problems) == before and missing:
            self._problem(item.line, f"{key.name}: expected {' and '.join(missing)}", "add what is missing")
        elif len(self.problems) == before and key.sound and (wrong := key.sound(found)):
            self._problem(item.line, f"{key.name}: {wrong}", "change or remove it")
        return found if len(self.problems) == before else None

    def _unknown(self, parts: tuple[str, ...], line: int, node: Tree) -> None:
        near = _nearest(parts, node)
        hint = f"did you mean {near}?" if near else f"the keys here are {_children(node)}"
        self._problem(line, f"unknown key {'.'.join(parts)}", hint)

    def _problem(self, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, line, message, hint))


def _place(node: Tree | Key, depth: int) -> str:
    """Name a place in the tree, with its stars: the first key at or below it tells."""
    while not isinstance(node, Key):
        node = next(iter(node.values()))
    return ".".join(node.name.split(".")[:depth])


def _children(node: Tree) -> str:
    return ", ".join(word for word in node if word != "*")


def _nearest(parts: tuple[str, ...], node: Tree) -> str | None:
    """Guess the key that was meant: a like word here, else the same word in another section."""
    import difflib

    near = difflib.get_close_matches(parts[-1], [word for word in node if word != "*"], 1)
    if near:
        return ".".join((*parts[:-1], near[0]))
    elsewhere = [name for name in BY_NAME if name.rpartition(".")[2] == parts[-1]]
    return elsewhere[0] if elsewhere else None
