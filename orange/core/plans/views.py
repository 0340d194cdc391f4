"""Plans as others see them: the JSON object, and the lines that people read.

Next in the flow: the command line prints them; routes send the same object.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from orange.core.plans.model import Plan, PlanTask
from orange.core.plans.renewal import Change
from orange.core.plans.schedule import Schedule, leaves, schedule
from orange.core.plans.settling import Step

#: Marks of what an import does to a task.
_MARKS = {"add": "+", "change": "~", "drop": "-", "keep": "!"}


def plan_view(plan: Plan, path: str) -> dict[str, object]:
    """Make the JSON object of a plan."""
    order = schedule(plan)
    edges = [
        {"from": edge.blocker, "to": task.key, "confidence": edge.confidence, "reason": edge.reason}
        for task in plan.tasks
        for edge in task.edges
    ]
    return {
        **head_view(plan, path),
        "tasks": [_task_view(task) for task in plan.tasks],
        "dependencies": edges,
        "root_task_ids": list(order.roots),
        "blocked_root_ids": list(order.blocked_roots),
        "estimated_waves": [list(wave) for wave in order.waves],
        "critical_path": list(order.critical_path),
        "warnings": [asdict(doubt) for doubt in plan.doubts],
        "summary": {
            "task_count": len(plan.tasks),
            "leaf_count": len(leaves(plan)),
            "dependency_count": len(edges),
            "wave_count": len(order.waves),
        },
    }


def head_view(plan: Plan, path: str) -> dict[str, object]:
    """Make the JSON object of what a plan says of itself."""
    return {
        "id": plan.id,
        "title": plan.title,
        "status": plan.status.value,
        "path": path,
        "source_file": plan.source_file,
        "created_at": plan.created_at or None,
        "imported_at": plan.imported_at or None,
        "parameters": {**asdict(plan.parameters), "granularity": plan.parameters.granularity.value},
    }


def _task_view(task: PlanTask) -> dict[str, object]:
    return {
        "key": task.key,
        "title": task.title,
        "parent": task.parent,
        "ref": task.ref,
        "type": task.type,
        "priority": task.priority.value,
        "estimate": task.estimate,
        "category": task.category,
        "labels": list(task.labels),
        "blocked_by": [edge.blocker for edge in task.edges],
        "acceptance_criteria": list(task.criteria),
        "description": "\n".join(task.context),
        "pages": [task.pages.first, task.pages.last] if task.pages else None,
        "lines": [task.lines.first, task.lines.last] if task.lines else None,
        "done": task.done,
    }


def tree_lines(plan: Plan) -> Iterator[str]:
    """Yield the tree of a plan's tasks, each with what it waits for."""
    children = plan.children()
    by_key = plan.by_key()
    todo = [(task, 0) for task in reversed(plan.tasks) if task.parent is None]
    while todo:
        task, depth = todo.pop()
        facts = [task.type, task.priority.value, *([task.estimate] if task.estimate else [])]
        state = " (done already)" if task.done else ""
        yield f"{'  ' * depth}{task.key}: {task.title} [{', '.join(facts)}]{state}"
        for edge in task.edges:
            sure = f" ({edge.confidence:.0%})" if edge.confidence < 1 else ""
            yield f"{'  ' * depth}    after {edge.blocker}{sure}{f': {edge.reason}' if edge.reason else ''}"
        todo += [(by_key[key], depth + 1) for key in reversed(children.get(task.key, []))]


def wave_lines(order: Schedule) -> Iterator[str]:
    """Draw the waves: a row a task, a column a wave, the longest chain in other marks."""
    chain = set(order.critical_path)
    wide = max((len(key) for wave in order.waves for key in wave), default=0)
    for number, wave in enumerate(order.waves):
        for key in wave:
            yield f"{key.ljust(wide)}  {'.' * number}{'#' if key in chain else '='}"


def doubt_lines(plan: Plan) -> Iterator[str]:
    """Yield what is doubtful about a plan."""
    for doubt in plan.doubts:
        where = f"{plan.source_file}:{doubt.line}: " if doubt.line else ""
        yield f"{doubt.kind}: {where}{f'{doubt.key}: ' if doubt.key else ''}{doubt.message}"


def step_lines(steps: Sequence[Step]) -> Iterator[str]:
    """Yield what an import changes; what stays the same is counted."""
    for step in steps:
        if step.kind != "same":
            task = f" ({step.task})" if step.task else ""
            yield f"{_MARKS[step.kind]} {step.key}: {step.title}{task}{f': {step.what}' if step.what else ''}"
    same = sum(step.kind == "same" for step in steps)
    if same:
        yield f"  {same} unchanged"


def change_lines(changes: Sequence[Change]) -> Iterator[str]:
    """Yield how a document's plan differs from the one before."""
    marks = {"added": "+", "changed": "~", "obsolete": "-", "kept": "!"}
    notes = {"kept": " (changed in the document and edited in the plan: the plan's words stay)"}
    for change in changes:
        yield f"{marks[change.kind]} {change.key}: {change.title}{notes.get(change.kind, '')}"
