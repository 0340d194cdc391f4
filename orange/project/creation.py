"""Creating tasks: derive names, check the graph and the fan-out caps, link parent and child in one entry.

Next in the flow: the daemon sees the new file and `decide` dispatches it when it is ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orange.core import names, times
from orange.core.cycles import check_edges
from orange.core.kin import check_caps
from orange.core.lifecycle import Actor, Status
from orange.core.model import Board, Task
from orange.core.problems import InvalidInput, NotAllowed
from orange.core.steps import SHAPES
from orange.core.storeports import Event, Transaction
from orange.project.parts import Parts
from orange.project.requests import NewTask, Speaker


def create(parts: Parts, speaker: Speaker, new: NewTask) -> Task:
    """Create one task. Raises InvalidInput, TaskNotFound, DependencyCycle, CapReached, NotAllowed."""
    return create_all(parts, speaker, (new,))[0]


def create_all(parts: Parts, speaker: Speaker, wanted: Sequence[NewTask]) -> list[Task]:
    """Create tasks in one entry, all or none; each may be blocked by those before it. Raises as `create` does."""
    many = f"create {len(wanted)} tasks" if len(wanted) > 1 else "create task"
    with parts.store.transaction(many) as tx:
        return [add(tx, parts, speaker, new) for new in wanted]


def add(tx: Transaction, parts: Parts, speaker: Speaker, new: NewTask) -> Task:
    """Write a checked task and link it to its parent."""
    made = tx.create(_from_request(parts, speaker, new, tx.board()), new.body)
    warned = {"warnings": list(new.warnings)} if new.warnings else {}
    tx.event(made.id, _event(parts, speaker, "task.created", {"title": made.title, "parent": made.parent, **warned}))
    if made.parent:
        parent = tx.task(made.parent)
        tx.put(replace(parent, children=(*parent.children, made.id)))
    return made


def adopt(parts: Parts, speaker: Speaker, text: str) -> Task:
    """Create a task from a complete TASK.md text as it stands. Raises BrokenFile, DependencyCycle."""
    with parts.store.transaction("create task") as tx:
        task = tx.adopt(text)
        check_edges(tx.board().tasks, task)
        tx.event(task.id, _event(parts, speaker, "task.created", {"title": task.title}))
        return task


def _from_request(parts: Parts, speaker: Speaker, new: NewTask, board: Board) -> Task:
    check_works(speaker)
    settings = parts.settings()
    title, name = _title_and_name(new)
    check_type(parts, new.type)
    parent = _parent(speaker, new, board)
    task = Task(
        id=_fresh_id(parts, board),
        title=title,
        name=name,
        status=new.status or Status(settings.default_status),
        ref=new.ref,
        type=new.type,
        priority=new.priority,
        blocked_by=tuple(dict.fromkeys(names.resolve(address, board.tasks) for address in new.blocked_by)),
        parent=parent,
        labels=new.labels,
        category=new.category,
        assignee=new.assignee,
        session=new.session,
        estimate=new.estimate,
        acceptance_criteria=new.acceptance_criteria,
        context_files=new.context_files,
        agent=new.agent,
        model=new.model,
        effort=new.effort,
        skill=new.skill,
        base=new.base,
        branch=_branch(new),
        publish=new.publish,
        requires=tuple(word.strip().lower() for word in new.requires),
        job=dict(new.job),
        source=dict(new.source) or _source(speaker),
        created_at=times.stamp(parts.clock.now()),
    )
    if task.status not in {Status.PENDING, Status.BACKLOG}:
        raise InvalidInput("status", "a new task is pending or backlog")
    if task.ref and any(other.ref == task.ref for other in board.tasks.values()):
        raise InvalidInput("ref", f"{task.ref!r} is taken")
    if task.blocked_by or task.parent:  # else it waits for nothing, and nothing can wait for what was not there
        check_edges(board.tasks, task)
    if speaker.actor is Actor.AGENT and parent:
        check_caps(board.tasks, parent, settings.limits)
    return task


def _title_and_name(new: NewTask) -> tuple[str, str]:
    title = " ".join((new.title or "").split())
    name = (new.name or "").strip()
    if name and not names.is_slug(name):
        if not title:
            title = " ".join(name.split())
        name = names.slug(name)
    title = title or name.replace("-", " ")
    if not title:
        raise InvalidInput("title", "give the task a name or a title")
    return title, name or names.slug(title)


def check_type(parts: Parts, kind: str) -> None:
    """Refuse a type that has no pipeline."""
    if kind not in SHAPES and kind not in parts.pipelines.names():
        known = ", ".join(parts.pipelines.names())
        raise InvalidInput("type", f"{kind!r} has no pipeline (known: {known}); add .orange/pipelines/{kind}.yaml")


def _parent(speaker: Speaker, new: NewTask, board: Board) -> str | None:
    if new.parent:
        return names.resolve(new.parent, board.tasks)
    if new.no_parent or speaker.task is None or speaker.task not in board.tasks:
        return None
    return speaker.task


def _branch(new: NewTask) -> str | None:
    if new.branch and not names.is_safe_branch(new.branch):
        raise InvalidInput(
            "branch", f"{new.branch!r} is not a safe branch name: use letters, digits, '.', '_', '-', '/'"
        )
    if new.base and not names.is_safe_branch(new.base):
        raise InvalidInput("base", f"{new.base!r} is not a safe branch name: use letters, digits, '.', '_', '-', '/'")
    return new.branch


def _source(speaker: Speaker) -> dict[str, str]:
    if speaker.actor is Actor.AGENT and speaker.task:
        return {"kind": "delegated", "reference": speaker.task}
    return {"kind": "manual"}


def _fresh_id(parts: Parts, board: Board) -> str:
    while True:
        found = names.new_id(parts.random(32))
        if found not in board.tasks and found not in board.frozen:
            return found


def check_speaks_for(speaker: Speaker, task_id: str) -> None:
    """Refuse an agent that acts on a task that is neither its own nor below it. Raises NotAllowed."""
    if speaker.actor is Actor.AGENT and speaker.task != task_id:
        raise NotAllowed(f"this run works on {speaker.task}; it may not change {task_id}")
    check_works(speaker)


def check_works(speaker: Speaker) -> None:
    """Refuse an agent that reviews another's work. Raises NotAllowed."""
    if speaker.reviews:
        raise NotAllowed(f"this run reviews {speaker.task} and changes nothing: say what you find in your answer")


def _event(parts: Parts, speaker: Speaker, kind: str, data: Mapping[str, object]) -> Event:
    return Event(times.stamp(parts.clock.now()), kind, speaker.label, data)
