"""Tasks as files for other programs and people: JSON Lines, and Markdown to read. Pure.

Next in the flow: `orange task export` prints what is made here; `orange task import` reads the JSON again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orange.core.present import visible_line

_HEADING = re.compile(r"#{1,6}(?=[ \t])")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
#: Keys of a task object that a reader of Markdown is told, with their words; lists are joined.
_TOLD = (
    ("ref", "called"),
    ("parent", "part of"),
    ("blocked_by", "waits for"),
    ("labels", "labels"),
    ("category", "category"),
    ("assignee", "for"),
    ("estimate", "estimate"),
    ("agent", "agent"),
    ("branch", "branch"),
)


def json_lines(tasks: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Write each task object as one line."""
    return (json.dumps(task, ensure_ascii=False) for task in tasks)


def markdown(project: str, tasks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write the tasks as a document: a heading for each, what is said of it, its text."""
    found = list(tasks)
    yield f"# Tasks of {visible_line(project)}"
    for task in found:
        yield ""
        yield from _task(task)


def _task(task: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {visible_line(task['title'])}"
    yield ""
    yield f"`{task['id']}`: {task['status']}, {task['type']}, priority {task['priority']}"
    told = [(words, _words(task.get(key))) for key, words in _TOLD]
    yield from (f"* {words}: {said}" for words, said in told if said)
    if task.get("acceptance_criteria"):
        yield ""
        yield from (f"- [ ] {visible_line(line)}" for line in task["acceptance_criteria"])
    body = str(task.get("body") or "").replace("\r\n", "\n").strip("\n")
    if body:
        yield ""
        yield from _below(body)


def _words(value: object) -> str:
    listed = value if isinstance(value, list) else [value] if value else []
    return ", ".join(visible_line(str(item)) for item in listed)


def _below(body: str) -> Iterator[str]:
    """Put the headings of a text below that of its task; what is code stays as it is."""
    fence = ""
    for line in body.split("\n"):
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        heading = None if fence else _HEADING.match(line)
        yield f"{'#' * min(6, len(heading[0]) + 1)}{line[heading.end() :]}" if heading else line
