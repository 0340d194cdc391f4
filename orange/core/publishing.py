"""When work that is published elsewhere is pushed and looked after again, and what it waits for. Pure.

A push that failed is tried again, each time later; what was pushed is looked for every half minute: in the remote's
base, or in its pull request.

Next in the flow: `landing` asks what is owed to a reviewed task, `project.publishing` carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orange.core import effective
from orange.core.actions import Publish, PushBase
from orange.core.gates import Waiting
from orange.core.lifecycle import Status
from orange.core.model import BranchState, Task
from orange.core.model import Publish as Mode
from orange.core.scene import Scene
from orange.core.sharing import Publication

#: Seconds between two looks at what was pushed, and after the first failure; each further failure doubles it.
AGAIN = 30.0
#: Seconds between two tries at most.
LONGEST = 600.0
#: The ways to publish that leave the merging to others.
_ELSEWHERE = frozenset({Mode.BRANCH, Mode.PR})


def due_at(known: Publication | None, tip: str | None) -> float:
    """Return when a branch at `tip` is to be pushed or looked after next, in seconds since 1970."""
    if known is None:
        return 0.0
    if known.reason is not None:
        return known.tried_at + min(AGAIN * (1 << min(max(known.failures - 1, 0), 10)), LONGEST)
    return known.tried_at + AGAIN if known.commit == tip else 0.0


def tried(known: Publication, now: float, failure: str | None = None) -> Publication:
    """Return what is known after a try that ended now."""
    return replace(known, tried_at=now, reason=failure, failures=known.failures + 1 if failure else 0)


def owed(scene: Scene, task: Task, state: BranchState) -> Publish | None:
    """Return the push or look that a reviewed task with unmerged work is due for."""
    if not _is_elsewhere(scene, task) or lacks(scene, task) or scene.base_missing(task):
        return None
    return Publish(task.id) if scene.now >= due_at(scene.world.publications.get(task.id), state.tip) else None


def push_bases(scene: Scene) -> Iterator[PushBase]:
    """Yield the bases with merges that are still to be pushed."""
    for base, known in sorted(scene.world.pushes.items()):
        if scene.now >= due_at(known, None):
            yield PushBase(base)


def next_publish(scene: Scene) -> float | None:
    """Return when the next push or look is due; None when none is."""
    times = [due_at(known, None) for known in scene.world.pushes.values()]
    for task in scene.each(Status.REVIEWED):
        state, known = scene.branch(task), scene.world.publications.get(task.id)
        if known is not None and state is not None and state.unmerged and _is_elsewhere(scene, task):
            times.append(due_at(known, state.tip))
    return min((when for when in times if when > scene.now), default=None)


def lacks(scene: Scene, task: Task) -> bool:
    """Whether this machine lacks the program that publishes a task."""
    return effective.publish_of(task, scene.settings) is Mode.PR and "gh" not in scene.world.capabilities


def waits(scene: Scene, task: Task, at: str | None) -> Waiting:
    """Say what a reviewed task waits for that is merged elsewhere."""
    known, base = scene.world.publications.get(task.id), scene.base_of(task)
    remedy = f"orange task merge {task.id}"
    if lacks(scene, task):
        message = "this machine lacks gh, which opens its pull request: install it, or publish another way"
        return Waiting("capability", message, at, "gh", f"orange doctor, or {remedy}")
    if known is not None and known.reason is not None:
        return Waiting("publish_failed", known.reason, at, known.url or task.branch, f"orange doctor, or {remedy}")
    if known is None or known.commit is None:
        return Waiting("publish", "its branch is about to be pushed", at, task.branch, remedy)
    where = f"its pull request {known.url} is open" if known.url else f"its branch {task.branch} is pushed"
    return Waiting("publish", f"{where}: its commits are not seen in {base} yet", at, known.url or task.branch, remedy)


def _is_elsewhere(scene: Scene, task: Task) -> bool:
    return effective.publish_of(task, scene.settings) in _ELSEWHERE
