"""Task Master's `tasks.json`: one list of tasks, or one for each tag; subtasks, dependencies, details, test strategy.

A number in a subtask's dependencies is a sibling where there is one, else a task. Next in the flow: `resolve`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from orange.core.imports import clean, jsontext
from orange.core.imports.fields import Fields, blank, item
from orange.core.imports.item import ImportRefused, Item, Reading, Source

FORMAT = "taskmaster"
#: The tag that is there from the start; its tasks are called by their numbers alone.
_FIRST_TAG = "master"


class _Place(NamedTuple):
    """Where a record stands among the others."""

    where: str
    #: Before each key of the tag.
    prefix: str
    #: The number of the task above; None at the top.
    above: str | None = None
    #: The numbers of its siblings, for a subtask.
    siblings: frozenset[str] = frozenset()


def read(source: Source) -> Reading:
    """Read all tags. Raises ImportRefused."""
    found = jsontext.load(source.text, source.name)
    tags = _tags(found)
    if tags is None:
        raise ImportRefused(source.name, 'it has neither "tasks" nor a tag with "tasks": it is no tasks.json')
    return Reading.of(one for tag, held in tags.items() for one in _read_tag(source.name, tag, held))


def _read_tag(name: str, tag: str, held: dict[str, Any]) -> Iterator[Item]:
    """Read the tasks of a tag; what is said of the tag itself is kept with its first task."""
    tasks = held["tasks"]
    about = {key: value for key, value in held.items() if key != "tasks"}
    if about and tasks and isinstance(tasks[0], dict):
        tasks = [{**tasks[0], **{f"file {key}": value for key, value in about.items()}}, *tasks[1:]]
    prefix = "" if tag == _FIRST_TAG else f"{clean.line(tag)}:"
    yield from _read_list(tasks, f"{name}, {clean.line(tag)} task", prefix, None)


def _tags(found: Any) -> dict[str, dict[str, Any]] | None:
    """Find the tags: whatever holds a list of tasks, or the file as a whole."""
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("tasks"), list):
        return {_FIRST_TAG: found}
    tags = {tag: held for tag, held in found.items() if isinstance(held, dict) and isinstance(held.get("tasks"), list)}
    return tags or None


def is_one(found: Any) -> bool:
    """Whether a JSON value looks like a file of Task Master."""
    tags = _tags(found)
    first = next((task for held in (tags or {}).values() for task in held["tasks"] if isinstance(task, dict)), {})
    return bool({"testStrategy", "subtasks", "dependencies", "details"} & first.keys()) or (
        tags is not None and "tasks" not in found
    )


def _read_list(tasks: list[Any], place: str, prefix: str, above: str | None) -> Iterator[Item]:
    numbers = frozenset(str(task["id"]) for task in tasks if isinstance(task, dict) and "id" in task) if above else ()
    for number, record in enumerate(tasks, 1):
        where = _Place(f"{place} {number}", prefix, above, frozenset(numbers))
        yield from _read_task(Fields(record, where.where), where)


def _read_task(fields: Fields, place: _Place) -> Iterator[Item]:
    own = fields.text("id")
    if not own:
        raise ImportRefused(place.where, "id: it is missing")
    full = own if place.above is None or own.startswith(f"{place.above}.") else f"{place.above}.{own}"
    subtasks = fields.records("subtasks")
    yield _item(fields, place, full)
    yield from _read_list(subtasks, f"{place.where}, subtask", place.prefix, full)


def _item(fields: Fields, place: _Place, full: str) -> Item:
    for name in ("parentId", "parentTaskId", "parent_task_id"):
        fields.take(name)
    priority, notes = fields.priority("priority")
    draft = blank(
        ref=clean.line(place.prefix + full) or None,
        priority=priority,
        labels=clean.lines((place.prefix.rstrip(":"), *fields.texts("tags", "labels"))),
        assignee=clean.line(fields.text("assignee")) or None,
        created_at=fields.time("createdAt", "created_at", "created"),
    )
    return item(
        fields,
        FORMAT,
        key=place.prefix + full,
        title=fields.text("title", "name"),
        draft=draft,
        status=fields.text("status"),
        parts=(
            ("Context", fields.text("description")),
            ("Details", fields.text("details")),
            ("Acceptance criteria", "\n".join(fields.texts("acceptanceCriteria"))),
            ("Test strategy", fields.text("testStrategy", "test_strategy")),
        ),
        blockers=tuple(_blocker(place, given) for given in fields.texts("dependencies")),
        parent=place.prefix + place.above if place.above else None,
        notes=notes,
    )


def _blocker(place: _Place, given: str) -> str:
    if place.above and given in place.siblings:
        given = f"{place.above}.{given}"
    return given if ":" in given else place.prefix + given
