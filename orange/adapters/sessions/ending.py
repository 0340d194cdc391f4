"""Ends runs and proves them dead.

In this order, so that as little as possible is lost: the run's folder says to stop, which also keeps any supervisor
that has not started yet from starting; the supervisor is asked, and ends its agent, saves its work and writes its
result; after the grace the agent's processes are killed, and the supervisor may still write; then it is killed too.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable

from orange import proctable, recordfile
from orange.core import runfiles
from orange.core.model import Presence
from orange.core.problems import SessionFailed
from orange.proctable import Identity, Process

#: Seconds a supervisor gets to save and write once its agent is dead, and killed processes to be gone.
SETTLING, DYING = 30.0, 5.0
#: Seconds between looks.
PACE = 0.02


class Ending:
    """The end of one run."""

    def __init__(self, runtime: str, run: str) -> None:
        self._run, self._folder = run, f"{runtime}/runs/{run}"
        self._marks = runfiles.marks(run, runtime)

    def order(self, grace: float) -> None:
        """Leave the word to stop. Raises SessionFailed."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            if not os.path.exists(f"{self._folder}/{runfiles.STOP}"):
                recordfile.replace(f"{self._folder}/{runfiles.STOP}", runfiles.stop_order(grace, None))
        except OSError as error:
            raise SessionFailed(f"run {self._run} cannot be told to stop: {error}") from error

    def ask(self, grace: float) -> bool:
        """Ask the supervisor to end the run, and wait; returns whether it is gone."""
        supervisor = self._supervisor()
        if supervisor is None:
            return True
        proctable.send(supervisor, signal.SIGTERM)
        if proctable.wait_gone(supervisor, grace):
            return True
        self._kill(row for row in self._members() if row.pid != supervisor.pid)
        return proctable.wait_gone(supervisor, SETTLING) is True

    def force(self) -> None:
        """Kill whatever is left, again and again until nothing is."""
        deadline = time.monotonic() + DYING
        while (members := self._members()) and time.monotonic() < deadline:
            self._kill(members)
            time.sleep(PACE)

    def presence(self) -> Presence:
        """Say whether the run lives; gone only when that is proven."""
        if self._members():
            return Presence.THERE
        states = {proctable.alive(who) for who in self._recorded()}
        if True in states:
            return Presence.THERE
        return Presence.UNKNOWN if None in states else Presence.GONE

    def ours(self) -> bool:
        """Whether this very process belongs to the run."""
        return proctable.carries(os.getpid(), self._marks)

    def _supervisor(self) -> Identity | None:
        """Find the supervisor: by its record, else (it is just starting) by its command line."""
        recorded = next(iter(self._recorded()), None)
        if recorded:
            return recorded if proctable.alive(recorded) is not False else None
        words = (b"orange.runner", self._run.encode())
        for row in self._members():
            if proctable.runs(row.pid, words):
                return Identity(row.pid, row.started, proctable.boot_id())
        return None

    def _recorded(self) -> list[Identity]:
        """Read who the supervisor is, then its agent; empty before it has written that."""
        try:
            with open(f"{self._folder}/{runfiles.SUPERVISOR}", encoding="utf-8") as file:
                told = json.load(file)
            found = [told, *([told["agent"]] if told["agent"] else [])]
            return [Identity(who["pid"], who["started"], who["boot"]) for who in found]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _members(self) -> list[Process]:
        return proctable.marked(self._marks)

    def _kill(self, rows: Iterable[Process]) -> None:
        boot = proctable.boot_id()
        for row in rows:
            if row.pid != os.getpid():
                proctable.send(Identity(row.pid, row.started, boot), signal.SIGKILL)
