"""What importing a plan changes on the board: tasks to create, to change, to drop, and those that are left alone.

A task belongs to a plan by `source.reference`, which is `<plan>:<key>`; `source.digest` says what the plan said of it
when it was last imported. Work that was started is never touched. Next in the flow: `project.plan_import` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orange.core.lifecycle import Status
from orange.core.model import Task
from orange.core.plans import digest
from orange.core.plans.model import Plan, PlanTask
from orange.core.plans.schedule import leaves

KIND = "prd_import"
#: Statuses in which nobody has begun with a task.
_UNTOUCHED = frozenset({Status.BACKLOG, Status.PENDING, Status.DELEGATED})


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one task."""

    #: add, change, drop, keep (different or gone in the plan, but started or closed) or same.
    kind: str
    key: str
    title: str
    #: The task on the board; None for one to be added.
    task: str | None = None
    #: What differs, or why it is kept.
    what: str = ""


def steps(plan: Plan, tasks: Mapping[str, Task]) -> list[Step]:
    """Compare a plan with the board, in the plan's order, what is dropped last."""
    known = imported(plan.id, tasks)
    found = [_step(task, known.get(task.key)) for task in plan.tasks if not task.done or task.key in known]
    keys = {task.key for task in plan.tasks}
    return found + [step for key, task in known.items() if key not in keys and (step := _gone(key, task))]


def imported(plan_id: str, tasks: Mapping[str, Task]) -> dict[str, Task]:
    """Return the tasks on the board that came from a plan, by their keys there."""
    prefix = f"{plan_id}:"
    found: dict[str, Task] = {}
    for task in tasks.values():
        reference = task.source.get("reference", "") if task.source.get("kind") == KIND else ""
        if reference.startswith(prefix):
            found.setdefault(reference.removeprefix(prefix), task)
    return found


def is_started(task: Task) -> bool:
    """Whether anybody has begun with a task, or ended it."""
    return task.status not in _UNTOUCHED or task.epoch > 0 or task.attempts > 0


def _step(task: PlanTask, there: Task | None) -> Step:
    if there is None:
        return Step("add", task.key, task.title)
    if there.source.get("digest") == digest.of(task):
        return Step("same", task.key, there.title, there.id)
    if is_started(there):
        return Step(
            "keep", task.key, there.title, there.id, f"it is {there.status}: what the plan says now is not taken"
        )
    return Step("change", task.key, task.title, there.id, ", ".join(_differences(task, there)) or "details")


def _gone(key: str, task: Task) -> Step | None:
    if task.status is Status.CANCELLED or task.status is Status.DONE:
        return None
    if is_started(task):
        return Step("keep", key, task.title, task.id, f"the plan no longer has it, and it is {task.status}")
    return Step("drop", key, task.title, task.id, "the plan no longer has it")


def _differences(task: PlanTask, there: Task) -> list[str]:
    pairs = {
        "title": (task.title, there.title),
        "type": (task.type, there.type),
        "priority": (task.priority, there.priority),
        "estimate": (task.estimate, there.estimate),
        "category": (task.category, there.category),
        "criteria": (task.criteria, there.acceptance_criteria),
        "labels": (set(task.labels), set(there.labels)),
    }
    found = [name for name, (new, old) in pairs.items() if new != old]
    return found or ["text or order"]


def blockers(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return what each task waits for once imported, by keys.

    A group's parts that could begin wait for what the group waits for: a group itself is never dispatched.
    """
    by_key, children = plan.by_key(), plan.children()
    open_keys = {task.key for task in plan.tasks if not task.done}
    own = {task.key: [edge.blocker for edge in task.edges if edge.blocker in open_keys] for task in plan.tasks}
    found = dict(own)
    for leaf in leaves(plan):
        at, inside = leaf, {leaf.key}
        while at.parent is not None:
            parent = by_key[at.parent]
            inside |= _below(parent.key, children)
            if any(blocker in inside for blocker in own[leaf.key]):
                break  # something in this group comes first, and that waits
            found[leaf.key] = found[leaf.key] + own[parent.key]
            at = parent
    return {key: tuple(dict.fromkeys(keys)) for key, keys in found.items()}


def _below(key: str, children: Mapping[str, list[str]]) -> set[str]:
    found: set[str] = set()
    todo = [key]
    for at in todo:  # grows while it is walked
        for child in children.get(at, ()):
            if child not in found:
                found.add(child)
                todo.append(child)
    return found
