"""An agent's answer to a document: what is understood of it, and what is refused, with every fault by its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core.model import Priority
from orange.core.plans.answers import MOST, MOST_CYCLES, BadAnswer, Rules, read
from orange.core.plans.answerschema import MOST_TASKS, schema
from orange.core.plans.model import Doubt, Edge, Parameters, Plan, PlanTask, Span
from orange.core.plans.planfile import parse, write
from tests.data.schemas import faults

RULES = Rules(lines=90, levels=2)
TOKEN = "ghp_" + "a1B2" * 9


def item(key: str = "pay", title: str = "Pay by card", **more: Any) -> dict[str, Any]:
    """Make one task of an answer."""
    return {"key": key, "title": title, **more}


def told(*tasks: dict[str, Any], **more: Any) -> str:
    """Write an answer."""
    return json.dumps({"tasks": list(tasks), **more})


WHOLE = item(
    parent="shop",
    ref="REQ-1",
    type="feature",
    priority="high",
    estimate="M",
    complexity=7,
    category="Till",
    labels=["web, api", "web"],
    blocked_by=[{"key": "shop", "reason": "Depends on\nthe shop.", "confidence": 0.876}],
    acceptance_criteria=["It  adds up", "It adds up"],
    description="\nFirst. \n\n  Second.\n",
    lines=[3, 5],
    done=True,
)
#: The task that has everything, as it is in a plan; it may not wait for its own parent.
PAY = PlanTask(
    key="pay",
    title="Pay by card",
    parent="shop",
    ref="REQ-1",
    type="feature",
    priority=Priority.HIGH,
    estimate="M",
    category="Till",
    labels=("web", "api"),
    criteria=("It adds up",),
    context=("First.", "", "  Second."),
    lines=Span(3, 5),
    done=True,
)


def test_everything_an_answer_may_say_is_in_the_plan() -> None:
    """Texts become what can be seen, on one line where a line is meant; what is not told has its default."""
    found = read(
        told(item("shop", "Shop"), WHOLE, title=" The\tshop ", warnings=[{"message": "odd", "line": 4}]), RULES
    )
    shop, pay = found.tasks
    assert (shop.type, shop.priority, shop.estimate, shop.lines, shop.done) == (
        "task",
        Priority.MEDIUM,
        None,
        None,
        False,
    )
    assert pay == PAY.__class__(**{**{name: getattr(PAY, name) for name in PAY.__slots__}, "digest": pay.digest})
    assert found.title == "The shop"
    assert found.complexity == {"pay": 7}
    assert found.doubts[0] == Doubt("note", "odd", None, 4)
    assert (found.doubts[1].kind, found.doubts[1].key) == ("cycle", "pay")
    free = read(told(item("a", "A", estimate="XL"), item("b", "B", blocked_by=WHOLE["blocked_by"][:0])), RULES)
    assert free.complexity == {"a": 9}


@pytest.mark.parametrize(
    "text",
    [
        told(item()),
        f"  {told(item())}\n",
        f"Here it is.\n\n```json\n{json.dumps(json.loads(told(item())), indent=2)}\n```\nThat is all.",
        f"I think {{so}} {{ 'odd': 1 }} {told(item())}",
        f"{told(item('old', 'Old'))}\nNo, better:\n{told(item())}",
        f'{{"note": {{"tasks": 1}}}}\n{told(item())}',
        f"{json.dumps(schema())}\n{told(item())}",
        '{"log": 1}\n' * 3000 + told(item()),
    ],
)
def test_an_answer_is_found_in_what_an_agent_says(text: str) -> None:
    """Alone, fenced, among words; the last one counts."""
    assert [task.key for task in read(text, RULES).tasks] == ["pay"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", 'there is no JSON object with "tasks" in it'),
        ("I will not.", "there is no JSON object"),
        ('[{"key": "a", "title": "A"}]', "there is no JSON object"),
        (told(item())[:-4], "its JSON is cut off before its end"),
        (json.dumps({"tasks": [item()] * 9}, indent=1)[:150], "its JSON is cut off before its end"),
        ('{"tasks": [{"key": "a", "title": "half a', "its JSON is cut off before its end"),
        ('{"tasks": [,]}', "it is no JSON: Expecting value in line 1, column 12"),
        ('{"tasks": NaN}', "it is no JSON: NaN is no number"),
        ('{"tasks": ' * 1_100, "it is no JSON"),
        ("{" * 10_000, "there is no JSON object"),
        ('{"a' * 10_000, "it is no JSON|cut off"),
        ("x" * (MOST + 1), "it is longer than 4 MiB"),
    ],
)
def test_what_is_no_answer_says_why(text: str, complaint: str) -> None:
    """In one clause, and without much work."""
    with pytest.raises(BadAnswer, match=complaint):
        read(text, RULES)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (told(tasks={}), r"tasks: expected a list, found an object of 0"),
        (told(item(), plan="x"), r'"plan": there is no such key \(there are title, tasks, warnings\)'),
        (told(item(command="rm -rf /")), r'tasks\[0\]\."command": there is no such key'),
        (told({"key": "a"}), r"tasks\[0\]\.title: it is missing"),
        (told(item(title="")), r'tasks\[0\]\.title: expected a text of 1 to 200 characters, found ""'),
        (told(item(title="x" * 201)), r"tasks\[0\]\.title: expected a text of 1 to 200 characters"),
        (told(item(title="\u202e \x1b\u200b")), r"tasks\[0\]\.title: there is nothing in it that can be seen"),
        (told(item(key="No Key")), r"tasks\[0\]\.key: expected a text that matches .*, found \"No Key\""),
        (told(item(key="a\n")), r"tasks\[0\]\.key: expected a text that matches"),
        (told(item(key="../../x")), r"tasks\[0\]\.key: expected a text that matches"),
        (told(item(priority="urgent")), r'priority: expected one of critical, high, medium, low, found "urgent"'),
        (told(item(type="rootkit")), r"type: expected one of task, feature,"),
        (told(item(complexity=11)), r"complexity: expected a number from 1 to 10, found 11"),
        (told(item(complexity=True)), r"complexity: expected a whole number, found true"),
        (told(item(done="no")), r'done: expected true or false, found "no"'),
        (told(item(estimate="soon")), r"estimate: expected a text that matches"),
        (told(item(lines=[4])), r"lines: expected 2 to 2 of them, found a list of 1"),
        (told(item(lines=[9, 4])), r"lines: expected two lines of the document's 90, the first one first, found 9, 4"),
        (told(item(lines=[90, 91])), r"lines: expected two lines of the document's 90"),
        (told(item(blocked_by=["pay"])), r'blocked_by\[0\]: expected an object, found "pay"'),
        (told(item(blocked_by=[{"key": "x"}])), r'tasks\[0\]\.blocked_by\[0\]\.key: there is no task "x"'),
        (told(item(blocked_by=[{"key": "pay", "confidence": 2}])), r"confidence: expected a number from 0 to 1"),
        (told(item(parent="x")), r'tasks\[0\]\.parent: there is no task "x"'),
        (told(item(), item()), r"tasks\[1\]\.key: pay is the key of tasks\[0\] too"),
        (told(item("old")), r"tasks\[0\]\.key: old is the key of a task that was answered before"),
        (told(item(parent="pay")), r"tasks\[0\]\.parent: pay is a part of itself, by way of pay"),
        (told(item("a", parent="b"), item("b", parent="a")), r"tasks\[0\]\.parent: a is a part of itself.*b is"),
        (
            told(item("a"), item("b", parent="a"), item("c", parent="b")),
            r"tasks\[2\]\.parent: it lies on level 3, and 2 are wanted at most",
        ),
        (
            told(*[item(f"t-{n}") for n in range(10_000)]),
            f"tasks: expected 0 to {MOST_TASKS} of them, found a list of 10000",
        ),
        (told(item(description=f"use {TOKEN}")), "a secret stands in it"),
        (told(item(title=TOKEN)).replace("ghp_", "gh\\u0070_"), "a secret stands in it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(text: str, complaint: str) -> None:
    """Against the schema, then against what must hold in a plan; a secret is never repeated."""
    with pytest.raises(BadAnswer, match=complaint) as refused:
        read(text, Rules(lines=90, levels=2, before=(PlanTask("old", "Old"),)))
    assert TOKEN not in str(refused.value)


def test_all_faults_are_told_at_once_up_to_a_bound() -> None:
    """The sentence names the first of them and counts the rest."""
    with pytest.raises(BadAnswer) as refused:
        read(told(*[item(f"t-{n}", priority="x") for n in range(100)]), RULES)
    assert len(refused.value.faults) == 20
    assert str(refused.value).endswith("; and 17 more")


@pytest.mark.parametrize(("count", "complaint"), [(0, "found 0"), (1, "found 1")])
def test_an_answer_with_too_little_is_refused(count: int, complaint: str) -> None:
    """A plan has two tasks at least."""
    with pytest.raises(BadAnswer, match=f"tasks: expected 2 at least, {complaint}"):
        read(told(*[item()] * count), Rules(lines=9, levels=2, least=2))


def circle(count: int, sure: Callable[[int], float]) -> str:
    """Write tasks that wait for each other in pairs."""
    pairs = [(f"a-{n}", f"b-{n}", sure(n)) for n in range(count)]
    one = [item(a, blocked_by=[{"key": b, "confidence": 1}]) for a, b, _ in pairs]
    other = [item(b, blocked_by=[{"key": a, "confidence": c, "reason": "so"}]) for a, b, c in pairs]
    return told(*one, *other)


def test_cycles_are_broken_where_they_are_least_sure() -> None:
    """With a warning each; an answer that is full of them is refused."""
    found = read(circle(2, lambda n: n / 10), RULES)
    assert [task.edges for task in found.tasks] == [(Edge("b-0"),), (Edge("b-1"),), (), ()]
    assert [(doubt.kind, doubt.key) for doubt in found.doubts] == [("cycle", "b-0"), ("cycle", "b-1")]
    assert "b-0 after a-0 was left out (so)" in found.doubts[0].message
    assert read(told(item(blocked_by=[{"key": "pay"}])), RULES).tasks[0].edges == ()
    with pytest.raises(BadAnswer, match=f"more than {MOST_CYCLES} circles of tasks wait for each other, such as"):
        read(circle(MOST_CYCLES + 1, lambda _: 0.5), RULES)


def test_a_later_answer_goes_on_from_the_tasks_before_it() -> None:
    """It may wait for them, and be a part of them; what names no parent is a part of what is split."""
    before = (PlanTask("shop", "Shop"), PlanTask("till", "Till"))
    found = read(told(item(parent="till", blocked_by=[{"key": "shop"}])), Rules(90, 2, before))
    assert found.tasks[:2] == before
    assert (found.tasks[2].parent, found.tasks[2].edges) == ("till", (Edge("shop"),))
    assert read(told(item()), Rules(90, 2, before, root="shop")).tasks[2].parent == "shop"


def test_texts_cannot_become_anything_else() -> None:
    """Shell, Markdown and control characters in a title are a title, in the plan's file too."""
    odd = "`$(touch x)` \x1b[31m### evil: y\n- done: yes\r\n\u202ebackwards <!-- --> '; rm -rf /"
    found = read(told(item(title=odd, category=odd, acceptance_criteria=[odd]), item("b", "B", description=odd)), RULES)
    first = found.tasks[0]
    assert first.title == "`$(touch x)` [31m### evil: y - done: yes backwards <!-- --> '; rm -rf /"
    assert first.title == first.category == first.criteria[0]
    assert [line.rstrip() for line in found.tasks[1].context] == list(found.tasks[1].context)
    assert kept(found.tasks) == found.tasks


def kept(tasks: tuple[PlanTask, ...]) -> tuple[PlanTask, ...]:
    """Write tasks into a plan's file and read them back."""
    plan, problems = parse(write(Plan("p", "P", "doc.md", parameters=Parameters(), tasks=tasks)), "plans/p.md")
    assert plan is not None, problems
    return plan.tasks


TEXT = st.text(max_size=30)


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT, TEXT, st.integers(0, 100)), max_size=4))
def test_whatever_is_accepted_is_read_back_from_the_plan(rows: list[tuple[str, str, str, int]]) -> None:
    """Every field of every task."""
    items = [
        item(f"t-{n}", title, ref=text, category=text, labels=[text or "x"], description=more,
             acceptance_criteria=[text or "x"], blocked_by=[{"key": "t-0", "reason": text, "confidence": sure / 100}])
        for n, (title, text, more, sure) in enumerate(rows)
    ]  # fmt: skip
    try:
        found = read(told(*items), RULES)
    except BadAnswer as refused:
        assert "nothing in it that can be seen" in str(refused)  # noqa: PT017 - some examples are refused, most are not
    else:
        assert kept(found.tasks) == found.tasks


def test_the_published_schema_describes_what_is_read() -> None:
    """An answer that has everything fits it, and one with anything else does not."""
    assert not faults(json.loads(told(WHOLE, title=None, warnings=[{"message": "x"}])), schema())
    assert faults(json.loads(told(item(more=1))), schema())
