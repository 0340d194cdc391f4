"""What the project's checks came to for a task, as people and programs see it: `task show`, `task review`."""

from __future__ import annotations

from collections.abc import Mapping

from orange.core.checks import results_of
from orange.core.model import Task
from orange.project.parts import Parts

#: JSON objects.
Rounds = list[dict[str, object]]


def rounds(parts: Parts, task: Task) -> Rounds:
    """List the latest rounds of checks: on a task's work, and on its merge. None when no checks were run."""
    for epoch in range(task.epoch, 0, -1):
        run = f"{task.id}-{epoch}"
        told = parts.runs.checks(run)
        merged = parts.runs.checks(run, of_merge=True)
        found = [*([_round("work", run, told)] if told else ()), *([_round("merge", run, merged)] if merged else ())]
        if found:
            return found
    return []


def _round(on: str, run: str, told: Mapping[str, object]) -> dict[str, object]:
    """Make the JSON object of one round. `on`: `work`, or `merge` for the merged result."""
    results = results_of(told)
    return {
        "on": on,
        "run": told.get("run", run),
        "commit": told.get("commit"),
        "at": told.get("at"),
        "passed": all(result.passed for result in results),
        "results": [result._asdict() for result in results],
    }
