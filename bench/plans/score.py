"""How near a plan comes to the gold: tasks found, missed and made up, their parents, and the order among them.

A task of the plan is a task of the gold where it begins at most `NEAR` lines from it and the shorter of both titles has
at least half of its words in the other; each counts once, the nearest first. Next in the flow: `results` sums it up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bench.plans.gold import TOP, Gold, GoldTask
from orange.core.plans.model import Plan, PlanTask

#: Lines between where the gold and where the plan says a task begins: a paragraph or a quotation has a head.
NEAR = 2
#: From here on an edge is one that the document puts into words; what phases and marks imply is less sure.
WORDED = 0.7


@dataclass(frozen=True, slots=True)
class Tally:
    """What was right, made up and missed."""

    right: int = 0
    extra: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.extra + other.extra, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """How much of what was found is right."""
        return self.right / (self.right + self.extra) if self.right + self.extra else 1.0

    @property
    def recall(self) -> float:
        """How much of what is there was found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of both; 1 where there is nothing to find and nothing was found."""
        whole = 2 * self.right + self.extra + self.missed
        return 2 * self.right / whole if whole else 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """How near one plan comes to its gold."""

    tasks: Tally
    parents: Tally
    edges: Tally
    #: Tasks that can be worked on: those without parts.
    leaves: int
    #: What is wrong, a sentence each.
    faults: tuple[str, ...] = ()


def score(gold: Gold, plan: Plan) -> Score:
    """Compare a plan with the gold."""
    matched = _matched(gold, plan.tasks)
    lines = {key: task.line for key, task in matched.items()}
    extra = [task for task in plan.tasks if task.key not in matched and not _is_either(task, gold)]
    found = {task.line for task in matched.values()}
    missed = [task for task in gold.tasks if task.line not in found]
    parents, misplaced = _parents(gold, plan, matched)
    edges, disorder = _edges(gold, plan, lines)
    faults = (
        *(f"missed: line {task.line}: {task.title}" for task in missed),
        *(f"extra: line {task.lines.first if task.lines else 0}: {task.title}" for task in extra),
        *misplaced,
        *disorder,
    )
    leaves = sum(task.key not in plan.children() for task in plan.tasks)
    return Score(Tally(len(matched), len(extra), len(missed)), parents, edges, leaves, faults)


def _matched(gold: Gold, tasks: Sequence[PlanTask]) -> dict[str, GoldTask]:
    """Return the gold's task of every task of the plan that has one."""
    pairs = sorted(
        (min(abs(line - found.lines.first) for line in task.lines), i, k)
        for i, task in enumerate(gold.tasks)
        for k, found in enumerate(tasks)
        if found.lines is not None and _is_same(task, found)
    )
    matched: dict[str, GoldTask] = {}
    taken: set[int] = set()
    for distance, i, k in pairs:
        if distance <= NEAR and i not in taken and tasks[k].key not in matched:
            taken.add(i)
            matched[tasks[k].key] = gold.tasks[i]
    return matched


def _is_same(task: GoldTask, found: PlanTask) -> bool:
    wanted, given = _words(task.title), _words(f"{found.ref or ''} {found.title}")
    return 2 * len(wanted & given) >= max(min(len(wanted), len(given)), 1)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def _is_either(task: PlanTask, gold: Gold) -> bool:
    return task.lines is not None and task.lines.first in gold.either


def _parents(gold: Gold, plan: Plan, matched: dict[str, GoldTask]) -> tuple[Tally, list[str]]:
    """Compare the parents of the tasks that were found."""
    by_key, wrong, right = plan.by_key(), [], 0
    for key, task in matched.items():
        above = by_key[key].parent
        while above is not None and above not in matched and _is_either(by_key[above], gold):
            above = by_key[above].parent
        given = TOP if above is None else matched[above].line if above in matched else None
        if task.under is None or given in task.under:
            right += 1
        else:
            name = f"below line {given}" if given else "at the top" if given == TOP else f"below {above}"
            wrong.append(f"parent: line {task.line}: {task.title}: {name}")
    return Tally(right, len(wrong), len(wrong)), wrong


def _edges(gold: Gold, plan: Plan, lines: dict[str, int]) -> tuple[Tally, list[str]]:
    """Compare the edges that are put into words."""
    wanted = {(edge.task, edge.after): edge for edge in gold.edges}
    found: set[tuple[int, int]] = set()
    faults: list[str] = []
    by_key = plan.by_key()
    for task in plan.tasks:
        for edge in task.edges:
            if edge.confidence < WORDED:
                continue
            ends = [by_key[key] for key in (task.key, edge.blocker)]
            if any(end.key not in lines and _is_either(end, gold) for end in ends):
                continue
            pair = (lines.get(task.key, -1), lines.get(edge.blocker, -1))
            if pair in wanted:
                found.add(pair)
            elif not _allowed(pair, gold.either_edges):
                faults.append(f"extra edge: {task.key} after {edge.blocker}: {edge.reason}")
    missed = [edge for pair, edge in wanted.items() if pair not in found]
    said = [f"missed edge: line {edge.line}: {edge.task} after {edge.after}: {edge.said}" for edge in missed]
    return Tally(len(found), len(faults), len(missed)), [*faults, *said]


def _allowed(pair: tuple[int, int], either: Collection[tuple[int, int]]) -> bool:
    return any(task in {TOP, pair[0]} and after in {TOP, pair[1]} for task, after in either)
