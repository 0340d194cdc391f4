"""Values as others see them: the JSON task object, and text made safe for a terminal.

Next in the flow: the command line and the API print what is made here, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Protocol

from orange.core.lifecycle import board_state
from orange.core.model import Task

#: What a terminal obeys or hides instead of showing it: controls, escapes, marks that turn the reading direction,
#: invisible letters, line breaks it does not know, halves of surrogate pairs. Tab and newline are not among them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)
_BREAKS = {"\n": r"\n", "\t": r"\t"}


class Reason(Protocol):
    """One thing a task waits for."""

    @property
    def code(self) -> str:
        """Stable and machine-readable."""

    @property
    def message(self) -> str:
        """One sentence."""

    @property
    def since(self) -> str | None:
        """RFC 3339 UTC, where it is known."""

    @property
    def evidence(self) -> object:
        """What it was seen in."""

    @property
    def remedy(self) -> str | None:
        """What would unblock it."""


def task_view(  # noqa: PLR0913 - keyword-only: the parts of the object that are not in the file
    task: Task,
    *,
    ready: bool,
    progress: Mapping[str, int] | tuple[int, int] | None,
    waiting: Iterable[Reason],
    project: str,
    body: str | None = None,
) -> dict[str, object]:
    """Make the JSON task object: every key of the file, unknown ones too, and what is derived from the board."""
    view = {part.name: plain(getattr(task, part.name)) for part in fields(task) if part.name not in _APART}
    view |= {"project": project, "path": task.path, "ready": ready}
    if body is not None:
        view["body"] = body
    view["state"] = board_state(task.status, ready=ready).value
    view["progress"] = dict(zip(("done", "total"), progress, strict=True)) if isinstance(progress, tuple) else progress
    view["waiting"] = [waiting_view(reason) for reason in waiting]
    return {key: plain(value) for key, value in task.extra.items()} | view


_APART = frozenset({"path", "extra"})


def revision(task: Task, body: str) -> str:
    """Name the state of a task's file: whoever changes it may say which state they saw."""
    said = json.dumps([plain(task), body], sort_keys=True)
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def waiting_view(reason: Reason) -> dict[str, object]:
    """Make the JSON object of one thing waited for."""
    return {
        "code": reason.code,
        "message": reason.message,
        "since": reason.since,
        "evidence": plain(reason.evidence),
        "remedy": reason.remedy,
    }


def plain(value: object) -> object:
    """Turn a value of the model into what JSON knows."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if is_dataclass(value):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    return [plain(item) for item in value] if isinstance(value, Iterable) else str(value)


def visible(text: str) -> str:
    r"""Show what a terminal would obey or hide, as escapes such as `\x1b`; lines stay lines."""
    if text.isprintable():
        return text
    return _HIDDEN.sub(escape, text.replace("\r\n", "\n"))


def without_hidden(text: str) -> str:
    """Put a space in the place of what a terminal would obey or hide; lines stay lines."""
    return text if text.isprintable() else _HIDDEN.sub(" ", text)


def visible_line(text: str) -> str:
    """Show a text on one line: `visible`, and breaks and tabs as escapes too."""
    if text.isprintable():
        return text
    return re.sub(r"[\n\t]", lambda match: _BREAKS[match[0]], visible(text))


def escape(match: re.Match[str]) -> str:
    r"""Write a matched character as `\x1b`, `\u2028` or `\U000e0001`."""
    number = ord(match[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
