"""What a task is cut from and merged into: a base, or with `branches.hierarchical` the branch of its parent.

A parent that is closed, or publishes nothing, passes its children on to what it is cut from itself: its branch leads
nowhere. A parent's branch is a base like any other, with an integrated counterpart that its children are merged into
and that the branch follows; the parent is not over before it has.

Next in the flow: `scene` and `project.launch` ask for the base, `gates` holds children back while their parent is at
work, `parents` and `landing` wait for the branch.
"""

from __future__ import annotations

from collections.abc import Mapping

from orange.core import effective, names
from orange.core.lifecycle import CLOSED
from orange.core.model import Publish, Task
from orange.core.settings import Settings

#: Deeper nesting is taken for a circle.
_DEPTH = 1000


def base_of(task: Task, settings: Settings, default: str, tasks: Mapping[str, Task]) -> str:
    """Name the branch a task is cut from and merged into; `default` is the project's base."""
    holder, last = _climb(task, settings, tasks)
    return branch_of(holder, settings) if holder else effective.base_of(last, settings, default)


def ground_of(task: Task, settings: Settings, default: str, tasks: Mapping[str, Task]) -> str:
    """Name the base that a task's work ends up in, through all its parents."""
    above = line(task, settings, tasks)
    return base_of(above[0] if above else task, settings, default, tasks)


def holder(task: Task, settings: Settings, tasks: Mapping[str, Task]) -> Task | None:
    """Return the parent whose branch a task is cut from; None where it is cut from a base."""
    return _climb(task, settings, tasks)[0]


def line(task: Task, settings: Settings, tasks: Mapping[str, Task]) -> tuple[Task, ...]:
    """List the parents through whose branches a task's work goes, the topmost first."""
    found: list[Task] = []
    above = holder(task, settings, tasks)
    while above is not None and above not in found:
        found.insert(0, above)
        above = holder(above, settings, tasks)
    return tuple(found)


def branch_of(task: Task, settings: Settings) -> str:
    """Name a task's branch, whether it was given one yet or not."""
    return task.branch or names.branch_for(settings.branches.pattern, task)


def _climb(task: Task, settings: Settings, tasks: Mapping[str, Task]) -> tuple[Task | None, Task]:
    """Return the parent whose branch a task is cut from, if any, and the last task that was looked at."""
    for _ in range(_DEPTH if settings.branches.hierarchical else 0):
        parent = tasks.get(task.parent or "")
        if task.base is not None or parent is None:
            break
        if parent.status not in CLOSED and effective.publish_of(parent, settings) is not Publish.NONE:
            return parent, task
        task = parent
    return None, task
