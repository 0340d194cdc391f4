"""One project's turn: observe everything, decide, act, record once. Level-triggered: a lost hint costs one poll."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from orange.core.actions import Plan
from orange.core.problems import OrangeError
from orange.core.reconcile import decide
from orange.project import dispatching
from orange.project.parts import Parts
from orange.project.requests import Speaker
from orange.project.world import Looks, dispatch_for, live_runs, observe
from orange.reconciler.apply import Applier

log = logging.getLogger("orange.reconciler")


class Reconciler:
    """The loop's body for one project."""

    def __init__(self, parts: Parts, speaker: Speaker, again: Callable[[], None], pool: ThreadPoolExecutor) -> None:
        self.parts = parts
        self.applier = Applier(parts, speaker, again, pool)
        self.looks = Looks()
        #: Live runs of this project at the last look: what other projects must leave free.
        self.live = 0
        #: When the passing of time alone may change something, wall-clock seconds.
        self.wake_at: float | None = None

    def repair(self) -> None:
        """Mend what a kill left half-done, before anything else touches git."""
        for sentence in (*self.parts.workspaces.repair(), *self.parts.integration.repair()):
            log.warning("%s: %s", self.parts.name, sentence)

    def turn(self, others: int) -> Plan:
        """Look, decide, act and record once. `others` counts the live runs of other projects.

        Raises OrangeError when the project cannot be observed.
        """
        pause = dispatching.read(self.parts.layout.dispatch)
        world = observe(self.parts, dispatch_for(self.parts.settings(), 0, 0, pause), self.looks)
        self.live = live_runs(world.board.tasks.values(), self.parts.host)
        world = replace(world, dispatch=dispatch_for(world.settings, self.live, others, pause))
        plan = decide(world, self.parts.clock.now())
        if plan.actions:
            log.debug("%s: %s", self.parts.name, plan.actions)
            self.applier.apply(plan, world)
        self.wake_at = plan.wake_at
        self._record()
        return plan

    def _record(self) -> None:
        try:
            self.parts.store.record()
        except OrangeError as failed:
            log.warning("%s: history: %s", self.parts.name, failed.message)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way here."""
        return self.live == 0 and not self.applier.busy
