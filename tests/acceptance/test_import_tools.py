"""`orange task import` and `export` with other tools' files: one commit or nothing, once however often."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import fresh_place
from tests.acceptance.place import Place

PARTS = [
    {"id": 1, "title": "First", "status": "pending", "details": "```script\nwrite a.txt a\n```"},
    {"id": 2, "title": "Second", "details": "```script\nrequire a.txt\nwrite b.txt b\n```", "dependencies": [1]},
]
TASKS: list[dict[str, Any]] = [
    {"id": 1, "title": "Begin 🍊", "status": "done", "priority": "high", "description": "Why"},
    {"id": 2, "title": "Both", "status": "pending", "dependencies": [1], "subtasks": PARTS, "complexity": 7},
]


def put(place: Place, name: str, value: object) -> str:
    """Write a file beside the project."""
    path = place.home / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(path)


def listed(place: Place) -> list[dict[str, Any]]:
    """List all tasks."""
    found: list[dict[str, Any]] = place.orange("task", "list", "--all", "--json").json["tasks"]
    return found


def test_tasks_of_another_tool_are_worked_off_in_their_order(place: Place) -> None:
    """What was finished there holds nobody up; a parent's parts run, and the parent closes with them."""
    path = put(place, "tasks.json", {"master": {"tasks": TASKS}})
    dry = place.orange("task", "import", path, "--dry-run", "--json").json
    assert (dry["counts"], listed(place)) == ({"created": 4, "existing": 0, "skipped": 0}, [])
    before = place.git("rev-list", "--count", "orange-tasks")
    told = place.orange("task", "import", path).out
    assert "created 4 of 4 items" in told
    assert "x-taskmaster.complexity (1)" in told
    assert int(place.git("rev-list", "--count", "orange-tasks")) == int(before) + 1
    place.start()
    place.settled({"begin": "done", "first": "done", "second": "done", "both": "done"})
    assert place.git("show", "refs/orange/base/main:b.txt") == "b"


def test_importing_twice_creates_once(place: Place) -> None:
    """Also when both are at it in the same moment."""
    path = put(place, "tasks.json", {"master": {"tasks": TASKS}})
    both = [
        subprocess.Popen(
            place.argv("task", "import", path, "--json"), cwd=place.repo, env=place.env, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    answers = [json.loads(one.communicate(timeout=300)[0]) for one in both]
    assert sorted(answer["counts"]["created"] for answer in answers) == [0, 4]
    assert len(listed(place)) == 4
    again = place.orange("task", "import", path).out
    assert "created 0 of 4 items" in again
    assert "here already, left as they are: 4" in again


def test_what_is_exported_is_imported_as_it_was(place: Place, tmp_path: Path) -> None:
    """Into another project, and from there again: the same text, ids and all."""
    place.orange("task", "import", put(place, "tasks.json", {"master": {"tasks": TASKS}}))
    place.orange("task", "create", "Of my own", "--label", "a: b", "--body", "Words\n\n- [ ] and a box  \n")
    first = place.orange("task", "export").out
    (tmp_path / "other").mkdir()
    shown = place.orange("task", "show", "of-my-own", "--json").out
    with fresh_place(tmp_path / "other") as other:
        dry = other.orange("task", "import", put(other, "shown.json", shown), "--dry-run", "--json").json
        assert (dry["kept"], dry["warnings"], dry["counts"]["created"]) == ([], [], 1)
        assert "created 5 of 5 items" in other.orange("task", "import", put(other, "tasks.json", first)).out
        second = other.orange("task", "export").out
        same = [json.loads(text)["tasks"] for text in (first, second)]
        assert [_at_rest(task) for task in same[0]] == [_at_rest(task) for task in same[1]]
        lines = other.orange("task", "export", "--format", "jsonl").out
        assert "here already, left as they are: 5" in other.orange("task", "import", put(other, "t.jsonl", lines)).out
        assert "## Begin 🍊" in other.orange("task", "export", "--format", "md").out


def _at_rest(task: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is said of the project, not of the task."""
    return {name: value for name, value in task.items() if name not in {"project", "waiting"}}


def test_a_folder_of_another_tool_is_read(place: Place) -> None:
    """Backlog.md's many files, or the one file that a tool keeps in its folder, with the texts beside it."""
    pages = place.home / "app" / "backlog" / "tasks"
    pages.mkdir(parents=True)
    (pages / "task-1 - one.md").write_text("---\nid: task-1\ntitle: One\nstatus: To Do\n---\n\nWords\n")
    queue = place.home / "queue"
    (queue / "tasks").mkdir(parents=True)
    (queue / "tasks" / "T-1.md").write_text("# Two\n\nMore words\n")
    (queue / "tasks.jsonl").write_text('{"id": "T-1", "task_file": "queue/tasks/T-1.md", "status": "todo"}\n')
    assert "created 1 of 1" in place.orange("task", "import", str(place.home / "app")).out
    again = place.orange("task", "import", str(place.home / "app" / "backlog"), "--json").json
    assert (again["format"], again["counts"]["existing"]) == ("backlog", 1)
    made = place.orange("task", "import", str(queue / "tasks.jsonl"), "--json").json
    assert (made["format"], made["tasks"][0]["title"]) == ("taskq", "Two")
    assert place.orange("task", "show", "T-1", "--json").json["task"]["body"] == "# Two\n\nMore words\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"master": {"tasks": [{"id": 1, "title": "A"}, {"title": "B"}]}}', "master task 2: id: it is missing"),
        ('{"master": {"tasks": [{"id": 1, "title": ["A"]}]}}', "master task 1: title: expected a text, found a list"),
        ('{"tasks": [', "line 1, column 12: it is not JSON"),
        ("only words", "it is not clear what it holds: say --format"),
        ("\0\0\0", "it is not clear what it holds: say --format"),
    ],
)
def test_a_file_that_cannot_be_taken_changes_nothing(place: Place, text: str, said: str) -> None:
    """One sentence names the file, the record and the field."""
    answer = place.orange("task", "import", put(place, "tasks.json", text), fails=True)
    assert f"tasks.json{': ' if 'clear' in said else ', '}{said}" in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert listed(place) == []


def test_files_that_are_none(place: Place) -> None:
    """No file, binary, a folder without tasks."""
    binary = place.home / "a.json"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, said in ((str(binary), "not UTF-8"), ("nowhere.json", "No such file"), (".", "name the file itself")):
        assert said in place.orange("task", "import", path, fails=True).err
