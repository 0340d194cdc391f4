"""P1 and P3: the hottest read and write of the command line, daemon down, against an empty click program."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from bench.board import Sample, orange_program, sample
from bench.measure import Row, cpu, medians

EMPTY = "import click\n@click.command()\ndef main(): pass\nmain()\n"


def measure(count: int) -> Iterator[Row]:
    """Measure at one size."""
    found = sample(count)
    found.orange("task", "list", "--ready", "--json")  # fills the index
    pending = _a_pending_task(found)
    labels = iter(range(1_000_000))
    ready = [orange_program(), "task", "list", "--ready", "--json"]
    results = medians(
        {
            "empty": lambda: cpu([sys.executable, "-c", EMPTY], cwd=found.root, env=found.env),
            "first": lambda: cpu(ready, cwd=found.root, env=found.env),
            "list": lambda: cpu(ready, cwd=found.root, env=found.env),
            "update": lambda: cpu(
                [orange_program(), "task", "update", pending, "--add-label", f"l{next(labels)}", "--json"],
                cwd=found.root,
                env=found.env,
            ),
        }
    )
    yield Row(
        "P1",
        f"task list --ready --json, {count} tasks, daemon down (CPU)",
        results["list"],
        results["empty"],
        _p1(count),
    )
    what = f"the same, the first after a change, {count} tasks, daemon down (CPU)"
    yield Row("P1", what, results["first"], results["empty"], None)
    yield Row("P3", f"task update, {count} tasks, daemon down (CPU)", results["update"], results["empty"], 3.0)


def _p1(count: int) -> float:
    return 1.2 if count <= 10_000 else 7.0


def _a_pending_task(found: Sample) -> str:
    import json

    return str(json.loads(found.orange("task", "list", "--status", "pending", "--json"))["tasks"][0]["id"])
