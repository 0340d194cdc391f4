"""taskq's `tasks.jsonl`: one record a line, whose text is a Markdown file that the record names.

Next in the flow: `resolve`.
"""

from __future__ import annotations

import re

from orange.core import names
from orange.core.imports import clean, jsontext
from orange.core.imports.fields import Fields, blank, item
from orange.core.imports.item import Item, Reading, Source

FORMAT = "taskq"
_HEAD = re.compile(r"---[ \t]*\n(?P<head>.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_MARKS = re.compile(r"^(?:#+|[-*])[ \t]+")


def read(source: Source) -> Reading:
    """Read all records. Raises ImportRefused."""
    found = jsontext.records(source.text, source.name, "tasks")
    return Reading.of(_item(Fields(record, where), source) for where, record in found)


def _item(fields: Fields, source: Source) -> Item:
    key = fields.text("id")
    file = fields.text("task_file")
    text = _beside(source, file)
    notes = () if text is not None or not file else (f"its text {file} does not lie beside the list: it has none",)
    if file:
        fields.keep("task_file", file)
    head, body = _parts(text or fields.text("task", "description"))
    if head:
        fields.keep("frontmatter", head)
    draft = blank(
        ref=clean.line(key) or None,
        base=_branch(fields, "base"),
        branch=_branch(fields, "branch"),
        created_at=fields.time("created_at"),
    )
    return item(
        fields,
        FORMAT,
        key=key or fields.where,
        title=fields.text("title") or _title(body) or key,
        draft=draft,
        status=fields.text("status"),
        parts=(("", body),),
        blockers=fields.texts("blocked_by", "depends_on"),
        notes=notes,
    )


def _beside(source: Source, file: str) -> str | None:
    """Find a record's text among the files beside the list: by the longest end of its path that is there."""
    parts = [part for part in file.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    ends = ["/".join(parts[start:]) for start in range(len(parts))]
    return next((text for text in map(source.beside, ends) if text is not None), None)


def _parts(text: str) -> tuple[str, str]:
    """Take the frontmatter off a text."""
    text = text.replace("\r\n", "\n")
    match = _HEAD.match(text)
    return (match["head"].strip(), text[match.end() :]) if match else ("", text)


def _title(body: str) -> str:
    first = next((line.strip() for line in body.split("\n") if line.strip()), "")
    return _MARKS.sub("", first)


def _branch(fields: Fields, name: str) -> str | None:
    """Take a branch whose name is safe; another is left."""
    given = fields.text(name)
    if given and names.is_safe_branch(given):
        return given
    fields.keep(name, given)
    return None
