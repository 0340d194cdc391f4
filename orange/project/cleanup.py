"""`orange cleanup`: returns the workspaces that are provably safe to return, and names what it kept and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orange.core.lifecycle import CLOSED, Status
from orange.core.model import Board, Task, Workspace
from orange.core.problems import WorkspaceFailed
from orange.project.parts import Parts
from orange.project.settling import return_workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What to clean, and whether really."""

    done_only: bool = False
    cancelled_only: bool = False
    keep_worktree: bool = False
    dry_run: bool = False


def clean(parts: Parts, board: Board, task: Task | None, options: Options) -> list[dict[str, object]]:
    """Go over the bound workspaces (of one task, or all) and return what was done with each."""
    if not options.dry_run:
        leave_no_container(parts, board.tasks.values() if task is None else [task])
    return [
        _clean_one(parts, board, workspace, options)
        for workspace in parts.workspaces.list()
        if workspace.task and (task is None or workspace.task == task.id)
    ]


def leave_no_container(parts: Parts, tasks: Iterable[Task]) -> None:
    """Remove the containers that runs of tasks left which nothing runs for now. Raises AgentUnusable."""
    if parts.settings().workspaces.container.get("image"):
        checking = parts.candidates.all()
        parts.containers.remove({task.id for task in tasks if not task.held and task.id not in checking})


def _clean_one(parts: Parts, board: Board, workspace: Workspace, options: Options) -> dict[str, object]:
    result: dict[str, object] = {"path": workspace.path, "task": workspace.task, "removed": False}
    reason = _kept(board, workspace, options)
    if reason:
        return result | {"reason": reason}
    if options.dry_run:
        return result | {"reason": "would be saved and returned"}
    try:
        saved = return_workspace(parts, workspace.path, str(workspace.task))
    except WorkspaceFailed as error:
        return result | {"reason": error.message}
    return result | {"removed": True, "reason": "; ".join(saved) or "nothing in it that is not safe elsewhere"}


def _kept(board: Board, workspace: Workspace, options: Options) -> str | None:
    task = board.tasks.get(workspace.task or "")
    if task is None:
        return "its task is not on the board: look at it, then remove it with git worktree remove"
    if task.held:
        return f"the task is held by {task.run}"
    if options.keep_worktree:
        return "worktrees are kept (--keep-worktree)"
    wanted = _wanted(options)
    if task.status not in wanted:
        return f"the task is {task.status}, not {' or '.join(sorted(wanted))}"
    return None


def _wanted(options: Options) -> frozenset[Status]:
    if options.done_only:
        return frozenset({Status.DONE})
    return frozenset({Status.CANCELLED}) if options.cancelled_only else CLOSED
