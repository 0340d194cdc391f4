"""What documents are written like, one habit at a time: where their tasks, parents and order stand."""

from __future__ import annotations

from typing import Any

import pytest

from orange.core.model import Priority
from orange.core.plans.labels import label, titled
from orange.core.plans.model import Granularity
from orange.core.plans.phrases import claims, is_sequence
from orange.core.plans.roles import Role, role_of
from tests.unit.test_plans_deciding import WORDED, order, plan_of, tree

LOOK_PAY = ["Users can look", "Users can pay"]


@pytest.mark.parametrize(
    ("text", "tasks"),
    [
        # a paragraph that begins with an id, in a quotation or not
        ("> REQ-1\n>\n> Users can look.\n>\n> critical\n\n---\n\n> REQ-2\n> Users can pay.\n", LOOK_PAY),
        ("**FR-1**: Users can look.\n\nAt all.\n\n**FR-2**: Users can pay.\n", LOOK_PAY),
        # a bold number above its points
        ("**1. add-login** (No dependencies)\n- A form\n\n**2. add-till**\n- Money\n", ["add-login", "add-till"]),
        # one of them is a sentence like others
        ("## Tasks\n- [ ] Add one\n- [ ] Add two\n\nREQ-1: said before.\n", ["Add one", "Add two"]),
        ("## Tasks\n- [ ] Add one\n- [ ] Add two\n\n**1. First**\n- said\n", ["Add one", "Add two", "said"]),
        # an id inside of a sentence names nothing
        ("## Tasks\n- [ ] Add one\n- [ ] Add two\n\nREQ-1 is dear.\n\nREQ-2 is not.\n", ["Add one", "Add two"]),
    ],
)  # fmt: skip
def test_paragraphs_that_name_tasks_are_tasks(text: str, tasks: list[str]) -> None:
    """Where there are several; what stands below is theirs."""
    assert list(tree(plan_of(text))) == tasks


def test_what_follows_a_paragraph_with_an_id_is_its_context() -> None:
    """Up to the next one."""
    (one, _) = plan_of("**FR-1**: Sign in.\n\nBy e-mail.\n\n- quickly\n\n**FR-2**: Pay.\n").tasks
    assert (one.context, one.criteria) == (("By e-mail.",), ("quickly",))
    assert one.lines is not None
    assert one.lines.first == 1


@pytest.mark.parametrize(
    ("head", "rows", "tasks"),
    [
        ("| Name | Icon |", "| Food | f |\n| Cars | c |", None),
        ("| Feature | Icon |", "| Search | s |\n| Login | l |", ["Search", "Login"]),
        ("| Name | Priority |", "| Search | P1 |\n| Login | P2 |", ["Search", "Login"]),
        ("| Issue | Title |", "| #1 | Search |\n| #2 | Login |", ["Search", "Login"]),
        ("| Issue | Blocked by |", "| Find it | - |\n| Show it | - |", ["Find it", "Show it"]),
        ("| ID | Description |", "| 1 | Search |\n| 2 | Login |", ["Search", "Login"]),
        ("| id | name | dependent_tasks |", "| 1 | Search | - |\n| 2 | Login | 1 |", ["Search", "Login"]),
    ],
)
def test_tables_list_work_where_their_heads_say_so(head: str, rows: str, tasks: list[str] | None) -> None:
    """A name alone is anything's name."""
    rule = "|".join("---" for _ in head.split("|")[1:-1])
    text = f"# T\n\n## Things\n\n{head}\n|{rule}|\n{rows}\n\n## TODO\n- [ ] Add one\n- [ ] Add two\n"
    found = [title for title in tree(plan_of(text)) if not title.startswith("Add") and title != "Things"]
    assert found == (tasks or [])


def test_columns_name_what_is_waited_for_and_parents() -> None:
    """However they are written; who waits for its parent is no part of it."""
    plan = plan_of(
        "| id | name | dependent_tasks | parent_task |\n|---|---|---|---|\n"
        "| 1 | Plan it | - | - |\n| 2 | Draw it | 1 | 1 |\n| 3 | Colour it | - | 2 |\n"
    )
    assert order(plan, WORDED) == {"Plan it": {"Draw it"}}
    assert tree(plan) == {"Plan it": None, "Draw it": None, "Colour it": "Draw it"}


PARENTS = "- REQ-1: Import\n- REQ-2: From files\n  - child-of: REQ-1\n- REQ-3: From CSV\n  - child-of: REQ-2\n"


@pytest.mark.parametrize(
    ("asked", "parents"),
    [
        ({}, {"Import": None, "From files": "Import", "From CSV": "Import"}),
        ({"granularity": Granularity.FINE}, {"Import": None, "From files": "Import", "From CSV": "From files"}),
    ],
)
def test_a_task_stands_below_the_parent_it_names(asked: dict[str, Any], parents: dict[str, str | None]) -> None:
    """As deep as is wanted."""
    assert tree(plan_of(PARENTS, **asked)) == parents


def test_parents_that_name_each_other_are_broken() -> None:
    """The first one is believed; one that is no task is left."""
    text = "- REQ-1: One\n  - Parent: REQ-2\n- REQ-2: Two\n  - Parent: REQ-1\n- REQ-3: Three\n  - Parent: REQ-9\n"
    assert tree(plan_of(text)) == {"Two": None, "One": "Two", "Three": None}


MILESTONES = """## Overview of milestones
| Milestone | Date |
|---|---|
| M1: Harness | May |

## Detailed Milestone Breakdown
### M1: Harness
#### Deliverables
- [ ] A runner
- [ ] A report
#### Success Criteria
- [ ] It runs
#### Results
- It ran
### M2: Blocks
#### Deliverables
- [ ] The loop
#### Dependencies
- M1: Harness
"""


def test_milestones_hold_their_deliverables() -> None:
    """`M1` above deliverables is a milestone, and what it brought is no work."""
    plan = plan_of(MILESTONES)
    assert tree(plan) == {
        "Harness": None,
        "A runner": "Harness",
        "A report": "Harness",
        "Blocks": None,
        "The loop": "Blocks",
    }
    assert order(plan, WORDED) == {"Harness": {"Blocks"}}


def test_headings_that_are_fields_belong_to_what_they_stand_below() -> None:
    """As lines of the same form."""
    text = "## Phase 1: Core\n### Components to Implement\n- Parser\n- Writer\n### Estimated Effort: 3 days\n"
    plan = plan_of(text)
    assert tree(plan) == {"Core": None, "Parser": "Core", "Writer": "Core"}
    assert plan.tasks[0].estimate == "3d"


def test_an_id_in_a_field_makes_a_task() -> None:
    """And what stands below it is its own; a sentence behind the word is no id."""
    text = "## Sign-in\n**Requirement ID**: TR-1\n### Details\n- It is fast\n## Pay\n**ID:** TR-2\n\nAfter TR-1.\n"
    plan = plan_of(text)
    assert [(task.ref, task.title, task.criteria) for task in plan.tasks] == [
        ("TR-1", "Sign-in", ("Details: It is fast",)),
        ("TR-2", "Pay", ()),
    ]
    assert order(plan, WORDED) == {"Sign-in": {"Pay"}}
    assert plan_of(text.replace("TR-1\n", "to come\n", 1)).tasks[0].ref is None


OUTLINE = """- commands:
\t* allow more targets
\t* wait for a signal, or
\t  for a time
- layout stuff
\t* tag a layout

TODO soon:

- Searching is slow
"""


def test_points_within_points_are_groups_in_an_outline() -> None:
    """Where most of a document is points above any heading; a number or a box is no name of a group."""
    plan = plan_of(OUTLINE, "TODO")
    assert tree(plan) == {
        "commands": None, "allow more targets": "commands", "wait for a signal, or for a time": "commands",
        "layout stuff": None, "tag a layout": "layout stuff", "Searching is slow": None,
    }  # fmt: skip
    assert list(tree(plan_of("1. Add one\n   - small\n2. Add two\n   - large\n"))) == ["Add one", "Add two"]


PASTED = """📖 Product Requirements – Money

Version: 1 (new)

🎯 Vision

Deliver an app.

🚀 Epic 0: Accounts (High Priority)

Goal: let people in.

Stories

Account page (name, group).

Invitations by mail.

🔐 Epic 1: Budgets

Stories

Alerts when money is short.

🆕 Changes in Version 1

Added Epic 0 → covers invitations.
"""


def test_text_without_marks_is_read_by_its_lone_lines() -> None:
    """Signs, numbers and words for work head something; a line each below work is a task."""
    plan = plan_of(PASTED)
    assert tree(plan) == {
        "Accounts": None, "Account page (name, group)": "Accounts", "Invitations by mail": "Accounts",
        "Budgets": None, "Alerts when money is short": "Budgets",
    }  # fmt: skip
    assert order(plan, WORDED) == {}
    assert plan.tasks[0].priority is Priority.HIGH


def test_points_that_only_say_that_work_follows_give_way_to_it() -> None:
    """`MVP requirements:`; what names a part stays."""
    text = "# Roadmap\n- **MVP requirements:**\n  1. Set up\n  2. Build\n- **Search improvements:**\n  1. Rank\n"
    assert list(tree(plan_of(text))) == ["Set up", "Build", "Search improvements"]


@pytest.mark.parametrize(
    ("text", "parents"),
    [
        ("## Map tasks\n- [ ] Rank\n- [ ] Show\n", {"Map tasks": None, "Rank": "Map tasks", "Show": "Map tasks"}),
        ("## Core tasks\n- [ ] Rank\n- [ ] Show\n", {"Rank": None, "Show": None}),
        ("## Map tasks\n- [ ] Rank\n## Tasks\n- [ ] Show\n", {"Rank": None, "Show": None}),
    ],
)  # fmt: skip
def test_a_heading_for_work_that_names_a_part_is_a_group(text: str, parents: dict[str, str | None]) -> None:
    """With two points at least."""
    assert tree(plan_of(f"# T\n{text}## Notes\nNone.\n")) == parents


def test_a_point_about_what_comes_later_is_no_task() -> None:
    """As a heading of that kind."""
    text = "## Roadmap\n- Add one\n- Add two\n- **Future Enhancements:** accounts, pictures\n"
    assert list(tree(plan_of(text))) == ["Add one", "Add two"]


def test_boxes_below_what_comes_later_are_work() -> None:
    """Points are not."""
    text = "## Tasks\n- [ ] Add one\n- [ ] Add two\n## Future Enhancements\n- [ ] Rank\n- [ ] Show\n"
    assert list(tree(plan_of(text))) == ["Add one", "Add two", "Rank", "Show"]
    assert list(tree(plan_of(text.replace("- [ ] Rank\n- [ ] Show", "- Rank\n- Show")))) == ["Add one", "Add two"]


def test_lists_about_order_name_each_other_by_number() -> None:
    """Of the list, not of the document."""
    text = (
        "# Requirements\n1. Build the page\n2. Build the server\n3. Store it\n# Dependency Chain\n1. Build the server\n"
        "2. Store it (depends on 1)\n3. Build the page (depends on 1 & 2). *The page comes last.*\n"
    )
    assert order(plan_of(text), WORDED) == {
        "Build the server": {"Store it", "Build the page"}, "Store it": {"Build the page"},
    }  # fmt: skip


def test_all_phases_are_each_of_them() -> None:
    """But for itself."""
    text = "## Phase 1: A\n- [ ] Add x\n## Phase 2: B\n- [ ] Add y\n## Phase 3: C\n- [ ] Add z\n"
    found = order(plan_of(f"{text}## Dependencies\n- **C (Phase 3)**: Depends on all phases\n"), WORDED)
    assert found == {"A": {"C"}, "B": {"C"}}


def test_forms_of_a_word_are_one() -> None:
    """`After removing x:` above the points of what follows."""
    text = "## Phase 1: Remove the old path\n- a\n## Phase 2: Clean up\nAfter removing the old path:\n\n1. b\n2. c\n"
    assert order(plan_of(text), WORDED) == {"Remove the old path": {"Clean up"}}


def test_epics_by_id_hold_their_rows() -> None:
    """Rows of the same words and other ids are other tasks."""
    rows = (
        "| Issue | Title | Status |\n|---|---|---|\n| #1 | Test it on a page | Open |\n| #2 | Test it on a page | |\n"
    )
    plan = plan_of(f"### EPIC-1: Quality\n{rows}")
    assert [(task.ref, task.parent) for task in plan.tasks] == [("EPIC-1", None), ("#1", "epic-1"), ("#2", "epic-1")]


def test_priorities_head_work() -> None:
    """And are its priority."""
    plan = plan_of("# High\n- Add one\n# Low Priority\n- Add two\n- Add three\n")
    assert [(task.title, task.parent, task.priority) for task in plan.tasks] == [
        ("Add one", None, Priority.HIGH), ("Add two", None, Priority.LOW), ("Add three", None, Priority.LOW),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["TODO.md", "docs/product-backlog.md", "todo"])
def test_a_file_that_is_called_a_list_of_work_is_one(name: str) -> None:
    """Its points are work below any heading, and boxes beside them change nothing."""
    text = "# Shop\n## Page\n- [ ] Add one\n- [ ] Add two\n## Other\n- Sound\n- Light\n"
    assert list(tree(plan_of(text, name))) == ["Page", "Add one", "Add two", "Other", "Sound", "Light"]
    assert "Sound" not in tree(plan_of(text, "notes.md"))
    assert "Sound" in tree(plan_of(text.replace("# Shop", "# TODO for the shop"), "notes.md"))


def test_phases_may_have_no_number_and_stand_within_phases() -> None:
    """Whatever else their names say; the outer one counts, and the tasks of the inner ones stay."""
    text = """# Tasks
## Architecture Phase
- [ ] Draw it
- [ ] Show it
## Implementation Phase
- [ ] Phase 1: Model
  - [ ] Add a type
  - [ ] Test it
- [ ] Ship it
## Parallel Example: Design Phase
Draw and show.
"""
    assert tree(plan_of(text)) == {
        "Architecture Phase": None, "Draw it": "Architecture Phase", "Show it": "Architecture Phase",
        "Implementation Phase": None, "Add a type": "Implementation Phase", "Test it": "Implementation Phase",
        "Ship it": "Implementation Phase",
    }  # fmt: skip


def test_boxes_that_count_on_are_work_whatever_their_heading() -> None:
    """`2.1` below `2. Verification` as `1.1` below `1. Code`."""
    text = "## 1. Code\n- [ ] 1.1 Add it\n- [ ] 1.2 Wire it\n## 2. Verification\n- [ ] 2.1 Run it\n- [ ] 2.2 Break it\n"
    assert tree(plan_of(text))["Run it"] == "Verification"
    assert "Run it" not in tree(plan_of(text.replace("2.1 ", "").replace("2.2 ", "")))


CHAIN = """# Roadmap
## Phase 1: Core
1. **Task data structure**
2. **Command line interface**
3. **Basic task operations**
4. **Reports**

# Logical Dependency Chain
## First layer
1. **Task data structure**
   - Must come first
2. **Command line interface**
   - Built on top of the task data structure
## Second layer
3. **Basic task operations**
   - Depends on both the task data structure and the CLI
4. **Reports**
   - Depends on task operations
"""


def test_a_chapter_about_order_speaks_of_the_tasks_it_names() -> None:
    """By title, by a part of it and by its initials; it holds no tasks of its own."""
    plan = plan_of(CHAIN, "prd.txt")
    assert list(tree(plan)) == [
        "Core", "Task data structure", "Command line interface", "Basic task operations", "Reports",
    ]  # fmt: skip
    assert order(plan, WORDED) == {
        "Task data structure": {"Command line interface", "Basic task operations"},
        "Command line interface": {"Basic task operations"},
        "Basic task operations": {"Reports"},
    }


def test_a_chapter_about_order_holds_the_work_where_nothing_else_does() -> None:
    """And a list that is said to go on one after another is a chain."""
    chain = "1. **Issue 1:** Set up\n2. **Issue 4:** Build\n3. Ship\n"
    plan = plan_of(f"# Flow\n\n## Critical Path\n\nGo on sequentially:\n\n{chain}\n## Teams\n\nIssues: 1 → 4\n")
    assert list(tree(plan)) == ["Set up", "Build", "Ship"]
    assert order(plan, WORDED) == {"Set up": {"Build"}, "Build": {"Ship"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("These must be completed sequentially:", True),
        ("Do them in this order:", True),
        ("Carry them out in the following order.", True),
        ("One after the other:", True),
        ("They need not be done in sequence.", False),
        ("In order to win, do these:", False),
        ("Do these:", False),
    ],
)
def test_what_goes_on_one_after_another_is_said(text: str, expected: bool) -> None:
    """A denial is none."""
    assert is_sequence(text) is expected


@pytest.mark.parametrize(
    ("sentence", "pairs"),
    [
        ("Given a user after sign-in, when they pay, then a receipt is shown", []),
        ("Depends on: add-login, add-till", [("", "add-login, add-till")]),
        ("Built on top of the parser", [("", "the parser")]),
        ("Two desks can work at once with this page", []),
        ("Independent of most parts but needs the parser", [("Independent of most parts but", "the parser")]),
        ("Spawn enemies even after the world loads", []),
        ("I see which blocks are weak and where the blocks in my base are", []),
    ],
)
def test_more_sentences_of_order(sentence: str, pairs: list[tuple[str, str]]) -> None:
    """Scenarios are none; a list behind a colon is whole."""
    assert [(claim.waiting, claim.awaited) for claim in claims(sentence)] == pairs


def test_two_names_joined_are_two_tasks() -> None:
    """Also where one of them alone would do."""
    text = "- [ ] Remote API access\n- [ ] Task data structure\n- [ ] Parse. Depends on remote API access and task data"
    assert set(order(plan_of(text))) == {"Remote API access", "Task data structure"}


def test_a_points_own_number_names_no_other_task() -> None:
    """`2. x (depends on y)` below the second phase speaks of x."""
    text = "## Phase 1: A\n1. Add x\n## Phase 2: B\n2. Add y (depends on Add x)\n"
    assert order(plan_of(text), WORDED) == {"Add x": {"Add y"}}


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Key Entities", Role.CONTEXT),
        ("Results", Role.CONTEXT),
        ("Infrastructure Requirements", Role.CONTEXT),
        ("Architecture Decisions", Role.CONTEXT),
        ("Architecture Modules", Role.WORK),
        ("User Scenarios & Testing", Role.WORK),
        ("Detailed Milestone Breakdown", Role.WORK),
        ("Task List Table", Role.WORK),
        ("Requirements for v1.0", Role.WORK),
        ("Things to do", Role.WORK),
        ("Tests to delete (told twice)", Role.WORK),
        ("How to build", Role.NEUTRAL),
        ("Issues & Solutions", Role.CONTEXT),
        ("Adding New Modules", Role.NEUTRAL),
        ("Changes in version 2", Role.CONTEXT),
        ("TODO soonish", Role.WORK),
    ],
)
def test_more_headings_promise(title: str, role: Role) -> None:
    """Background or work."""
    assert role_of(title) is role


def test_a_long_title_is_cut_at_a_clause_that_tells_something() -> None:
    """One word and a colon do not."""
    rest = "explain the change to everybody who has it, ask them, and say plainly what declining it costs them"
    assert titled(f"orange update: {rest}").startswith("orange update: explain the change")
    assert titled(f"Ask before the update: {rest}") == "Ask before the update"


def test_no_dependencies_in_brackets_are_no_title() -> None:
    """As other order in brackets."""
    assert label("add-login (No dependencies)").title == "add-login"
