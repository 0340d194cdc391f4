"""What work may cost: caps of a task with everything below it, and of the project's day. Enforced, not advised.

Only what was really used counts: the runs' own records say how long they took and what their agents told of tokens
and money. A day is one of UTC.

Next in the flow: `gates` starts nothing that has no budget left, `settle` ends what has used it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TypeAlias

from orange.core.allowance import NOTHING, UNITS, Bill
from orange.core.graph import Graph
from orange.core.kin import ancestors
from orange.core.lifecycle import Status
from orange.core.model import Task, World
from orange.core.settings import BudgetSettings, Settings
from orange.core.times import stamp

#: `minutes`, `tokens`, `usd` -> the most of it.
Caps: TypeAlias = Mapping[str, float]
#: Seconds of a day.
_DAY = 86400.0


def caps_of(task: Task, settings: Settings) -> Caps:
    """Return a task's caps: its own, else those of every task of the project."""
    usual = {name: cap for name in UNITS if (cap := getattr(settings.budget, name)) is not None}
    return {**usual, **task.budget}


def wanted(graph: Graph, settings: Settings) -> frozenset[str]:
    """Name the tasks whose bills have to be known: whatever shares a cap with a task that works or could start."""
    asking = {*graph.claimed(), *(task.id for task in graph.queue() if task.parent or task.budget)}
    owners = {owner for task_id in asking for owner in _owners(graph, task_id) if caps_of(graph.tasks[owner], settings)}
    return frozenset(below for owner in owners for below in family(graph, owner))


def _owners(graph: Graph, task_id: str) -> tuple[str, ...]:
    """List a task and what it is a part of."""
    return (task_id, *ancestors(graph.tasks, task_id))


def family(graph: Graph, task_id: str) -> tuple[str, ...]:
    """List a task and everything below it."""
    found = {task_id: None}
    todo = [task_id]
    for one in todo:  # grows while it is walked
        new = [child for child in graph.children(one) if child not in found]
        found |= dict.fromkeys(new)
        todo += new
    return tuple(found)


def overrun(world: World, graph: Graph, task: Task) -> str | None:
    """Say which budget a task has used up, alone or with others; None while there is some left."""
    for owner_id in _owners(graph, task.id):
        owner = graph.tasks[owner_id]
        caps = caps_of(owner, world.settings)
        if caps:
            used = total(world.spent.get(one, NOTHING) for one in family(graph, owner_id))
            over = _over(caps, used)
            if over:
                whose = "its budget" if owner_id == task.id else f"the budget of {owner.id} ({owner.title})"
                return f"{whose} is used up: {over}"
    return day_overrun(world.settings, world.spent_today)


def day_overrun(settings: Settings, used: Bill) -> str | None:
    """Say what of the day's budget is used up; None while there is some left."""
    over = _over(settings.budget.per_day, used)
    return f"the project's budget for this day is used up: {over}; the next begins at 00:00 UTC" if over else None


def stops(world: World, graph: Graph) -> Iterator[tuple[Task, str]]:
    """Yield the tasks that agents of this machine work on without a budget, and what was used up."""
    for task_id in graph.held():
        task = graph.tasks[task_id]
        claim = task.claim
        if task.status is Status.WORKING and claim and claim.host == world.host and not claim.by_person:
            over = overrun(world, graph, task)
            if over:
                yield task, over


def total(bills: Iterable[Bill]) -> Bill:
    """Add bills up."""
    minutes, tokens, usd = 0.0, 0, 0.0
    for bill in bills:
        minutes, tokens, usd = minutes + bill.minutes, tokens + bill.tokens, usd + bill.usd
    return Bill(minutes, tokens, usd)


def day_of(now: float) -> str:
    """Return when the day began that an instant belongs to, RFC 3339 UTC."""
    return stamp(now - now % _DAY)


def counts_days(budget: BudgetSettings) -> bool:
    """Whether what a day costs has to be known."""
    return bool(budget.per_day)


def _over(caps: Caps, used: Bill) -> str:
    """Say which caps are reached, with the figures."""
    if not caps:
        return ""
    told = asdict(used)
    return ", ".join(f"{UNITS[name].format(told[name])} of {cap:g}" for name, cap in caps.items() if told[name] >= cap)
