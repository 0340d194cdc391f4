"""Blockers, readiness, cycles, waves, families; and the graph that is kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core import graph
from orange.core.graph import Graph
from orange.core.lifecycle import Status
from orange.core.model import Board, Priority, RequestKind, Task
from orange.core.problems import CapReached, DependencyCycle, InvalidInput
from orange.core.settings import Limits, Settings
from orange.core.times import stamp
from orange.testing.worlds import AT, NOW, a_request, a_task, a_working
from tests.unit.random_worlds import modest

DONE, CANCELLED = Status.DONE, Status.CANCELLED
CAPABLE = frozenset({"claude"})
SETTINGS = Settings()
LENIENT = Settings(cancelled_satisfies=True)


def by_id(*tasks: Task) -> dict[str, Task]:
    """Index tasks by id."""
    return {task.id: task for task in tasks}


def ready_ids(*tasks: Task, settings: Settings = SETTINGS, frozen: frozenset[str] = frozenset()) -> list[str]:
    """List the ids of the ready tasks in order."""
    board = Board(by_id(*tasks), frozen=frozen)
    return [task.id for task in graph.ready_tasks(board, settings, CAPABLE)]


@pytest.mark.parametrize("status", Status)
def test_only_done_satisfies(status: Status) -> None:
    """A blocker holds its dependant back until it is done; cancelled satisfies only where the settings say so."""
    tasks = by_id(a_task("a", status), a_task("b", blocked_by=("a",)))
    assert graph.open_blockers(tasks["b"], tasks, SETTINGS) == (() if status is DONE else ("a",))
    lenient = () if status in {DONE, CANCELLED} else ("a",)
    assert graph.open_blockers(tasks["b"], tasks, LENIENT) == lenient


def test_a_missing_blocker_never_releases() -> None:
    """Row 9 of the originals' failures: a blocker that has no file holds its dependant back, whatever the settings."""
    task = a_task("b", blocked_by=("gone", "gone"))
    assert graph.open_blockers(task, by_id(task), LENIENT) == ("gone",)
    assert ready_ids(task, settings=LENIENT) == []


def test_backlog_is_never_ready() -> None:
    """Row 6: of two tasks in the backlog none is ready."""
    assert ready_ids(a_task("a", Status.BACKLOG), a_task("b", Status.BACKLOG)) == []


@pytest.mark.parametrize(
    ("task", "is_ready"),
    [
        (a_task("a"), True),
        (a_task("a", assignee="human"), False),
        (a_task("a", assignee=" Human "), False),
        (a_task("a", assignee="ada"), True),
        (a_task("a", requires=("docker",)), False),
        (a_task("a", requires=("Claude",)), True),
        (a_task("a", agent="codex"), False),
        (a_task("a", blocked_by=("a",)), False),
        *((a_task("a", status), False) for status in Status if status is not Status.PENDING),
    ],
)
def test_ready_is_pending_unblocked_not_human_and_capable(task: Task, is_ready: bool) -> None:
    """Ready is computed from status, blockers, assignee and this machine's capabilities."""
    assert ready_ids(task) == (["a"] if is_ready else [])
    assert graph.ready(task, by_id(task), SETTINGS, CAPABLE) is is_ready


def test_frozen_tasks_are_neither_ready_nor_done() -> None:
    """What is broken or in dispute is not started, and does not count as a finished blocker."""
    tasks = (a_task("a"), a_task("b", DONE), a_task("c", blocked_by=("b",)))
    assert ready_ids(*tasks) == ["a", "c"]
    assert ready_ids(*tasks, frozen=frozenset("ab")) == []


def test_dispatch_order_is_priority_age_id() -> None:
    """Critical before high before medium before low; then the older; then the id."""
    old, new = stamp(NOW - 9), stamp(NOW)
    tasks = (
        a_task("z", priority=Priority.HIGH, created_at=new),
        a_task("b", created_at=new),
        a_task("a", created_at=new),
        a_task("x", created_at=old),
        a_task("c", priority=Priority.LOW, created_at=old),
        a_task("y", priority=Priority.CRITICAL, created_at=new),
    )
    assert ready_ids(*tasks) == ["y", "z", "x", "a", "b", "c"]


# -- cycles


def test_two_that_block_each_other_and_one_that_blocks_itself_are_named() -> None:
    """Row 11: cycles are found and named, and never make a task ready."""
    tasks = (a_task("a", blocked_by=("b",)), a_task("b", blocked_by=("a",)), a_task("s", blocked_by=("s",)))
    assert graph.cycles(by_id(*tasks)) == (("a", "b", "a"), ("s", "s"))
    assert ready_ids(*tasks) == []
    assert graph.waves(by_id(*tasks)) == ()


@pytest.mark.parametrize(
    ("tasks", "cycle"),
    [
        ((a_task("p", Status.DELEGATED), a_task("c", parent="p", blocked_by=("p",))), ("c", "p", "c")),
        ((a_task("p"), a_task("m", parent="p"), a_task("c", parent="m", blocked_by=("p",))), ("c", "p", "m", "c")),
        ((a_task("a", parent="b"), a_task("b", parent="a")), ("a", "b", "a")),
        ((a_task("a", parent="a"),), ("a", "a")),
        (
            (
                a_task("p"),
                a_task("q"),
                a_task("x", parent="p", blocked_by=("q",)),
                a_task("y", parent="q", blocked_by=("p",)),
            ),
            ("p", "x", "q", "y", "p"),
        ),
    ],
    ids=["child of its blocker", "grandchild of its blocker", "parents", "own parent", "crosswise families"],
)
def test_parent_edges_count(tasks: tuple[Task, ...], cycle: tuple[str, ...]) -> None:
    """A parent waits for its children, so one that blocks its own descendant is part of a cycle."""
    found = graph.cycles(by_id(*tasks))
    assert found == (cycle,)
    assert set(graph.knotted(by_id(*tasks))) == set(cycle)


def test_a_child_may_block_its_parent_and_siblings_each_other() -> None:
    """Edges along the family that do not close a circle are fine."""
    family = (
        a_task("p", blocked_by=("c",)),
        a_task("c", parent="p"),
        a_task("d", parent="p", blocked_by=("c",)),
    )
    assert graph.cycles(by_id(*family)) == ()


def test_a_cycle_is_reported_as_a_problem() -> None:
    """A cycle made by hand is a problem at a file, naming the tasks in order."""
    tasks = by_id(a_task("a", blocked_by=("b",)), a_task("b", blocked_by=("a",)))
    (problem,) = graph.cycle_problems(tasks)
    assert problem.path == tasks["a"].path
    assert "a -> b -> a" in problem.message


@pytest.mark.parametrize(
    ("blocked_by", "parent", "cycle"),
    [
        (("a",), None, None),
        (("n",), None, ("n", "n")),
        ((), "n", ("n", "n")),
        (("a",), "a", ("n", "a", "n")),
        (("c",), "a", None),
        (("zz",), "zz", ("n", "zz", "n")),
        (("a",), "c", None),
    ],
)
def test_would_cycle_for_a_new_task(
    blocked_by: tuple[str, ...], parent: str | None, cycle: tuple[str, ...] | None
) -> None:
    """A task that is about to be created is checked with its edges; missing ones close nothing by themselves."""
    tasks = by_id(a_task("a"), a_task("b", blocked_by=("a",)), a_task("c"))
    assert graph.would_cycle(tasks, "n", blocked_by, parent) == cycle


def test_would_cycle_for_changed_edges() -> None:
    """For an existing task the new edges replace the old ones, and other cycles are not its business."""
    tasks = by_id(
        a_task("a"),
        a_task("b", blocked_by=("a",)),
        a_task("c", blocked_by=("b",)),
        a_task("x", blocked_by=("y",)),
        a_task("y", blocked_by=("x",)),
    )
    assert graph.would_cycle(tasks, "a", ("c",), None) == ("a", "c", "b", "a")
    assert graph.would_cycle(tasks, "c", ("a",), None) is None
    assert graph.would_cycle(tasks, "a", ("x",), None) is None
    assert graph.would_cycle(tasks, "a", (), "c") is None
    assert graph.would_cycle(tasks, "c", ("b",), "a") == ("c", "b", "a", "c")
    moved = by_id(a_task("p"), a_task("q", blocked_by=("k",)), a_task("k", parent="p"))
    assert graph.would_cycle(moved, "k", (), "q") is None
    assert graph.would_cycle(moved, "k", ("q",), "p") == ("k", "q", "k")


def test_edges_are_checked_on_create() -> None:
    """Seed 001's validations: blockers and parent exist in this project, and no circle is closed."""
    tasks = by_id(a_task("a", blocked_by=("b",)))
    with pytest.raises(InvalidInput, match="no task other"):
        graph.check_edges(tasks, a_task("n", blocked_by=("other",)))
    with pytest.raises(InvalidInput, match="parent"):
        graph.check_edges(tasks, a_task("n", parent="other"))
    with pytest.raises(DependencyCycle, match="b -> a -> b"):
        graph.check_edges(tasks, a_task("b", blocked_by=("a",)))
    with pytest.raises(DependencyCycle, match="n -> n"):
        graph.check_edges(tasks, a_task("n", blocked_by=("n",)))
    graph.check_edges(tasks, a_task("n", blocked_by=("a",)))
    with pytest.raises(DependencyCycle, match="n -> a -> n"):
        graph.check_edges(tasks, a_task("n", blocked_by=("a",), parent="a"))


# -- waves and families


def test_waves_follow_the_edges() -> None:
    """Each wave needs only what earlier waves finish; a delegated parent comes after its children."""
    tasks = by_id(
        a_task("done", DONE),
        a_task("a", blocked_by=("done",)),
        a_task("b", blocked_by=("a",)),
        a_task("c", priority=Priority.HIGH),
        a_task("p", Status.DELEGATED),
        a_task("k", parent="p", blocked_by=("b",)),
        a_task("after", blocked_by=("p",)),
        a_task("never", blocked_by=("missing",)),
        a_task("dropped", CANCELLED),
        a_task("held", blocked_by=("dropped",)),
    )
    assert graph.waves(tasks) == (("c", "a"), ("b",), ("k",), ("p",), ("after",))
    assert graph.waves(tasks, cancelled_satisfies=True)[0] == ("c", "a", "held")


def test_families() -> None:
    """Children by their own word, depth from the root, descendants nearest first, progress."""
    tasks = by_id(
        a_task("r", children=("x",)),
        a_task("b", DONE, parent="r", created_at=stamp(NOW - 5)),
        a_task("a", parent="r", created_at=stamp(NOW - 4)),
        a_task("k", CANCELLED, parent="a"),
        a_task("o", parent="gone"),
    )
    assert graph.children_of(tasks) == {"r": ("b", "a"), "a": ("k",), "gone": ("o",)}
    assert [graph.depth(tasks, i) for i in ("r", "a", "k", "o", "nobody")] == [0, 1, 2, 0, 0]
    assert graph.descendants(tasks, "r") == ("b", "a", "k")
    assert graph.progress("r", tasks) == (1, 2)
    assert graph.progress("k", tasks) == (0, 0)
    assert graph.mended_children(tasks) == {"r": ("b", "a"), "a": ("k",)}


def test_loops_of_parents_end() -> None:
    """Parents in a circle, made by hand, have a depth and descendants like others."""
    tasks = by_id(a_task("a", parent="b"), a_task("b", parent="a"), a_task("s", parent="s"))
    assert graph.depth(tasks, "a") == 1
    assert graph.depth(tasks, "s") == 0
    assert graph.descendants(tasks, "a") == ("b",)


@pytest.mark.parametrize(
    ("listed", "right"),
    [
        (("a", "b"), None),
        (("b", "a"), None),
        ((), ("a", "b")),
        (("b",), ("b", "a")),
        (("a", "gone", "b"), ("a", "b")),
        (("a", "a", "b"), ("a", "b")),
        (("a", "broken", "b"), None),
    ],
)
def test_a_parents_list_is_mended(listed: tuple[str, ...], right: tuple[str, ...] | None) -> None:
    """The child's word rules; the list keeps its order, and a child that cannot be read at present stays in it."""
    tasks = by_id(a_task("p", children=listed), a_task("a", parent="p"), a_task("b", parent="p"))
    found = graph.mended_children(tasks, frozenset({"broken"}))
    assert found == ({} if right is None else {"p": right})


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(children=2), "limits.children"),
        (Limits(depth=2), "limits.depth"),
        (Limits(descendants=4), "limits.descendants"),
        (Limits(children=3, depth=3, descendants=5), None),
    ],
)
def test_fan_out_is_capped(limits: Limits, says: str | None) -> None:
    """One more child of an agent is refused at the caps on children, depth and descendants of the root."""
    tasks = by_id(
        a_task("r"),
        a_task("a", parent="r"),
        a_task("b", parent="a"),
        a_task("c", parent="b"),
        a_task("d", parent="b"),
    )
    parent = "b"
    if says is None:
        graph.check_caps(tasks, parent, limits)
        return
    with pytest.raises(CapReached) as refused:
        graph.check_caps(tasks, parent, limits)
    assert refused.value.setting == says


# -- size


def test_a_chain_of_any_length_is_no_problem(times: Callable[[int], int]) -> None:
    """Chains of blockers and of parents are walked without recursion, in linear time."""
    size = times(2_000)
    tasks = {
        str(i): a_task(str(i), blocked_by=(str(i - 1),) if i else (), parent=None, path="", title="t")
        for i in range(size)
    }
    assert graph.cycles(tasks) == ()
    assert len(graph.waves(tasks)) == size
    assert graph.would_cycle(tasks, "0", (str(size - 1),), None) is not None
    tasks["0"] = replace(tasks["0"], blocked_by=(str(size - 1),))
    (cycle,) = graph.cycles(tasks)
    assert len(cycle) == size + 1
    lineage = {str(i): a_task(str(i), parent=str(i - 1) if i else None) for i in range(1_000)}
    assert graph.depth(lineage, "999") == 999
    assert len(graph.descendants(lineage, "0")) == 999


# -- the graph that is kept


def same(one: Graph, other: Graph) -> bool:
    """Whether two graphs answer everything alike."""
    return answers(one) == answers(other)


def answers(kept: Graph) -> dict[str, object]:
    """Ask a graph everything it knows."""
    ids = sorted(kept.tasks)
    return {
        "queue": [task.id for task in kept.queue()],
        "status": {status: kept.with_status(status) for status in Status},
        "blocked": [i for i in ids if kept.blocked(i)],
        "children": {i: kept.children(i) for i in [*ids, "zz"]},
        "progress": {i: kept.progress(i) for i in ids},
        "dependants": {i: kept.dependants(i) for i in [*ids, "zz"]},
        "mends": dict(kept.mends()),
        "requests": kept.requests(),
        "reopened": kept.reopened(),
        "claimed": kept.claimed(),
        "with_base": kept.with_base(),
        "merged": {base: merged for base, merged in kept.merged().items() if merged},
        "held": kept.held(),
        "tried": kept.tried(),
        "closed": kept.closed(),
    }


def random_task(rnd: Random, task_id: str) -> Task:
    """Make some task."""
    ids = "abcdefz"
    task = a_working(task_id) if rnd.random() < 0.1 else a_task(task_id)
    return replace(
        task,
        status=rnd.choice([*Status, Status.PENDING, Status.DONE]),
        blocked_by=tuple(rnd.choices(ids, k=rnd.choice([0, 1, 1, 3]))),
        parent=rnd.choice([None, None, *ids]),
        children=tuple(rnd.sample(ids, rnd.choice([0, 0, 2]))),
        priority=rnd.choice(list(Priority)),
        created_at=stamp(NOW - rnd.randint(0, 5)),
        updated_at=rnd.choice(["", AT, stamp(NOW - 3)]),
        assignee=rnd.choice([None, None, "human"]),
        request=rnd.choice([None, a_request(RequestKind.RUN)]),
        reopened=rnd.choice([None, "m1"]),
        attempts=rnd.choice([0, 1]),
        path=rnd.choice(["tasks/x/TASK.md", "archive/2026/11/x/TASK.md"]),
    )


@modest
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_a_kept_graph_answers_like_a_new_one(seed: int, lenient: bool, crowd: bool) -> None:
    """After any sequence of changes the graph answers as one built from the tasks as they are now."""
    rnd = Random(seed)
    extra = {f"w{i}": a_task(f"w{i}", blocked_by=("a", "b")) for i in range(40)} if crowd else {}
    tasks = {i: random_task(rnd, i) for i in "abcdef"} | extra
    kept = Graph(Board(dict(tasks)), cancelled_satisfies=lenient)
    for _ in range(12):
        task_id = rnd.choice("abcdef")
        if rnd.random() < 0.2:
            tasks.pop(task_id, None)
        else:
            tasks[task_id] = random_task(rnd, task_id)
        kept.changed(task_id, tasks.get(task_id))
        assert same(kept, Graph(Board(dict(tasks)), cancelled_satisfies=lenient))


@modest
@given(st.integers(0, 2**32))
def test_a_graph_follows_a_board(seed: int) -> None:
    """Told of a whole board, with other tasks broken than before, the graph answers as a new one."""
    rnd = Random(seed)
    first = {i: random_task(rnd, i) for i in "abcdef"}
    second = {i: task if rnd.random() < 0.5 else random_task(rnd, i) for i, task in first.items() if rnd.random() < 0.8}
    kept = Graph(Board(first, frozen=frozenset(rnd.sample("abcz", 2))))
    answers(kept)
    board = Board(second, frozen=frozenset(rnd.sample("abcz", 2)))
    changed = kept.follow(board)
    assert same(kept, Graph(board))
    assert kept.follow(board) == ()
    assert len(set(changed)) == len(changed)


def test_the_graph_finds_cycles_with_its_own_index() -> None:
    """The kept graph answers the same question without a scan."""
    tasks = by_id(a_task("p"), a_task("c", parent="p"))
    assert Graph(Board(tasks)).would_cycle("c", ("p",), "p") == ("c", "p", "c")
    assert Graph(Board(tasks)).would_cycle("c", (), "p") is None
