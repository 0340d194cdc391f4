"""Housekeeping: hand edits into history, workspaces back when room is needed, finished tasks into the archive.

Nothing here is urgent, and nothing is returned or moved while a run of the task is live or could not be looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orange.core.actions import AcceptEdits, ArchiveTask, ReturnWorkspace
from orange.core.lifecycle import CLOSED, Status
from orange.core.model import Presence, Task, Workspace
from orange.core.scene import Scene, moment
from orange.core.sessions import FAILED
from orange.core.times import stamp

#: So many tasks at most go to the archive in one plan: each is a write of its own.
_ARCHIVE_BATCH = 20


def accept_edits(scene: Scene) -> Iterator[AcceptEdits]:
    """Yield the hand edits that are not in history yet."""
    edits = tuple(sorted(set(scene.world.hand_edits) - scene.board.frozen))
    if edits:
        yield AcceptEdits(edits)


def return_workspaces(scene: Scene, starting: Collection[str]) -> Iterator[ReturnWorkspace]:
    """Yield the workspaces to return: delegated tasks', the user's checkout, and failed ones' where asked for, at once.

    Those of parents whose branch has to take in what their children made, too. Then the oldest idle ones beyond
    `workspaces.size`.
    """
    bound = [space for space in scene.world.workspaces.values() if space.task and space.presence is Presence.THERE]
    idle = [space for space in bound if space.task not in starting and is_idle(scene, space)]
    handed_on = [space for space in idle if _is_handed_on(scene, scene.tasks[space.task or ""])]
    for space in sorted(handed_on, key=_age):
        yield ReturnWorkspace(space.path, str(space.task), "its task was handed to its children")
    lent = [space for space in bound if _is_lent_for_nothing(scene, space, starting) and space not in handed_on]
    for space in lent:
        yield ReturnWorkspace(space.path, str(space.task), "nobody works in your checkout any more")
    idle = [space for space in idle if space not in lent]
    failed = [space for space in idle if _is_to_be_cleaned(scene, scene.tasks[space.task or ""])]
    for space in sorted(failed, key=_age):
        yield ReturnWorkspace(space.path, str(space.task), "its task failed, and was started with --cleanup-on-fail")
    others = sorted((space for space in idle if space not in handed_on and space not in failed), key=_age)
    size = scene.settings.workspaces.size
    for space in others[: max(0, len(bound) - len(handed_on) - len(lent) - len(failed) - size)]:
        yield ReturnWorkspace(
            space.path, str(space.task), f"more than {size} workspaces are bound; it is the oldest idle one"
        )


def _is_lent_for_nothing(scene: Scene, space: Workspace, starting: Collection[str]) -> bool:
    """Whether a workspace is the user's checkout, and nobody works there: its task rests, or is no more.

    With something in it that would be lost or carried along it stays, and whoever waits for it is told.
    """
    place, task = scene.world.dispatch.place, space.task or ""
    if place is None or space.path != place.path or task in starting or task in scene.board.frozen:
        return False
    if place.reason is not None:
        return False
    return is_idle(scene, space) if task in scene.tasks else scene.live(task) is None


def _is_handed_on(scene: Scene, task: Task) -> bool:
    return task.status is Status.DELEGATED or scene.lag(task) is not None


def _is_to_be_cleaned(scene: Scene, task: Task) -> bool:
    wanted = task.id in scene.world.dispatch.cleanup and task.status is Status.STUCK
    return wanted and task.stuck is not None and task.stuck.reason in FAILED


def _age(space: Workspace) -> tuple[float, str]:
    return space.used_at, space.path


def is_idle(scene: Scene, space: Workspace) -> bool:
    """Whether nobody works in a workspace: its task is known, not held, and has no run that may be live."""
    task = scene.tasks.get(space.task or "")
    if task is None or task.held or task.status is Status.WORKING:
        return False
    return scene.live(task.id) is None


def archive_tasks(scene: Scene) -> Iterator[ArchiveTask]:
    """Yield the finished tasks that nothing open refers to and that have not changed for `archive.after`."""
    found = 0
    limit = _cutoff(scene)
    for changed, task_id in scene.graph.closed():
        if changed >= limit or found == _ARCHIVE_BATCH:
            return
        if _may_be_archived(scene, scene.tasks[task_id]):
            found += 1
            yield ArchiveTask(task_id)


def _cutoff(scene: Scene) -> str:
    when = scene.now - scene.settings.archive_after
    return stamp(when) if 0 <= when < 253402300800 else ""


def _may_be_archived(scene: Scene, task: Task) -> bool:
    if task.held or scene.live(task.id) is not None or moment(task.updated_at or task.created_at) is None:
        return False
    parent = scene.tasks.get(task.parent or "")
    kin = (*((parent.id,) if parent else ()), *scene.graph.children(task.id), *scene.graph.dependants(task.id))
    return all(scene.tasks[other].status in CLOSED for other in kin)


def next_archiving(scene: Scene) -> float | None:
    """Return when the next finished task is old enough for the archive; None when there is none."""
    limit = _cutoff(scene)
    for changed, _ in scene.graph.closed():
        when = moment(changed) if changed >= limit else None
        if when is not None:
            return when + scene.settings.archive_after
    return None
