"""What is started: order, slots, agents, pauses, sequence, trust, capabilities, backoff, requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import StartRun
from orange.core.allowance import Dispatch, Terms
from orange.core.dispatch import wishes
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Base, Outcome, Presence, Priority, RequestKind, Task, World
from orange.core.reconcile import decide
from orange.core.scene import Scene
from orange.core.settings import Limits, Settings
from orange.core.times import stamp
from orange.core.waiting import why
from orange.testing.worlds import (
    NOW,
    a_request,
    a_run,
    a_stuck,
    a_task,
    a_working,
    a_world,
    an_ended_run,
    released,
    settle_down,
)

CHANGES, ANSWER, RUN = RequestKind.CHANGES, RequestKind.ANSWER, RequestKind.RUN
JUST_FAILED = an_ended_run("a", outcome=Outcome.FAILED, ended_at=NOW)
MADE_BY_AGENT = {"source": {"kind": "delegated", "reference": "p"}}


def started(world: World) -> list[str]:
    """List what is started, in order."""
    return [action.task for action in decide(world, NOW).actions if isinstance(action, StartRun)]


def codes(world: World, task_id: str) -> list[str]:
    """List the codes of what a task waits for."""
    return [line.code for line in why(world.board.tasks[task_id], world, NOW)]


def test_a_ready_task_starts_under_the_epoch_seen() -> None:
    """The plan names the epoch it saw, so that a claim made meanwhile wins."""
    assert decide(a_world(a_task("t", claim=released(4))), NOW).actions == (StartRun("t", 4),)


def test_a_person_who_is_asked_decides_on_each_start() -> None:
    """Nothing starts before a yes, which holds for this start alone; a no lets others be asked for, at any slots."""
    tasks = [a_task("a"), a_task("b"), a_task("c", request=a_request(RUN))]

    def world(**terms: Any) -> World:
        return a_world(*tasks, dispatch=Dispatch(slots=1, slots_total=1, terms=Terms(asks=True, **terms)))

    def wished(**terms: Any) -> list[str]:
        return [task.id for task in wishes(Scene(world(**terms), NOW))]

    assert started(world()) == ["c"]
    assert "session" in codes(world(), "a")
    without = a_world(*tasks[:2], dispatch=Dispatch(slots=1, slots_total=1, terms=Terms(asks=True)))
    assert [task.id for task in wishes(Scene(without, NOW))] == ["a"]
    tasks.pop()
    assert (started(world(agreed={"a": 0})), wished(agreed={"a": 0})) == (["a"], [])
    assert (started(world(agreed={"a": 1})), wished(agreed={"a": 1})) == ([], ["a"])
    assert (started(world(declined={"a": 0})), wished(declined={"a": 0})) == ([], ["b"])
    assert wishes(Scene(a_world(*tasks), NOW)) == []


@pytest.mark.parametrize(("declined", "waits"), [({}, True), ({"a": 1}, False)])
def test_a_retry_that_will_be_asked_for_is_waited_for(declined: dict[str, int], *, waits: bool) -> None:
    """A daemon that ends when nothing is left to do stays for it, unless the person said no already."""
    task = a_task("a", claim=released(1), attempts=1)
    terms = Terms(asks=True, agreed={"a": 0}, declined=declined)
    world = a_world(task, runs=[JUST_FAILED], dispatch=Dispatch(slots=1, slots_total=1, terms=terms))
    assert (decide(world, NOW).start_at is not None) is waits


def test_order_is_priority_then_requests_then_age() -> None:
    """Asked for now comes first; then by priority; at equal priority requests before new tasks; then the older."""
    old, new = stamp(NOW - 9), stamp(NOW)
    tasks = (
        a_task("new", created_at=new),
        a_task("old", created_at=old),
        a_task("high", priority=Priority.HIGH, created_at=new),
        a_task("fix", Status.REVIEWING, request=a_request(CHANGES), created_at=new),
        a_task("lowfix", Status.REVIEWING, request=a_request(CHANGES), priority=Priority.LOW, created_at=old),
        a_task("now", priority=Priority.LOW, request=a_request(RUN), created_at=new),
    )
    assert started(a_world(*tasks, slots=9)) == ["now", "high", "fix", "old", "new", "lowfix"]


@pytest.mark.parametrize("slots", [-1, 0, 1, 2])
def test_ready_tasks_wait_for_slots(slots: int) -> None:
    """Seed 001, pool exhausted: what is ready beyond the free slots waits, in order, and says so."""
    tasks = [a_task(i, created_at=stamp(NOW + place)) for place, i in enumerate("abc")]
    world = a_world(*tasks, slots=slots)
    assert started(world) == list("abc"[: max(0, slots)])
    assert [codes(world, i) for i in "abc"] == [[] if place < slots else ["slot"] for place in range(3)]


def test_requests_take_slots_too() -> None:
    """Requested changes wait for a slot like everything else."""
    world = a_world(a_task("a", Status.REVIEWING, request=a_request(CHANGES)), slots=0)
    assert started(world) == []
    assert codes(world, "a") == ["request", "slot"]


def test_agents_have_slots_of_their_own() -> None:
    """`limits.per_agent` holds back one agent's tasks, not the others'."""
    tasks = (a_task("a"), a_task("b"), a_task("c", agent="codex"))
    settings = Settings(limits=Limits(per_agent={"claude": 1}))
    keys: dict[str, Any] = {"capabilities": frozenset({"claude", "codex"}), "settings": settings}
    world = a_world(*tasks, **keys)
    assert started(world) == ["a", "c"]
    assert codes(world, "b") == ["agent_slot"]
    busy = a_world(*tasks, a_working("w"), runs=[a_run("w")], **keys)
    assert started(busy) == ["c"]
    observed = replace(world, dispatch=replace(world.dispatch, per_agent={"claude": 2, "codex": 0}))
    assert started(observed) == ["a", "b"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (Dispatch(paused=True, pause_reason="lunch", paused_at="2026-11-20T12:00:00Z", slots=3), "paused"),
        (Dispatch(draining=True, slots=3), "draining"),
        (Dispatch(draining=True, paused=True, slots=3), "draining"),
    ],
)
def test_nothing_starts_while_paused_or_draining(state: Dispatch, code: str) -> None:
    """A pause holds back new runs, also those asked for; the reason and its time are shown."""
    world = a_world(a_task("a"), a_task("b", request=a_request(RUN)))
    world = replace(world, dispatch=state)
    assert started(world) == []
    assert codes(world, "a") == codes(world, "b") == [code]
    (reason,) = why(world.board.tasks["a"], world, NOW)
    assert (reason.since, reason.evidence) == (state.paused_at, state.pause_reason)


@pytest.mark.parametrize(
    ("others", "runs", "starts"),
    [
        ([], [], ["a"]),
        ([a_working("w")], [a_run("w")], []),
        ([a_working("w", host="there")], [], []),
        ([a_working("w", person=True)], [], ["a"]),
        ([a_stuck("w", StuckReason.QUESTION, claim=released(1))], [a_run("w")], ["a"]),
        ([a_task("w", Status.CANCELLED, claim=released(1))], [a_run("w")], []),
        ([a_task("w", Status.REVIEWING, claim=released(1))], [an_ended_run("w")], ["a"]),
    ],
)
def test_sequential_is_one_at_a_time(others: list[Task], runs: list[Any], starts: list[str]) -> None:
    """In sequential mode a task starts only while no other agent works; people and questions do not count."""
    world = a_world(a_task("a"), a_task("b"), *others, runs=runs, settings=Settings(dispatch_mode="sequential"))
    assert started(world) == starts
    assert codes(world, "b") == ["sequential"]


@pytest.mark.parametrize(
    ("task", "keys", "code"),
    [
        (a_task("a", assignee="human"), {}, "human"),
        (a_task("a"), {"untrusted": {"a": "from origin at c1"}}, "trust"),
        (a_task("a", agent="codex"), {}, "capability"),
        (a_task("a", requires=("gpu",)), {}, "capability"),
        (a_task("a", base="gone"), {"bases": {"gone": Base("gone", None, None)}}, "base_missing"),
        (a_task("a", blocked_by=("b",)), {}, "blocker_open"),
        (a_task("a", blocked_by=("zz",)), {}, "blocker_missing"),
        (a_task("a", claim=released(1), attempts=1), {"runs": [JUST_FAILED]}, "backoff"),
        (a_task("a", claim=released(1)), {"runs": [a_run("a", session=Presence.UNKNOWN)]}, "stopping"),
        (a_task("a", claim=released(1)), {"runs": [an_ended_run("a", 3)]}, "problem"),
    ],
)
def test_gates(task: Task, keys: dict[str, Any], code: str) -> None:
    """Each gate holds a task back, and is what is shown."""
    world = a_world(task, a_task("b", Status.BACKLOG), **keys)
    assert started(world) == []
    assert codes(world, "a") == [code]


def test_backoff_ends_by_itself() -> None:
    """A failed task waits from its run's end; the plan says when to look again; asking for it now skips the wait."""
    task = a_task("a", claim=released(1), attempts=2)
    world = a_world(task, runs=[an_ended_run("a", outcome=Outcome.FAILED, ended_at=NOW - 5)])
    assert (started(world), decide(world, NOW).wake_at) == ([], NOW + 15)
    assert isinstance(decide(world, NOW + 15).actions[0], StartRun)
    (reason,) = why(task, world, NOW)
    assert reason.remedy == "orange task retry a"
    urgent = a_world(replace(task, request=a_request(RUN)), runs=world.runs.values())
    assert started(urgent) == ["a"]


def test_an_attempt_that_left_no_run_waits_too() -> None:
    """A launch that failed is tried again after the same wait, counted from the task's last change."""
    task = a_task("a", claim=released(2), attempts=1, updated_at=stamp(NOW - 4))
    for runs in ([], [an_ended_run("a", 1)]):
        world = a_world(task, runs=runs)
        assert (started(world), decide(world, NOW).wake_at) == ([], NOW + 6)
        assert codes(world, "a") == ["backoff"]
    assert started(a_world(replace(task, updated_at="yesterday"))) == ["a"]


@pytest.mark.parametrize(
    ("task", "starts"),
    [
        (a_stuck("t", StuckReason.QUESTION, request=a_request(ANSWER)), True),
        (a_stuck("t", StuckReason.QUESTION), False),
        (a_stuck("t", StuckReason.QUESTION, request=a_request(CHANGES)), False),
        (a_stuck("t", StuckReason.FAILED, request=a_request(ANSWER)), False),
        (a_stuck("t", StuckReason.FAILED, request=a_request(RUN)), True),
        (a_task("t", Status.REVIEWING, request=a_request(CHANGES)), True),
        (a_task("t", Status.REVIEWED, request=a_request(RequestKind.CONFLICT)), True),
        (a_task("t", Status.REVIEWED, request=a_request(RequestKind.CHECKS)), True),
        (a_task("t", request=a_request(RequestKind.CONFLICT)), True),
        (a_task("t", Status.DELEGATED, request=a_request(RUN), children=("k",)), True),
        (a_task("t", Status.DELEGATED, request=a_request(CHANGES), children=("k",)), False),
        (a_task("t", Status.BACKLOG, request=a_request(RUN)), False),
        (a_task("t", Status.DONE, request=a_request(RUN)), False),
        (a_task("t", Status.CANCELLED, request=a_request(RUN)), False),
    ],
)
def test_requests_start_from_where_they_make_sense(task: Task, starts: bool) -> None:
    """A request takes a task up again from the statuses it may be claimed in; the plan says what the run is for."""
    world = a_world(task, a_task("k", Status.BACKLOG, parent="t" if task.children else None))
    kind = task.request.kind if task.request else None
    assert decide(world, NOW).actions == ((StartRun("t", 0, kind),) if starts else ())


def test_a_request_waits_for_a_blocker_that_was_reopened() -> None:
    """Nothing goes into working while a blocker is open, also not for requested changes."""
    world = a_world(
        a_task("t", Status.REVIEWING, request=a_request(CHANGES), blocked_by=("b",)), a_task("b", Status.BACKLOG)
    )
    assert started(world) == []
    assert codes(world, "t") == ["request", "blocker_open"]


def test_agents_children_are_started_at_a_bounded_rate() -> None:
    """Beyond `limits.spawns_per_minute` a task that an agent created waits; a person's does not."""
    tasks = [a_task(i, **MADE_BY_AGENT, created_at=stamp(NOW + place)) for place, i in enumerate("abc")]
    earlier = a_task("old", Status.REVIEWING, **MADE_BY_AGENT, claim=released(1))
    runs = [an_ended_run("old", started_at=NOW - 40)]
    settings = Settings(limits=Limits(spawns_per_minute=2))
    world = a_world(*tasks, a_task("mine", created_at=stamp(NOW + 9)), earlier, runs=runs, slots=9, settings=settings)
    assert started(world) == ["a", "mine"]
    assert codes(world, "b") == ["spawn_rate"]
    full = settle_down(world).world
    assert decide(full, NOW).wake_at == NOW + 20
    later = [action.task for action in decide(full, NOW + 20).actions if isinstance(action, StartRun)]
    assert later == ["b"]


def test_without_anything_to_do_nothing_wakes_it() -> None:
    """A world in which only a change can matter asks for no wake-up."""
    plan = decide(a_world(a_task("a", Status.BACKLOG), a_working("b"), runs=[a_run("b")]), NOW)
    assert (plan.actions, plan.wake_at) == ((), None)


def _on(terms: Terms, *tasks: Task, **keys: Any) -> World:
    return a_world(*tasks, dispatch=Dispatch(slots=9, slots_total=9, terms=terms), **keys)


def test_a_session_takes_on_no_more_tasks_than_it_was_told() -> None:
    """The first in order are taken on; the others say that it was told so."""
    tasks = [a_task(i, created_at=stamp(NOW + place)) for place, i in enumerate("abc")]
    some = _on(Terms(fresh=2), *tasks)
    assert started(some) == ["a", "b"]
    assert codes(some, "c") == ["session"]
    none = _on(Terms(fresh=0), *tasks)
    assert started(none) == []
    assert [codes(none, i) for i in "abc"] == [["session"]] * 3
    assert started(_on(Terms(), *tasks)) == ["a", "b", "c"]


def test_what_a_session_took_on_it_sees_through() -> None:
    """A retry and a request of its own are served, and waited for, when it takes on nothing new any more."""
    retried = a_task("a", attempts=1, claim=released(), updated_at=stamp(NOW - 3600))
    asked = a_task("b", Status.REVIEWING, request=a_request(CHANGES))
    other = a_task("c", Status.REVIEWING, request=a_request(CHANGES))
    assert set(started(_on(Terms(fresh=0, taken=frozenset("ab")), retried, asked, other))) == {"a", "b"}
    waits = a_task("a", attempts=1, claim=released())
    ended = [an_ended_run("a", outcome=Outcome.FAILED, ended_at=NOW)]
    assert decide(_on(Terms(fresh=0, taken=frozenset("a")), waits, runs=ended), NOW).start_at is not None
    assert decide(_on(Terms(fresh=0), waits, runs=ended), NOW).start_at is None


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        (Terms(agent="claude"), ["a", "b"]),
        (Terms(agent="codex"), ["c"]),
        (Terms(labels=("night",)), ["b"]),
        (Terms(labels=("night", "day")), ["b", "c"]),
        (Terms(agent="claude", labels=("day",)), []),
    ],
)
def test_a_session_may_start_only_tasks_of_an_agent_or_label(terms: Terms, wanted: list[str]) -> None:
    """The others wait and say what the daemon was told."""
    tasks = (
        a_task("a", created_at=stamp(NOW)),
        a_task("b", labels=("night",), created_at=stamp(NOW + 1)),
        a_task("c", labels=("day",), agent="codex", created_at=stamp(NOW + 2)),
    )
    world = _on(terms, *tasks, capabilities=frozenset({"claude", "codex"}))
    assert started(world) == wanted
    assert all("session" in codes(world, task.id) for task in tasks if task.id not in wanted)
