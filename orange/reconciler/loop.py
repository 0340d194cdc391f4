"""One project's turn: observe everything, decide, act, record once. Level-triggered: a lost hint costs one poll."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from orange.core.actions import Plan
from orange.core.dispatch import wishes
from orange.core.graph import Graph
from orange.core.model import Board, Task
from orange.core.problems import OrangeError
from orange.core.reconcile import decide
from orange.core.scene import Scene
from orange.project import dispatching
from orange.project.parts import Parts
from orange.project.requests import Speaker
from orange.project.world import Looks, dispatch_for, live_runs, observe
from orange.reconciler.apply import Applier
from orange.reconciler.notifying import Notifier
from orange.reconciler.orphans import Orphans
from orange.reconciler.quick import QuickLoop
from orange.reconciler.trail import Trail
from orange.reconciler.webhooks import Postman

log = logging.getLogger("orange.reconciler")

#: Seconds after which what was written is in history, whatever is under way.
RECORD_AFTER = 1.0


class Reconciler:
    """The loop's body for one project."""

    def __init__(self, parts: Parts, speaker: Speaker, again: Callable[[], None], pool: ThreadPoolExecutor) -> None:
        self.parts = parts
        self.applier = Applier(parts, speaker, again, pool)
        self.notifier = Notifier(parts)
        self.trail = Trail(parts, speaker)
        self.orphans = Orphans(parts)
        self.postman = Postman(parts)
        self.looks = Looks()
        self.quick = QuickLoop(self.applier)
        #: Live runs of this project at the last look: what other projects must leave free.
        self.live = 0
        #: What a person is to be asked for before it is started.
        self.wishes: list[Task] = []
        #: Whether merges are being checked.
        self.checking = False
        self._graph: Graph | None = None
        self._board: Board | None = None
        #: What the project's dispatch switch said at the last look.
        self.switch: Mapping[str, object] = {}
        #: Another number whenever something else than the tasks was seen to have changed.
        self.revision = 0
        self._seen: object = None
        #: When the passing of time alone may change something, wall-clock seconds.
        self.wake_at: float | None = None
        #: When a retry is due that nothing but time holds back.
        self.start_at: float | None = None
        #: Since when something waits to be recorded in history, wall-clock seconds.
        self._unrecorded_since: float | None = None

    def repair(self) -> None:
        """Mend what a kill left half-done, before anything else touches git."""
        for sentence in (*self.parts.workspaces.repair(), *self.parts.integration.repair()):
            log.warning("%s: %s", self.parts.name, sentence)

    def glance(self, edited: Collection[str]) -> bool:
        """Look at some files only (relative paths); whether that changed anything."""
        return self.parts.store.look(edited) is not self._board

    def turn(self, others: int, *, look: bool = True) -> Plan:
        """Look, decide, act and record once. `others` counts the live runs of other projects.

        Without `look` only what orange itself wrote is read again: right after a hint of ours, and cheap.
        Raises OrangeError when the project cannot be observed.
        """
        graph = self._graph_of(self.parts.store.read() if look else self.parts.store.look(()))
        self.switch, settings = dispatching.read(self.parts.layout.dispatch), self.parts.settings()
        self.live = live_runs(self.parts, graph)
        dispatch = dispatch_for(settings, self.live, others, self.switch, self.parts.terms)
        taken = self.quick.turn(dispatch, graph)
        self.live += taken
        free = max(0, dispatch.slots - taken)
        dispatch = replace(dispatch, slots=free, cleanup=self.parts.cleanups.tasks())
        world = observe(self.parts, graph, dispatch, self.looks, count=False, strays=look)
        dispatching.share_refusals(self.parts, world)
        self.notifier.look(graph, self.applier.begin)
        self.trail.look(graph, self.applier.begin)
        if look:
            self.orphans.look(graph, self.applier.begin)
        self.postman.look(self.board)
        self.checking = bool(world.candidates)
        now = self.parts.clock.now()
        plan = decide(world, now, graph)
        if plan.actions:
            log.debug("%s: %s", self.parts.name, plan.actions)
            self.applier.apply(plan, world)
        seen = (self.switch, settings, world.dispatch, world.runs)
        if plan.actions or seen != self._seen:
            self.revision, self._seen = self.revision + 1, seen
        self.wishes = wishes(Scene(world, now, graph)) if dispatch.terms.asks else []
        self.wake_at, self.start_at = plan.wake_at, plan.start_at
        self._record_in_time()
        return plan

    @property
    def graph(self) -> Graph:
        """The index of the board as of the last look."""
        return self._graph or Graph(Board({}))

    @property
    def board(self) -> Board:
        """The board as of the last look."""
        return self._board or Board({})

    def _graph_of(self, board: Board) -> Graph:
        """Keep one index of the board and tell it what changed, so that a look costs what changed and not the board."""
        cancelled_satisfies = self.parts.settings().cancelled_satisfies
        if self._graph is None or self._graph.cancelled_satisfies is not cancelled_satisfies:
            self._graph = Graph(board, cancelled_satisfies=cancelled_satisfies)
        elif board is not self._board:
            self._graph.follow(board)
        self._board = board
        return self._graph

    def _record_in_time(self) -> None:
        """Record what was written, in one commit with what is still under way, unless that takes too long."""
        if not self.parts.store.unrecorded() and not self.parts.store.hand_edits():
            self._unrecorded_since = None
            return
        now = self.parts.clock.now()
        since = self._unrecorded_since = min(self._unrecorded_since or now, now)
        if self.applier.busy and now < since + RECORD_AFTER:
            self.wake_at = min(self.wake_at or math.inf, since + RECORD_AFTER)
        else:
            self._unrecorded_since = None
            self._record()

    def close(self, timeout: float) -> None:
        """Wait for slow work to end, at most `timeout` seconds, and record what was written."""
        self.applier.wait(timeout)
        if self.parts.store.unrecorded():
            self._record()
        self.parts.executor.shut_down()

    def _record(self) -> None:
        try:
            self.parts.store.record(look=False)
            self.applier.begin(("records",), self.parts.show_records)
        except OrangeError as failed:
            log.warning("%s: history: %s", self.parts.name, failed.message)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way or unrecorded here, and no retry only waits for its time."""
        return self.drained and self.start_at is None

    @property
    def drained(self) -> bool:
        """Whether nothing is under way or unrecorded here."""
        return self.live == 0 and not self.checking and not self.applier.busy and self._unrecorded_since is None
