"""The stages and steps of a run as events of its task's trail. Pure.

A run's supervisor notes them in the run's folder, where no lock is needed; they come into the trail with the daemon's
next look, and with every change of the task's status, each once and in order: its number tells which ones are there.

Next in the flow: `project.record` writes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from orange.core.storeports import Event

#: Stages that are told as a whole; how `execute` ended is told with the run's result.
_STAGES = frozenset({"prepare", "execute"})


def noted(events: Iterable[Event], run: str) -> int:
    """Return how many lines of a run's stages the trail has, or has passed over."""
    numbers = (event.data.get("line") for event in events if event.data.get("run") == run)
    return max((number for number in numbers if isinstance(number, int)), default=0)


def events(run: str, lines: Sequence[Mapping[str, object]], steps: Collection[str], after: int) -> Iterator[Event]:
    """Turn the lines of a run's stages behind the first `after` into events; `steps` are those of its pipeline."""
    for number, line in enumerate(lines[after:], after + 1):
        found = _event(line, steps)
        if found is not None:
            yield Event(str(line.get("at", "")), found[0], f"agent:{run}", {"run": run, "line": number, **found[1]})


def _event(line: Mapping[str, object], steps: Collection[str]) -> tuple[str, dict[str, object]] | None:
    stage, step, status = line.get("stage"), line.get("step"), line.get("status")
    why = {"message": line["message"]} if line.get("message") else {}
    if step is None and stage in _STAGES and (stage != "execute" or status == "started"):
        return f"task.{stage}", {"status": status, **why}
    if step is None or step not in steps:
        return None
    if status == "started":
        return "task.step_started", {"step": step}
    return "task.step_completed", {"step": step, "outcome": line.get("outcome", status), **why}
