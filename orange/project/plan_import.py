"""Importing a plan: its tasks are created, changed and dropped in one journal entry, or nothing is.

A task is known by its plan and key, so that importing again changes only what differs, whoever else imports meanwhile.
Next in the flow: the daemon sees the tasks and starts what is ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orange.core import names, times
from orange.core.body import with_section
from orange.core.cycles import cycles
from orange.core.lifecycle import Facts, Status, advance
from orange.core.model import Task
from orange.core.plans import digest, planfile, settling
from orange.core.plans.model import Plan, PlanStatus, PlanTask
from orange.core.plans.settling import Step
from orange.core.problems import BrokenFile, DependencyCycle, InvalidInput
from orange.core.storeports import Transaction
from orange.project import claims, planning
from orange.project.parts import Parts
from orange.project.record import Pen
from orange.project.requests import Speaker


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    plan: Plan
    path: str
    steps: tuple[Step, ...]
    #: Plan key -> task id, for every task of the plan on the board.
    ids: Mapping[str, str]


def review(parts: Parts, address: str | None) -> Imported:
    """Say what importing a plan would change. Raises InvalidInput, BrokenFile."""
    found = planning.find(parts, address)
    assert found.plan is not None
    tasks = parts.store.read().tasks
    ids = {key: task.id for key, task in settling.imported(found.plan.id, tasks).items()}
    return Imported(found.plan, found.path, tuple(settling.steps(found.plan, tasks)), ids)


def import_plan(parts: Parts, speaker: Speaker, address: str | None) -> Imported:
    """Import a plan, all or nothing. Raises InvalidInput, BrokenFile, DependencyCycle, NotAllowed."""
    claims.check_person(speaker, "import a plan")
    path = planning.find(parts, address).path
    with parts.store.transaction(f"import plan {path}") as tx:
        text = tx.text(path)
        if text is None:
            raise InvalidInput("PLAN", f"{path} is gone")
        found = planning.read(path, text)
        if found.plan is None:
            raise BrokenFile(found.problems[0])
        made = _Import(parts, speaker, tx, found.plan).run()
        if found.plan.status is not PlanStatus.IMPORTED:
            stamped = replace(found.plan, status=PlanStatus.IMPORTED, imported_at=times.stamp(parts.clock.now()))
            tx.write(path, planfile.write(stamped))
    return Imported(found.plan, path, tuple(made.steps), made.ids)


class _Import:
    """One import, within its transaction."""

    def __init__(self, parts: Parts, speaker: Speaker, tx: Transaction, plan: Plan) -> None:
        self.parts, self.tx, self.plan = parts, tx, plan
        self.pen = Pen(parts, speaker, tx)
        board = tx.board()
        self.board = dict(board.tasks)
        self.frozen = board.frozen
        self.known = settling.imported(plan.id, self.board)
        self.steps = settling.steps(plan, self.board)
        self.blockers = settling.blockers(plan)
        self.children = plan.children()
        self.refs = {task.ref for task in self.board.values() if task.ref}
        self.ids = {key: task.id for key, task in self.known.items()}

    def run(self) -> _Import:
        """Carry every step out."""
        by_key = self.plan.by_key()
        new = [by_key[step.key] for step in self.steps if step.kind == "add"]
        self.ids |= dict(zip((task.key for task in new), self._fresh_ids(len(new)), strict=True))
        changed = [self._changed(by_key[step.key]) for step in self.steps if step.kind == "change"]
        created = {task.key: self._created(task) for task in new}
        after = {task.id: task for task in (*changed, *created.values())}
        self._check({**self.board, **after}, after)
        for task in _parents_first(new):
            self._create(task, created[task.key])
        for known in changed:
            self._change(known)
        self._grow(new)
        for step in self.steps:
            if step.kind == "drop" and step.task:
                self.pen.move(self.tx.task(step.task), Status.CANCELLED, message="the plan no longer has it")
        return self

    def _fresh_ids(self, count: int) -> list[str]:
        """Make ids, in ascending order: among equals, tasks are started in the order of the document."""
        found: set[str] = set()
        while len(found) < count:
            made = names.new_id(self.parts.random(32))
            if made not in self.board and made not in self.frozen:
                found.add(made)
        return sorted(found)

    def _waits(self, key: str) -> tuple[str, ...]:
        return tuple(self.ids[blocker] for blocker in self.blockers[key] if blocker in self.ids)

    def _parent(self, task: PlanTask) -> str | None:
        return self.ids.get(task.parent) if task.parent else None

    def _source(self, task: PlanTask) -> dict[str, str]:
        told = {"kind": settling.KIND, "reference": f"{self.plan.id}:{task.key}", "file": self.plan.source_file}
        places = {name: str(span) for name, span in (("pages", task.pages), ("lines", task.lines)) if span}
        return {**told, **places, "digest": digest.of(task)}

    # --- new tasks

    def _created(self, task: PlanTask) -> Task:
        status = Status.PENDING if self.plan.parameters.auto_ready else Status.BACKLOG
        made = Task(
            id=self.ids[task.key],
            title=task.title,
            name=names.slug(task.title),
            status=status,
            ref=task.ref if task.ref not in self.refs else None,
            type=task.type,
            priority=task.priority,
            blocked_by=self._waits(task.key),
            parent=self._parent(task),
            children=tuple(self.ids[key] for key in self.children.get(task.key, ()) if key in self.ids),
            labels=task.labels,
            category=task.category,
            session=self.plan.id,
            estimate=task.estimate,
            acceptance_criteria=task.criteria,
            source=self._source(task),
            created_at=self.pen.now,
        )
        if made.ref:
            self.refs.add(made.ref)
        if not made.children:
            return made
        return advance(made, Status.DELEGATED, self.pen.speaker.actor, Facts(children=len(made.children)))

    def _create(self, task: PlanTask, made: Task) -> None:
        self.tx.create(made, _body(self.plan, task))
        self.pen.event(made.id, "task.created", title=made.title, parent=made.parent)

    def _grow(self, new: Sequence[PlanTask]) -> None:
        """Put new tasks into the families of parents that were there before."""
        for key in dict.fromkeys(task.parent for task in new if task.parent in self.known):
            parent = self.tx.task(self.ids[str(key)])
            mine = [self.ids[child] for child in self.children[str(key)] if child in self.ids]
            grown = self.pen.keep(replace(parent, children=tuple(dict.fromkeys((*parent.children, *mine)))))
            if grown.status in {Status.BACKLOG, Status.PENDING, Status.DONE}:
                self.pen.move(grown, Status.DELEGATED)

    # --- known tasks

    def _changed(self, task: PlanTask) -> Task:
        there = self.known[task.key]
        mine = {known.id for known in self.known.values()}
        foreign = tuple(blocker for blocker in there.blocked_by if blocker not in mine)
        return replace(
            there,
            title=task.title,
            type=task.type,
            priority=task.priority,
            estimate=task.estimate,
            category=task.category,
            labels=task.labels,
            acceptance_criteria=task.criteria,
            blocked_by=tuple(dict.fromkeys((*self._waits(task.key), *foreign))),
            source=self._source(task),
        )

    def _change(self, task: Task) -> None:
        key = task.source["reference"].partition(":")[2]
        was = self.tx.task(task.id)
        self.tx.put(task)
        self.tx.write_section(task.id, "Context", _context(self.plan, self.plan.by_key()[key]))
        self.pen.event(
            task.id, "task.updated", plan=self.plan.id, was={"title": was.title, "blocked_by": list(was.blocked_by)}
        )

    def _check(self, tasks: Mapping[str, Task], touched: Mapping[str, Task]) -> None:
        """Refuse edges that close a cycle with tasks outside of the plan, and types without a pipeline."""
        for cycle in cycles(tasks):
            if any(task_id in touched for task_id in cycle):
                raise DependencyCycle(cycle)
        known = set(self.parts.pipelines.names())
        for task in touched.values():
            if task.type not in known:
                raise InvalidInput("type", f"{task.title!r} has the type {task.type!r}, which has no pipeline")


def _parents_first(tasks: Sequence[PlanTask]) -> list[PlanTask]:
    """Order tasks so that each comes after its parent."""
    new = {task.key: task for task in tasks}
    done: dict[str, PlanTask] = {}
    for task in tasks:
        way = [task]
        while (above := way[-1].parent) in new and above not in done:
            way.append(new[str(above)])
        done |= {one.key: one for one in reversed(way)}
    return list(done.values())


def _body(plan: Plan, task: PlanTask) -> str:
    return with_section("", "Context", _context(plan, task))


def _context(plan: Plan, task: PlanTask) -> str:
    page = f", page {task.pages}" if task.pages else ""
    where = f"From {plan.source_file}{page}{f', lines {task.lines}' if task.lines else ''}."
    return "\n".join([*task.context, *([""] if task.context else []), where])
