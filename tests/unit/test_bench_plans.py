"""The scorer of the bench of plans: what counts as found, as made up and as missed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bench.plans.gold import Case, Gold, gold_of, originals, retold
from bench.plans.results import Result, summed, table, worst
from bench.plans.score import Score, Tally, score
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Edge, Parameters, Plan, PlanTask, Span

#: A document's gold: a group with two tasks, one after the other, and something readers differ about.
GOLD: dict[str, Any] = {
    "tasks": [
        {"line": 1, "title": "Shop"},
        {"line": 2, "title": "Add a basket", "under": 1},
        {"line": 3, "title": "Pay by card", "under": [1, 0], "also": [20]},
    ],
    "edges": [{"task": 3, "after": 2, "line": 3, "said": "after the basket"}],
    "either": [9],
    "either_edges": [[1, 2]],
}


def gold(**changes: Any) -> Gold:
    """Return the gold with changes."""
    return gold_of({**GOLD, **changes}, "")


def task(key: str, title: str, line: int, parent: str | None = None, *after: Edge) -> PlanTask:
    """Make a task of a plan."""
    return PlanTask(key, title, parent=parent, edges=after, lines=Span(line, line))


SHOP = task("shop", "Shop", 1)
BASKET = task("basket", "Add a basket", 2, "shop")
PAY = task("pay", "Pay by card", 3, "shop", Edge("basket", 0.9, "after the basket"))


def scored(*tasks: PlanTask, against: Gold | None = None) -> Score:
    """Score a plan of these tasks."""
    return score(against or gold(), Plan("p", "p", "p.md", tasks=tasks))


def test_a_plan_that_is_the_gold_has_no_fault() -> None:
    """Everything is right."""
    found = scored(SHOP, BASKET, PAY)
    assert (found.tasks, found.parents, found.edges) == (Tally(3), Tally(3), Tally(1))
    assert found.faults == ()
    assert found.leaves == 2


@pytest.mark.parametrize(
    ("line", "title", "is_found"),
    [
        (3, "Pay by card", True),
        (20, "Pay by card", True),  # where it is told again
        (5, "Pay by card", True),  # near enough
        (6, "Pay by card", False),
        (3, "PAY", True),  # cut short
        (3, "Pay with a card of the bank that has it", True),
        (3, "Sign in", False),  # something else in the same line
    ],
)
def test_a_task_is_found_by_its_line_and_its_words(line: int, title: str, is_found: bool) -> None:
    """Both must fit; what fits neither is made up."""
    found = scored(SHOP, BASKET, task("pay", title, line, "shop"))
    assert found.tasks == (Tally(3) if is_found else Tally(2, 1, 1))


def test_a_task_counts_once() -> None:
    """What is told twice and found twice is found once and made up once."""
    found = scored(SHOP, BASKET, PAY, task("again", "Pay by card", 20))
    assert found.tasks == Tally(3, 1, 0)
    assert found.faults == ("extra: line 20: Pay by card",)


def test_a_missed_task_is_missed_with_its_edge() -> None:
    """And an edge to something made up is made up."""
    found = scored(SHOP, task("basket", "Sell apples", 40), PAY)
    assert (found.tasks, found.edges) == (Tally(2, 1, 1), Tally(0, 1, 1))
    assert "missed: line 2: Add a basket" in found.faults


def test_what_readers_differ_about_counts_neither_way() -> None:
    """A task at such a line, its children's parents and its edges."""
    group = task("group", "Wares", 9, "shop")
    found = scored(
        SHOP, group, task("basket", "Add a basket", 2, "group"), PAY, task("x", "Pay it", 9, None, Edge("pay"))
    )
    assert (found.tasks, found.parents, found.edges) == (Tally(3), Tally(3), Tally(1))


@pytest.mark.parametrize(("parent", "right"), [("shop", 3), (None, 3), ("basket", 2)])
def test_a_parent_is_right_where_the_gold_allows_it(parent: str | None, right: int) -> None:
    """One of several, where it names several."""
    found = scored(SHOP, BASKET, task("pay", "Pay by card", 3, parent))
    assert found.parents == Tally(right, 3 - right, 3 - right)


def test_any_parent_is_right_where_the_gold_says_so() -> None:
    """And a parent that was made up is right nowhere else."""
    made_up, below = task("made", "Made up", 30), task("basket", "Add a basket", 2, "made")
    assert scored(SHOP, made_up, below).parents == Tally(1, 1, 1)
    free = gold(tasks=[{"line": 2, "title": "Add a basket", "under": "any"}], edges=[])
    assert scored(made_up, below, against=free).parents == Tally(1)


@pytest.mark.parametrize(
    ("edge", "tally"),
    [
        (Edge("basket", 0.9), Tally(1)),
        (Edge("basket", 0.6), Tally(0, 0, 1)),  # not put into words
        (Edge("shop", 0.9), Tally(0, 1, 1)),
    ],
)
def test_edges_are_compared_where_words_say_them(edge: Edge, tally: Tally) -> None:
    """What is only implied is left out."""
    assert scored(SHOP, BASKET, task("pay", "Pay by card", 3, "shop", edge)).edges == tally


def test_edges_that_readers_differ_about_count_neither_way() -> None:
    """As single pairs, or all to one task."""
    shop = task("shop", "Shop", 1, None, Edge("basket", 0.9))
    assert scored(shop, BASKET, PAY).edges == Tally(1)
    assert scored(shop, BASKET, PAY, against=gold(either_edges=[])).edges == Tally(1, 1, 0)
    assert scored(shop, BASKET, PAY, against=gold(either_edges=[[0, 2]])).edges == Tally(1)


def test_a_tally_knows_precision_recall_and_f1() -> None:
    """Nothing to find and nothing found is perfect."""
    tally = Tally(3, 1, 2)
    assert (tally.precision, tally.recall) == (0.75, 0.6)
    assert tally.f1 == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert Tally().f1 == 1
    assert Tally(0, 1, 0).f1 == Tally(0, 0, 1).f1 == 0


def test_titles_are_read_from_the_document_where_the_gold_has_none() -> None:
    """Then it needs no more than lines."""
    found = gold_of({"tasks": [{"line": 2}], "edges": [{"task": 2, "after": 2, "line": 1}]}, "After two\n- Add x\n")
    assert (found.tasks[0].title, found.edges[0].said) == ("- Add x", "After two")


@pytest.mark.parametrize(
    "value",
    [
        {"tasks": [{"line": 2, "under": 1}]},
        {"tasks": [{"line": 2}], "edges": [{"task": 2, "after": 3, "line": 1}]},
    ],
)
def test_gold_that_names_no_task_is_refused(value: dict[str, Any]) -> None:
    """With the line."""
    with pytest.raises(ValueError, match=r"none of its tasks: \[\d\]"):
        gold_of(value, "")


@pytest.mark.parametrize("case", list(retold()), ids=lambda case: case.name)
def test_the_gold_of_the_bench_fits_its_documents(case: Case) -> None:
    """Every task's words stand in its line, and every edge's in its own; no task is one that readers differ about."""
    assert case.text is not None
    lines = ["", *case.text.split("\n")]
    for task in case.gold.tasks:
        assert words(task.title) <= words(f"{lines[task.line]} {lines[task.line + 1]}"), task
        assert not case.gold.either & set(task.lines), task
    for edge in case.gold.edges:
        assert words(edge.said) <= words(lines[edge.line]), edge


def test_the_gold_of_the_public_documents_is_whole() -> None:
    """Each names its tasks once; without the texts it says no more."""
    cases = list(originals(Path("nowhere")))
    assert len(cases) >= 12
    for case in cases:
        told = [line for task in case.gold.tasks for line in task.lines]
        assert (case.text, len(told)) == (None, len(set(told))), case.name


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(re.findall(r"\w+", text))


def test_sums_are_micro_and_macro() -> None:
    """The mean of the edges is over documents that have some."""
    with_edges, without = gold(), gold(edges=[])
    found = [
        Result(Case("a.md", "tuning", with_edges, ""), Score(Tally(1, 1, 0), Tally(1), Tally(1, 0, 1), 2)),
        Result(Case("b.md", "held out", without, ""), Score(Tally(8, 0, 0), Tally(4), Tally(0, 1, 0), 2)),
    ]
    total = summed(found)
    assert (total.tasks, total.edges) == (Tally(9, 1, 0), Tally(1, 1, 1))
    assert total.tasks_mean == pytest.approx((2 / 3 + 1) / 2)
    assert total.edges_mean == pytest.approx(2 / 3)
    assert [result.case.name for result in worst(found)] == ["b.md", "a.md"]
    assert "| b.md | 3 | 1.00 | 1.00 | 1.00 | 1.00 | 0 | 0.00 |" in table(found)


def test_a_real_plan_is_scored() -> None:
    """From a document to the score."""
    text = "## Epic 1: Shop\n- [ ] Add a basket\n- [ ] Pay by card, after Add a basket\n"
    found = score(gold(), decompose(text, "p.md", Parameters()))
    assert (found.tasks.f1, found.edges.f1) == (1, 1)
