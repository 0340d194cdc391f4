"""What runs used, from their own records: for the caps of tasks, of the day, and for people.

Next in the flow: `core.budgets` compares it with the caps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orange.core import budgets, usage
from orange.core.allowance import NOTHING, Bill
from orange.core.graph import Graph
from orange.core.model import Task
from orange.core.ports import RunRecord
from orange.core.reviews import run_of
from orange.core.settings import Settings
from orange.core.times import seconds
from orange.project.parts import Parts


def spent(parts: Parts, graph: Graph, settings: Settings) -> Mapping[str, Bill]:
    """Return what the tasks used that a cap concerns."""
    return {task_id: bill_of(parts, graph.tasks[task_id]) for task_id in budgets.wanted(graph, settings)}


def spent_today(parts: Parts, graph: Graph, settings: Settings) -> Bill:
    """Return what began on this day used, quick actions and plans too; nothing where no cap asks for it."""
    if not budgets.counts_days(settings.budget):
        return NOTHING
    begun = budgets.day_of(parts.clock.now())
    tasks = (graph.tasks[task_id] for task_id in {*graph.claimed(), *_closed_since(graph, begun)})
    quick = (parts.runs.record(one.run) for one in parts.quick.all() if (one.started_at or "") >= begun)
    records = (*(record for task in tasks for record in _records(parts, task)), *(record for record in quick if record))
    now, since = parts.clock.now(), seconds(begun)
    begun_today = (record for record in records if record.started_at is not None and record.started_at >= since)
    plans = (used.bill(now) for used in parts.usage.plans() if used.started_at >= since)
    return budgets.total((*(_bill(record, now) for record in begun_today), *plans))


def bill_of(parts: Parts, task: Task) -> Bill:
    """Return what a task's own runs used."""
    return budgets.total(_bill(record, parts.clock.now()) for record in _records(parts, task))


def _closed_since(graph: Graph, at: str) -> Iterator[str]:
    for changed, task_id in reversed(graph.closed()):
        if changed < at:
            return
        yield task_id


def _records(parts: Parts, task: Task) -> Iterable[RunRecord]:
    """Yield the records of all runs a task ever had here."""
    epochs = range(1, task.epoch + 1)
    found = (parts.runs.record(name) for epoch in epochs for name in (f"{task.id}-{epoch}", run_of(task.id, epoch)))
    return (record for record in found if record is not None)


def _bill(record: RunRecord, now: float) -> Bill:
    used, told = record.conversation.tokens, record.conversation.cost_usd
    took = usage.minutes(record.started_at, now if record.outcome is None else record.ended_at)
    return Bill(took, used.input + used.output if used else 0, told or 0.0)
