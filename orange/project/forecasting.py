"""`orange forecast`: which open branches would conflict with their base, or with each other, if merged now."""

from __future__ import annotations

from collections.abc import Iterable

from orange.core import effective, lineage
from orange.core.lifecycle import Status
from orange.core.model import Board, Publish, Task
from orange.core.settings import Settings
from orange.project.parts import Parts


def forecast(parts: Parts, board: Board) -> dict[str, object]:
    """Return the branches that were tried, the conflicts, and what could not be told, as JSON. Raises GitFailed."""
    settings = parts.settings()
    default = settings.base or parts.integration.default_base()
    tasks = sorted(_of_interest(board.tasks.values(), settings), key=lambda task: task.order)
    wanted = {task.id: (str(task.branch), lineage.base_of(task, settings, default, board.tasks)) for task in tasks}
    found = parts.integration.forecast(wanted)
    clear = set(found.clear)
    branches = [
        {
            "task": task.id,
            "name": task.name,
            "status": task.status.value,
            "branch": task.branch,
            "base": wanted[task.id][1],
            "commit": found.tried[task.id],
            "clear": task.id in clear,
        }
        for task in tasks
        if task.id in found.tried
    ]
    conflicts = [{"tasks": list(c.tasks), "base": c.base, "files": list(c.files)} for c in found.collisions]
    return {"branches": branches, "conflicts": conflicts, "unknown": [list(tasks) for tasks in found.unknown]}


def _of_interest(tasks: Iterable[Task], settings: Settings) -> Iterable[Task]:
    """Yield the tasks whose branch may still have to be merged."""
    for task in tasks:
        if task.branch is None or task.status in {Status.BACKLOG, Status.CANCELLED}:
            continue
        kept_apart = effective.publish_of(task, settings) is Publish.NONE
        if not kept_apart and not (task.status is Status.DONE and task.merged):
            yield task
