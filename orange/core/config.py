"""Reads, validates and layers the configuration: project over user over defaults; the environment and flags win.

A value that cannot be taken is a problem naming file, line, key and what was expected; whatever lies below it stays in
force. Nothing is read from disk here. Next in the flow: the adapters' `configuration` hands files in and settings on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orange.core import config_file
from orange.core.checks import Check
from orange.core.config_file import Item
from orange.core.config_schema import BY_NAME, KEYS, TREE, Tree
from orange.core.config_values import Key, Kind
from orange.core.config_walk import Raw, Setting, Walk
from orange.core.problems import NewerFormat, Problem
from orange.core.rules import Rule
from orange.core.settings import AgentSettings, Settings

#: The newest format of a settings file that this orange understands.
FORMAT = 1
#: Reads as `review.by: none`; from the founding documents.
AUTO_APPROVE = "FEATURE_PRD_AUTO_APPROVE_REVIEW"

_USER_FILE = "$XDG_CONFIG_HOME/orange/config.yaml"


class Origin(StrEnum):
    """Where a value came from, weakest first."""

    DEFAULT = "default"
    USER = "user"
    PROJECT = "project"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value in force came from."""

    origin: Origin
    #: The file, for user and project; a variable's name for the environment.
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{self.origin.value} {where}".rstrip()


def read(text: bytes, path: str) -> tuple[Raw, tuple[Problem, ...]]:
    """Read and validate one settings file; `path` names it in problems. Raises NewerFormat."""
    top, problems = config_file.parse(text, path)
    return _collected(top, path, list(problems))


def layer(
    project: Raw, user: Raw, environment: Mapping[str, str], flags: Mapping[str, object]
) -> tuple[Settings, Mapping[str, Source], tuple[Problem, ...]]:
    """Lay what was set over the defaults: the settings in force, each key's source, and what may not be set there.

    `flags` are values by dotted name, as text or typed, None for null. Keys set by nobody have the source `default`.
    """
    allowed, problems = _allowed(project, user)
    given, flag_problems = _flags(flags)
    layers = ((Origin.USER, user), (Origin.PROJECT, allowed), (Origin.ENVIRONMENT, _environment(environment)))
    values: dict[str, Setting] = dict(_BUILT_IN)
    sources = {key.name: Source(Origin.DEFAULT) for key in KEYS if "*" not in key.name}
    sources |= {name: Source(Origin.DEFAULT) for name in _BUILT_IN}
    for origin, raw in (*layers, (Origin.FLAG, given)):
        for name, setting in raw.items():
            values[name] = setting
            sources[name] = Source(origin, setting.path, setting.line)
    return _settings(values.values()), sources, (*problems, *flag_problems)


def accept(name: str, text: str) -> tuple[Setting | None, tuple[Problem, ...]]:
    """Read one value given as text, as `orange config set` takes it: lists and maps are written as in the file."""
    key = find(name)
    item = Item(None if text == "null" else text)
    if key is not None and key.kind in {Kind.TEXTS, Kind.ITEMS, Kind.FREE}:
        top, problems = config_file.parse(f"value: {text}\n".encode(), name)
        if problems or not isinstance(top.value, Mapping):
            return None, problems
        item = top.value["value"]
    raw, problems = _flags({name: item})
    return raw.get(name), problems


def find(name: str) -> Key | None:
    """Return the key that a dotted name stands for, or None."""
    node: Tree | Key = TREE
    parts = name.split(".")
    for at, part in enumerate(parts):
        if isinstance(node, Key):
            return node if node.name.endswith("*") and at else None
        found = node.get(part) or node.get("*")
        if found is None:
            return None
        node = found
    return node if isinstance(node, Key) else None


def _collected(top: Item, path: str, problems: list[Problem]) -> tuple[Raw, tuple[Problem, ...]]:
    found: dict[str, Setting] = {}
    for setting in Walk(path, problems).section(top, TREE, ()):
        found[setting.name] = setting
    fmt = found.get("format")
    if fmt is not None and isinstance(fmt.value, int) and fmt.value > FORMAT:
        raise NewerFormat(fmt.value, FORMAT)
    return found, tuple(problems)


def _allowed(project: Raw, user: Raw) -> tuple[Raw, tuple[Problem, ...]]:
    """Take out of a project's settings what is the user's alone, and what would loosen what the user has set."""
    problems = {name: _forbidden(setting, user.get(name)) for name, setting in project.items()}
    allowed = {name: setting for name, setting in project.items() if problems[name] is None}
    return allowed, tuple(problem for problem in problems.values() if problem)


def _forbidden(setting: Setting, users: Setting | None) -> Problem | None:
    """Say why a project may not set this; None where it may."""
    key, words = setting.key, setting.key.words
    if key.user_only:
        why, hint = f"{setting.name} is the user's alone: a project cannot set it", f"move it to {_USER_FILE}"
    elif key.tightens and users and words.index(str(setting.value)) < words.index(str(users.value)):
        why = f"{setting.name} is {users.value} in the user's settings: a project cannot loosen it to {setting.value}"
        hint = f"change it in {_USER_FILE}"
    else:
        return None
    return Problem(setting.path, setting.line, why, hint)


def _environment(environment: Mapping[str, str]) -> Raw:
    if environment.get(AUTO_APPROVE, "").strip().lower() not in {"true", "1", "yes", "on"}:
        return {}
    return {"review.by": Setting(("review", "by"), "none", BY_NAME["review.by"], AUTO_APPROVE, 0)}


def _flags(flags: Mapping[str, object]) -> tuple[Raw, tuple[Problem, ...]]:
    top: dict[str, Any] = {}
    for name, value in flags.items():
        *above, last = _split(name)
        node = top
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value
    return _collected(_item(top), "", [])


def _split(name: str) -> list[str]:
    """Split a dotted name; below `agents.*.options` and `agents.*.env` a dot is part of the word."""
    parts = name.split(".")
    return [*parts[:3], ".".join(parts[3:])] if parts[0] == "agents" and len(parts) > 4 else parts


def _item(value: object) -> Item:
    if isinstance(value, Item):
        return value
    if isinstance(value, Mapping):
        return Item({str(name): _item(child) for name, child in value.items()})
    if isinstance(value, (list, tuple)):
        return Item(tuple(_item(child) for child in value))
    if value is None or isinstance(value, str):
        return Item(value)
    return Item(str(value).lower() if isinstance(value, bool) else f"{value}")


def _settings(values: Iterable[Setting]) -> Settings:
    tree: dict[str, Any] = {}
    for setting in values:
        *above, last = setting.key.field.split(".") if setting.key.field else setting.parts
        node = tree
        for part in above:
            node = node.setdefault(part, {})
        node[last] = setting.value
    found = _filled(Settings(), tree)
    assert isinstance(found, Settings)
    return found


def _filled(default: Any, tree: Mapping[str, Any]) -> Any:
    """Return a settings value with what was set laid over it."""
    changes: dict[str, Any] = {}
    for name, value in tree.items():
        current = getattr(default, name)
        if name == "agents":
            changes[name] = {agent: _filled(AgentSettings(), below) for agent, below in value.items()}
        elif name == "checks":
            changes[name] = tuple(Check(**check) for check in value)
        elif name == "rules":
            changes[name] = tuple(Rule(**rule) for rule in value)
        elif dataclasses.is_dataclass(current):
            changes[name] = _filled(current, value)
        else:
            changes[name] = _merged(current, value) if isinstance(current, Mapping) else value
    return dataclasses.replace(default, **changes)


def _merged(current: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: found for name, found in {**current, **value}.items() if found is not None}


def _built_in(name: str, value: object) -> Setting:
    key = find(name)
    assert key is not None
    return Setting(tuple(name.split(".")), value, key, "", 0)


#: Defaults below a star or in a mapping, where the dataclasses of `settings` cannot declare them.
_BUILT_IN: Raw = {
    setting.name: setting
    for setting in (
        _built_in("agents.command.run", "bash {prompt_file}"),
        _built_in("workspaces.container.engine", "podman"),
    )
}
