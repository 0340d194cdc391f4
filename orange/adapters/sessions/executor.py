"""The Executor on tmux."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orange.adapters.process import ProgramMissing, TimedOut
from orange.adapters.sessions import address, keyboard
from orange.adapters.sessions.ending import Ending
from orange.adapters.sessions.listing import Listing
from orange.adapters.sessions.server import Answer, Server
from orange.core import runfiles
from orange.core.layout import Layout
from orange.core.model import Presence
from orange.core.problems import SessionFailed

if TYPE_CHECKING:
    from libtmux import Pane

#: How often a start is tried when a server was just ending.
TRIES = 5


class TmuxExecutor:
    """Starts, observes and ends the sessions of one project.

    `python` runs the supervisors; `env` is what they inherit; tmux gets `patience` seconds to answer.
    """

    def __init__(
        self, layout: Layout, socket_dir: str, python: str, env: Mapping[str, str], *, patience: float = 10.0
    ) -> None:
        self._runtime, self._python = layout.runtime, python
        path = address.socket_path(layout.common, socket_dir, os.getuid())
        self.server = Server(path, f"{layout.runtime}/tmux.conf", env, patience)
        self._listing = Listing()

    def start(self, run: str, session: str) -> None:
        """Start the supervisor of a prepared run in a session of that exact name. Idempotent by name.

        Raises SessionFailed.
        """
        address.checked(run)
        address.checked(session)
        folder = f"{self._runtime}/runs/{run}"
        if not os.path.exists(f"{folder}/{runfiles.SPEC}"):
            raise SessionFailed(f"run {run} is not prepared")
        if os.path.exists(f"{folder}/{runfiles.STOP}"):
            raise SessionFailed(f"run {run} was told to end: it never starts again")
        for _ in range(TRIES):
            answer = self._begin(run, session)
            if answer.ok or address.duplicate(answer.stderr):
                return
            if not address.passing(answer.stderr):
                break
        raise SessionFailed(f"tmux did not start session {session}: {' '.join(answer.stderr) or 'no message'}")

    def observe(self) -> Mapping[str, str] | None:
        """Session name -> tmux's id of every session, or None when that could not be told."""
        found = self._listing.still()
        if found is not None:
            return found
        return self._listed() if self.server.listening() else {}

    def stop(self, run: str, session: str, grace: float) -> Presence:
        """End the session and its process tree; GONE only when proven.

        A process of the run itself can only ask: then it is still THERE. Raises SessionFailed when the run cannot
        even be told.
        """
        target = address.exact(session)
        ending = Ending(self._runtime, address.checked(run))
        ending.order(grace)
        if ending.ours():
            return Presence.THERE
        ending.ask(grace)
        self._quietly("kill-session", "-t", target)
        self._listing.forget()
        ending.force()
        return ending.presence()

    def tail(self, session: str, lines: int) -> str | None:
        """The session's last lines, those scrolled off the screen included, or None."""
        pane = self._pane(session)
        if pane is None:
            return None
        try:
            shown = [line.rstrip() for line in pane.capture_pane(start=-max(0, lines), join_wrapped=True)]
        except (ProgramMissing, TimedOut):
            return None
        while shown and not shown[-1]:
            shown.pop()
        return "\n".join(shown[-lines:] if lines > 0 else [])

    def say(self, session: str, text: str) -> bool:
        """Type text into the session and submit it; True only when it is proven to have arrived."""
        pane = self._pane(session)
        try:
            return pane is not None and keyboard.say(self.server, pane, text)
        except (ProgramMissing, TimedOut):
            return False

    def attach(self, session: str) -> Sequence[str]:
        """The argv that joins the session from a terminal, inside another tmux too. Raises SessionFailed."""
        target = address.exact(session)
        answer = self._quietly("has-session", "-t", target)
        if answer is None or not answer.ok:
            raise SessionFailed(f"there is no session {session}: its run has ended, or has not started yet")
        return ["env", "-u", "TMUX", *self.server.argv("attach-session", "-t", target)]

    def shut_down(self) -> None:
        """Let go of the project's tmux server, which ends now where it has no session, else soon after its last."""
        if self.server.listening():
            self._quietly(*address.END_IF_EMPTY)

    def _begin(self, run: str, session: str) -> Answer:
        """Start the session, and the server where none runs: one tmux command, so that it is all or nothing."""
        scope: Sequence[str] = ()
        if not self.server.listening():
            self.server.make_ready()
            scope = self.server.scope()
        try:
            answer = self.server.cmd(*self._start_command(run, session), before=scope)
            if scope and not answer.ok:
                answer = self.server.cmd(*self._start_command(run, session))
        except ProgramMissing as error:
            raise SessionFailed(error.message) from error
        except TimedOut as error:
            Ending(self._runtime, run).order(0.0)  # should tmux still do it: the supervisor will not
            raise SessionFailed(error.message) from error
        return answer

    def _start_command(self, run: str, session: str) -> list[str]:
        size = ("-x", str(address.COLUMNS), "-y", str(address.ROWS))
        # tmux lets whoever else looks at the server right now decide on a new session's size; this fixes it for good.
        resize = ("resize-window", "-t", address.pane_of(session), *size)
        return [
            *("set-environment", "-g", "ORANGE_PYTHON", address.argument(self._python), ";"),
            *("set-environment", "-g", runfiles.RUNTIME_MARK, address.argument(self._runtime), ";"),
            *("new-session", "-d", "-s", session, *size, "-c", "/", "-e", f"{runfiles.RUN_MARK}={run}"),
            *(runfiles.launcher(run), ";"),
            *resize,
        ]

    def _listed(self) -> Mapping[str, str] | None:
        before = self._listing.before()
        answer = self._quietly("list-sessions", "-F", address.LISTING)
        if answer is None:
            return None
        if answer.ok:
            return self._listing.take(answer.stdout, before)
        return {} if address.no_server(answer.stderr) else None

    def _pane(self, session: str) -> Pane | None:
        try:
            return self.server.pane(session)
        except (ProgramMissing, TimedOut):
            return None

    def _quietly(self, *args: str) -> Answer | None:
        """Run a tmux command; None when tmux is missing or does not answer."""
        try:
            return self.server.cmd(*args)
        except (ProgramMissing, TimedOut):
            return None
