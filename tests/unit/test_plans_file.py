"""The plan file: what is written is read back, hand edits are understood, and what is wrong names its line."""

from __future__ import annotations

import re

import pytest

from orange.core.model import Priority
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Edge, Parameters, PlanTask
from orange.core.plans.planfile import parse, write
from tests.data.documents import SAMPLES, Sample

PATH = "plans/shop.md"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_decomposed_documents_are_read_back(sample: Sample) -> None:
    """Their tasks, edges, sentences and warnings."""
    plan = decompose(sample.text, sample.file, Parameters())
    assert parse(write(plan), PATH) == (plan, ())


HEAD = "---\nid: shop\nsource_file: prd.md\n---\n"
HAND = (
    HEAD
    + """
# My plan

## Tasks

### till: Build the till

* **Priority**: High
- estimate: 2d
- [ ] It adds up
- [x] It is fast
> What is known.

### Pay by card
- after: till
- After: `basket` : because I say so
- parent: shop-floor

### shop-floor: The floor
### basket: Basket
"""
)


def test_hand_edits_are_understood() -> None:
    """In any order, with marks people use; a heading without a key gets one."""
    plan, problems = parse(HAND, PATH)
    assert not problems
    assert plan is not None
    till, pay, floor, basket = plan.tasks
    assert (till.priority, till.estimate, till.criteria) == (Priority.HIGH, "2d", ("It adds up", "It is fast"))
    assert (till.context, till.digest, till.lines) == (("What is known.",), None, None)
    assert (pay.key, pay.parent) == ("pay-by-card", floor.key)
    assert pay.edges == (Edge("till"), Edge("basket", 1.0, "because I say so"))
    assert basket == PlanTask("basket", "Basket")


@pytest.mark.parametrize(
    ("wrong", "line", "message"),
    [
        ("### a: A\n- prio: high", 6, "a: there is no field 'prio'"),
        ("### a: A\n- priority: hgih", 6, "a: priority: 'hgih' is not known"),
        ("### a: A\n- estimate: soon", 6, "a: estimate: 'soon' is not an estimate"),
        ("### a: A\n- after: b", 6, "a: after: there is no task 'b' in this plan"),
        ("### a: A\n- after: B, C", 6, "a: after: 'B, C' names no task"),
        ("### a: A\n- after: a", 6, "a: after: it names itself"),
        ("### a: A\n- parent: b", 6, "a: parent: there is no task 'b' in this plan"),
        ("### a: A\n- after: b (2): x\n### b: B", 6, "a: after: 2 is no confidence"),
        ("### a: A\n- lines: 3-1", 6, "a: lines: '3-1' are no lines"),
        ("### a: A\n- done: perhaps", 6, "a: done: 'perhaps' is neither yes nor no"),
        ("### a: A\nwords", 6, "a: 'words' is no field"),
        ("### a: A\n### a: B", 6, "the key 'a' is taken (line 5)"),
        ("### a: A\n### b:", 6, "the task has no title"),
        ("words", 5, "'words' is in no task"),
        ("## Taks\n", 5, "there is no section 'Taks'"),
        ("### a: A\n- after: b\n### b: B\n- after: a", 6, "a -> b -> a wait for each other"),
        ("### a: A\n- parent: b\n### b: B\n- parent: a", 5, "a -> b -> a are parts of each other"),
        ("### a: A\n- after: c\n### b: B\n- parent: a\n### c: C\n- after: b", 6, "wait for each other"),
    ],
)
def test_what_is_wrong_names_its_line(wrong: str, line: int, message: str) -> None:
    """And the task, the field, and what to do."""
    plan, (problem, *_) = parse(HEAD + wrong, PATH)
    assert plan is None
    assert problem.line == line
    assert message in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    ("head", "line", "message"),
    [
        ("", 1, "empty"),
        ("# Plan\n", 1, "does not begin with"),
        ("---\nid: a\n---\n", 1, "it has no source_file"),
        ("---\nid: a\nsource_file: b\nstatus: imprted\n---\n", 4, "status: 'imprted' is not known"),
        ("---\nid: a\nsource_file: b\nmax_depth: 0\n---\n", 4, "max_depth: '0' is no number above 0"),
        ("---\nid: a\nsource_file: b\nauto_ready: 7\n---\n", 4, "auto_ready: '7' is neither true nor false"),
        ("---\nformat: 9\nid: a\nsource_file: b\n---\n", 2, "format: '9' is not known"),
    ],
)
def test_a_wrong_head_names_its_line(head: str, line: int, message: str) -> None:
    """As in every other file of orange's."""
    plan, (problem, *_) = parse(head, PATH)
    assert plan is None
    assert (problem.path, problem.line) == (PATH, line)
    assert message in problem.message


def test_a_plan_is_pleasant_to_read() -> None:
    """A heading a task, a line a field, the document's words as a quotation; the waves at the end."""
    text = write(decompose("- [ ] T01 Add x\n- [ ] T02 Add y after T01. It is small.\n", "a.md", Parameters()))
    part = text[text.index("### t02") :]
    assert re.sub(r"digest: \w+", "digest: ...", part) == (
        "### t02: Add y after T01\n\n- type: task\n- priority: medium\n- estimate: S\n- ref: T02\n"
        "- after: t01 (0.90): T02 Add y after T01.\n- lines: 2\n- digest: ...\n\n"
        "> T02 Add y after T01. It is small.\n\n"
        "## Waves\n\nWritten anew whenever orange writes this file; edits here have no effect.\n\n1. t01\n2. t02\n"
    )
