"""Backlog.md's folder: a Markdown file with frontmatter for each task, in `tasks`, `completed`, `drafts`, `archive`.

Its comments that mark sections are taken out of the text; nothing else of it is changed. Next in the flow: `resolve`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from orange.core.entries import Unreadable
from orange.core.imports import clean, words
from orange.core.imports.fields import Fields, blank, item
from orange.core.imports.item import ImportRefused, Item, Reading, Source

FORMAT = "backlog"
#: Folders whose files are tasks, with the status that lies in the place; empty where the file says it.
PLACES = {"tasks": "", "completed": "", "drafts": "draft", "archive/tasks": "archived", "archive/drafts": "archived"}
_MARK = re.compile(r"^<!-- (?:SECTION:[A-Z_]+|AC|DOD):(?:BEGIN|END) -->[ \t]*\n?", re.MULTILINE)
_HEAD = re.compile(r"\A---\n.*?^---$", re.DOTALL | re.MULTILINE)
#: A line that names people, and a name without quotes in it.
_PEOPLE = re.compile(r"^(?:(?:assignee|reporter):|[ \t]*-)[ \t]+(?:\[[ \t]*)?@.*$", re.MULTILINE)
_NAME = re.compile(r"(?<![\w'\"@])(@[^\s,\]'\"]+)")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(:\d{2})?)?(?:Z| UTC)?")


def read(source: Source) -> Reading:
    """Read the tasks of a folder, or one of its files. Raises ImportRefused."""
    if not source.many:
        return Reading.of([_item(source.text, source.name, "")])
    found = [(path, place) for path in source.files for place in _place(path)]
    if not found:
        raise ImportRefused(source.name, "there is no tasks/*.md in it: name the folder that Backlog.md keeps")
    items = [_readable(source.files[path], f"{source.name}/{path}", PLACES[place]) for path, place in found]
    return Reading.of(_one_prefix(items))


def _one_prefix(items: list[Item]) -> Iterator[Item]:
    """Find `task-7` as `BACK-7`: a project that changes its prefix keeps the old one in its references."""
    keys = {item.key for item in items}
    by_number = Counter(map(_number, keys))
    same = {_number(key): key for key in keys if by_number[_number(key)] == 1}

    def found(key: str) -> str:
        return key if key in keys else same.get(_number(key), key)

    for one in items:
        parent = found(one.parent) if one.parent else None
        yield replace(one, blockers=tuple(map(found, one.blockers)), parent=parent)


def _number(key: str) -> str:
    return key.rpartition("-")[2]


def is_one(text: str) -> bool:
    """Whether a single file looks like one of its tasks."""
    return text.startswith("---") and re.search(r"^created_date:", text[:4000], re.MULTILINE) is not None


def _readable(text: str, where: str, placed: str) -> Item:
    """Read a file of a folder; one that cannot be read keeps nobody else out."""
    try:
        return _item(text, where, placed)
    except ImportRefused as refused:
        return Item(where, where, blank(), skip=refused.message.removeprefix(where).lstrip(":, "))


def _place(path: str) -> list[str]:
    """Name the place a file lies in; the folder above may be the one that was named."""
    folder, _, name = path.removeprefix("backlog/").rpartition("/")
    return [folder] if folder in PLACES and name.lower().endswith(".md") else []


def _item(text: str, where: str, placed: str) -> Item:
    from orange.core import guardedyaml  # loads YAML: other formats do without

    text = _HEAD.sub(lambda head: _quoted(head[0]), text.replace("\r\n", "\n"), count=1)
    try:
        front = guardedyaml.read(text)
    except Unreadable as wrong:
        raise ImportRefused(f"{where}, line {wrong.line}", f"{wrong.message}; {wrong.hint}") from None
    fields = Fields(dict(front.raw), where)
    body = _MARK.sub("", text[front.body :])
    kind = fields.kind("type")
    priority, notes = fields.priority("priority")
    status = fields.text("status")
    key = fields.text("id")
    draft = blank(
        ref=clean.line(key) or None,
        type=kind,
        priority=priority,
        labels=clean.lines(fields.texts("labels")),
        assignee=clean.line(", ".join(fields.texts("assignee"))) or None,
        category=clean.line(fields.text("milestone")) or None,
        context_files=clean.lines(_files(fields)),
        created_at=_time(fields.text("created_date")),
    )
    return item(
        fields,
        FORMAT,
        key=_key(key) or where,
        title=fields.text("title"),
        draft=draft,
        status=placed if placed and words.standing(status, FORMAT).open else status,
        parts=(("", body),),
        blockers=map(_key, fields.texts("dependencies")),
        parent=_key(fields.text("parent_task_id", "parent")) or None,
        notes=notes,
    )


def _quoted(head: str) -> str:
    """Put quotes around names such as @ada: the tool reads them without."""
    return _PEOPLE.sub(lambda line: _NAME.sub(r"'\1'", line[0]), head)


def _key(given: str) -> str:
    """Give an id in one writing: the tool takes `TASK-7` and `task-7` for the same."""
    return given.strip().upper()


def _files(fields: Fields) -> Iterator[str]:
    """Take references that are files of the repository; addresses and the rest are left."""
    given = fields.texts("references")
    files = [one for one in given if "://" not in one and not one.startswith(("/", "~")) and ".." not in one]
    fields.keep("references", [one for one in given if one not in files])
    yield from files


def _time(given: str) -> str:
    match = _DATE.fullmatch(given.strip())
    return f"{match[1]}T{match[2] or '00:00'}{match[3] or ':00'}Z" if match else ""
