"""Fields that documents give their tasks in prose: `Priority: high`, `**Depends on**: T1`, columns of tables.

Next in the flow: `collect` puts them into candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from orange.core.plans.markdown import plain

#: How a field may be called -> what it is here.
_NAMES = {
    "priority": "priority",
    "prio": "priority",
    "importance": "priority",
    "moscow": "priority",
    "estimate": "estimate",
    "estimated time": "estimate",
    "estimated effort": "estimate",
    "effort": "estimate",
    "size": "estimate",
    "story points": "estimate",
    "points": "estimate",
    "complexity": "estimate",
    "duration": "estimate",
    "type": "type",
    "kind": "type",
    "labels": "labels",
    "tags": "labels",
    "depends on": "after",
    "depends": "after",
    "dependency": "after",
    "dependencies": "after",
    "blocked by": "after",
    "prerequisite": "after",
    "prerequisites": "after",
    "requires": "after",
    "predecessors": "after",
    "dependent tasks": "after",
    "dependent on": "after",
    "after": "after",
    "blocks": "before",
    "before": "before",
    "required by": "before",
    "parent": "parent",
    "parent task": "parent",
    "parent id": "parent",
    "child of": "parent",
    "part of": "parent",
    "subtask of": "parent",
    "id": "id",
    "#": "id",
    "no": "id",
    "no.": "id",
    "nr": "id",
    "key": "id",
    "ref": "id",
    "req id": "id",
    "requirement id": "id",
    "task id": "id",
    "story id": "id",
    "issue": "id",
    "ticket": "id",
    "title": "title",
    "name": "title",
    "task": "title",
    "task name": "title",
    "feature": "title",
    "requirement": "title",
    "story": "title",
    "user story": "title",
    "item": "title",
    "deliverable": "title",
    "summary": "title",
    "work item": "title",
    "subtask": "title",
    "action": "title",
    "description": "description",
    "details": "description",
    "detail": "description",
    "notes": "description",
    "goal": "description",
    "requirements": "traces",
    "references": "traces",
    "refs": "traces",
    "files": "traces",
    "status": "status",
    "done": "status",
    "acceptance criteria": "criteria",
    "acceptance": "criteria",
    "acceptance criterion": "criteria",
    "criteria": "criteria",
    "done when": "criteria",
    "definition of done": "criteria",
    "success criteria": "criteria",
    "independent test": "criteria",
    "verification": "criteria",
}
#: Fields whose text may go on in the next line.
_PROSE = frozenset({"criteria", "description"})
_FIELD = re.compile(r"(?P<name>[A-Za-z#][A-Za-z ._-]{0,30}?)\s*(?:\([^)]*\))?\s*[:=]\s*(?P<text>.*)", re.DOTALL)
_ID = re.compile(r"[A-Z][A-Za-z]*-?(?:[A-Z]+-?)?\d+(?:\.\d+)*")
_DONE = re.compile(r"(✅|☑|✔|done|complete[d]?|finished|merged|shipped|closed|yes|x|\[x\]).{0,12}", re.IGNORECASE)


def name_of(text: str) -> str | None:
    """Return which field a word names; None where it names none."""
    return _NAMES.get(re.sub(r"[_-]", " ", text.strip(" *_:").lower()))


#: Heads of a column that other tables have too: it takes a second one to tell that work stands there.
_COMMON = frozenset({"name", "item", "title", "summary"})
_SECOND = frozenset({"id", "priority", "estimate", "after", "before", "status", "criteria", "description", "parent"})


def is_work(head: Iterable[str]) -> bool:
    """Whether a table with these heads lists work."""
    words = [word.strip(" *_:").lower() for word in head]
    names = [name_of(word) for word in words]
    if "title" not in names:
        return "id" in names and any(name in names for name in ("description", "after"))
    common = {word for word, name in zip(words, names, strict=True) if name == "title"} <= _COMMON
    return not common or any(name in _SECOND for name in names)


def field_of(text: str) -> tuple[str, str] | None:
    """Read `Name: text` as a field; None where it is none. The text may be empty: then what follows is meant."""
    match = _FIELD.fullmatch(plain(text).strip("_"))
    name = name_of(match["name"]) if match else None
    if match is None or name in {None, "title"} or (name == "id" and not _ID.fullmatch(match["text"].strip())):
        return None
    return str(name), match["text"].strip()


def fields_of(text: str) -> tuple[list[tuple[str, str, int]], list[tuple[str, int]]]:
    """Part a paragraph's lines into fields and the rest, each with its offset in lines."""
    found: list[tuple[str, str, int]] = []
    rest: list[tuple[str, int]] = []
    for offset, line in enumerate(text.split("\n")):
        parts = re.split(r"\s+\|\s+", line) if line.count(":") > 1 else [line]
        fields = [field_of(part) for part in parts]
        if all(fields):
            found += [(*field, offset) for field in fields if field]
        elif found and not rest and found[-1][0] in _PROSE and found[-1][1]:  # it goes on
            name, begun, first = found[-1]
            found[-1] = (name, f"{begun} {plain(line)}", first)
        else:
            rest.append((line, offset))
    return found, rest


def is_done(text: str) -> bool:
    """Whether a status says that the work is over."""
    return _DONE.fullmatch(text.strip()) is not None


def parts(text: str) -> list[str]:
    """Part a field's text into its items."""
    return [part.strip(" `*_.") for part in re.split(r"[,;]|<br\s*/?>|\s+and\s+", text) if part.strip(" `*_.")]
