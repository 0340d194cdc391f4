"""What is owed now: one pure function from everything observed to the actions to take, in order.

Total: any world has an answer, and none raises. Deterministic: equal worlds have equal plans. A world that is as
wished has an empty plan, and carrying a plan out leads there.

Next in the flow: `reconciler.apply` carries the plan out, looking at everything again under the lock.
"""

from __future__ import annotations

from collections.abc import Iterator

from orange.core.actions import Action, Integrate, PauseDispatch, Plan, StartRun
from orange.core.dispatch import next_start, start_runs
from orange.core.graph import Graph
from orange.core.landing import drop_candidates, follow_bases, land, next_follow
from orange.core.model import Presence, World
from orange.core.parents import advance_parents, mend_children
from orange.core.publishing import next_publish, push_bases
from orange.core.scene import LOOK_AGAIN, LOOKS, Scene, is_live
from orange.core.settle import pause_dispatch, settle_runs, stop_runs, stop_spending
from orange.core.upkeep import accept_edits, archive_tasks, next_archiving, return_workspaces


def decide(world: World, now: float, graph: Graph | None = None) -> Plan:
    """Return what is owed. `now`: seconds since 1970. `graph`: an index of exactly `world.board`, where one is kept."""
    scene = Scene(world, now, graph)
    start_at = next_start(scene)
    return Plan(tuple(_actions(scene)), _wake_at(scene, start_at), start_at)


def _actions(scene: Scene) -> Iterator[Action]:
    """Yield the actions, the safest first: end, record, settle, close, land; then start; then follow and tidy up."""
    yield from stop_runs(scene)
    yield from accept_edits(scene)
    yield from stop_spending(scene)
    yield from settle_runs(scene)
    yield from mend_children(scene)
    yield from advance_parents(scene)
    yield from drop_candidates(scene)
    landing = list(land(scene))
    yield from landing
    yield from push_bases(scene)
    pauses: list[PauseDispatch] = list(pause_dispatch(scene))
    yield from pauses
    starts: list[StartRun] = [] if pauses else start_runs(scene)
    yield from starts
    yield from follow_bases(scene, (action.base for action in landing if isinstance(action, Integrate)))
    yield from return_workspaces(scene, {start.task for start in starts})
    yield from archive_tasks(scene)


def _wake_at(scene: Scene, start_at: float | None) -> float | None:
    """Return when the passing of time alone may change the answer."""
    times = [start_at, next_archiving(scene), next_follow(scene), next_publish(scene), _second_look(scene)]
    return min((when for when in times if when is not None), default=None)


def _second_look(scene: Scene) -> float | None:
    """Return when to look again at a session that was gone at the last look."""
    for run in scene.world.runs.values():
        if is_live(run) and run.session is Presence.GONE and run.gone_looks < LOOKS:
            return scene.now + LOOK_AGAIN
    return None
