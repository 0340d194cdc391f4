"""Imports from other tools: whatever a file holds, each item is accounted for, or one sentence says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core import cycles, document
from orange.core.imports import clean, edges, formats, jsontext, report
from orange.core.imports.item import ImportRefused, Source
from orange.core.model import Task
from orange.core.problems import OrangeError
from tests.unit.test_imports import NOW, one, taken

_nodes = st.integers(0, 7).map(str)
_edges = st.dictionaries(_nodes, st.lists(_nodes, max_size=4, unique=True), max_size=8)
_parents = st.dictionaries(_nodes, _nodes, max_size=6)


@given(_edges, _parents)
def test_no_circle_is_left(blockers: dict[str, list[str]], parents: dict[str, str]) -> None:
    """Whatever waits for whatever: afterwards the graph has no cycle, and only edges were taken out."""
    for cut in edges.loops(parents):
        del parents[cut]
    before = {node: list(waits) for node, waits in blockers.items()}
    children: dict[str, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    gone = edges.opened(blockers, children, lambda _node, _blocker: True)
    everyone = {*blockers, *(other for waits in before.values() for other in waits), *parents, *parents.values()}
    tasks = {
        node: Task(node, "t", "t", blocked_by=tuple(blockers.get(node, ())), parent=parents.get(node))
        for node in everyone
    }
    assert cycles.cycles(tasks) == ()
    assert {(node, other) for node, waits in before.items() for other in waits} - set(gone) == {
        (node, other) for node, waits in blockers.items() for other in waits
    }


_scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))
_words = st.sampled_from(["1", "2", "2.1", "a", "done", "open", "review", "high", "P9", "2026-11-20T09:00:00Z", "T001"])
_values = st.recursive(
    st.one_of(_scalars, _words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=8,
)
_NAMES = """
    id title name status priority dependencies subtasks details testStrategy description tags labels assignee
    blocked_by parent body ref type created_at children x-orange merged stuck job source task estimate
    issue_type acceptance_criteria notes design comments number state stateReason milestone url user assignees
    depends_on_id issue_id external_ref estimated_minutes repo task_file branch base attempt worktree_path
"""
_records = st.dictionaries(st.one_of(st.sampled_from(_NAMES.split()), st.text(max_size=4)), _values, max_size=9)
_files = st.one_of(
    st.lists(_records, max_size=4),
    st.lists(_records, max_size=4).map(lambda tasks: {"tasks": tasks}),
    st.dictionaries(
        st.text(max_size=4), st.lists(_records, max_size=3).map(lambda tasks: {"tasks": tasks}), max_size=2
    ),
    _values,
)


def whole(source: Source, tool: str) -> None:
    """Every item is accounted for, every task can be written, nothing waits in a circle; or one sentence says why."""
    try:
        found = taken(source, tool)
    except ImportRefused:
        return
    tasks = {task.id: task for task, _ in found.tasks}
    assert len(found.fates) == sum(report.counts(found).values())
    assert len(tasks) == len(found.tasks) == report.counts(found)["created"]
    assert cycles.cycles(tasks) == ()
    for task, body in found.tasks:
        assert set(task.blocked_by) <= tasks.keys()
        try:
            made = document.parse(document.render(task, body), "TASK.md")
        except OrangeError:
            if tool == "orange":  # its own keys may hold what no file can: it is refused then
                continue
            raise
        assert isinstance(made, document.Document)
        assert (made.task.title, made.body) == (task.title, body)
    assert list(report.lines(found, dry_run=True))


@pytest.mark.parametrize("tool", sorted(formats.READERS))
@given(_files)
def test_no_json_breaks_a_reader(tool: str, value: Any) -> None:
    """Whatever programs write: wrong types, strange keys, control characters, huge numbers."""
    whole(one(json.dumps(value)), tool)


_lines = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["- [ ] a", "  - [x] b", "    - [ ] c", "# A", "## B", "```", "~~~~", "\t* [-] d", "1. [?] e", ""]),
)


@given(st.lists(_lines, max_size=12).map("\n".join))
def test_no_text_breaks_a_reader(text: str) -> None:
    """Fences that never close, boxes of any mark, headings, noise."""
    whole(one(text), "checklist")


@given(st.binary(max_size=60).map(lambda data: data.decode("utf-8", "replace")))
def test_noise_is_refused(text: str) -> None:
    """What is no file of a format is refused in one sentence, by every reader."""
    for tool in formats.READERS:
        whole(one(text), tool)


@given(_values)
def test_what_is_kept_can_be_written(value: Any) -> None:
    """Under a key, or in the body where it is too much for one."""
    read = jsontext.load(json.dumps({"a": value}).replace("NaN", "0").replace("Infinity", "1e999"), "file")
    extra, body = clean.kept("tool", read)
    task = Task("k3f9x2ab", "T", "t", created_at=NOW, extra=extra)
    assert isinstance(document.parse(document.render(task, body), "TASK.md"), document.Document)


_phrases = st.sampled_from(
    ["- [ ] T001 a", "- [x] T002 [P] b", "  - [ ] c", "## Phase 1", "depends on T001-T009", "---", "id: a", "title: b",
     "dependencies:", "  - a", "created_date: '2026-01-01'", "status: [", "<!-- AC:BEGIN -->", "\t", "Blocked by #1"]
)  # fmt: skip
_texts = st.lists(st.one_of(_phrases, st.text(max_size=12)), max_size=12).map("\n".join)


@given(_texts)
def test_no_text_breaks_a_reader_of_folders(text: str) -> None:
    """Lists without numbers, frontmatter that never closes, phrases that lead nowhere."""
    whole(one(text), "spec-kit")
    whole(one(text), "backlog")
    whole(Source("b", {"tasks/a.md": text, "drafts/b.md": f"---\n{text}\n---\n{text}"}, many=True), "backlog")
    whole(one(json.dumps({"id": "a", "task_file": "a.md"}), beside=lambda _: text), "taskq")
    whole(one(json.dumps({"number": 1, "title": "a", "body": text})), "github")
