"""The daemon's life: take the lock, answer the socket, load the projects, turn the loop, and end in order.

Everything it knows is on disk, so it may be killed at any instant; what it did last is seen and finished by the next.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Any

from orange import __version__
from orange.core.home import Home
from orange.core.present import visible_line
from orange.core.problems import OrangeError
from orange.daemon.agenda import Agenda, Look
from orange.daemon.asking import Asker
from orange.daemon.face import Face
from orange.daemon.lock import daemon_lock
from orange.daemon.session import Options, Session
from orange.wiring import serving, user

log = logging.getLogger("orange.daemon")

#: Seconds between two looks, at the least.
SHORTEST = 0.05
#: Seconds after which a thread lets another one go on: those that start agents should not wait for the loop.
SWITCH = 0.0005
#: Seconds slow work may take to end when the daemon stops.
SHUTDOWN = 20.0


class Daemon:
    """One process serving all projects of a user."""

    def __init__(self, home: Home, options: Options) -> None:
        self.home, self.options = home, options
        self.agenda = Agenda()
        self.asker = Asker(self.agenda.nudge, self.stop)
        self.session = Session(home, options, self.asker)
        self.stopping = threading.Event()
        #: Why it stops, for the log and for who asks afterwards.
        self.reason = "nothing was left to do"
        self.projects: dict[str, serving.Served] = {}
        self.failures: dict[str, str] = {}
        self.face = Face(home, self)
        self.started = time.time()

    def serve(self) -> None:
        """Run until told to stop. Raises DaemonUnavailable when another daemon of this user runs."""
        sys.setswitchinterval(SWITCH)
        with daemon_lock(self.home), self._socket():
            user.daemon_starts(self.home)
            self._on_signals()
            self.session.begin()
            with ThreadPoolExecutor(max_workers=8, thread_name_prefix="work") as pool:
                self._turn_until_stopped(pool)
                log.info("stops: %s", visible_line(self.reason))
                self.face.close()
                self._wind_down()
            self.session.end(self.projects, self.reason)
            user.daemon_stops(self.home, self.reason)

    @contextmanager
    def _socket(self) -> Iterator[None]:
        server = user.daemon_server(self.home, self.answer)
        server.start()
        try:
            yield
        finally:
            server.stop()

    def _on_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._told_to_stop)

    def _told_to_stop(self, number: int, _frame: FrameType | None) -> None:
        self.stop(f"it was sent {signal.Signals(number).name}")

    def stop(self, reason: str) -> None:
        """Ask the loop to end."""
        self.reason = reason
        self.stopping.set()
        self.agenda.wake()

    def _turn_until_stopped(self, pool: ThreadPoolExecutor) -> None:
        while not self.stopping.is_set():
            self._load(pool)
            self.face.show()
            look = self.agenda.take(self._poll())
            changed = self._glance(look.edited)
            if look.everything or look.nudged or changed or self._wakes_in() <= 0:
                owed = self._turn_all(look)
                self.face.tell()
                self.session.look(self.projects)
                if self.options.interactive:
                    self.asker.look(self.projects)
                over = self.session.over(self.projects, owed)
                if over and look.everything:
                    self.reason = over
                    return
                if over:
                    self.agenda.look_again()  # the last word has a look at everything
            for served in self.projects.values():
                served.watch()
            self.agenda.wait(self._wakes_in(), SHORTEST)

    def _poll(self) -> float:
        loops = [served.reconciler for served in self.projects.values()]
        return self.options.poll or min((loop.parts.settings().daemon.poll for loop in loops), default=2.0)

    def _wakes_in(self) -> float:
        """Return the seconds until the passing of time alone may change something."""
        loops = [served.reconciler for served in self.projects.values()]
        return min((loop.wake_at - time.time() for loop in loops if loop.wake_at is not None), default=math.inf)

    def _load(self, pool: ThreadPoolExecutor) -> None:
        for root in self.options.roots or user.registered(self.home):
            if root in self.projects:
                continue
            try:
                self.projects[root] = serving.serve(root, self.home, self._hints(root), pool)
                self.failures.pop(root, None)
            except OrangeError as failed:
                self._complain(root, failed.message)

    def _hints(self, root: str) -> serving.Hints:
        return serving.Hints(self.agenda.nudge, lambda path: self.agenda.edited(root, path))

    def _complain(self, root: str, message: str) -> None:
        if self.failures.get(root) != message:
            log.warning("%s: %s", root, message)
        self.failures[root] = message

    def _glance(self, edited: Mapping[str, Collection[str]]) -> bool:
        """Look at files that were edited, by project; whether anything changed."""
        known = [(self.projects[root].reconciler, files) for root, files in edited.items() if root in self.projects]
        return True in [reconciler.glance(files) for reconciler, files in known]

    def _turn_all(self, look: Look) -> int:
        self.asker.begin_turn()
        owed = 0
        live = {root: served.reconciler.live for root, served in self.projects.items()}
        for root, served in self.projects.items():
            self.session.agree(root, self.projects)
            others = sum(count for other, count in live.items() if other != root)
            try:
                owed += len(served.reconciler.turn(others, look=look.everything).actions)
                self.failures.pop(root, None)
            except OrangeError as failed:
                self._complain(root, failed.message)
            live[root] = served.reconciler.live
        return owed

    def _wind_down(self) -> None:
        for served in self.projects.values():
            served.stop_watching()
            served.reconciler.close(SHUTDOWN)

    def answer(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer one call of the socket."""
        calls: dict[str, Callable[[], Mapping[str, Any]]] = {
            "status": self.status,
            "look": self._look,
            "dashboard": lambda: self.face.link(arguments.get("root")),
            "stop": lambda: self._stop_call(arguments.get("reason")),
        }
        if name not in calls:
            return {"error": f"there is no call {name!r}"}
        log.debug("call %s %s", name, dict(arguments))
        return calls[name]()

    def look(self) -> None:
        """Look at the projects soon."""
        self.agenda.nudge()

    def revision(self, root: str) -> str:
        """Name how a project is beside its tasks, as of the last look."""
        return str(self.projects[root].reconciler.revision)

    def _look(self) -> Mapping[str, Any]:
        self.look()
        return {"ok": True}

    def _stop_call(self, reason: object) -> Mapping[str, Any]:
        self.stop(str(reason) if reason else "it was told to")
        return {"ok": True, "pid": os.getpid()}

    def status(self) -> Mapping[str, Any]:
        """Say who serves what, since when."""
        return {
            "running": True,
            "pid": os.getpid(),
            "url": self.face.url,
            "version": __version__,
            "since": self.started,
            "session": self.session.id or None,
            "projects": [
                {"root": root, "live": served.reconciler.live, "problem": self.failures.get(root)}
                for root, served in tuple(self.projects.items())
            ],
            "failures": dict(self.failures),
        }
