"""How accurate structure-only decomposition is: documents against gold that was made by hand. `README.md` says how.

`python -m bench.plans` prints every document with what is wrong. Next in the flow: `gold`, `score`, `results`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Score


def measure(_: int) -> Iterator[Score]:
    """Score the documents that the bench carries."""
    from bench.plans.gold import retold
    from bench.plans.results import EDGES, LEAVES, TASKS, results, summed, worst

    found = results(retold())
    total = summed(found)
    yield Score("A1", f"F1 of tasks, {len(found)} documents", total.tasks.f1, TASKS)
    yield Score("A1", "the same, mean of the documents", total.tasks_mean, TASKS)
    yield Score("A2", "F1 of edges that are put into words", total.edges.f1, EDGES)
    yield Score(
        "A3",
        f"documents that yield {LEAVES} tasks at least",
        sum(r.score.leaves >= LEAVES for r in found) / len(found),
        1,
    )
    yield Score("A4", "parents of tasks", total.parents.precision, None)
    for result in worst(found)[:5]:
        yield Score("", f"among the worst: {result.case.name}: F1 of tasks", result.score.tasks.f1, None)
