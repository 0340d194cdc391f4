"""Sessions: what each run of the daemon was told, did and came to, out of the lines it noted as it went. Pure.

A line is a JSON object whose `kind` is `began`, `run`, `done`, `failed` or `ended`; each stands for itself, so that a
daemon may be killed at any instant. What runs cost is not noted: their own records say it.

Next in the flow: `daemon.session` notes the lines, `wiring.sessions` shows what they come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orange.core.allowance import Bill
from orange.core.graph import Graph
from orange.core.lifecycle import Status, StuckReason
from orange.core.problems import InvalidInput
from orange.core.times import stamp

#: Why a task is stuck that failed; for the other reasons it waits for somebody's word.
FAILED = frozenset({
    StuckReason.FAILED, StuckReason.CHECKS_FAILED, StuckReason.CONFLICT, StuckReason.TIMEOUT, StuckReason.NO_PROGRESS,
    StuckReason.BUDGET, StuckReason.AGENT_MISSING, StuckReason.INVALID,
})  # fmt: skip
#: One line.
Line = Mapping[str, Any]


@dataclass(slots=True)
class Seen:
    """What was already known to be over in one project."""

    #: Ids of tasks that are closed, or failed.
    over: set[str] = field(default_factory=set)
    #: The latest change of a closed task that was looked at.
    until: str = ""

    def begun(self, task_id: str) -> None:
        """Know that a task is worked on again."""
        self.over.discard(task_id)


def first_look(graph: Graph) -> Seen:
    """Know what was over before."""
    seen = Seen()
    list(news(graph, seen))
    return seen


def news(graph: Graph, seen: Seen) -> Iterator[tuple[str, str]]:
    """Yield (`done` or `failed`, id) of each task that is over now and was not known to be; it is from then on."""
    closed, until = graph.closed(), seen.until
    seen.until = closed[-1][0] if closed else until
    for changed, task_id in reversed(closed):
        if changed < until:
            break
        if task_id not in seen.over:
            seen.over.add(task_id)
            if graph.tasks[task_id].status is Status.DONE:
                yield "done", task_id
    for task_id in graph.with_status(Status.STUCK):
        stuck = graph.tasks[task_id].stuck
        if task_id not in seen.over and stuck and stuck.reason in FAILED:
            seen.over.add(task_id)
            yield "failed", task_id


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the daemon."""

    id: str
    #: Wall-clock seconds.
    began: float
    #: The daemon's process: pid, its start in clock ticks, and the boot.
    process: tuple[int, int | None, str]
    #: What it was told on the command line, as far as that was anything.
    options: Mapping[str, Any]
    #: Project's folder -> ids of the tasks that were finished, or failed and were not finished.
    done: Mapping[str, Sequence[str]]
    failed: Mapping[str, Sequence[str]]
    #: Project's folder -> the runs it began.
    runs: Mapping[str, Sequence[str]]
    ended: float | None = None
    reason: str | None = None


def fold(lines: Sequence[Line]) -> Session | None:
    """Put a session together from its lines; None where its beginning makes no sense. A torn line says nothing."""
    try:
        head = lines[0]
        pid, started, boot = head["process"]
        options, began = dict(head["options"]), float(head["at"])
        stamp(began)
    except (LookupError, TypeError, ValueError, InvalidInput):
        return None
    found: dict[str, dict[str, list[str]]] = {"done": {}, "failed": {}, "run": {}}
    for line in lines[1:]:
        if line.get("kind") in found:
            found[line["kind"]].setdefault(str(line.get("project")), []).append(str(line.get(line["kind"])))
    end = next((line for line in lines if line.get("kind") == "ended"), {})
    done = {root: _each(ids) for root, ids in found["done"].items()}
    failed = {root: _each(i for i in ids if i not in done.get(root, ())) for root, ids in found["failed"].items()}
    runs = {root: _each(ids) for root, ids in found["run"].items()}
    return Session(
        str(head["id"]), began, (pid, started, boot), options, done, failed, runs, end.get("at"), end.get("reason")
    )


def _each(ids: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def status(session: Session, *, alive: bool, paused: bool) -> str:
    """Name a session's state: `completed` ended in order, `failed` without a word."""
    if session.ended is not None:
        return "completed"
    if not alive:
        return "failed"
    return "paused" if paused else "active"


def view(session: Session, state: str, bill: Bill) -> dict[str, object]:
    """Return a session as JSON."""
    return {
        "id": session.id,
        "status": state,
        "agent": session.options.get("agent"),
        "options": dict(session.options),
        "pid": session.process[0],
        "started_at": stamp(session.began),
        "ended_at": None if session.ended is None else stamp(session.ended),
        "reason": session.reason,
        "projects": sorted({*session.done, *session.failed, *session.runs}),
        "done": [task for ids in session.done.values() for task in ids],
        "failed": [task for ids in session.failed.values() for task in ids],
        "runs": [run for ids in session.runs.values() for run in ids],
        "minutes": bill.minutes,
        "tokens": bill.tokens,
        "usd": bill.usd,
    }
