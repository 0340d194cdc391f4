"""Documents become tasks and edges: many styles against what a reader takes them for, and the decisions one by one."""

from __future__ import annotations

from typing import Any

import pytest

from orange.core.model import Priority
from orange.core.plans.decompose import decompose
from orange.core.plans.labels import estimate, label, priority, titled
from orange.core.plans.model import Granularity, Parameters, Plan
from orange.core.plans.phrases import claims
from orange.core.plans.roles import Role, role_of, type_of
from orange.core.plans.schedule import leaves, schedule
from orange.core.problems import InvalidInput
from tests.data.documents import SAMPLES, Sample

#: From here on an edge is one that the document puts into words.
WORDED = 0.7


def plan_of(text: str, file: str = "doc.md", **asked: Any) -> Plan:
    """Decompose a text."""
    return decompose(text, file, Parameters(**asked))


def tree(plan: Plan) -> dict[str, str | None]:
    """Return title -> parent's title."""
    by_key = plan.by_key()
    return {task.title: by_key[task.parent].title if task.parent else None for task in plan.tasks}


def order(plan: Plan, least: float = 0.0) -> dict[str, set[str]]:
    """Return blocker's title -> titles of what waits for it."""
    by_key = plan.by_key()
    found: dict[str, set[str]] = {}
    for task in plan.tasks:
        for edge in task.edges:
            if edge.confidence >= least:
                found.setdefault(by_key[edge.blocker].title, set()).add(task.title)
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_style_is_read_as_a_person_reads_it(sample: Sample) -> None:
    """Its tasks, their parents and the order that it puts into words, and nothing else."""
    plan = plan_of(sample.text, sample.file)
    assert tree(plan) == sample.tasks
    assert order(plan, WORDED) == sample.order


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("granularity", list(Granularity))
def test_no_document_with_content_is_one_task(sample: Sample, granularity: Granularity) -> None:
    """However coarse."""
    assert len(leaves(plan_of(sample.text, sample.file, granularity=granularity))) > 1


@pytest.mark.parametrize(
    "text", ["", "\n\n", "---\ntitle: x\n---\n", "```\n- [ ] code\n```\n", "<!-- - [ ] none -->\n"]
)
def test_a_document_without_content_is_refused(text: str) -> None:
    """In one sentence that names it."""
    with pytest.raises(InvalidInput, match=r"doc\.md.*nothing to do"):
        plan_of(text)


def test_code_comments_and_front_matter_are_never_tasks() -> None:
    """Whatever they look like."""
    text = (
        "---\ntodo: x\n- [ ] front\n---\n- [ ] Add one\n```\n- [ ] fenced\n```\n<!--\n- [ ] said\n-->\n- [ ] Add two\n"
    )
    text += "\nText.\n\n    - [ ] indented\n"
    assert list(tree(plan_of(text))) == ["Add one", "Add two"]


@pytest.mark.parametrize(
    "text",
    [
        "1. Store goods.\n   1.1 Keep backups.\n   1.2 Hide them.\n2. Sell goods.\n",
        "1. Store goods.\n1.1 Keep backups.\n1.2 Hide them.\n2. Sell goods.\n",
    ],
)
def test_numbers_with_dots_are_points_below_their_number(text: str) -> None:
    """Also where Markdown takes them for the text above them; and code stays code."""
    plan = plan_of(f"# P\n\n## Requirements\n\n{text}\n```\n1. a\n1.1 B\n```\n", granularity=Granularity.FINE)
    wanted = {"Store goods": None, "Keep backups": "Store goods", "Hide them": "Store goods", "Sell goods": None}
    assert tree(plan) == wanted


def test_numbers_with_dots_alone_are_a_list() -> None:
    """Where there are several below each other; one in a sentence is none."""
    text = "# P\n\n## Requirements\n\n{}\n- Add x\n- Add y, see\n  2.3 Foo of the law\n"
    assert list(tree(plan_of(text.format("3.1 Keep backups\n3.2 Hide them\n")))) == [
        "Keep backups", "Hide them", "Add x", "Add y, see 2.3 Foo of the law",
    ]  # fmt: skip


def test_what_a_document_says_of_a_task_is_its_context() -> None:
    """Sentences and code as they stand, with the language of the code."""
    (one, _) = plan_of("- [ ] Add one\n\n  It is small.\n\n  ```sh\n  run it\n  ```\n- [ ] Add two\n").tasks
    assert one.context == ("It is small.", "```sh", "run it", "```")


def test_every_task_knows_its_lines() -> None:
    """As the document numbers them."""
    plan = plan_of("---\na: b\n---\n# T\n\n- [ ] Add one\n  more of it\n- [ ] Add two\n")
    assert [str(task.lines) for task in plan.tasks] == ["6-7", "8"]


DEEP = """# P
## Epic: Shop
### Story 1: Basket
- [ ] Add a basket
  - [ ] Add a button
- [ ] Empty the basket
### Story 2: Till
- Pay by card
"""


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ({"granularity": Granularity.COARSE}, ["Shop", "Basket", "Till"]),
        ({}, ["Shop", "Basket", "Till"]),
        ({"granularity": Granularity.FINE}, ["Shop", "Basket", "Add a basket", "Empty the basket", "Till"]),
        (
            {"granularity": Granularity.FINE, "recursive": True},
            ["Shop", "Basket", "Add a basket", "Add a button", "Empty the basket", "Till"],
        ),
        ({"granularity": Granularity.FINE, "recursive": True, "max_depth": 2}, ["Shop", "Basket", "Till"]),
    ],
)
def test_granularity_and_depth_decide_how_far_down(asked: dict[str, Any], titles: list[str]) -> None:
    """What is too deep becomes a criterion of what it stands below."""
    plan = plan_of(DEEP, **asked)
    assert list(tree(plan)) == titles
    told = {text for task in plan.tasks for text in (task.title, *task.criteria)}
    assert any("Add a button" in text for text in told)


def test_coarse_folds_what_balanced_keeps() -> None:
    """The parts become criteria, so that nothing is lost."""
    text = "## Phase 1: A\n- [ ] Add one\n- [ ] Add two\n## Phase 2: B\n- [ ] Add three\n"
    coarse = plan_of(text, granularity=Granularity.COARSE)
    assert {task.title: task.criteria for task in coarse.tasks} == {"A": ("Add one", "Add two"), "B": ("Add three",)}
    assert len(leaves(plan_of(text))) == 3


@pytest.mark.parametrize(("most", "sizes"), [(None, [5]), (2, [2, 2, 1]), (5, [5])])
def test_the_hint_of_parallelism_bounds_the_waves(most: int | None, sizes: list[int]) -> None:
    """No wave has more tasks."""
    plan = plan_of("\n".join(f"- [ ] Add part {word}" for word in "abcde"), max_parallelism_hint=most)
    assert [len(wave) for wave in schedule(plan).waves] == sizes


def test_a_group_begins_when_what_it_waits_for_is_done() -> None:
    """In the waves and on the longest chain, and only its parts take time."""
    plan = plan_of(
        "## Epic 1: A\n- [ ] T01 Add x\n- [ ] T02 Add y\n## Epic 2: B\nDepends on Epic 1.\n- [ ] T03 Add z\n"
    )
    found = schedule(plan)
    assert found.waves == (("t01", "t02"), ("t03",))
    assert len(found.critical_path) == 2
    assert found.roots == ("t01", "t02")
    assert found.blocked_roots == ("epic-2",)


def test_a_cycle_loses_its_weakest_edge_and_says_so() -> None:
    """What is left can be worked off."""
    plan = plan_of("- [ ] T01 Add x (depends on T02)\n- [ ] T02 Add y after T01\n- [ ] T03 Depends on T03\n")
    assert order(plan) == {"Add y after T01": {"Add x"}}
    (doubt,) = [doubt for doubt in plan.doubts if doubt.kind == "cycle"]
    assert "t02 after t01 was left out" in doubt.message
    assert schedule(plan).unreachable == ()


def test_a_group_and_its_parts_never_wait_for_each_other() -> None:
    """Whatever the document says."""
    plan = plan_of("## Epic 1: A\n- [ ] T01 Add x after Epic 1\n- [ ] T02 Add y\n## Epic 2: B\n- [ ] T03 Add z\n")
    assert order(plan) == {}


def test_prose_beside_a_list_of_tasks_is_background() -> None:
    """Headings that promise nothing count only where nothing else does."""
    text = "# P\n## Money\nWe must earn some.\n- Use a till\n- Add a bank\n## Tasks\n- [ ] Add one\n- [ ] Add two\n"
    assert list(tree(plan_of(text))) == ["Add one", "Add two"]
    assert "Money" in tree(plan_of(text.partition("## Tasks")[0] + "## Goods\nWe sell apples.\n"))


def test_what_stands_below_a_task_is_kept_with_it() -> None:
    """Also below headings of its own."""
    (one, _) = plan_of(
        "## Feature 1: Import\nFrom files.\n### Kinds of files\n- CSV\n### Speed\nFast.\n## Feature 2: Export\n"
    ).tasks
    assert (one.context, one.criteria) == (("From files.", "Fast."), ("Kinds of files: CSV", "Speed"))


def test_what_validates_work_is_no_work() -> None:
    """Lists of criteria, whatever their points and headings are called; a list that a field announces is its text."""
    plan = plan_of("""## Phase 1: Search
**Independent Test**: look for x,
then verify:

1. It is found
2. It is fast

- [ ] T01 Add a field
- [ ] T02 Add an index

## Validation Checklist
### User Story 1 - Search
- [ ] FR-1: Add nothing to it

## Success Criteria Mapping
- **SC-1**: Reached by T01
""")
    assert list(tree(plan)) == ["Search", "Add a field", "Add an index"]
    assert plan.tasks[0].criteria == ("look for x, then verify:", "It is found", "It is fast")


def test_arrows_between_words_are_no_order() -> None:
    """Only between what is surely the name of a task."""
    plan = plan_of("- [ ] Test the flow: claim -> run -> done\n- [ ] Build the claim lock\n- [ ] Write the run page\n")
    assert order(plan) == {}


def test_what_is_said_twice_is_folded() -> None:
    """By id or by words; what the second one adds is kept."""
    plan = plan_of("""## Requirements
- FR-1: Users can sign in
- FR-2: Users can sign out

## Details
| ID | Requirement | Priority |
|---|---|---|
| FR-1 | Sign-in with a password | High |
""")
    assert [(task.ref, task.priority) for task in plan.tasks] == [("FR-1", Priority.HIGH), ("FR-2", Priority.MEDIUM)]
    assert [doubt.kind for doubt in plan.doubts] == ["duplicate"]


def test_vague_items_and_names_of_nothing_are_flagged() -> None:
    """With the line and the word."""
    plan = plan_of("- [ ] Improve performance\n- [ ] Add a cache. Depends on the Moon.\n- [ ] Things\n")
    assert [(doubt.kind, doubt.line) for doubt in plan.doubts] == [("vague", 1), ("unresolved", 2), ("vague", 3)]
    assert "'Improve'" in plan.doubts[0].message
    assert "Moon" in plan.doubts[1].message


def test_ticked_boxes_are_done_already() -> None:
    """They stay in the plan and take no time."""
    plan = plan_of("- [x] T01 Add x\n- [ ] T02 Add y after T01\n- [ ] T03 Add z\n")
    assert [task.done for task in plan.tasks] == [True, False, False]
    assert schedule(plan).waves == (("t02", "t03"),)


def test_fields_in_prose_are_read() -> None:
    """Priority, estimate, type, labels and criteria, as lines or as points."""
    (one, two) = plan_of("""## Tasks
### Task 1: Fix the till
**Priority:** P0 | **Estimate:** 2 days
**Labels:** money, ui
- Acceptance: it adds up
### Task 2: Write tests for the till
- Depends on: Task 1
- Effort: S
- Type: chore
""").tasks
    assert (one.priority, one.estimate, one.labels, one.criteria) == (
        Priority.CRITICAL,
        "2d",
        ("money", "ui"),
        ("it adds up",),
    )
    assert (one.type, two.type, two.estimate) == ("bug", "chore", "S")
    assert [(edge.blocker, edge.confidence) for edge in two.edges] == [("task-1", 1.0)]


def test_the_same_text_gives_the_same_plan() -> None:
    """Always."""
    for sample in SAMPLES:
        assert plan_of(sample.text, sample.file) == plan_of(sample.text, sample.file)


@pytest.mark.parametrize(
    ("text", "ref", "number", "word", "title"),
    [
        ("T001 [P] [US1] Make x", "T001", None, None, "Make x"),
        ("✅ T001: Make x", "T001", None, None, "Make x"),
        ("REQ-12: Do it (P1)", "REQ-12", None, None, "Do it"),
        ("[T012] Do it", "T012", None, None, "Do it"),
        ("#12 Fix it", "#12", None, None, "Fix it"),
        ("Add dark mode (#42)", "#42", None, None, "Add dark mode"),
        ("Task 3: Build (depends on T1) (2d)", None, "3", "task", "Build"),
        ("2.1 Login", None, "2.1", None, "Login"),
        ("Milestone A: Launch", None, "A", "milestone", "Launch"),
        ("UTF-8 support", None, None, None, "UTF-8 support"),
        ("OAuth2 login", None, None, None, "OAuth2 login"),
        ("S3 bucket setup", None, None, None, "S3 bucket setup"),
        ("Module loading fix", None, None, None, "Module loading fix"),
    ],
)
def test_the_marks_of_a_title_are_taken_off(
    text: str, ref: str | None, number: str | None, word: str | None, title: str
) -> None:
    """Ids, numbers and words for kinds; what only looks like one stays."""
    found = label(text)
    assert (found.ref, found.number, found.word, found.title) == (ref, number, word, title)


@pytest.mark.parametrize(
    ("text", "level", "size"),
    [
        ("P0", Priority.CRITICAL, None),
        ("Must have", Priority.CRITICAL, None),
        ("Priority: P1", Priority.HIGH, None),
        ("Should", Priority.MEDIUM, None),
        ("nice to have", Priority.LOW, None),
        ("3-5 days", None, "5d"),
        ("~2h", None, "2h"),
        ("1.5 days", None, "12h"),
        ("2 weeks", None, "10d"),
        ("5 points", None, "L"),
        ("XL", None, "XL"),
        ("Effort: small", None, "S"),
        ("later", None, None),
        ("2 dogs", None, None),
    ],
)
def test_priorities_and_estimates_of_every_scale(text: str, level: Priority | None, size: str | None) -> None:
    """Become orange's."""
    assert (priority(text), estimate(text)) == (level, size)


@pytest.mark.parametrize(
    ("sentence", "waiting", "awaited"),
    [
        ("Depends on A and B.", "", "A and B"),
        ("T3 depends on T1, T2", "T3", "T1, T2"),
        ("Once A is done, B can start.", "B can start", "A"),
        ("Deploy once A is merged", "Deploy", "A"),
        ("T3 cannot start until T1 is ready.", "T3", "T1"),
        ("A must be finished before B.", "B", "A"),
        ("Blocked by #4 because of x", "", "#4"),
        ("A blocks B", "B", "A"),
        ("Requires REQ-1", "", "REQ-1"),
        ("Build the till after the basket", "Build the till", "the basket"),
    ],
)
def test_sentences_of_order_are_understood(sentence: str, waiting: str, awaited: str) -> None:
    """Who waits for whom."""
    (claim,) = claims(sentence)
    assert (claim.waiting, claim.awaited) == (waiting, awaited)


@pytest.mark.parametrize(
    "sentence",
    ["Not blocked by T1.", "No dependencies.", "It does not depend on T1", "T1 and T2 go on in parallel", "Pay."],
)
def test_what_says_nothing_about_order_is_left(sentence: str) -> None:
    """A denial above all."""
    assert not list(claims(sentence))


def test_chains_of_arrows_are_order() -> None:
    """Each after the one before it."""
    assert [(claim.waiting, claim.awaited) for claim in claims("T1 → T2 -> T3")] == [("T2", "T1"), ("T3", "T2")]


def test_ranges_of_ids_are_all_of_them() -> None:
    """`T01-T03` names three tasks."""
    plan = plan_of("- [ ] T01 Add a\n- [ ] T02 Add b\n- [ ] T03 Add c\n- [ ] T04 Add d (after T01-T03)\n")
    assert [edge.blocker for edge in plan.tasks[3].edges] == ["t01", "t02", "t03"]


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Overview", Role.CONTEXT),
        ("Out of Scope (v1)", Role.CONTEXT),
        ("Acceptance Criteria", Role.CRITERIA),
        ("Dependencies & Execution Order", Role.ORDER),
        ("Functional Requirements", Role.WORK),
        ("Core Features", Role.WORK),
        ("Login", Role.NEUTRAL),
    ],
)
def test_headings_promise(title: str, role: Role) -> None:
    """Background, criteria, order, work, or nothing."""
    assert role_of(title) is role


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Fix the crash", "bug"),
        ("Write unit tests for x", "test"),
        ("Refactor the parser", "refactor"),
        ("Document the API", "docs"),
        ("Investigate caching", "research"),
        ("Set up CI", "chore"),
        ("Add a page", "task"),
    ],
)
def test_types_follow_from_the_first_words(title: str, kind: str) -> None:
    """Where nothing else says."""
    assert type_of(title, feature=False) == kind


def test_long_titles_are_cut_at_a_sentence() -> None:
    """The rest is context."""
    assert titled("Users can sign in. They see a page.") == "Users can sign in"
    assert len(titled("word " * 60)) <= 100


def test_large_documents_are_read_in_linear_time() -> None:
    """Deep nesting, long lists and long lines end in a plan or a refusal."""
    assert len(plan_of("\n".join(f"- [ ] T{i:04} Add part {i} after T{i - 1:04}" for i in range(1, 150))).tasks) == 149
    for odd in ("(" * 5000, "[" * 5000, "T" + "1" * 5000, "1.1, " * 2000, "a. " * 2000, "-> " * 2000, "[P] " * 2000):
        assert len(plan_of(f"- [ ] Add x after {odd}\n- [ ] Add y\n").tasks) == 2
    for text in ("- " * 2000 + "x", "> " * 2000 + "x", "#" * 5000, "|a" * 3000, "\n" * 5000):
        with pytest.raises(InvalidInput, match=r"doc\.md"):
            plan_of(text)
