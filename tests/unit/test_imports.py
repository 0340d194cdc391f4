"""Imports from other tools: what each reader makes of its format, and how keys become a graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from orange.core import names
from orange.core.imports import edges, formats, report
from orange.core.imports.item import ImportRefused, Source
from orange.core.imports.resolve import Home, Outcome, Resolved, resolve
from orange.core.lifecycle import Actor, Status
from orange.core.model import Board, Task
from orange.core.problems import NotAllowed
from orange.core.steps import SHAPES
from orange.project import importing
from orange.project.parts import Parts
from orange.project.requests import Speaker

NOW = "2026-11-20T12:00:00Z"


def fresh(seed: int = 0) -> Iterator[str]:
    """Give ids, always the same ones."""
    while True:
        seed += 1
        yield names.new_id(seed.to_bytes(16, "big"))


def one(text: str, name: str = "file", **more: Any) -> Source:
    """Make a source of one file."""
    return Source(name, {name: text}, **more)


def taken(source: Source, tool: str, *there: Task, seed: int = 0, default: Status = Status.PENDING) -> Resolved:
    """Read and resolve a source into a project."""
    home = Home(Board({task.id: task for task in there}), default, SHAPES, NOW)
    return resolve(formats.READERS[tool](source), tool, home, fresh(seed))


def by_key(found: Resolved) -> dict[str, Task]:
    """Give the new tasks by the keys of their items."""
    made = {task.id: task for task, _ in found.tasks}
    return {fate.item.key: made[fate.task] for fate in found.fates if fate.outcome is Outcome.CREATED and fate.task}


def shape(found: Resolved) -> dict[str, tuple[str, list[str], str | None]]:
    """Say of each new task: its status, what it waits for and its parent, by keys."""
    tasks = by_key(found)
    keys = {task.id: key for key, task in tasks.items()}
    return {
        key: (task.status.value, sorted(keys.get(one, one) for one in task.blocked_by), keys.get(task.parent or ""))
        for key, task in tasks.items()
    }


def master(*tasks: Mapping[str, Any], **tags: Any) -> Source:
    """Make a tasks.json."""
    return one(json.dumps({"master": {"tasks": tasks}, **tags}), "tasks.json")


def test_task_master_subtasks_and_dependencies() -> None:
    """Numbers of siblings, of tasks, of other parents' subtasks; an open parent hands its work and its waits down."""
    found = taken(
        master(
            {"id": 1, "title": "One", "status": "done"},
            {
                "id": 2,
                "title": "Two",
                "dependencies": [1],
                "subtasks": [
                    {"id": 1, "title": "A", "status": "pending", "dependencies": []},
                    {"id": 2, "title": "B", "dependencies": [1, "3.1"]},
                ],
            },
            {"id": 3, "title": "Three", "status": "deferred", "subtasks": [{"id": 1, "title": "C", "status": "done"}]},
        ),
        "taskmaster",
    )
    assert shape(found) == {
        "1": ("done", [], None),
        "2": ("delegated", ["1"], None),
        "2.1": ("pending", ["1"], "2"),
        "2.2": ("pending", ["1", "2.1", "3.1"], "2"),
        "3": ("backlog", [], None),
        "3.1": ("done", [], "3"),
    }
    assert found.warnings == ()


def test_task_master_fields_and_tags() -> None:
    """What has a place goes there, the rest is kept under one key; a tag tells its tasks apart and is a label."""
    found = taken(
        master(
            {"id": 1, "title": "One", "description": "Why", "details": "How", "testStrategy": "Try", "priority": "high",
             "complexity": 7},
            feat={"tasks": [{"id": 1, "title": "Other"}], "metadata": {"created": "then"}},
        ),
        "taskmaster",
    )  # fmt: skip
    first, other = by_key(found)["1"], by_key(found)["feat:1"]
    assert (first.ref, first.priority, first.extra) == ("1", "high", {"x-taskmaster": {"complexity": 7}})
    assert first.source == {"kind": "imported", "format": "taskmaster", "reference": "1"}
    assert found.tasks[0][1] == "## Context\n\nWhy\n\n## Details\n\nHow\n\n## Test strategy\n\nTry\n"
    assert (other.ref, other.labels) == ("feat:1", ("feat",))
    assert other.extra == {"x-taskmaster": {"file metadata": {"created": "then"}}}
    assert report.kept(found) == {"x-taskmaster.complexity": 1, "x-taskmaster.file metadata": 1}


@pytest.mark.parametrize(
    ("word", "status", "said"),
    [
        ("todo", "pending", ""),
        ("in-progress", "pending", "starts anew"),
        ("In Progress", "pending", "starts anew"),
        ("review", "stuck", "retry it"),
        ("blocked", "stuck", "retry it"),
        ("deferred", "backlog", ""),
        ("completed", "done", ""),
        ("Canceled", "cancelled", ""),
        ("on the moon", "backlog", "not known"),
    ],
)
def test_words_of_other_tools_for_a_status(word: str, status: str, said: str) -> None:
    """A known word has one meaning here; what changes it is said, and the word is kept."""
    found = taken(master({"id": 1, "title": "One", "status": word}), "taskmaster")
    made = by_key(found)["1"]
    assert made.status == status
    assert bool(said) is bool(found.warnings)
    assert all(said in note.message for note in found.warnings)
    assert made.extra == ({"x-taskmaster": {"status": word}} if said else {})
    assert (made.stuck is not None) is (status == "stuck")


def test_what_may_start_gets_the_status_of_new_tasks() -> None:
    """A project that captures first is not overrun by an import."""
    found = taken(master({"id": 1, "title": "One"}), "taskmaster", default=Status.BACKLOG)
    assert by_key(found)["1"].status is Status.BACKLOG


def test_edges_that_cannot_stand_are_said_and_kept() -> None:
    """Ids that are not there, circles, a task that waits for itself: the rest goes on."""
    found = taken(
        master(
            {"id": 1, "title": "A", "dependencies": [2, 99]},
            {"id": 2, "title": "B", "dependencies": [1]},
            {"id": 3, "title": "C", "dependencies": [3]},
        ),
        "taskmaster",
    )
    assert shape(found) == {"1": ("pending", ["2"], None), "2": ("pending", [], None), "3": ("pending", [], None)}
    assert [(note.key, note.message) for note in found.warnings] == [
        ("1", "it waits for 99, which is not there: the edge is kept as a note only"),
        ("2", "it and 1 wait for each other: that edge is left out"),
        ("3", "it and 3 wait for each other: that edge is left out"),
    ]
    assert by_key(found)["1"].extra == {"x-taskmaster": {"missing_blockers": ["99"]}}
    assert by_key(found)["2"].extra == {"x-taskmaster": {"left_out_blockers": ["1"]}}


def test_importing_again_creates_only_what_is_new() -> None:
    """What is here is left alone, whatever happened to it since; new tasks find it as blocker and as parent."""
    first = taken(master({"id": 1, "title": "A"}, {"id": 2, "title": "B"}), "taskmaster")
    there = [task for task, _ in first.tasks]
    again = taken(
        master(
            {"id": 1, "title": "A, reworded"},
            {"id": 2, "title": "B", "subtasks": [{"id": 1, "title": "Part"}]},
            {"id": 3, "title": "C", "dependencies": [1]},
        ),
        "taskmaster",
        *there,
        seed=100,
    )
    assert report.counts(again) == {"created": 2, "existing": 2, "skipped": 0}
    made = by_key(again)
    assert made["3"].blocked_by == (there[0].id,)
    assert made["2.1"].parent == there[1].id
    assert [note.message for note in again.warnings] == [
        f"it is here as {there[0].id} with the title 'A', which is left as it is"
    ]
    assert again.families == {there[1].id: (made["2.1"].id,)}
    assert taken(master({"id": 1, "title": "A"}), "taskmaster", *there).tasks == ()


def test_every_item_is_accounted_for() -> None:
    """Two with one key are both kept; one without a title and one that is too large are skipped with the reason."""
    found = taken(
        master(
            {"id": 1, "title": "A"}, {"id": 1, "title": "B"}, {"id": 2, "title": " "},
            {"id": 3, "title": "C", "details": "x" * 1_000_000},
        ),
        "taskmaster",
    )  # fmt: skip
    assert report.counts(found) == {"created": 2, "existing": 0, "skipped": 2}
    assert [fate.reason for fate in found.fates[2:]] == [
        "it has no title",
        "its text has 1000013 bytes, more than a task file may hold (900000)",
    ]
    assert [task.ref for task, _ in found.tasks] == ["1", None]
    assert [note.message for note in found.warnings] == [
        "there is another 1: both are kept, and what waits for it waits for the first"
    ]


def test_a_secret_is_refused_with_its_place() -> None:
    """What would stay in git for ever is not imported."""
    token = "ghp_" + "a1B2" * 9
    with pytest.raises(ImportRefused, match=r"^tasks\.json, master task 1: .*token"):
        taken(master({"id": 1, "title": "A", "notes": token}), "taskmaster")


CHECKLIST = """# Release

Some words. - [ ] not a task
- [P] nor this

## Before
- [x] Freeze
- [ ] Test on **Linux** 🐧
  more about it

      code
  - [ ] Also on macOS
    1. [-] and BSD
* [/] Write notes

```
- [ ] example
```
## After
- [ ] Test on **Linux** 🐧
- [?] Ask
"""


def test_checklists() -> None:
    """Marks, nesting, text beneath a line, headings; what stands in a fence is none."""
    found = taken(one(CHECKLIST, "TODO.md"), "checklist")
    top = "TODO.md > Release > "
    linux = f"{top}Before > Test on **Linux** 🐧"
    assert shape(found) == {
        f"{top}Before > Freeze": ("done", [], None),
        linux: ("delegated", [], None),
        f"{linux} > Also on macOS": ("pending", [], linux),
        f"{linux} > Also on macOS > and BSD": ("cancelled", [], f"{linux} > Also on macOS"),
        f"{top}Before > Write notes": ("pending", [], None),
        f"{top}After > Test on **Linux** 🐧": ("pending", [], None),
        f"{top}After > Ask": ("backlog", [], None),
    }
    assert by_key(found)[linux].category == "Before"
    assert next(body for task, body in found.tasks if task.category == "Before" and "Linux" in task.title) == (
        "more about it\n\n    code\n"
    )


def test_a_checklist_keeps_its_order_and_its_place_when_lines_move() -> None:
    """Ids grow with the lines, so that equal tasks start in that order; a moved or ticked line is the same task."""
    found = taken(one("- [ ] a\n- [ ] b\n- [ ] a\n"), "checklist")
    assert [task.id for task, _ in found.tasks] == sorted(task.id for task, _ in found.tasks)
    assert [fate.item.key for fate in found.fates] == ["file > a", "file > b", "file > a (2)"]
    again = taken(one("- [x] b\n\n- [ ] a\n"), "checklist", *(task for task, _ in found.tasks))
    assert report.counts(again) == {"created": 0, "existing": 2, "skipped": 0}


def orange(*tasks: Mapping[str, Any]) -> Source:
    """Make an export."""
    return one(json.dumps({"tasks": tasks}))


def kept(task: Task, tool: str = "orange") -> Any:
    """Give what is kept without a place."""
    return task.extra[f"x-{tool}"]


def test_own_tasks_keep_their_ids_and_lose_what_was_said_of_another_project() -> None:
    """A claim, a merge, a run: kept aside. A task that was bound to a run starts anew."""
    found = taken(
        orange(
            {"id": "k3f9x2ab", "title": "A", "status": "working", "run": "k3f9x2ab-1", "claim": {"run": "k3f9x2ab-1",
             "epoch": 3, "nonce": "n", "host": "h", "at": NOW}, "blocked_by": ["h7d2m4qe"], "state": "in_progress"},
            {"id": "h7d2m4qe", "title": "B", "status": "done", "merged": {"commit": "abc", "base": "main", "at": NOW},
             "x-tool": {"a": 1}, "x-orange": {"status": "stuck"}},
        ),
        "orange",
    )  # fmt: skip
    first, second = (task for task, _ in found.tasks)
    assert (first.id, first.status, first.blocked_by, first.claim) == ("k3f9x2ab", "pending", ("h7d2m4qe",), None)
    assert kept(first)["status"] == "working"
    assert (second.status, second.merged, second.source) == ("done", None, {})
    assert second.extra["x-tool"] == {"a": 1}
    assert kept(second)["merged"]["commit"] == "abc"
    assert [note.message for note in found.warnings] == ["it was working: here it starts anew"]


def test_children_keep_their_order() -> None:
    """The parent lists them as it did, in whatever order the file has them; whose they are, they say."""
    found = taken(
        orange(
            {"id": "top", "title": "T", "children": ["b", "gone", "a"]},
            *({"id": key, "title": key, "parent": "top"} for key in ("a", "b", "c")),
        ),
        "orange",
    )
    made = by_key(found)
    assert made["top"].children == (made["b"].id, made["a"].id, made["c"].id)


def test_tasks_written_by_hand_may_call_each_other_as_they_like() -> None:
    """Names that are no ids are keys of the file; the tasks get ids."""
    found = taken(orange({"id": "db", "title": "DB"}, {"id": "api", "title": "API", "blocked_by": ["db"]}), "orange")
    made = by_key(found)
    assert made["api"].blocked_by == (made["db"].id,)
    assert names.is_id(made["db"].id)
    again = taken(orange({"id": "db", "title": "DB"}), "orange", *(task for task, _ in found.tasks))
    assert report.counts(again)["existing"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1, column 2: it is not JSON"),
        ('{"tasks": [{"title": 3.5}, {"status": "moon", "title": "a"}]}', "tasks 2: status: 'moon' is not known"),
        ('{"tasks": [{"title": "a", "title": "b"}]}', "'title' appears twice"),
        ('{"tasks": [7]}', "tasks 1: expected an object, found a number"),
        ('{"tasks": [{"title": "a", "labels": {"b": 1}}]}', "tasks 1: labels: must be a list"),
        ('{"tasks": [{"title": "a", "body": []}]}', "tasks 1: body: expected a text"),
        ('{"title": NaN}', "NaN is no number"),
        ("[" * 5000, "nested too deeply"),
        ("[" * 100 + "]" * 100, "more than 64 lists and maps"),
        ('{"title": ' + "1" * 5000 + "}", "JSON that can be kept"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, said: str) -> None:
    """The file, the line or record, the field."""
    with pytest.raises(ImportRefused) as refused:
        taken(one(text), "orange")
    assert refused.value.message.startswith("file")
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"tasks": [{"id": "k3f9x2ab", "title": "a", "status": "done", "blocked_by": []}]}', "orange"),
        ('{"master": {"tasks": []}}', "taskmaster"),
        ('{"tasks": [{"id": 1, "title": "a", "dependencies": []}]}', "taskmaster"),
        ('{"type": "task", "payload": {}}', "job"),
        ('{"task": {"instructions": "x"}}', "job"),
        ("# Plan\n\n- [ ] a\n", "checklist"),
    ],
)
def test_a_format_is_recognised_by_its_content(text: str, name: str) -> None:
    """No option is needed where the content says it."""
    assert formats.recognised(one(text)) == name


@pytest.mark.parametrize("text", ["", "just words", "[]", "{}", "[1]", "\0\1"])
def test_what_is_not_clear_is_asked_for(text: str) -> None:
    """One sentence names the choices."""
    with pytest.raises(ImportRefused, match="say --format orange"):
        formats.recognised(one(text))


def test_agents_do_not_import() -> None:
    """They create tasks one by one, within their caps."""
    agent = Speaker(Actor.AGENT, "k3f9x2ab-1", "k3f9x2ab")
    with pytest.raises(NotAllowed, match="importing is for people"):
        importing.import_items(cast("Parts", None), agent, one("- [ ] a"), "checklist", dry_run=False)


# -- circles


def test_edges_that_may_not_go_stay() -> None:
    """A circle among tasks that were there already is not the import's to open."""
    assert edges.opened({"a": ["b"], "b": ["a"]}, {}, lambda *_: False) == []


def test_a_long_chain_and_a_thick_knot_come_to_an_end() -> None:
    """Each pass is linear, and few are needed: thousands of edges all against each other."""
    many = {str(n): [str((n * k) % 300) for k in range(1, 11)] for n in range(300)}
    chain = {str(n): [str(n + 1)] for n in range(2_000)}
    assert edges.opened(chain, {}, lambda *_: True) == []
    assert edges.opened(many, {}, lambda *_: True)
