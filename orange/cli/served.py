"""The daemon's end of the fast lane: carries out a question with the whole command line's own code.

So both lanes give the same answer by construction. Nothing here decides what may be asked: what is no question is
refused. Next in the flow: `fastlane.asking` writes the text out.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any

from orange import __version__
from orange.cli.call import Call
from orange.cli.doors import Doors
from orange.cli.errors import guarded
from orange.cli.output import Output
from orange.core.problems import NotAllowed
from orange.fastlane.asking import may_ask


def command(arguments: Mapping[str, Any], doors: Doors, env: Mapping[str, str]) -> dict[str, Any]:
    """Carry out one question; returns its exit code and its text. Raises NotAllowed for anything else."""
    argv, folder = [str(word) for word in arguments.get("argv") or ()], str(arguments.get("cwd") or "")
    if arguments.get("version") != __version__ or "--json" not in argv or not may_ask(argv) or not folder:
        raise NotAllowed("the daemon answers only questions of its own version")
    answer = io.StringIO()
    call = Call(doors, Output(answer, io.StringIO(), env), io.StringIO(), env, time.time(), folder=folder)
    status = guarded(argv, call)
    return {"status": status, "out": answer.getvalue()}
