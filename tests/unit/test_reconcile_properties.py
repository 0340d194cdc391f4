"""What holds for `decide` in every world, likely or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from orange.core import actions as do
from orange.core.graph import Graph
from orange.core.lifecycle import Actor, Status, refusal
from orange.core.model import Presence, Task, World
from orange.core.reconcile import decide
from orange.core.scene import is_live
from orange.core.waiting import Explainer
from orange.testing.worlds import HOST, NOW, facts, settle_down
from tests.unit.random_worlds import modest, random_world

worlds = st.builds(random_world, st.integers(0, 2**32), st.integers(1, 6))

Value = TypeVar("Value")

#: Actions that change a task's status, claim or run.
MOVES = (do.StartRun, do.LaunchRun, do.StopRun, do.CloseRun, do.SettleRun, do.SettleReview, do.Advance,
         do.Integrate, do.ArchiveTask, do.CheckMerge, do.SendBack)  # fmt: skip


def moves(world: World) -> list[Any]:
    """List the actions of a world's plan that change a task."""
    return [action for action in decide(world, NOW).actions if isinstance(action, MOVES)]


def turned_round(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return a mapping in the opposite order."""
    return dict(reversed(list(values.items())))


def foreign(task: Task) -> bool:
    """Whether another machine holds a task."""
    return task.claim is not None and task.claim.held and task.claim.host != HOST


@modest
@given(worlds)
def test_decide_is_total_and_deterministic(world: World) -> None:
    """Any world has a plan; the same world, in whatever order its parts come, has the same one."""
    plan = decide(world, NOW)
    turned = replace(
        world,
        board=replace(world.board, tasks=turned_round(world.board.tasks)),
        runs=turned_round(world.runs),
        workspaces=turned_round(world.workspaces),
        bases=turned_round(world.bases),
        candidates=turned_round(world.candidates),
    )
    assert plan == decide(world, NOW) == decide(turned, NOW)
    assert plan == decide(world, NOW, Graph(world.board, cancelled_satisfies=world.settings.cancelled_satisfies))
    assert plan.wake_at is None or plan.wake_at > NOW


@modest
@given(worlds)
def test_carrying_plans_out_leads_to_quiet(world: World) -> None:
    """Deciding and acting ends: in finitely many turns nothing is owed any more."""
    settled = settle_down(world)
    assert settled.quiet, settled.plans[-2:]
    assert decide(settled.world, NOW).actions == ()


@modest
@given(worlds)
def test_every_move_is_legal(world: World) -> None:
    """No plan proposes a transition that the lifecycle would refuse."""
    for action in moves(world):
        task = world.board.tasks.get(action.task)
        to = {do.StartRun: Status.WORKING, do.Integrate: Status.REVIEWED}.get(type(action), getattr(action, "to", None))
        if isinstance(action, do.StartRun) and action.review:
            to = Status.REVIEWING
        if task is None or to is None or to is task.status:
            continue
        known = facts(world, task, claiming=isinstance(action, do.StartRun))
        assert refusal(task, to, Actor.DAEMON, known) is None, action


@modest
@given(worlds)
def test_nothing_is_started_twice(world: World) -> None:
    """A task is started at most once in a plan, and never beside a run that may be alive or a claim that is held."""
    starts = [action.task for action in decide(world, NOW).actions if isinstance(action, do.StartRun)]
    assert max(Counter(starts).values(), default=0) <= 1
    for task_id in starts:
        assert not world.board.tasks[task_id].held
        assert not [run for run in world.runs.values() if run.task == task_id and is_live(run)]
    settled = settle_down(world)
    begun = Counter((a.task, a.epoch) for a in settled.actions if isinstance(a, do.StartRun))
    assert max(begun.values(), default=0) <= 1


@modest
@given(worlds)
def test_slots_are_never_exceeded(world: World) -> None:
    """No plan starts more than the free slots, in all and by agent, nor anything while paused or draining."""
    starts = [world.board.tasks[a.task] for a in decide(world, NOW).actions if isinstance(a, do.StartRun)]
    assert len(starts) <= world.dispatch.slots
    if world.dispatch.paused or world.dispatch.draining:
        assert not starts
    by_agent = Counter(task.agent or world.settings.agent for task in starts)
    assert all(by_agent[agent] <= free for agent, free in world.dispatch.per_agent.items())
    if world.settings.dispatch_mode == "sequential":
        assert len(starts) <= 1


@modest
@given(worlds)
def test_other_hosts_and_people_are_left_alone(world: World) -> None:
    """No claim of another machine, and nothing a person works on, is settled, started, moved or archived."""
    for action in moves(world):
        task = world.board.tasks.get(action.task)
        if task is None or isinstance(action, do.StopRun):  # a run of our own for an older claim is ended
            continue
        assert not foreign(task), action
        by_person = task.claim is not None and task.claim.by_person
        assert not (by_person and task.status is Status.WORKING), action


@modest
@given(worlds)
def test_unknown_leads_to_nothing(world: World) -> None:
    """What could not be looked at is neither stopped, settled, launched nor returned."""
    blind = replace(
        world,
        runs={i: replace(run, session=Presence.UNKNOWN, gone_looks=0) for i, run in world.runs.items()},
        workspaces={i: replace(space, presence=Presence.UNKNOWN) for i, space in world.workspaces.items()},
    )
    for action in decide(blind, NOW).actions:
        assert not isinstance(action, do.StopRun | do.CloseRun | do.ReturnWorkspace)
        if isinstance(action, do.SettleRun | do.SettleReview | do.LaunchRun) and action.run in blind.runs:
            run = blind.runs[action.run]
            assert run.outcome is not None or run.ended_at is not None or not is_held_by(blind, action)


def is_held_by(world: World, action: do.SettleRun | do.SettleReview | do.LaunchRun) -> bool:
    """Whether the run of an action is an agent's that holds its task."""
    claim = world.board.tasks[action.task].claim
    return claim is not None and claim.run == action.run and not claim.by_person


#: What is done to a run, or about its end.
_OF_RUNS = do.StopRun | do.CloseRun | do.SettleRun | do.SettleReview | do.LaunchRun


@modest
@given(worlds)
def test_gone_once_destroys_nothing(world: World) -> None:
    """A session that one look did not find is believed alive until a second look."""
    once = {i: replace(r, session=Presence.GONE, gone_looks=1) for i, r in world.runs.items() if r.outcome is None}
    open_ones = {i: replace(run, ended_at=None) for i, run in once.items()}
    plan = decide(replace(world, runs=open_ones), NOW)
    touched = {a.run for a in plan.actions if isinstance(a, _OF_RUNS)}
    assert not {run for run in touched & open_ones.keys() if not run.startswith("person-")}


@modest
@given(worlds)
def test_frozen_tasks_are_untouched(world: World) -> None:
    """A task whose file cannot be understood is neither moved nor mended, and its runs and workspace stay."""
    for action in decide(world, NOW).actions:
        ids = {getattr(action, "task", None), getattr(action, "parent", None), *getattr(action, "tasks", ())}
        assert not ids & world.board.frozen, action


@modest
@given(worlds)
def test_what_is_explained_is_what_is_done(world: World) -> None:
    """A pending task waits for nothing exactly when the plan starts it; closed tasks wait for nothing."""
    plan = decide(world, NOW)
    explainer = Explainer(world, NOW)
    starts = {action.task for action in plan.actions if isinstance(action, do.StartRun)}
    paused = any(isinstance(action, do.PauseDispatch) for action in plan.actions)
    for task in world.board.tasks.values():
        waiting = explainer.why(task)
        if task.id in world.board.frozen:
            assert [line.code for line in waiting] == ["problem"]
        elif task.status in {Status.DONE, Status.CANCELLED}:
            assert waiting == ()
        elif task.status is Status.PENDING and not paused:
            assert (waiting == ()) is (task.id in starts), waiting


@modest
@given(worlds)
def test_whoever_does_not_move_has_a_reason(world: World) -> None:
    """Once nothing is owed, every open task that no live run works on says what it waits for."""
    settled = settle_down(world).world
    explainer = Explainer(settled, NOW)
    for task in settled.board.tasks.values():
        at_work = task.status is Status.WORKING and any(r.task == task.id and is_live(r) for r in settled.runs.values())
        if task.status in {Status.DONE, Status.CANCELLED} or at_work:
            continue
        assert explainer.why(task), task


@modest
@given(worlds)
def test_edges_are_never_erased(world: World) -> None:
    """Whatever is carried out, no task loses a blocker or its parent."""
    after = settle_down(world).world.board.tasks
    for task_id, task in world.board.tasks.items():
        assert (after[task_id].blocked_by, after[task_id].parent) == (task.blocked_by, task.parent)


@modest
@given(worlds)
def test_epochs_only_grow(world: World) -> None:
    """Whatever is carried out, no task's epoch falls."""
    after = settle_down(world).world.board.tasks
    assert all(after[task_id].epoch >= task.epoch for task_id, task in world.board.tasks.items())
