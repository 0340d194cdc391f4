"""Keeps the trails of tasks up to date while their runs go from step to step, not only when a status changes.

What it remembers only spares work: which lines are in a trail is said by the trail itself. What happens within a second
is written in one go, with the change of status where that is as quick.
"""

from __future__ import annotations

from orange.core.graph import Graph
from orange.project.parts import Parts
from orange.project.requests import Speaker
from orange.project.stages import note_stages
from orange.reconciler.notifying import Begin

#: Seconds that what is new may wait for more.
PACE = 1.0


class Trail:
    """The trails of one project's tasks."""

    def __init__(self, parts: Parts, speaker: Speaker) -> None:
        self._parts, self._speaker = parts, speaker
        #: Run -> so many of its lines have been seen to.
        self._seen: dict[str, int] = {}
        #: Since when something new has been waiting, on the clock that never goes back; None while nothing is.
        self._since: float | None = None

    def look(self, graph: Graph, begin: Begin) -> None:
        """See which runs have come further, and begin to write that down: one entry for all of them."""
        held = {run: task_id for task_id in graph.held() if (run := self._run(graph, task_id))}
        lines = {run: len(self._parts.runs.stages(run)) for run in held}
        self._seen = {run: count for run, count in self._seen.items() if run in held}
        grown = {run: count for run, count in lines.items() if count > self._seen.get(run, 0)}
        now = self._parts.clock.monotonic()
        since = self._since = (now if self._since is None else self._since) if grown else None
        if since is not None and now >= since + PACE:
            begin(("trail",), lambda: self._note(grown, [(held[run], run) for run in grown]))

    def _run(self, graph: Graph, task_id: str) -> str | None:
        """Name the run of an agent of this machine that holds a task; None where somebody else does."""
        claim = graph.tasks[task_id].claim
        mine = claim is not None and claim.host == self._parts.host and not claim.by_person
        return claim.run if claim and mine else None

    def _note(self, grown: dict[str, int], held: list[tuple[str, str]]) -> None:
        note_stages(self._parts, self._speaker, held)
        self._seen |= grown
