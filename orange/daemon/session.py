"""One run of the daemon as a session: on what terms it serves its projects, what it did, and when it is over.

What it did is noted as it happens, for `orange session`; nothing is decided by those notes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from orange.core.allowance import Terms
from orange.core.home import Home
from orange.core.problems import OrangeError
from orange.core.sessions import Seen, first_look, news
from orange.daemon.asking import Asker
from orange.project import dispatching
from orange.wiring import sessions
from orange.wiring.serving import Served

log = logging.getLogger("orange.daemon")

#: By folder.
Projects = Mapping[str, Served]


@dataclass(frozen=True, slots=True)
class Options:
    """How this run of the daemon behaves."""

    #: Stop when nothing more can move without a person.
    once: bool = False
    #: Serve only these repositories instead of the registered ones.
    roots: tuple[str, ...] = ()
    poll: float | None = None
    max_parallel: int | None = None
    #: Take on so many tasks, and stop when they are finished or wait for a person.
    max_tasks: int | None = None
    #: No task is done without passing checks.
    require_tests: bool = False
    #: Only tasks of this agent, and with one of these labels.
    agent: str | None = None
    label: tuple[str, ...] = ()
    #: A person at the terminal is asked before each start.
    interactive: bool = False


class Session:
    """What this run of the daemon was told, and did."""

    def __init__(self, home: Home, options: Options, asker: Asker) -> None:
        self._home, self._options, self._asker = home, options, asker
        #: Its id; empty before it began, or where it cannot be noted.
        self.id = ""
        self._seen: dict[str, Seen] = {}
        #: Project -> how many of its runs were noted.
        self._noted: dict[str, int] = {}

    def begin(self) -> None:
        """Note that it begins."""
        told = {name: value for name, value in asdict(self._options).items() if value}
        try:
            self.id = sessions.begin(self._home, told)
        except OrangeError as failed:
            log.warning("the session is not recorded: %s", failed.message)

    def agree(self, root: str, projects: Projects) -> None:
        """Tell a project on what terms it is served now."""
        options, taken, fresh = self._options, frozenset[str](), self._fresh(projects)
        if fresh is not None:
            taken = frozenset(projects[root].reconciler.applier.begun.values())
        asks = options.interactive and not self._asker.all
        answers = self._asker.agreed(root), self._asker.declined(root)
        bounds = (options.max_parallel, options.require_tests, options.agent, options.label)
        projects[root].agree(Terms(*bounds, fresh, taken, asks, *answers))

    def _fresh(self, projects: Projects) -> int | None:
        """Return how many tasks it may yet take on; None for any number."""
        if self._options.max_tasks is None:
            return None
        taken = sum(len(set(served.reconciler.applier.begun.values())) for served in projects.values())
        return max(0, self._options.max_tasks - taken)

    def look(self, projects: Projects) -> None:
        """Note what has happened since the last look."""
        lines = [line for root, served in projects.items() for line in self._news(root, served)]
        self._note(*lines)

    def _news(self, root: str, served: Served) -> list[Mapping[str, object]]:
        loop = served.reconciler
        if root not in self._seen:
            self._seen[root] = first_look(loop.graph)
        seen = self._seen[root]
        new = list(loop.applier.begun.items())[self._noted.get(root, 0) :]
        self._noted[root] = len(loop.applier.begun)
        for _, task in new:
            seen.begun(task)
        over = news(loop.graph, seen)
        return [
            *({"kind": "run", "run": run, "task": task, "project": root} for run, task in new),
            *({"kind": kind, kind: task, "project": root} for kind, task in over),
        ]

    def over(self, projects: Projects, owed: int) -> str | None:
        """Say why there is nothing left to do for it, if there is not; `owed` counts what was just owed."""
        loops = [served.reconciler for served in projects.values()]
        if owed or self._asker.is_open:
            return None
        if loops and all(loop.switch.get("draining") and loop.drained for loop in loops):
            reasons = dict.fromkeys(str(loop.switch["reason"]) for loop in loops if loop.switch.get("reason"))
            return f"drained{': ' if reasons else ''}{', '.join(reasons)}"
        if not all(loop.idle for loop in loops):
            return None
        if self._fresh(projects) == 0:
            return f"all it was to take on (`--max-tasks {self._options.max_tasks}`) is finished or waits for a person"
        return "nothing was left to do" if self._options.once else None

    def end(self, projects: Projects, reason: str) -> None:
        """Note that it ends. Who drained it wanted it to end: the next one starts work again."""
        for served in projects.values():
            if served.reconciler.switch.get("draining") and reason.startswith("drained"):
                dispatching.write(served.parts.layout.dispatch, {"resumed_at": time.time()})
        self._note({"kind": "ended", "at": time.time(), "reason": reason})

    def _note(self, *lines: Mapping[str, object]) -> None:
        if not self.id or not lines:
            return
        try:
            sessions.note(self._home, self.id, *lines)
        except OrangeError as failed:
            log.warning("the session is not recorded: %s", failed.message)
