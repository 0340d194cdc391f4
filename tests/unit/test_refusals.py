"""Rate limits: a refused run is parked, its agent gets nothing, and the task goes on when the limit is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from orange.core.actions import LaunchRun, SettleRun, StartRun
from orange.core.allowance import Dispatch, Refusal
from orange.core.lifecycle import Status
from orange.core.model import Outcome, Run, Task, World
from orange.core.reconcile import decide
from orange.core.refusals import news
from orange.core.retry import failing_tasks
from orange.core.settings import AgentSettings, Limits, Settings
from orange.core.waiting import why
from orange.testing.worlds import NOW, a_run, a_task, a_working, a_world, an_ended_run

LATER = NOW + 300


def _refused(task: str = "limited2", until: float = LATER, **keys: Any) -> Run:
    return an_ended_run(task, outcome=Outcome.RATE_LIMITED, agent="claude", limited_until=until, **keys)


def _world(*others: Any, until: float = LATER) -> World:
    return a_world(a_working("limited2", attempts=1), *others, runs=[_refused(until=until)])


def test_a_refused_run_is_parked() -> None:
    """Until the limit is over nothing is owed to its task, which stays working; then the daemon looks again."""
    plan = decide(_world(), NOW)
    assert (plan.actions, plan.wake_at, plan.start_at) == ((), LATER, LATER)


def test_a_parked_task_says_until_when() -> None:
    """The reason, the run it was seen in, and that nothing but time helps."""
    world = _world()
    (reason,) = why(world.board.tasks["limited2"], world, NOW)
    assert (reason.code, reason.evidence, reason.remedy) == ("rate_limit", "limited2-1", None)
    assert "the provider of claude refuses to go on until 20" in reason.message
    assert "the conversation is continued then" in reason.message


def test_no_attempt_is_used_up() -> None:
    """When the limit is over the task is pending again, and what it failed before still counts as before."""
    (action,) = decide(_world(until=NOW), NOW).actions
    assert action == SettleRun("limited2", "limited2-1", Status.PENDING, "the model's provider refused to go on")


def test_a_task_whose_limit_is_over_starts_at_once() -> None:
    """No backoff stands against it, although it failed once before."""
    task = replace(a_task("limited2"), attempts=1, claim=a_working("limited2").unbound().claim)
    world = a_world(task, runs=[_refused(until=NOW - 1)])
    assert decide(world, NOW).actions == (StartRun("limited2", 1),)


def test_nothing_else_is_given_to_that_agent() -> None:
    """Tasks of the refused agent wait and say so; those of others start."""
    same, other = a_task("same2345"), a_task("other234", agent="codex")
    world = replace(_world(same, other), capabilities=frozenset({"claude", "codex"}))
    assert decide(world, NOW).actions == (StartRun("other234", 0),)
    (reason,) = why(same, world, NOW)
    assert (reason.code, reason.evidence) == ("rate_limit", "limited2-1")
    assert "nothing is given to it before" in reason.message
    assert [type(action) for action in decide(world, LATER).actions] == [SettleRun, StartRun, StartRun]


def test_the_longest_limit_of_an_agent_counts() -> None:
    """Two runs refused for different times: the agent is held back until the later one."""
    runs = [_refused(), _refused("another2", LATER + 60)]
    world = a_world(a_working("limited2"), a_working("another2"), a_task("same2345"), runs=runs)
    assert decide(world, NOW).wake_at == LATER
    (reason,) = why(world.board.tasks["same2345"], world, NOW)
    assert reason.evidence == "another2-1"


def test_what_another_project_met_holds_its_agent_here() -> None:
    """One account, one limit: the reason names the project, and the task starts when the limit is over."""
    elsewhere = Refusal("claude", LATER, "there234-1", NOW - 9, "/home/ada/shop")
    world = replace(a_world(a_task("same2345")), dispatch=Dispatch(slots=3, slots_total=3, refused=(elsewhere,)))
    plan = decide(world, NOW)
    assert (plan.actions, plan.wake_at) == ((), LATER)
    (reason,) = why(world.board.tasks["same2345"], world, NOW)
    assert (reason.code, reason.evidence) == ("rate_limit", "there234-1")
    assert "(/home/ada/shop met the limit); nothing is given to it before" in reason.message
    assert decide(world, LATER).actions == (StartRun("same2345", 0),)


AGENTS = {"claude": AgentSettings(fallback="codex")}
BOTH = frozenset({"claude", "codex", "git"})


def _with_fallback(*tasks: Task, refused: Sequence[str] = ("claude",), runs: Sequence[Run] = (), **keys: Any) -> World:
    refusals = tuple(Refusal(agent, LATER, "there234-1") for agent in refused)
    dispatch = Dispatch(slots=3, slots_total=3, refused=refusals)
    given: dict[str, Any] = {"dispatch": dispatch, "settings": Settings(agents=AGENTS), "capabilities": BOTH}
    return a_world(*tasks, runs=runs, **given | keys)


@pytest.mark.parametrize(
    ("keys", "start"),
    [
        ({}, StartRun("fresh234", 0, agent="codex")),
        ({"refused": ()}, StartRun("fresh234", 0)),
        ({"refused": ("codex",)}, StartRun("fresh234", 0)),
        ({"refused": ("claude", "codex")}, None),
        ({"capabilities": frozenset({"claude", "git"})}, None),
        ({"settings": Settings()}, None),
    ],
)
def test_a_fallback_is_given_new_work_while_an_agent_is_refused(keys: dict[str, Any], start: StartRun | None) -> None:
    """Only while it is refused, and only to a fallback that can be had; else the task waits for its own agent."""
    task = a_task("fresh234")
    world = _with_fallback(task, **keys)
    assert decide(world, NOW).actions == ((start,) if start else ())
    assert [reason.code for reason in why(task, world, NOW)] == ([] if start else ["rate_limit"])


@pytest.mark.parametrize(
    ("speaker", "refused", "start"),
    [
        ("claude", ("claude",), None),
        ("claude", (), StartRun("begun234", 1)),
        ("codex", ("claude",), StartRun("begun234", 1, agent="codex")),
        ("codex", (), StartRun("begun234", 1, agent="codex")),
        ("codex", ("codex",), None),
        ("gemini", ("claude",), StartRun("begun234", 1, agent="codex")),
    ],
)
def test_a_conversation_goes_on_with_whom_it_was_begun(
    speaker: str, refused: tuple[str, ...], start: StartRun | None
) -> None:
    """It is not moved: it waits for its agent, and what a fallback has begun stays the fallback's."""
    task = replace(a_task("begun234"), claim=a_working("begun234").unbound().claim)
    run = an_ended_run("begun234", outcome=Outcome.FAILED, agent=speaker, launched=True, ended_at=NOW - 900)
    world = _with_fallback(task, refused=refused, runs=[run])
    assert decide(world, NOW).actions == ((start,) if start else ())


def test_a_claimed_run_is_launched_with_its_fallback_too() -> None:
    """After a crash between claiming and launching it is decided as before."""
    world = _with_fallback(a_working("fresh234"))
    assert decide(world, NOW).actions == (LaunchRun("fresh234", "fresh234-1", "codex"),)


def test_a_fallback_uses_its_own_slots() -> None:
    """`limits.per_agent` counts the agent that works."""
    settings = Settings(agents=AGENTS, limits=Limits(per_agent={"codex": 1}))
    working = a_run("working2", agent="codex", launched=True)
    world = _with_fallback(a_task("fresh234"), a_working("working2"), runs=[working], settings=settings)
    assert decide(world, NOW).actions == ()
    assert [reason.code for reason in why(world.board.tasks["fresh234"], world, NOW)] == ["agent_slot"]


@pytest.mark.parametrize(
    ("known", "is_new"),
    [
        ((), True),
        ((Refusal("codex", LATER + 9, "r"),), True),
        ((Refusal("claude", LATER - 1, "r"),), True),
        ((Refusal("claude", LATER, "r"),), False),
        ((Refusal("claude", LATER + 9, "r"),), False),
    ],
)
def test_only_what_is_longer_than_known_is_news(known: tuple[Refusal, ...], is_new: bool) -> None:
    """Other projects are told what they do not know yet."""
    found = news([_refused(), _refused("another2", NOW - 1)], known, NOW)
    assert [(each.agent, each.until, each.run) for each in found] == [("claude", LATER, "limited2-1")] * is_new


def test_a_limit_that_holds_nothing_back_is_not_waited_for() -> None:
    """A task that was closed meanwhile leaves the daemon idle."""
    world = a_world(a_task("limited2", Status.CANCELLED), runs=[_refused()])
    assert decide(world, NOW).start_at is None


def test_refusals_do_not_pause_dispatch() -> None:
    """They say nothing about the work."""
    runs = [_refused(f"limited{number}") for number in range(2, 6)]
    assert failing_tasks([*runs, a_run("working2")], None) == ()
