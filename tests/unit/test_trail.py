"""What runs note of their steps is taken into the trail at a pace of its own: what is new together, in one entry."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from orange.core.graph import Graph
from orange.core.model import Board
from orange.reconciler.trail import PACE, Trail
from orange.testing.worlds import HOST, a_task, a_working


def test_what_is_new_waits_for_more_and_is_then_begun_once() -> None:
    """Only runs of agents that this machine holds; lines seen to are not looked at again, nor is an ended run."""
    lines: dict[str, list[dict[str, object]]] = {"a-1": [{}], "b-1": [], "p-1": [{}], "h-1": [{}]}
    now, begun = [100.0], list[str]()
    clock = SimpleNamespace(monotonic=lambda: now[0])
    runs = SimpleNamespace(stages=lambda run: lines[run])
    trail = Trail(cast("Any", SimpleNamespace(host=HOST, clock=clock, runs=runs)), cast("Any", None))

    def begin(keys: tuple[str, ...], _work: object) -> bool:
        begun.append(keys[0])
        return True

    def look(after: float) -> int:
        now[0] += after
        tasks = (a_working("a"), a_working("b"), a_working("p", person=True), a_working("h", host="there"), a_task("t"))
        trail.look(Graph(Board({task.id: task for task in tasks})), begin)
        return len(begun)

    assert look(0) == look(PACE / 2) == 0
    assert look(PACE) == 1
    trail._seen |= {"a-1": 1}  # what the work that was begun does in the end
    assert look(PACE) == look(PACE) == 1
    lines["b-1"].append({})
    assert (look(0), look(PACE), look(0)) == (1, 2, 3)
