"""A document that changed, and a plan that is imported again: exactly the difference, and nothing that was started."""

from __future__ import annotations

from dataclasses import replace

from orange.core.lifecycle import Status
from orange.core.model import Task
from orange.core.plans import digest
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Edge, Parameters, Plan, PlanTask
from orange.core.plans.renewal import Change, renewed
from orange.core.plans.settling import KIND, blockers, imported, steps

OLD = """# Shop
## Requirements
- REQ-1: Users can sign in
- REQ-2: Users can pay after REQ-1
- REQ-3: Users can send things back

## Tasks
- [ ] Write the first page of the manual
- [ ] Set up the server
"""
NEW = """# Shop
## Requirements
- REQ-1: Users can sign in
- REQ-2: Users can pay with a card after REQ-1
- REQ-4: Users can wish
- REQ-5: Users can rate, after REQ-4

## Tasks
- [ ] Write the first two pages of the manual
- [ ] Set up the server
"""


def plan_of(text: str) -> Plan:
    return decompose(text, "prd.md", Parameters())


def test_a_changed_document_gives_exactly_its_difference() -> None:
    """Two added, two reworded, one gone; a reworded one keeps its key."""
    plan, changes = renewed(plan_of(OLD), plan_of(NEW))
    assert sorted((change.kind, change.key) for change in changes) == [
        ("added", "req-4"),
        ("added", "req-5"),
        ("changed", "req-2"),
        ("changed", "write-the-first-page-of-the-manual"),
        ("obsolete", "req-3"),
    ]
    assert plan.by_key()["write-the-first-page-of-the-manual"].title == "Write the first two pages of the manual"
    assert plan.by_key()["req-5"].edges[0].blocker == "req-4"
    assert renewed(plan, plan_of(NEW))[1] == ()


def test_the_same_document_changes_nothing() -> None:
    """Not even where lines were put in above."""
    old = plan_of(OLD)
    assert renewed(old, plan_of(OLD)) == (old, ())
    moved, changes = renewed(old, plan_of(OLD.replace("# Shop\n", "# Shop\n\nText.\n\n")))
    assert changes == ()
    assert str(moved.tasks[0].lines) == "6"


def test_a_persons_edits_stay() -> None:
    """What they reworded, what they added, what they ordered; what the document says instead is told."""
    old = plan_of(OLD)
    tasks = tuple(replace(task, title="Pay") if task.key == "req-2" else task for task in old.tasks)
    mine = PlanTask("mine", "My own", edges=(Edge("req-3"),))
    plan, changes = renewed(replace(old, tasks=(*tasks, mine)), plan_of(NEW))
    assert plan.by_key()["req-2"].title == "Pay"
    assert Change("kept", "req-2", "Pay") in changes
    assert plan.by_key()["mine"] == replace(mine, edges=())  # what it waited for is gone
    unchanged, changes = renewed(replace(old, tasks=tasks), plan_of(OLD))
    assert unchanged.by_key()["req-2"].title == "Pay"
    assert changes == ()


def test_what_a_person_deleted_stays_away_from_the_same_document() -> None:
    """A changed document is told anew, and what it adds to the plan is said."""
    old = plan_of(OLD)
    less = replace(old, tasks=tuple(task for task in old.tasks if task.key != "req-3"))
    assert renewed(less, plan_of(OLD)) == (less, ())
    assert Change("added", "req-3", "Users can send things back") in renewed(less, plan_of(OLD + "\nMore.\n"))[1]


def on_board(plan: Plan, **statuses: Status) -> dict[str, Task]:
    """Make the board that an import of a plan leaves, with some statuses by key."""
    return {
        f"id-{task.key}": Task(
            f"id-{task.key}",
            task.title,
            task.key,
            status=statuses.get(task.key.replace("-", "_"), Status.BACKLOG),
            source={"kind": KIND, "reference": f"{plan.id}:{task.key}", "digest": digest.of(task)},
        )
        for task in plan.tasks
    }


def test_importing_again_changes_only_what_differs() -> None:
    """Added, changed, dropped; what was started or closed is kept, whatever the plan says."""
    old = plan_of(OLD)
    new, _ = renewed(old, plan_of(NEW))
    assert {step.kind for step in steps(old, {})} == {"add"}
    assert {step.kind for step in steps(old, on_board(old))} == {"same"}
    found = {step.key: step.kind for step in steps(new, on_board(old))}
    assert found == {
        "req-1": "same",
        "req-2": "change",
        "req-4": "add",
        "req-5": "add",
        "write-the-first-page-of-the-manual": "change",
        "set-up-the-server": "same",
        "req-3": "drop",
    }
    started = on_board(old, req_2=Status.WORKING, req_3=Status.REVIEWING, set_up_the_server=Status.DONE)
    found = {step.key: step.kind for step in steps(new, started)}
    assert (found["req-2"], found["req-3"], found["set-up-the-server"]) == ("keep", "keep", "same")


def test_tasks_of_other_plans_are_not_ours() -> None:
    """The reference names the plan whole."""
    board = on_board(replace(plan_of(OLD), id="shop-2"))
    assert imported("shop", board) == {}
    assert len(imported("shop-2", board)) == 5


def test_parts_wait_for_what_their_group_waits_for() -> None:
    """Those that could begin; the others wait for these."""
    plan = plan_of("""## Phase 1: A
- [x] T01 Add u
- [ ] T02 Add v
## Phase 2: B
Depends on Phase 1.
- [ ] T03 Add w after T01
- [ ] T04 Add x after T03
""")
    assert blockers(plan) == {
        "phase-1": (),
        "t01": (),
        "t02": (),
        "phase-2": ("phase-1",),
        "t03": ("phase-1",),
        "t04": ("t03",),
    }
