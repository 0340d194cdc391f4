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
from orange.cli.output import Output
from orange.core.problems import NotAllowed
from orange.fastlane.asking import is_write, may_ask


def command(arguments: Mapping[str, Any], doors: Doors, env: Mapping[str, str]) -> dict[str, Any]:
    """Carry out one line; returns its exit code and its answer. Raises NotAllowed for what may not be asked."""
    argv, folder = [str(word) for word in arguments.get("argv") or ()], str(arguments.get("cwd") or "")
    if arguments.get("version") != __version__ or "--json" not in argv or not may_ask(argv) or not folder:
        raise NotAllowed("the daemon answers only questions of its own version")
    if is_write(argv) and not arguments.get("peer"):
        raise NotAllowed("the daemon changes something only for a process it can see")
    out = Answer(io.StringIO(), io.StringIO(), env)
    call = Call(doors, out, io.StringIO(), env, time.time(), folder=folder)
    status = guarded(argv, call)
    return {"status": status, "answer": out.value}


class Answer(Output):
    """An output that keeps the value instead of printing it."""

    value: object = None

    def give(self, value: object, _lines: Callable[[], Iterable[str]]) -> str:
        """Keep the answer."""
        self.value = value
        return ""

    def fail(self, code: str, message: str) -> None:
        """Keep the refusal."""
        self.value = {"error": {"code": code, "message": message}}
