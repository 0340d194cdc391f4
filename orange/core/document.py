"""TASK.md text and tasks: `parse` reads a file, `edit` changes single keys of it, `render` writes a new one.

Reading never raises: what cannot be understood is a Problem with its line. Editing touches the bytes of the changed
keys only, reads its own result again and refuses it unless exactly the intended change came out.

Next in the flow: the task store keeps the tasks made here, and writes what `edit` and `render` give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from orange.core import fasthead, fastyaml, schema
from orange.core.entries import MAX_FILE, Entry, Frontmatter, Raw, Unreadable
from orange.core.fieldtypes import Misfit
from orange.core.model import Task
from orange.core.plaintext import problem_in
from orange.core.problems import BrokenFile, EditFailed, InvalidInput, Problem

if TYPE_CHECKING:
    from orange.core.splice import Change


@dataclass(frozen=True, slots=True)
class Document:
    """One TASK.md, understood."""

    task: Task
    #: Everything behind the frontmatter's closing line, as it is in the file.
    body: str


#: A file's typed values, its text, and where in it the body begins.
_Typed: TypeAlias = tuple[Mapping[str, Any], str, int]


def parse(data: bytes, path: str) -> Document | Problem:
    """Read a task file. Never raises; takes no longer than 50 ms whatever the bytes are."""
    found = _read(data, path)
    if isinstance(found, Problem):
        return found
    typed, text, body = found
    return Document(schema.task_of(typed, path), text[body:])


def parse_foreign(data: bytes, path: str) -> Document | Problem:
    """Read a task file that somebody else has written: a secret in it is a problem."""
    found = parse(data, path)
    return found if isinstance(found, Problem) else problem_in(data, path) or found


def values(data: bytes, path: str) -> Mapping[str, Any] | Problem:
    """Read what a task file sets, as `parse` does, without making a task of it: fields by name, defaults may lack."""
    found = _read(data, path)
    return found if isinstance(found, Problem) else found[0]


def _read(data: bytes, path: str) -> _Typed | Problem:
    return _quick(data) or _careful(data, path)


def _quick(data: bytes) -> _Typed | None:
    """Read what orange itself writes; None where the other reader has to say."""
    if len(data) > MAX_FILE or b"\0" in data:
        return None
    try:
        text = data.decode()
        return _usual(text) or _simple(text)
    except (UnicodeDecodeError, Misfit):
        return None  # the other reader names the line


def _usual(text: str) -> _Typed | None:
    """Read a file that begins with the usual lines; None for any other. Raises Misfit."""
    head = fasthead.read(text)
    rest = fastyaml.read(text, head[1]) if head else None
    if head is None or rest is None or not head[0].keys().isdisjoint(rest[0]):
        return None
    return {**head[0], **schema.typed(rest[0])}, text, rest[1]


def _simple(text: str) -> _Typed | None:
    found = fastyaml.read(text)
    return (schema.values_of(found[0]), text, found[1]) if found else None


def _careful(data: bytes, path: str) -> _Typed | Problem:
    try:
        text = _decoded(data)
        front = _guarded(text)
    except Unreadable as fault:
        return Problem(path, fault.line, fault.message, fault.hint)
    try:
        return schema.values_of(front.raw), text, front.body
    except Misfit as misfit:
        entry = front.entries.get(misfit.key)
        return Problem(path, text.count("\n", 0, entry.start if entry else 0) + 1, misfit.message, misfit.hint)


def _guarded(text: str) -> Frontmatter:
    from orange.core import guardedyaml  # loads YAML: files written by orange do without

    return guardedyaml.read(text)


def _decoded(data: bytes) -> str:
    """Decode a file. Raises Unreadable."""
    if len(data) > MAX_FILE:
        raise Unreadable(1, f"the file is larger than {MAX_FILE >> 20} MiB", "move what is long into a file of its own")
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise Unreadable(
            line, "the file contains a zero byte", "it may be damaged: `git log orange-tasks` has it whole"
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, "the file is not UTF-8 text", "save it as UTF-8") from None


def task_changes(old: Task, new: Task) -> dict[str, object]:
    """Give the keys whose values differ, with the new values. Path and unknown keys are not among them."""
    return {key: getattr(new, key) for key in schema.READERS if getattr(old, key) != getattr(new, key)}


def edit(data: bytes, changes: Mapping[str, object], path: str = "") -> bytes:
    """Change keys of a task file to typed values, touching nothing else. Keys unknown to orange take raw values.

    A name that so far only followed from the title is written down when the title changes: it is fixed at creation.
    Raises BrokenFile for a file that is a problem, InvalidInput for a value that cannot be written, EditFailed when
    the result would not be exactly the intended one.
    """
    from orange.core.splice import splice  # only writers need it

    task = _understood(data, path).task
    text = data.decode()
    front = _frontmatter(text)
    plain = {key: schema.plain_of(key, value) for key, value in changes.items()}
    due = {key: value for key, value in plain.items() if schema.as_read(key, value) != _held(task, front, key)}
    if not due:
        return data
    if "title" in due and "name" not in front.raw:
        due.setdefault("name", task.name)
    wanted = {**front.raw, **{key: _wanted(key, value) for key, value in due.items()}}
    fault = ""
    for removing in (True, False):  # without a key's lines, a comment behind them may fall to a text before them
        result = splice(text, front, _spliceable(due, front, text, removing=removing))
        fault = _fault(result, wanted, text[front.body :]) or ""
        if not fault:
            return result.encode()
    raise EditFailed(path, due, fault)


def _understood(data: bytes, path: str) -> Document:
    found = parse(data, path)
    if isinstance(found, Problem):
        raise BrokenFile(found)
    return found


def _frontmatter(text: str) -> Frontmatter:
    return fastyaml.locate(text) or _guarded(text)


def _held(task: Task, front: Frontmatter, key: str) -> Raw:
    """Give what a key holds now, its default where it is not written, in the form a change is compared in."""
    if key in schema.READERS and (key != "name" or key in front.raw):  # else it only follows from the title
        return schema.as_read(key, schema.plain_of(key, getattr(task, key)))
    return front.raw.get(key)


def _wanted(key: str, plain: Raw) -> Raw:
    """Give what a key is to be read as after the change."""
    return None if schema.is_cleared(key, plain) else schema.as_read(key, plain)


def _spliceable(due: Mapping[str, Raw], front: Frontmatter, text: str, *, removing: bool) -> dict[str, Change]:
    """Write the values, each in the manner of the one it replaces."""
    from orange.core import emit, splice

    changes: dict[str, Change] = {}
    for key, plain in due.items():
        if schema.is_cleared(key, plain):
            changes[key] = splice.Change(None if removing else emit.NULL)
        else:
            block = _is_block(key, front.entries.get(key), text)
            changes[key] = splice.Change(emit.written(plain, block=block), plain)
    return changes


def _is_block(key: str, entry: Entry | None, text: str) -> bool:
    """Whether a list is to have a line for each item: as it had before, else as it becomes the key."""
    was = text[slice(*entry.value)] if entry else ""
    if entry and (entry.block or (was.startswith("[") and was != "[]")):
        return entry.block
    return key in schema.LONG_LISTS


def _fault(text: str, wanted: Mapping[str, Raw], body: str) -> str | None:
    """Say in which way a result is not the intended one; a key at null and one not written are the same."""
    found = parse(text.encode(), "")
    if isinstance(found, Problem):
        return found.message
    if found.body != body:
        return "the body would change too"
    if _set(_frontmatter(text).raw) != _set(wanted):
        return "other keys would change too"
    return None


def _set(raw: Mapping[str, Raw]) -> list[tuple[str, Raw]]:
    return [(key, value) for key, value in raw.items() if value is not None]


def with_body(data: bytes, body: str, path: str = "") -> bytes:
    """Replace the body of a task file. Raises BrokenFile, InvalidInput for text that no file may hold, EditFailed."""
    _understood(data, path)
    text = data.decode()
    front = _frontmatter(text)
    head = text[: front.body]
    if body and not head.endswith("\n"):
        head += "\r\n" if "\r\n" in head else "\n"
    result = head + _writable(body)
    fault = _fault(result, front.raw, body)
    if fault:
        raise EditFailed(path, ["body"], fault)
    return result.encode()


def render(task: Task, body: str) -> bytes:
    """Write a new task file: the keys every task has, and those that are not at their default.

    Raises InvalidInput for a value that cannot be written, EditFailed when it would not be read back as given.
    """
    from orange.core import emit

    plain = {key: schema.plain_of(key, getattr(task, key)) for key in schema.READERS if _matters(task, key)}
    plain |= {key: schema.plain_of(key, value) for key, value in task.extra.items()}
    lines = ["---"]
    for key, value in plain.items():
        lines += emit.entry(key, emit.written(value, block=key in schema.LONG_LISTS))
    text = "\n".join([*lines, "---", _writable(body)])
    fault = _fault(text, {key: schema.as_read(key, value) for key, value in plain.items()}, body)
    if fault:
        raise EditFailed(task.path, plain, fault)
    return text.encode()


def _matters(task: Task, key: str) -> bool:
    return key in schema.ALWAYS or getattr(task, key) != schema.DEFAULTS[key]


def _writable(body: str) -> str:
    """Refuse what no text file may hold: half of a surrogate pair, and the zero byte a damaged file is known by."""
    if "\0" in body or any("\ud800" <= character <= "\udfff" for character in body if character > "\ud7ff"):
        raise InvalidInput("body", "it contains characters that are not text")
    return body
