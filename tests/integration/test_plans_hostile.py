"""Documents that are built to do harm, or only very large: a right answer or one sentence, and soon."""

from __future__ import annotations

import pytest

from orange.core.plans.circles import acyclic
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Edge, Parameters, PlanTask
from orange.core.plans.schedule import cycle
from orange.core.problems import InvalidInput

#: What stands at the end of each, and must be found.
TWO = "\n\n- [ ] Add this\n- [ ] Add that\n"


def titles(text: str) -> list[str]:
    """Decompose a text."""
    return [task.title for task in decompose(text, "doc.md", Parameters()).tasks]


@pytest.mark.parametrize(
    "text",
    [
        "> " * 10_000 + "deep" + TWO,
        "- " * 10_000 + "deep" + TWO,
        "1. " * 10_000 + "deep" + TWO,
        "".join("> " * (i % 60) + "x\n" for i in range(5_000)) + TWO,
        "a" * 5_000_000 + TWO,
        "word and after that " * 50_000 + TWO,
        "__a " * 100_000 + TWO,
        "*a " * 100_000 + TWO,
        "[a](" * 100_000 + TWO,
        "[" * 500_000 + TWO,
        "a -> " * 100_000 + TWO,
        "a " + "`" * 100_000 + " " + TWO,
        "<!-- " * 100_000 + "-->" + TWO,
        "```\n" * 100_000 + TWO,
        "\x1b]0;x\x07\u202e\ud800 \ufeff\f\n" * 5_000 + TWO,
    ],
    ids=["quotes", "points", "numbers", "steps", "word", "line", "weights", "stars", "links", "brackets", "arrows",
        "ticks", "comments", "fences", "signs"],
)  # fmt: skip
def test_what_is_odd_hides_nothing(text: str) -> None:
    """The two tasks at the end are found."""
    assert titles(text)[-2:] == ["Add this", "Add that"]


def test_lists_of_any_depth_are_read_to_the_end() -> None:
    """However far they stand in; no point is lost."""
    text = "".join(f"{'  ' * depth}- [ ] Add {depth}\n" for depth in range(1_000)) + TWO
    plan = decompose(text, "doc.md", Parameters(recursive=True))
    told = " ".join(part for task in plan.tasks for part in (task.title, *task.criteria, *task.context))
    assert [depth for depth in range(1_000) if f"Add {depth}" not in told] == []
    assert [task.title for task in plan.tasks][-2:] == ["Add this", "Add that"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("| Task | After |\n|---|---|\n" + "| Build | sell |\n" * 100_000, "100002 headings, points and rows"),
        (f"|{' a |' * 20_000}\n|{'---|' * 20_000}\n" + f"|{' b |' * 20_000}\n" * 20, "tables of 440022 cells"),
        ("# A\n\n" * 60_000, "60000 headings"),
        ("- [ ] Add one\n" * 60_000, "60000 headings, points"),
        ("\n" * 500_000 + TWO, "500004 lines"),
        ("".join(f"- [ ] T{i} Add the part {i}\n" for i in range(6_000)), "6000 things to do, more than 5000"),
        (
            "".join(f"- [ ] REQ-{i} Add {i}. Depends on REQ-0 to REQ-150.\n" for i in range(300)),
            "more than 20000 others",
        ),
        ("Build the thing. " * 300_000, "only one thing to do"),
    ],
    ids=["rows", "columns", "headings", "points", "lines", "tasks", "orders", "sentences"],
)
def test_what_is_too_much_is_said_to_be(text: str, said: str) -> None:
    """In one sentence that names the document and how much it holds."""
    with pytest.raises(InvalidInput, match=f"^doc.md: .*{said}"):
        titles(text)


def test_a_document_of_five_megabytes_is_read_whole() -> None:
    """Each of its requirements, and what each waits for."""
    prose = "The system keeps what people write and shows it again when they come back. " * 60
    text = "# Big\n\n## Requirements\n\n" + "".join(
        f"- REQ-{i}: The shop must store thing {i}. Depends on REQ-{i - 1}.\n\n  {prose}\n\n" for i in range(1, 1_101)
    )
    assert len(text) > 5_000_000 - 100_000
    tasks = decompose(text, "doc.md", Parameters()).tasks
    assert [task.ref for task in tasks] == [f"REQ-{i}" for i in range(1, 1_101)]
    assert [edge.blocker for task in tasks for edge in task.edges] == [f"req-{i}" for i in range(1, 1_100)]


def test_tangled_tasks_are_set_in_an_order() -> None:
    """Each with a warning for each edge that was left out, in groups or not."""
    tangled = tuple(
        PlanTask(
            f"k{i}",
            f"Add {i}",
            parent=f"k{i // 3}" if 10 < i < 100 else None,
            edges=tuple(Edge(f"k{other}", other % 7 / 10, "said") for other in {i * 3 % 300, (i * 7 + 1) % 300} - {i}),
        )
        for i in range(300)
    )
    found, doubts = acyclic(tangled)
    assert not cycle(found)
    left = sum(len(task.edges) for task in found)
    assert left + len(doubts) == sum(len(task.edges) for task in tangled)
    assert left > 300
