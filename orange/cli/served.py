"""The daemon's end of the fast lane: carries a line out with the whole command line's own code.

So both lanes give the same answer by construction. Who speaks is found by the process that asks, never by what it
says. Next in the flow: `fastlane.asking` writes the text out.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orange import __version__
from orange.cli.call import Call
from orange.cli.doors import Doors
from orange.cli.errors import guarded
from orange.cli.output import FALLBACK_WIDTH, Output
from orange.core.problems import NotAllowed
from orange.fastlane.asking import is_write, may_ask


def command(arguments: Mapping[str, Any], doors: Doors, env: Mapping[str, str]) -> dict[str, Any]:
    """Carry out one line; returns its exit code and its answer. Raises NotAllowed for what may not be asked."""
    argv, folder = [str(word) for word in arguments.get("argv") or ()], str(arguments.get("cwd") or "")
    if arguments.get("version") != __version__ or not argv or not may_ask(argv) or not folder:
        raise NotAllowed("the daemon answers only questions of its own version")
    if is_write(argv) and not arguments.get("peer"):
        raise NotAllowed("the daemon changes something only for a process it can see")
    out = Answer(env) if "--json" in argv else Text(arguments.get("screen") or {})
    call = Call(doors, out, io.StringIO(), env, time.time(), folder=folder)
    status = guarded(argv, call)
    return {"status": status, **out.reply()}


class Answer(Output):
    """An output that keeps the value instead of printing it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__(io.StringIO(), io.StringIO(), env)
        self.value: object = None

    def reply(self) -> dict[str, object]:
        """Return what is sent back."""
        return {"answer": self.value}

    def give(self, value: object, _lines: Callable[[], Iterable[str]]) -> str:
        """Keep the answer."""
        self.value = value
        return ""

    def fail(self, code: str, message: str) -> None:
        """Keep the refusal."""
        self.value = {"error": {"code": code, "message": message}}


class Text(Output):
    """An output that keeps what it prints, as the asker's own screen would have it."""

    def __init__(self, screen: Mapping[str, Any]) -> None:
        self._out, self._err = io.StringIO(), io.StringIO()
        super().__init__(self._out, self._err, {})
        self._columns = int(screen.get("columns") or FALLBACK_WIDTH)
        self.terminal, self.color = bool(screen.get("terminal")), bool(screen.get("color"))
        self.unicode, self.errors_terminal = bool(screen.get("unicode")), bool(screen.get("errors"))

    @property
    def width(self) -> int | None:
        """Columns of the asker's terminal; None where it has none."""
        return self._columns if self.terminal else None

    def reply(self) -> dict[str, object]:
        """Return what is sent back."""
        return {"out": self._out.getvalue(), "err": self._err.getvalue()}
