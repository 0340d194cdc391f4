"""`orange stats`: what runs took, used and came to, as JSON; out of their records and the board, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from orange.core import budgets, times, usage
from orange.core.graph import Graph
from orange.core.lifecycle import Status
from orange.core.model import Task
from orange.core.retry import NEUTRAL
from orange.core.usage import Used
from orange.project.parts import Parts


def stats(parts: Parts, of: Task | None, since: float | None) -> dict[str, object]:
    """Return the figures of the runs that began within the last `since` seconds, `of` a task and all below it."""
    now = parts.clock.now()
    board = parts.store.read()
    family = set(budgets.family(Graph(board), of.id)) if of else None
    runs = sorted(
        (run for run in parts.usage.runs() if family is None or run.task in family),
        key=lambda run: (run.started_at, run.run),
    )
    begun = None if since is None else now - since
    shown = [run for run in runs if begun is None or run.started_at >= begun]
    tasks = usage.by(lambda run: run.task, shown)
    return {
        "since": None if begun is None else times.stamp(begun),
        "until": times.stamp(now),
        "total": {"tasks": len(tasks), **_sum(shown, now)},
        "outcomes": _outcomes(shown),
        "days": list(_groups("day", lambda run: run.day, shown, now)),
        "agents": _dearest(_groups("agent", lambda run: run.agent, shown, now)),
        "models": _dearest(_groups("model", lambda run: run.model, shown, now)),
        "types": _dearest(_groups("type", lambda run: _type(board.tasks.get(run.task)), shown, now)),
        "estimates": _estimates(board.tasks, runs, tasks, now),
        "tasks": [_task(task, board.tasks.get(task), found, now) for task, found in tasks.items()],
        "runs": [_run(run, now) for run in shown],
    }


def _type(task: Task | None) -> str | None:
    return task.type if task else None


def _sum(runs: Iterable[Used], now: float) -> dict[str, object]:
    found = usage.add(runs, now)
    return {"runs": found.runs, "failed": found.failed, **asdict(found.bill)}


def _groups(
    name: str, key: Callable[[Used], str | None], runs: Sequence[Used], now: float
) -> Iterator[dict[str, object]]:
    for word, found in usage.by(key, runs).items():
        yield {name: word, **_sum(found, now)}


def _dearest(groups: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """Order by what they cost, the dearest first."""
    return sorted(groups, key=lambda group: (group["usd"], group["minutes"]), reverse=True)


def _outcomes(runs: Iterable[Used]) -> dict[str, int]:
    """Count how the runs ended; `running` for those that have not."""
    found = usage.by(lambda run: run.outcome.value if run.outcome else "running", runs)
    return {outcome: len(found[outcome]) for outcome in sorted(found)}


def _estimates(
    tasks: Mapping[str, Task], runs: Sequence[Used], shown: Iterable[str], now: float
) -> list[dict[str, object]]:
    """Compare the estimates of done tasks with what all of their runs took, whenever those were."""
    done = {task for task in shown if task in tasks and tasks[task].status is Status.DONE and tasks[task].estimate}
    whole = usage.by(lambda run: run.task, (run for run in runs if run.task in done))
    took = ((str(tasks[task].estimate), usage.add(found, now).bill.minutes) for task, found in whole.items())
    return [asdict(line) for line in usage.compared(took)]


def _task(task_id: str, task: Task | None, runs: Sequence[Used], now: float) -> dict[str, object]:
    """Say what a task's runs came to; of one whose file is gone, what they knew of it."""
    last = runs[-1]
    return {
        "id": task_id,
        "name": task.name if task else last.name,
        "title": task.title if task else last.title,
        "type": _type(task),
        "status": task.status.value if task else None,
        "estimate": task.estimate if task else None,
        "agents": sorted({run.agent for run in runs}),
        "attempts": sum(run.outcome not in NEUTRAL for run in runs),
        "outcome": last.outcome.value if last.outcome else None,
        **_sum(runs, now),
    }


def _run(run: Used, now: float) -> dict[str, object]:
    return {
        "run": run.run,
        "task": run.task,
        "agent": run.agent,
        "model": run.model,
        "attempt": run.attempt,
        "started_at": times.stamp(run.started_at),
        "ended_at": None if run.ended_at is None else times.stamp(run.ended_at),
        "outcome": run.outcome.value if run.outcome else None,
        **asdict(run.bill(now)),
        "tokens": run.tokens,
    }
