"""An Executor in memory, for tests of what stands around sessions. It keeps the same promises as the one on tmux.

A run's supervisor is whatever `on_start` does: it is called once for each run that really starts. A session lives until
`end` or `stop`; `blind` makes looking impossible, as a tmux that does not answer does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from orange.core import runfiles
from orange.core.model import Presence
from orange.core.problems import SessionFailed


def _nothing(_run: str) -> None:
    """Start a supervisor that does nothing."""


class FakeExecutor:
    """Sessions without processes."""

    def __init__(
        self, on_start: Callable[[str], None] = _nothing, prepared: Callable[[str], bool] = lambda _run: True
    ) -> None:
        self._on_start, self._prepared = on_start, prepared
        self._ids = 0
        self._stopped: set[str] = set()
        #: Session name -> (id, run).
        self.sessions: dict[str, tuple[str, str]] = {}
        #: Every run whose supervisor was started, in order.
        self.started: list[str] = []
        #: What was said to each session.
        self.said: dict[str, list[str]] = {}
        #: What each session shows.
        self.screens: dict[str, str] = {}
        #: Makes every look fail.
        self.blind = False
        #: Sessions whose processes cannot be killed.
        self.immortal: Collection[str] = ()

    def start(self, run: str, session: str) -> None:
        """Start a prepared run in a session of that exact name. Raises SessionFailed."""
        _check(run)
        _check(session)
        if not self._prepared(run):
            raise SessionFailed(f"run {run} is not prepared")
        if run in self._stopped:
            raise SessionFailed(f"run {run} was told to end: it never starts again")
        if session in self.sessions:
            return
        self._ids += 1
        if run in self.started:
            return  # as its supervisor would: it ends at once
        self.sessions[session] = (f"${self._ids}", run)
        self.started.append(run)
        self._on_start(run)

    def observe(self) -> Mapping[str, str] | None:
        """Session name -> id, or None while blind."""
        return None if self.blind else {name: address for name, (address, _) in self.sessions.items()}

    def stop(self, run: str, session: str, grace: float) -> Presence:
        """End a session."""
        del grace
        _check(session)
        self._stopped.add(run)
        if session in self.immortal:
            return Presence.THERE
        self.end(session)
        return Presence.GONE

    def end(self, session: str) -> None:
        """Let a session be gone."""
        self.sessions.pop(session, None)

    def tail(self, session: str, lines: int) -> str | None:
        """The last lines of what a test said the session shows."""
        _check(session)
        if session not in self.sessions:
            return None
        return "\n".join(self.screens.get(session, "").splitlines()[-lines:] if lines > 0 else [])

    def say(self, session: str, text: str) -> bool:
        """Take note of what is said."""
        _check(session)
        if session not in self.sessions or not text.strip():
            return False
        self.said.setdefault(session, []).append(text)
        return True

    def attach(self, session: str) -> Sequence[str]:
        """An argv that says what it would join. Raises SessionFailed."""
        _check(session)
        if session not in self.sessions:
            raise SessionFailed(f"there is no session {session}")
        return ["echo", session]

    def shut_down(self) -> None:
        """End the server, which is nothing."""


def _check(name: str) -> None:
    if not runfiles.is_safe(name):
        raise SessionFailed(f"{name!r} is no name for a session")
