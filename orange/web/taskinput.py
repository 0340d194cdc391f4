"""What a client may say of a task, in the API's names and in those of older task programs. Pure.

Next in the flow: `routes.tasks` hands the facade what is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orange.core.lifecycle import Status
from orange.core.model import Priority, Publish
from orange.core.service.shapes import Anything, Choice, Items, Nullable, Record, Shape, Text, Texts, choice_of
from orange.project.requests import FREE, Edit, NewTask

_LINE = Text(longest=2000)
_SOME = Text(least=1, longest=2000)
_LINES = Items(_SOME)
PRIORITY = choice_of(Priority, P0="critical", P1="high", P2="medium", P3="low")
_FIRST = Choice([Status.BACKLOG.value, Status.PENDING.value], "Where it begins: backlog unless told.", Status)

_NEW: Mapping[str, Shape] = {
    "title": Text("One line that says what is wanted.", least=1, longest=2000),
    "name": Text("The short name in its folder and branch; made of the title where it is not given.", longest=200),
    "body": Text("Markdown."),
    "status": _FIRST,
    "type": Text("Chooses the pipeline.", least=1, longest=64),
    "priority": PRIORITY,
    "blocked_by": Items(_SOME, about="Ids, names or refs of the tasks that must be done before."),
    "parent": Nullable(_SOME),
    "labels": _LINES,
    "acceptance_criteria": _LINES,
    "context_files": _LINES,
    "agent": Nullable(_LINE),
    "model": Nullable(_LINE),
    "effort": Nullable(_LINE),
    "skill": _LINE,
    "base": Nullable(_LINE),
    "branch": Nullable(_LINE),
    "publish": Nullable(choice_of(Publish)),
    "requires": _LINES,
    "assignee": Nullable(_LINE),
    "estimate": Nullable(_LINE),
    "category": Nullable(_LINE),
    "session": Nullable(_LINE),
    "ref": Nullable(_LINE),
    "source": Anything(about="Where it comes from: texts by key."),
}
#: A task to create.
NEW = Record(
    _NEW,
    ("title",),
    {"task_type": "type", "parent_id": "parent", "description": "body", "instructions": "body"},
)


def _clearable(key: str) -> Shape:
    shape = _NEW[key]
    return shape if isinstance(shape, (Nullable, Items)) or key == "type" else Nullable(shape)


#: Changes to one; its status is changed by a transition.
CHANGES = Record(
    {
        "title": Text(least=1, longest=2000),
        "priority": PRIORITY,
        "labels": Items(_SOME, about="All of its labels."),
        "add_labels": _LINES,
        "remove_labels": _LINES,
        **{key: _clearable(key) for key in FREE},
        "parent": Nullable(_SOME),
        "sections": Texts("Sections of its body: name -> Markdown."),
    },
    (),
    {"task_type": "type", "parent_id": "parent"},
)
#: Changes to one of many.
UPDATE = Record(
    {
        "task": Text("Which: id, name or ref.", least=1, longest=500),
        "if_match": Text("Its ETag, as it was read.", least=1, longest=200),
        **CHANGES.keys,
    },
    ("task",),
    CHANGES.aliases,
)


def new_task(said: Mapping[str, Any]) -> NewTask:
    """Make the request to create a task."""
    given = {key: value for key, value in said.items() if value is not None}
    given["source"] = {str(key): str(value) for key, value in given.get("source", {}).items()}
    return NewTask(**{"status": Status.BACKLOG, "no_parent": "parent" not in given, **given})


def edit(said: Mapping[str, Any], etag: str | None) -> Edit:
    """Make the request to change a task that was seen with this ETag."""
    seen = etag.removeprefix("W/").strip('"') if etag else None
    return Edit(
        title=said.get("title"),
        priority=said.get("priority"),
        labels=said.get("labels"),
        add_labels=said.get("add_labels", ()),
        remove_labels=said.get("remove_labels", ()),
        values={key: said[key] for key in FREE if key in said},
        parent=(said["parent"] or "") if "parent" in said else None,
        sections=said.get("sections", {}),
        seen=None if seen == "*" else seen,
    )
