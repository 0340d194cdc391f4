"""A standing connection to tmux for frequent looks: an answer in a third of a millisecond instead of a new process.

It is a tmux client in control mode, attached to any session without counting for its size or hearing its output. When
that session ends the client ends too; the next look goes without, and connects again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from orange.adapters.process import Conversation, ProgramMissing


class Control:
    """At most one connection, made on demand; tmux gets `patience` seconds to answer. Safe for several threads."""

    def __init__(self, argv: Callable[[str], Sequence[str]], env: dict[str, str], patience: float) -> None:
        self._argv, self._env, self._patience = argv, env, patience
        self._lock = threading.Lock()
        self._line: Conversation | None = None

    def ask(self, command: str) -> list[str] | None:
        """Ask over the connection; None when there is none, or it broke."""
        with self._lock:
            if self._line is None:
                return None
            answer = _ask(self._line, command, self._patience)
            if answer is None:
                self._close()
            return answer

    def connect(self, session: str) -> None:
        """Make the connection, attached to the session with that id."""
        with self._lock:
            self._close()
            try:
                self._line = Conversation(self._argv(session), env=self._env)
            except ProgramMissing:
                return

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._line:
            self._line.close()
            self._line = None


def _ask(line: Conversation, command: str, patience: float) -> list[str] | None:
    """Return the lines of the next answer that is ours; notifications and answers to the attaching are passed over."""
    deadline = time.monotonic() + patience
    if not line.tell(command.encode() + b"\n"):
        return None
    found: list[str] = []
    guard: bytes | None = None
    while (text := line.hear(deadline - time.monotonic())) is not None:
        if guard is None:
            guard = _guard(text)
        elif text == b"%end " + guard:
            return found
        elif text == b"%error " + guard:
            return None
        else:
            found.append(text.decode("utf-8", "replace"))
    return None


def _guard(text: bytes) -> bytes | None:
    """Return what ends the answer that begins here, if it is the answer to a command of this client (flag 1)."""
    words = text.split(b" ")
    return text.removeprefix(b"%begin ") if words[0] == b"%begin" and words[-1] == b"1" else None
