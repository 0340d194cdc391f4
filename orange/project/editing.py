"""Changing what a task says: its free keys, its edges, its sections, its whole text, and removing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from orange.core import names
from orange.core.body import REVIEW
from orange.core.cycles import would_cycle
from orange.core.lifecycle import Actor, StuckReason
from orange.core.model import Board, Task
from orange.core.present import revision
from orange.core.problems import DependencyCycle, InvalidInput, NotAllowed, StaleWrite
from orange.core.storeports import Transaction
from orange.project import creation
from orange.project.claims import check_person
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import FREE, Edit, NewTask, Speaker

#: Sections of the body that an agent may write.
AGENT_SECTIONS = ("Plan", "Handoff", "Questions")


def edit(parts: Parts, speaker: Speaker, task_id: str, change: Edit) -> Task:
    """Change free keys and edges. `change.status` is the caller's business (see moves)."""
    with parts.store.transaction(f"update {task_id}") as tx:
        return apply(tx, parts, speaker, task_id, change)


def batch(parts: Parts, speaker: Speaker, new: Sequence[NewTask], edits: Sequence[tuple[str, Edit]]) -> list[Task]:
    """Create tasks and change others by their addresses, in one entry: all of it, or nothing."""
    with parts.store.transaction(f"create {len(new)} and update {len(edits)} tasks") as tx:
        made = [creation.add(tx, parts, speaker, wanted) for wanted in new]
        return made + [
            apply(tx, parts, speaker, names.resolve(address, tx.board().tasks), change) for address, change in edits
        ]


def apply(tx: Transaction, parts: Parts, speaker: Speaker, task_id: str, change: Edit) -> Task:
    """Change a task within a transaction. Raises StaleWrite, InvalidInput, DependencyCycle, NotAllowed."""
    creation.check_speaks_for(speaker, task_id)
    if change.values or change.sections or change.parent is not None:
        check_person(speaker, "change these keys of a task")
    pen, task = Pen(parts, speaker, tx), tx.task(task_id)
    if change.seen is not None and change.seen != revision(task, tx.body(task_id)):
        raise StaleWrite(task_id, "it is not as you read it: read it again")
    edited = replace(
        task,
        title=_title(change.title) if change.title is not None else task.title,
        priority=change.priority or task.priority,
        labels=_labels(task, change),
        **_free(parts, tx, task, change),
    )
    if change.block or change.unblock:
        edited = replace(edited, blocked_by=_edges(tx.board(), task, change))
    if change.parent is not None:
        edited = replace(edited, parent=_adopted(pen, edited, change.parent))
    for name, text in change.sections.items():
        tx.write_section(task_id, name, text)
    told = _differences(task, edited) | ({"sections": list(change.sections)} if change.sections else {})
    if not told:
        return task
    pen.event(task.id, "task.updated", **told)
    return pen.keep(edited)


def _free(parts: Parts, tx: Transaction, task: Task, change: Edit) -> dict[str, Any]:
    """Return the free keys as they are to be; what is cleared gets its default. Raises InvalidInput."""
    found = {key: value for key, value in change.values.items() if key in FREE}
    found |= {key: _DEFAULTS[key] for key, value in found.items() if value is None and key in _DEFAULTS}
    if "type" in found:
        creation.check_type(parts, str(found["type"]))
    if found.get("base") and not names.is_safe_branch(str(found["base"])):
        raise InvalidInput("base", f"{found['base']!r} is not a safe branch name")
    ref = found.get("ref")
    if ref and any(other.ref == ref and other.id != task.id for other in tx.board().tasks.values()):
        raise InvalidInput("ref", f"{ref!r} is taken")
    return found


_DEFAULTS: Mapping[str, object] = {
    field.name: field.default for field in fields(Task) if field.name in FREE and field.default is not None
}


def _adopted(pen: Pen, task: Task, address: str) -> str | None:
    """Take a task out of its family and put it into another; returns its new parent."""
    tasks = pen.tx.board().tasks
    parent = names.resolve(address, tasks) if address else None
    if parent == task.parent:
        return parent
    cycle = would_cycle(tasks, task.id, task.blocked_by, parent)
    if cycle:
        raise DependencyCycle(cycle)
    if task.parent:
        _forget_child(pen, task.parent, task.id)
    if parent:
        family = pen.tx.task(parent)
        pen.keep(replace(family, children=tuple(dict.fromkeys((*family.children, task.id)))))
    return parent


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title:
        raise InvalidInput("title", "it may not be empty")
    return title


def _labels(task: Task, change: Edit) -> tuple[str, ...]:
    there = task.labels if change.labels is None else change.labels
    kept = [label for label in there if label not in change.remove_labels]
    return tuple(dict.fromkeys((*kept, *change.add_labels)))


def _edges(board: Board, task: Task, change: Edit) -> tuple[str, ...]:
    dropped = {_resolve_edge(address, task, board) for address in change.unblock}
    added = [names.resolve(address, board.tasks) for address in change.block]
    edges = tuple(dict.fromkeys((*(b for b in task.blocked_by if b not in dropped), *added)))
    cycle = would_cycle(board.tasks, task.id, edges, task.parent)
    if cycle:
        raise DependencyCycle(cycle)
    return edges


def _resolve_edge(address: str, task: Task, board: Board) -> str:
    """Resolve an edge to drop; one that names a missing task is dropped by its id."""
    return address if address in task.blocked_by else names.resolve(address, board.tasks)


def _differences(old: Task, new: Task) -> dict[str, object]:
    found: dict[str, object] = {}
    for key in ("title", "priority", "labels", "blocked_by", "parent", *FREE):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            found[key] = list(after) if isinstance(after, tuple) else after
    return found


def write_section(parts: Parts, speaker: Speaker, task_id: str, section: str, text: str) -> Task:
    """Write one section of the body. Agents may write Plan, Handoff and Questions of their task; reviewers, Review."""
    name = section.strip().capitalize()
    if not (speaker.reviews and speaker.task == task_id and name == REVIEW):
        creation.check_speaks_for(speaker, task_id)
    if speaker.actor is Actor.AGENT and not speaker.reviews and name not in AGENT_SECTIONS:
        raise NotAllowed(f"agents write {', '.join(AGENT_SECTIONS)}; {name} belongs to people and to the review")
    with parts.store.transaction(f"write {name} of {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        tx.write_section(task_id, name, text)
        pen.event(task_id, "task.updated", section=name)
        return task


def remove(parts: Parts, speaker: Speaker, task_id: str) -> None:
    """Delete a task's file (history keeps it). Its children go on; a task that somebody holds is refused."""
    if speaker.actor is Actor.AGENT:
        raise NotAllowed("agents cannot remove tasks: a person does")
    with parts.store.transaction(f"remove {task_id}") as tx:
        pen = Pen(parts, speaker, tx)
        task = tx.task(task_id)
        if task.held:
            raise NotAllowed(
                f"task {task_id} is held by {task.claim.run if task.claim else 'someone'}: cancel it first"
            )
        for child in tx.children(task_id):
            pen.event(child.id, "task.updated", parent=None, was=task_id)
            tx.put(replace(child, parent=None))
        if task.parent:
            _forget_child(pen, task.parent, task_id)
        tx.remove(task_id)


def _forget_child(pen: Pen, parent_id: str, child_id: str) -> None:
    board = pen.tx.board()
    parent = board.tasks.get(parent_id)
    if parent and child_id in parent.children:
        pen.keep(replace(parent, children=tuple(child for child in parent.children if child != child_id)))


def stuck_reason(text: str | None) -> StuckReason:
    """Read a stuck reason from a request. Raises InvalidInput naming the words."""
    try:
        return StuckReason(text or StuckReason.MANUAL)
    except ValueError:
        words = ", ".join(reason.value for reason in StuckReason)
        raise InvalidInput("reason", f"{text!r} is none of {words}") from None
