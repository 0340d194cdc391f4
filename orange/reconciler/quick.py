"""Quick actions in the loop: what is owed to each is looked for, and done in the pool, beside the tasks.

Next in the flow: `project.quick` takes the steps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from orange.core.allowance import Dispatch
from orange.core.graph import Graph
from orange.core.model import Presence
from orange.core.problems import OrangeError
from orange.core.quick import QuickRun, Seen, State, Step, owed
from orange.project import quick
from orange.project.world import Looks
from orange.reconciler.apply import Applier

log = logging.getLogger("orange.reconciler")


class QuickLoop:
    """The quick actions of one project."""

    def __init__(self, applier: Applier) -> None:
        self._applier, self._parts = applier, applier.parts
        self._looks = Looks()
        #: Those whose workspace could not be returned: it is tried again by the next daemon.
        self._kept: set[str] = set()

    def turn(self, dispatch: Dispatch, graph: Graph) -> int:
        """Take the steps that are owed; returns how many free slots that takes up."""
        known = self._parts.quick.open()
        if not known:
            return 0
        sessions = self._parts.executor.observe()
        self._looks.keep({one.run for one in known})
        waits = any(one.status is State.QUEUED for one in known) and quick.held_back(self._parts, dispatch, graph)
        slots = 0 if waits else dispatch.slots
        taken = 0
        for one in known:
            step = owed(one, self._seen(one, sessions))
            if step is Step.BEGIN and one.status is State.QUEUED:
                if taken >= slots:
                    continue
                taken += 1
            if step is not None and one.id not in self._kept:
                self._applier.begin((one.id,), self._work(step, one))
        return taken

    def _seen(self, one: QuickRun, sessions: Mapping[str, str] | None) -> Seen:
        record = self._parts.runs.record(one.run) if one.status is not State.QUEUED else None
        presence = Presence.UNKNOWN
        if sessions is not None:
            presence = Presence.THERE if one.session in sessions else Presence.GONE
        looks = self._looks.count(one.run, presence)
        return Seen(
            record is not None and record.launched, record is not None and bool(record.outcome), presence, looks
        )

    def _work(self, step: Step, one: QuickRun) -> Callable[[], None]:
        parts, speaker = self._parts, self._applier.speaker
        steps: Mapping[Step, Callable[[], None]] = {
            Step.BEGIN: lambda: quick.begin(parts, one.id),
            Step.CLOSE: lambda: quick.close(parts, one),
            Step.FINISH: lambda: quick.finish(parts, speaker, one),
            Step.RETURN: lambda: self._give_back(one),
        }
        return steps[step]

    def _give_back(self, one: QuickRun) -> None:
        try:
            quick.give_back(self._parts, one)
        except OrangeError as failed:
            self._kept.add(one.id)
            log.warning("the workspace of quick action %s stays: %s", one.id, failed.message)
