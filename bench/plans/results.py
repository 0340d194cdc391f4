"""Scores of many documents: one by one, summed up (micro) and averaged (macro), as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import fmean

from bench.plans.gold import Case, Gold
from bench.plans.score import Score, Tally, score
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Parameters, Plan
from orange.core.problems import InvalidInput

#: What the bench asks for: F1 of tasks and of edges that are put into words.
TASKS, EDGES = 0.85, 0.80
#: A document yields so many tasks that can be worked on, however it is written.
LEAVES = 2
#: The parts of the bench, in the order in which they were looked at.
HALVES = ("tuning", "held out", "fresh", "later")
#: A document below the target of tasks is one of the worst cases, and so many are named at least.
_WORST = 3


@dataclass(frozen=True, slots=True)
class Result:
    """A document's score."""

    case: Case
    score: Score


@dataclass(frozen=True, slots=True)
class Sum:
    """Many documents' scores."""

    tasks: Tally
    parents: Tally
    edges: Tally
    #: Means over documents; of the edges over those that put some into words.
    tasks_mean: float
    parents_mean: float
    edges_mean: float


def results(cases: Iterable[Case]) -> list[Result]:
    """Decompose and score every document that is here."""
    return [Result(case, _scored(case.gold, case.text, case.file_name)) for case in cases if case.text is not None]


def _scored(gold: Gold, text: str, name: str) -> Score:
    try:
        plan = decompose(text, name, Parameters())
    except InvalidInput:
        plan = Plan("none", "none", name)
    return score(gold, plan)


def summed(found: Sequence[Result]) -> Sum:
    """Sum scores up."""
    scores = [result.score for result in found]
    with_edges = [result.score.edges.f1 for result in found if result.case.gold.edges]
    return Sum(
        reduce(add, (one.tasks for one in scores), Tally()),
        reduce(add, (one.parents for one in scores), Tally()),
        reduce(add, (one.edges for one in scores), Tally()),
        _mean([one.tasks.f1 for one in scores]),
        _mean([one.parents.precision for one in scores]),
        _mean(with_edges),
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 1.0


def worst(found: Sequence[Result]) -> list[Result]:
    """Return the documents that are read worst: those below a target, and the lowest in any case."""
    ranked = sorted(found, key=lambda result: min(result.score.tasks.f1, result.score.edges.f1))
    below = [result for result in ranked if result.score.tasks.f1 < TASKS or result.score.edges.f1 < EDGES]
    return below if len(below) >= _WORST else ranked[:_WORST]


def table(found: Sequence[Result]) -> str:
    """Return the scores as a table in Markdown, a part for each half."""
    lines = [
        "| document | tasks | precision | recall | F1 | parents | edges | edge F1 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for half in HALVES:
        part = sorted((result for result in found if result.case.half == half), key=lambda result: result.case.name)
        if part:
            lines += [f"| **{half}** | | | | | | | |", *map(_line, part), *_sums(part)]
    names = ", ".join(
        f"{result.case.name} ({result.score.tasks.f1:.2f}, {result.score.edges.f1:.2f})" for result in worst(found)
    )
    return "\n".join([*lines, "", f"Worst, with the F1 of tasks and of edges: {names}."])


def _line(result: Result) -> str:
    tasks, parents, edges = result.score.tasks, result.score.parents, result.score.edges
    wanted = len(result.case.gold.edges)
    order = f"{wanted} | {edges.f1:.2f}" if wanted or edges.extra else "0 | -"
    return (
        f"| {result.case.name} | {len(result.case.gold.tasks)} | {tasks.precision:.2f} | {tasks.recall:.2f} | "
        f"{tasks.f1:.2f} | {parents.precision:.2f} | {order} |"
    )


def _sums(found: Sequence[Result]) -> list[str]:
    total = summed(found)
    tasks, parents, edges = total.tasks, total.parents.precision, total.edges
    micro = (
        f"| *all of them (micro)* | {tasks.right + tasks.missed} | {tasks.precision:.2f} | {tasks.recall:.2f} | "
        f"{tasks.f1:.2f} | {parents:.2f} | {edges.right + edges.missed} | {edges.f1:.2f} |"
    )
    means = f"{total.tasks_mean:.2f} | {total.parents_mean:.2f} | | {total.edges_mean:.2f} |"
    return [micro, f"| *mean of the documents (macro)* | | | | {means}"]
