"""`orange daemon ...`: starting, asking and steering the daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common, many, seconds
from orange.cli.render import age_of, one_line, text_lines
from orange.core import redact
from orange.core.problems import NotAProject

if TYPE_CHECKING:
    import logging


@click.command(cls=Command)
@common
def start(call: Call, /) -> None:
    """Start the daemon in the background and register this project; safe to repeat."""
    status = call.doors.daemon_start(root_of(call))
    call.out.give({"daemon": dict(status)}, lambda: _status_lines(status, call))


def root_of(call: Call) -> str | None:
    """The project to register; None outside of one, where the registered ones are served."""
    try:
        return call.project.layout.root
    except NotAProject:
        if call.chosen or not call.doors.registered():
            raise
        return None


@click.command(cls=Command, epilog="Example: orange daemon run --once")
@click.option("--registered", is_flag=True, help="Serve every registered project, not only this one.")
@click.option("--once", is_flag=True, help="Stop when nothing more can move without a person.")
@click.option("--max-parallel", metavar="N", type=click.IntRange(1), help="Agents at once.")
@click.option("--poll", metavar="S", help="Time between looks, such as 2s.")
@click.option("--max-tasks", metavar="N", type=click.IntRange(1), help="Take on so many tasks; stop when all is done.")
@click.option("--require-tests", is_flag=True, help="No task is done without passing checks.")
@click.option("--agent", metavar="A", help="Only tasks of this agent.")
@many("--label", metavar="L", help="Only tasks with this label; may be repeated.")
@click.option("--interactive/--auto", default=None, help="Ask before each start, or not (the default).")
@common
def run(call: Call, /, registered: bool, poll: str | None, **given: Any) -> None:
    """Run the daemon in the foreground.

    With --max-tasks it takes on that many tasks, sees them through (retries included), and stops when they are finished
    or wait for a person. `orange session show` says what it did.
    """
    import logging

    options = {name: value for name, value in given.items() if value not in {None, False, ()}}
    if poll:
        options["poll"] = float(seconds(poll))
    if not registered:
        options["roots"] = (call.project.layout.root,)
    logging.basicConfig(level=logging.INFO, handlers=[_log_without_secrets()])
    call.doors.daemon_run(options)


def _log_without_secrets() -> logging.Handler:
    """Make what writes the daemon's log."""
    import logging

    class Masked(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return secrets.mask(super().format(record))

    secrets = redact.of_environment(os.environ)
    handler = logging.StreamHandler()
    handler.setFormatter(Masked("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler


@click.command(cls=Command)
@click.option("--reason", metavar="R", help="Why; `orange daemon status` and the log show it.")
@common
def stop(call: Call, /, reason: str | None) -> None:
    """Stop the daemon; sessions live on and are adopted again."""
    stopped = call.doors.daemon_stop(reason)
    words = "the daemon has stopped; running agents go on" if stopped else "the daemon was not running"
    call.out.give({"stopped": stopped}, lambda: [words])


@click.command(cls=Command)
@common
def status(call: Call, /) -> None:
    """Say whether the daemon runs, and where."""
    found = call.doors.daemon_status()
    call.out.give({"daemon": dict(found)}, lambda: _status_lines(found, call))


def _status_lines(found: Mapping[str, Any], call: Call) -> Iterator[str]:
    if not found.get("running"):
        yield "the daemon is not running: `orange daemon start`"
        last = found.get("stopped")
        if last:
            yield f"it stopped {age_of(call.now - last['at'])} ago: {one_line(last['reason'])}"
        return
    since = f", since {age_of(call.now - found['since'])}" if found.get("since") else ""
    where = f", {found['url']}" if found.get("url") else ""
    yield f"the daemon runs (process {found['pid']}{since}){where}"
    for project in found.get("projects") or ():
        problem = f": {one_line(project['problem'])}" if project.get("problem") else ""
        yield f"  {one_line(project.get('root') or project.get('path'))}{problem}"


@click.command(cls=Command)
@click.option("--reason", metavar="R", help="Why; `orange status` shows it.")
@common
def pause(call: Call, /, reason: str | None) -> None:
    """Start nothing new; what runs goes on."""
    call.project.pause(reason)
    call.out.give({"paused": True, "reason": reason}, lambda: ["paused: `orange daemon resume` goes on"])


@click.command(cls=Command)
@common
def resume(call: Call, /) -> None:
    """Start work again."""
    call.project.resume()
    call.out.give({"paused": False}, lambda: ["resumed"])


@click.command(cls=Command)
@click.option("--reason", metavar="R", help="Why; `orange status` shows it.")
@common
def drain(call: Call, /, reason: str | None) -> None:
    """Pause, and stop when idle.

    What runs goes on to its end. The daemon stops once all projects it serves are draining and nothing is under way in
    them; the next one starts work again.
    """
    draining = call.project.drain(reason)
    words = "draining: nothing new is started, and the daemon stops when nothing is under way"
    paused = "paused: no daemon runs that could stop; `orange daemon resume` goes on"
    call.out.give({"paused": True, "draining": draining, "reason": reason}, lambda: [words if draining else paused])


@click.command(cls=Command)
@click.option("--lines", "-n", metavar="N", type=click.IntRange(1), default=200, show_default=True, help="At most.")
@common
def logs(call: Call, /, lines: int) -> None:
    """Print the end of the daemon's log."""
    path = call.doors.daemon_log()
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = file.read().splitlines()[-lines:]
    except FileNotFoundError:
        found = []
    if not found:
        call.out.note(f"there is nothing in {path}")
    call.out.give({"path": path, "log": found}, lambda: text_lines("\n".join(found)))
