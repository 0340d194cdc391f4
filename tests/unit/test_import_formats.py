"""The readers of other tools' formats: beads, Backlog.md, Spec Kit, GitHub, taskq."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orange.core.imports import formats, report
from orange.core.imports.item import ImportRefused, Source
from tests.unit.test_imports import by_key, kept, one, shape, taken


def lines(*records: Any) -> str:
    """Write records one a line."""
    return "\n".join(map(json.dumps, records)) + "\n"


def bead(key: str, **more: Any) -> dict[str, Any]:
    """Make an issue of beads."""
    return {"id": key, "title": f"Issue {key}", "status": "open", "priority": 2, "issue_type": "task", **more}


def edge(issue: str, other: str, kind: str) -> dict[str, str]:
    """Make a dependency of beads."""
    return {"issue_id": issue, "depends_on_id": other, "type": kind, "created_at": "2026-01-01T00:00:00Z"}


def test_beads_kinds_of_dependencies() -> None:
    """Those that hold an issue up are blockers, the parent is a parent, the others are kept."""
    related = edge("bd-3", "bd-2", "related")
    source = one(
        lines(
            bead("bd-1", issue_type="epic"),
            bead("bd-2", status="closed", close_reason="Shipped"),
            bead(
                "bd-3",
                dependencies=[edge("bd-3", "bd-2", "blocks"), edge("bd-3", "bd-1", "parent-child"), related],
            ),
            bead("bd-4", status="blocked", parent="bd-1", dependencies=[edge("bd-4", "bd-3", "waits-for")]),
            bead("bd-5", status="tombstone"),
        ),
        "issues.jsonl",
    )
    assert formats.recognised(source) == "beads"
    found = taken(source, "beads")
    assert shape(found) == {
        "bd-1": ("delegated", [], None),
        "bd-2": ("done", [], None),
        "bd-3": ("pending", ["bd-2"], "bd-1"),
        "bd-4": ("pending", ["bd-3"], "bd-1"),
    }
    made = by_key(found)
    assert made["bd-1"].extra == {"x-beads": {"issue_type": "epic"}}
    assert made["bd-3"].extra == {"x-beads": {"dependencies": [related]}}
    assert found.fates[-1].reason == "it was deleted there"


def test_beads_fields() -> None:
    """Priorities are numbers, an estimate is in minutes, long texts are sections."""
    found = taken(
        one(
            json.dumps(
                bead(
                    "bd-1", priority=0, issue_type="bug", estimated_minutes=90, labels=["api", "api"], assignee="ada",
                    description="Why", design="How", acceptance_criteria="- it works",
                    created_at="2026-01-02T03:04:05.678+01:00",
                    comments=[{"id": 1, "author": "bob", "text": "Look", "created_at": "2026-01-03T00:00:00Z"}],
                    external_ref="gh-7", content_hash="abc",
                )
            )
        ),
        "beads",
    )  # fmt: skip
    (made, body), *_ = found.tasks
    assert (made.priority, made.type, made.estimate, made.labels) == ("critical", "bug", "90m", ("api",))
    assert (made.ref, made.assignee, made.created_at[:16]) == ("bd-1", "ada", "2026-01-02T02:04")
    assert made.extra == {"x-beads": {"external_ref": "gh-7", "content_hash": "abc"}}
    assert body == (
        "## Context\n\nWhy\n\n## Design\n\nHow\n\n## Acceptance criteria\n\n- it works\n\n"
        "## Comments\n\nbob, 2026-01-03T00:00:00Z:\n\nLook\n"
    )


PAGE = """---
id: task-7
title: >-
  Allow a job
  without an address
status: In Progress
assignee:
  - '@codex'
created_date: '2026-07-23 14:15'
labels: []
dependencies:
  - TASK-5
milestone: m-1
references:
  - src/app.py
  - https://example.org/x
priority: high
ordinal: 46000
---

## Description

<!-- SECTION:DESCRIPTION:BEGIN -->
Users need this.
<!-- SECTION:DESCRIPTION:END -->

## Acceptance Criteria
<!-- AC:BEGIN -->
- [ ] #1 It works
<!-- AC:END -->
"""


def page(key: str, **more: str) -> str:
    """Make a task of Backlog.md."""
    told = {"title": f"Page {key}", "status": "To Do", "created_date": "2026-01-01", **more}
    return "---\n" + "".join(f"{name}: {value}\n" for name, value in {"id": key, **told}.items()) + "---\n\nText\n"


def test_backlog_folder() -> None:
    """The place of a file says what its status may not; ids are compared in one writing."""
    files = {
        "tasks/task-5 - five.md": page("TASK-5", status="Done"),
        "tasks/task-7 - seven.md": PAGE,
        "tasks/task-7.01 - part.md": page("task-7.01", parent_task_id="task-7"),
        "tasks/readme.md": "# Not a task\n",
        "tasks/back-9.md": page("BACK-9", assignee="[@ada, '@bob']", reporter="@eve", parent_task_id="task-10"),
        "tasks/back-10.md": page("BACK-10", title="'a, @b'"),
        "drafts/draft-1.md": page("draft-1"),
        "archive/tasks/task-2 - two.md": page("task-2"),
        "completed/task-1.md": page("task-1", status="Done"),
        "docs/doc-1.md": page("doc-1"),
    }
    source = Source("backlog", files, many=True)
    assert formats.recognised(source) == "backlog"
    found = taken(source, "backlog")
    assert shape(found) == {
        "TASK-5": ("done", [], None),
        "TASK-7": ("delegated", ["TASK-5"], None),
        "TASK-7.01": ("pending", ["TASK-5"], "TASK-7"),
        "BACK-9": ("pending", [], "BACK-10"),
        "BACK-10": ("delegated", [], None),
        "DRAFT-1": ("backlog", [], None),
        "TASK-2": ("cancelled", [], None),
        "TASK-1": ("done", [], None),
    }
    assert report.counts(found)["skipped"] == 1
    assert by_key(found)["BACK-9"].assignee == "@ada, @bob"
    made = by_key(found)["TASK-7"]
    assert (made.title, made.ref, made.priority) == ("Allow a job without an address", "task-7", "high")
    assert (made.assignee, made.category, made.context_files) == ("@codex", "m-1", ("src/app.py",))
    assert made.created_at == "2026-07-23T14:15:00Z"
    assert made.extra["x-backlog"] == {
        "ordinal": "46000", "status": "In Progress", "references": ["https://example.org/x"],
    }  # fmt: skip
    body = next(body for task, body in found.tasks if task.ref == "task-7")
    assert body == "## Description\n\nUsers need this.\n\n## Acceptance Criteria\n- [ ] #1 It works\n"


def test_one_page_of_backlog_names_its_line() -> None:
    """A file that was named itself is refused where it cannot be read."""
    assert formats.recognised(one(PAGE)) == "backlog"
    with pytest.raises(ImportRefused, match=r"^file, line 4: "):
        taken(one("---\nid: a\ntitle: [\n---\n"), "backlog")


SPEC = """# Tasks: Photo albums

## Phase 1: Setup
- [x] T001 Create the project
- [ ] T002 [P] Set up linting
- [ ] T003 [P] Set up tests

## Phase 2: Foundational
- [ ] T004 Schema in src/db.py
  - [ ] with an index

## Phase 3: User Story 1 - Albums (Priority: P1)
### Tests for User Story 1
- [ ] T005 [P] [US1] Contract test
### Implementation
- [ ] T006 [US1] Model (depends on T004)

## Phase 4: User Story 2 - Sharing
- [ ] T007 [US2] Links
  - **Depends on T001-T002, T099**

## Phase 5: Polish
- [ ] T008 Docs
"""


def test_spec_kit_phases_stories_and_parallel_lines() -> None:
    """Set-up, foundation, stories beside each other, the rest; rows of [P] beside each other."""
    source = one(SPEC, "tasks.md", folder="001-albums")
    assert formats.recognised(source) == "spec-kit"
    found = taken(source, "spec-kit")
    short = {key[-4:]: (status, [wait[-4:] for wait in waits]) for key, (status, waits, _) in shape(found).items()}
    assert short == {
        "T001": ("done", []),
        "T002": ("pending", ["T001"]),
        "T003": ("pending", ["T001"]),
        "T004": ("pending", ["T002", "T003"]),
        "T005": ("pending", ["T004"]),
        "T006": ("pending", ["T004", "T005"]),
        "T007": ("pending", ["T001", "T002", "T004"]),
        "T008": ("pending", ["T006", "T007"]),
    }  # fmt: skip
    made = by_key(found)
    story = made["001-albums T006"]
    assert (story.title, story.ref, story.labels) == ("Model (depends on T004)", "T006", ("US1",))
    assert story.category == "Phase 3: User Story 1 - Albums (Priority: P1)"
    assert "- [ ] with an index" in next(body for task, body in found.tasks if task.ref == "T004")
    assert [note.message for note in found.warnings] == [
        "it waits for 001-albums T099, which is not there: the edge is kept as a note only"
    ]


def test_two_features_may_count_from_one() -> None:
    """The folder tells them apart; the ref goes to the first."""
    first = taken(one(SPEC, "tasks.md", folder="001-albums"), "spec-kit")
    second = taken(one(SPEC, "tasks.md", folder="002-search"), "spec-kit", *(task for task, _ in first.tasks), seed=50)
    assert report.counts(second)["created"] == 8
    assert {task.ref for task, _ in second.tasks} == {None}


def issue(number: int, **more: Any) -> dict[str, Any]:
    """Make an issue as `gh` prints it."""
    address = f"https://github.com/acme/shop/issues/{number}"
    return {"number": number, "title": f"Issue {number}", "state": "OPEN", "url": address, "body": "", **more}


def test_github_issues() -> None:
    """States with their reasons, labels, milestones, phrases of dependency; pull requests are no tasks."""
    source = one(
        json.dumps(
            [
                issue(1, state="CLOSED", stateReason="COMPLETED"),
                issue(2, state="CLOSED", stateReason="NOT_PLANNED"),
                issue(
                    3, body="Blocked by: #1, #2 and #9\n\nSee #4.", labels=[{"name": "bug"}, {"name": "P1"}],
                    assignees=[{"login": "ada"}], milestone={"title": "v1"}, createdAt="2026-01-01T00:00:00Z",
                    comments=[{"author": {"login": "bob"}, "body": "Yes", "createdAt": "2026-01-02T00:00:00Z"}],
                    reactionGroups=[{"content": "HEART"}],
                ),
                {"number": 4, "title": "Pull", "state": "open", "pull_request": {"url": "x"}, "labels": [], "user": {}},
            ]
        ),
        "issues.json",
    )  # fmt: skip
    assert formats.recognised(source) == "github"
    found = taken(source, "github")
    top = "acme/shop#"
    assert shape(found) == {
        f"{top}1": ("done", [], None),
        f"{top}2": ("cancelled", [], None),
        f"{top}3": ("pending", [f"{top}1", f"{top}2"], None),
    }
    made = by_key(found)[f"{top}3"]
    assert (made.ref, made.type, made.priority, made.labels) == ("#3", "bug", "high", ("bug", "P1"))
    assert (made.assignee, made.category, made.created_at) == ("ada", "v1", "2026-01-01T00:00:00Z")
    assert made.extra["x-github"] == {
        "url": "https://github.com/acme/shop/issues/3",
        "reactionGroups": [{"content": "HEART"}],
        "missing_blockers": ["acme/shop#9"],
    }
    assert found.fates[3].reason == "it is a pull request"


def test_taskq_takes_the_text_that_lies_beside_the_list() -> None:
    """Its first line is the title; what is not there is said; a branch that is not safe is only kept."""
    texts = {"tasks/T-001.md": "---\nid: T-001\nrepo: shop\n---\n# Clean up\n\nAll of it.\n"}
    source = one(
        lines(
            {"id": "T-001", "repo": "shop", "base": "main", "task_file": "/home/x/queue/tasks/T-001.md",
             "status": "todo", "branch": "task/T-001", "attempt": 0, "created_at": "2026-01-01T00:00:00Z"},
            {"id": "T-002", "task_file": "queue/tasks/T-002.md", "status": "building", "branch": "a b", "port": 4096},
            {"id": "T-003", "task_file": "../../etc/passwd", "status": "failed"},
        ),
        "tasks.jsonl",
        beside=texts.get,
    )  # fmt: skip
    assert formats.recognised(source) == "taskq"
    found = taken(source, "taskq")
    made = by_key(found)
    first = made["T-001"]
    assert (first.title, first.base, first.branch, first.ref) == ("Clean up", "main", "task/T-001", "T-001")
    assert kept(first, "taskq")["frontmatter"] == "id: T-001\nrepo: shop"
    assert found.tasks[0][1] == "# Clean up\n\nAll of it.\n"
    assert (made["T-002"].title, made["T-002"].branch, made["T-003"].status) == ("T-002", None, "stuck")
    assert [note.message for note in found.warnings if note.key == "T-002"] == [
        "it was 'building' in taskq: here it starts anew",
        "its text queue/tasks/T-002.md does not lie beside the list: it has none",
    ]
