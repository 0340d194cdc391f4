"""The edge of the command line: carries a line out, and turns whatever happens into an exit code and one sentence.

The one place where a refusal (`OrangeError`) meets the screen. Whatever else escapes is a bug of orange: exit code 3,
one sentence, and the details in a file.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orange.cli.output import Output, silence
from orange.core.home import home
from orange.core.problems import OrangeError

if TYPE_CHECKING:
    import click

    from orange.cli.call import Call

USAGE, BUG, INTERRUPTED = 2, 3, 130


def carry_out(argv: Sequence[str]) -> int:
    """Carry out a command line of this process and return its exit code."""
    from orange.cli.call import Call
    from orange.cli.doors import RealDoors

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text file at start-up, always
    out = Output(sys.stdout, sys.stderr, os.environ)
    call = Call(RealDoors(), out, sys.stdin, os.environ, time.time())
    if "_ORANGE_COMPLETE" in os.environ:
        return _complete(call)
    return guarded(argv, call)


def guarded(argv: Sequence[str], call: Call) -> int:
    """Carry out a command line and return its exit code; nothing escapes."""
    try:
        status = _translated(argv, call)
        call.out.close()
    except BrokenPipeError:  # whoever read us has seen enough
        silence(call.out.stream)
        return 0
    except KeyboardInterrupt:
        call.out.errors.write("\n")
        return INTERRUPTED
    except Exception as bug:  # noqa: BLE001 - the supervised edge of the program: a bug becomes a sentence and a file
        return _bug(bug, call)
    return status


def _translated(argv: Sequence[str], call: Call) -> int:
    import click

    try:
        return _invoke(argv, call)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.UsageError as wrong:
        call.out.json = call.out.json or "--json" in argv
        return _usage(wrong, call.out)
    except click.ClickException as failed:
        call.out.fail("failed", failed.format_message())
        return 1
    except OrangeError as refused:
        call.out.fail(refused.code, refused.message)
        return refused.exit_code


def _invoke(argv: Sequence[str], call: Call) -> int:
    from orange.cli.app import root

    with root.make_context("orange", list(argv), obj=call) as context:
        status = root.invoke(context)
    return status if isinstance(status, int) else 0


def _usage(wrong: click.UsageError, out: Output) -> int:
    import click

    message = wrong.format_message()
    if isinstance(wrong, click.exceptions.NoArgsIsHelpError):
        if not out.json:
            out.errors.write(f"{message}\n")
            return USAGE
        message = "say which command"
    if not out.json and wrong.ctx is not None:
        out.errors.write(f"{wrong.ctx.get_usage()}\nSee `{wrong.ctx.command_path} --help`.\n\n")
    out.fail("usage", message[:1].lower() + message[1:])
    return USAGE


def _bug(bug: Exception, call: Call) -> int:
    if call.env.get("ORANGE_DEBUG") == "1":
        raise bug
    kept = _keep_trace(bug, call)
    call.out.fail("bug", f"this is a bug in orange ({type(bug).__name__}): {kept}")
    call.out.close()
    return BUG


def _keep_trace(bug: Exception, call: Call) -> str:
    import traceback

    logs = os.path.dirname(home(call.env, os.getuid()).log)
    path = f"{logs}/bug-{time.strftime('%Y%m%dT%H%M%S', time.gmtime(call.now))}-{os.getpid()}.txt"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "x", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(bug))
    except OSError as full:
        return f"its details could not be written to {path} ({full.strerror}); ORANGE_DEBUG=1 shows them"
    return f"its details are in {path}"


def _complete(call: Call) -> int:
    from click.shell_completion import shell_complete

    from orange.cli.app import root

    return shell_complete(root, {"obj": call}, "orange", "_ORANGE_COMPLETE", call.env["_ORANGE_COMPLETE"])
