"""The schema of TASK.md: which keys there are, how each is read, and how its typed value is written.

It follows the table of the file format. Unknown keys are kept as they were read.

Next in the flow: `document` makes tasks of files and files of tasks with it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from itertools import repeat
from operator import call
from typing import Any

from orange.core import fieldtypes as ft
from orange.core import names
from orange.core.entries import JSON_KEY, MAX_DEPTH, ODD, Raw
from orange.core.fieldtypes import Misfit, Reader
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import ORANGE_ONLY, Approval, Claim, Merged, Priority, Publish, Request, RequestKind, Stuck, Task
from orange.core.problems import InvalidInput

#: Of a message that orange itself records; more belongs into the body.
_LONGEST_MESSAGE = 16_000


class Bare(str):
    """A text that is written without quotes although it is more than a text to other YAML readers: a time."""

    __slots__ = ()


_CLAIM: dict[str, Reader] = {"run": ft.line, "epoch": ft.count, "nonce": ft.line, "host": ft.line, "at": ft.time}
_STUCK = {"reason": ft.word_of(StuckReason), "message": ft.text, "evidence": ft.text, "since": ft.time}
_REQUEST = {"kind": ft.word_of(RequestKind), "message": ft.text, "since": ft.time}
_APPROVED: dict[str, Reader] = {"commit": ft.line, "by": ft.line, "at": ft.time}
_MERGED: dict[str, Reader] = {"commit": ft.line, "base": ft.line, "at": ft.time}
_texts = ft.list_of(ft.text)
_ids = ft.list_of(ft.task_id)

#: Every key of the file format, in its order, with its reader.
READERS: dict[str, Reader] = {
    "id": ft.task_id,
    "title": ft.line,
    "name": ft.name,
    "status": ft.word_of(Status),
    "ref": ft.line,
    "type": ft.kind,
    "pipeline": ft.kind,
    "priority": ft.word_of(Priority),
    "blocked_by": _ids,
    "parent": ft.task_id,
    "children": _ids,
    "labels": _texts,
    "category": ft.line,
    "assignee": ft.line,
    "session": ft.line,
    "estimate": ft.estimate,
    "acceptance_criteria": _texts,
    "context_files": _texts,
    "agent": ft.line,
    "model": ft.line,
    "effort": ft.line,
    "skill": ft.line,
    "base": ft.branch,
    "branch": ft.branch,
    "publish": ft.word_of(Publish),
    "requires": _texts,
    "acceptance": ft.text,
    "budget": ft.record({"minutes": ft.number, "tokens": ft.count, "usd": ft.number}),
    "job": ft.mapping,
    "source": ft.texts_by_key,
    "workspace": ft.line,
    "tmux_session": ft.line,
    "run": ft.line,
    "ports": ft.list_of(ft.port),
    "claim": ft.record(_CLAIM, Claim, run=None, nonce=None, host=None, at=None),
    "attempts": ft.count,
    "review_round": ft.count,
    "stuck": ft.record(_STUCK, Stuck, message="", evidence=None, since=""),
    "request": ft.record(_REQUEST, Request, message="", since=""),
    "approved": ft.record(_APPROVED, Approval, by="", at=""),
    "merged": ft.record(_MERGED, Merged, base="", at=""),
    "reopened": ft.line,
    "created_at": ft.time,
    "updated_at": ft.time,
}
#: Written into every new file, whatever their value.
ALWAYS = frozenset({"id", "title", "name", "status", "type", "priority", "blocked_by", "parent", "created_at"})
#: Lists of whole sentences or paths: one line for each item.
LONG_LISTS = frozenset({"acceptance_criteria", "context_files"})
_TIMES = frozenset({"created_at", "updated_at", "at", "since"})
_BLANK = Task("", "", "")
#: The value that each key has where it is not written.
DEFAULTS: dict[str, object] = {key: getattr(_BLANK, key) for key in READERS}
_REQUIRED = {
    "id": f"add `id:` with {names.ID_LENGTH} characters of {names.ID_ALPHABET}, a letter first",
    "title": "add `title:` with one line that says what is wanted",
}


def values_of(raw: Mapping[str, Raw]) -> dict[str, Any]:
    """Type the raw mapping of a whole file: the fields of a task that it sets. Raises Misfit, naming the key."""
    found = typed(raw)
    _complete(found)
    return found


def typed(raw: Mapping[str, Raw]) -> dict[str, Any]:
    """Type some keys of a file. Raises Misfit, naming the key."""
    found: dict[str, Any] = {}
    extra: dict[str, object] = {}
    key = ""
    try:
        for key, value in raw.items():
            reader = READERS.get(key)
            if reader is None:
                extra[key] = value
            elif value is not None:
                part = reader(value)
                if part is not None:
                    found[key] = part
    except Misfit as misfit:
        raise Misfit(f"{key}: {misfit.message}", misfit.hint, key) from None
    if extra:
        found["extra"] = extra
    return found


def _complete(found: dict[str, Any]) -> None:
    """Fill in the name, once what is required is there."""
    if "id" not in found or not found.get("title", "").strip():
        missing = "title" if "id" in found else "id"
        raise Misfit(f"it has no {missing}", _REQUIRED[missing], missing)
    if "name" not in found:
        found["name"] = names.slug(found["title"])


#: What sets each field of a task, their names, and their defaults, in one order.
_SETTERS = [Task.__dict__[part.name].__set__ for part in fields(Task)]
_NAMES = [part.name for part in fields(Task)]
_DEFAULTS = [getattr(_BLANK, name) for name in _NAMES]


def task_of(values: Mapping[str, Any], path: str) -> Task:
    """Make the task of a file's values as its constructor would, in half the time: boards have thousands."""
    task = Task.__new__(Task)
    found = {**values, "path": path}
    deque(map(call, _SETTERS, repeat(task), map(found.get, _NAMES, _DEFAULTS)), maxlen=0)
    return task


def default_of(key: str) -> object:
    """Give the value a key has where it is not written; None for keys that orange does not know."""
    return DEFAULTS.get(key)


def is_cleared(key: str, plain: Raw) -> bool:
    """Whether writing this takes the key's lines out: for orange's own keys, and unknown ones, at their default."""
    return (key in ORANGE_ONLY or key not in READERS) and plain == plain_of(key, default_of(key))


def plain_of(key: str, value: object) -> Raw:
    """Turn a key's typed value into what is written: texts, numbers, lists, maps. Raises InvalidInput."""
    if value is None or value == "":
        return None
    return _plain(key, value, (key,))


def _plain(key: str, value: object, above: tuple[str, ...]) -> Raw:
    if len(above) > MAX_DEPTH - 2:
        raise InvalidInput(above[0], f"more than {MAX_DEPTH - 2} levels lie within one another")
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return _number(above[0], value)
    if isinstance(value, str):
        return Bare(value) if key in _TIMES and above[0] in READERS and above[0] != JSON_KEY else str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(key, item, (*above, "-")) for item in value]
    return {str(part): _plain(str(part), item, (*above, str(part))) for part, item in _parts(above[0], value).items()}


def _number(field: str, value: float) -> Raw:
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - the only test for "not a number"
        raise InvalidInput(field, f"{value} cannot be written")
    return int(value) if value.is_integer() and field != JSON_KEY else value


def _parts(field: str, value: object) -> Mapping[object, object]:
    """Take a record or map apart."""
    if isinstance(value, Mapping):
        return value
    if not is_dataclass(value):
        raise InvalidInput(field, f"a {type(value).__name__} cannot be written")
    return {part.name: _noted(getattr(value, part.name)) for part in fields(value)}


def _noted(part: object) -> object:
    """Make what orange notes fit for a file: it may come from a program's output."""
    if part == "":
        return None
    if not isinstance(part, str) or (part.isprintable() and len(part) <= _LONGEST_MESSAGE):
        return part
    from orange.core.present import escape  # the common case does without

    return re.sub(f"[{ODD}]", escape, part if len(part) <= _LONGEST_MESSAGE else f"{part[:_LONGEST_MESSAGE]} [...]")


def as_read(key: str, plain: Raw) -> Raw:
    """Give what a reader makes of a written value: numbers are texts to it, except within the JSON of `job`."""
    if isinstance(plain, list):
        return [as_read(key, item) for item in plain]
    if isinstance(plain, dict):
        return {part: as_read(key, item) for part, item in plain.items()}
    if plain is None or key == JSON_KEY:
        return plain
    return number_text(plain) if isinstance(plain, (bool, int, float)) else str(plain)


def number_text(value: float) -> str:
    """Write a number, a truth value too, as JSON does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
