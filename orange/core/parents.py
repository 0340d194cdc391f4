"""Parents: they close when their children are done, open again when a child is reopened, and list who is theirs.

A parent is judged only while its list agrees with its children: mending the list looks at the files a second time, so
that a child whose file was away for an instant cannot close its parent.

Next in the flow: `landing` takes parents with work of their own through review and integration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orange.core.actions import Advance, MendChildren
from orange.core.effective import publish_of
from orange.core.lifecycle import Status
from orange.core.model import Publish, Task
from orange.core.scene import Scene

#: From here a parent opens again when a child does.
_CLOSING = frozenset({Status.REVIEWING, Status.REVIEWED, Status.DONE})


def mend_children(scene: Scene) -> Iterator[MendChildren]:
    """Yield the parents whose `children` list is not what the children say."""
    for parent, children in sorted(scene.graph.mends().items()):
        yield MendChildren(parent, children)


def advance_parents(scene: Scene) -> Iterator[Advance]:
    """Yield the parents that close, go back to pending, or open again."""
    mends = scene.graph.mends()
    for task in scene.each(Status.DELEGATED):
        move = closing(scene, task, mends)
        if move:
            yield move
    yield from _reopened(scene)


def closing(scene: Scene, task: Task, mends: Mapping[str, tuple[str, ...]]) -> Advance | None:
    """Say how a delegated task goes on now; None while it waits for its children."""
    if task.id in mends or task.held or scene.live(task.id) is not None:
        return None
    if not scene.board.frozen.isdisjoint(task.children) or scene.lag(task):
        return None
    done, total = scene.graph.progress(task.id)
    if not total:
        return Advance(task.id, Status.PENDING, "it has no children left")
    return _closed(scene, task) if done == total else None


def _closed(scene: Scene, task: Task) -> Advance | None:
    if task.acceptance:
        return Advance(task.id, Status.REVIEWING, "all its children are done; its acceptance step is next")
    state = scene.branch(task)
    if state is None:
        return None
    if not state.unmerged:
        return Advance(task.id, Status.DONE, "all its children are done")
    if not scene.review_off(task):
        return Advance(task.id, Status.REVIEWING, "all its children are done; its own work is under review")
    if publish_of(task, scene.settings) is Publish.NONE and scene.checked(task, state):
        return Advance(task.id, Status.DONE, "all its children are done; it publishes nothing")
    return Advance(task.id, Status.REVIEWED, "all its children are done; its own work is next, review is off")


def _reopened(scene: Scene) -> Iterator[Advance]:
    """Yield the closed parents of which a child was opened again, each once."""
    seen = set()
    for child_id in scene.graph.reopened():
        parent = scene.tasks.get(scene.tasks[child_id].parent or "")
        if parent is None or parent.status not in _CLOSING or parent.id in seen:
            continue
        if not parent.held and scene.live(parent.id) is None:
            seen.add(parent.id)
            yield Advance(parent.id, Status.DELEGATED, f"its child {child_id} was reopened", evidence=child_id)
