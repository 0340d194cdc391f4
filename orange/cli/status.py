"""`orange status`: one screen that says why nothing is moving, or what is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from orange.cli.call import Call
from orange.cli.parsing import Command, common
from orange.cli.render import one_line, problem_lines, reasons
from orange.core.problems import NotAProject
from orange.project import Project, dispatching

#: Seconds between looks of `--watch`.
PACE = 2.0


@click.command(cls=Command)
@click.option("--watch", is_flag=True, help="Go on showing it as it changes.")
@common
def status(call: Call, /, watch: bool) -> None:
    """Show the daemon, what waits and why, and what is wrong."""
    seen = gather(call)
    show(seen, call)
    while watch:
        time.sleep(PACE)
        call.now = time.time()
        before, seen = seen, gather(call)
        if call.out.terminal or seen != before:
            call.out.clear()
            show(seen, call)


def gather(call: Call) -> dict[str, Any]:
    """Ask the daemon and the project (outside of any: every registered one)."""
    daemon = call.doors.daemon_status()
    projects = list(_projects(call))
    switches = [dispatching.read(project.layout.dispatch) for project in projects]
    paused = [switch for switch in switches if switch.get("paused")]
    return {
        "daemon": {
            "running": bool(daemon.get("running")),
            "pid": daemon.get("pid"),
            "url": daemon.get("url"),
            "paused": bool(paused),
            "pause_reason": next((switch.get("reason") for switch in paused), None),
        },
        "projects": [project.status() for project in projects],
    }


def _projects(call: Call) -> Iterator[Project]:
    try:
        yield call.project
    except NotAProject:
        roots = () if call.chosen else call.doors.registered()
        if not roots:
            raise
        for root in roots:
            yield call.doors.open_project(root)


def show(seen: Mapping[str, Any], call: Call) -> None:
    """Print what was gathered."""
    call.out.give(seen, lambda: _lines(seen, call))
    call.out.stream.flush()


def _lines(seen: Mapping[str, Any], call: Call) -> Iterator[str]:
    yield _daemon_line(seen["daemon"], call)
    for project in seen["projects"]:
        yield ""
        yield from _project_lines(project, call)


def _daemon_line(daemon: Mapping[str, Any], call: Call) -> str:
    if not daemon["running"]:
        return f"{call.out.shade('daemon:', 'bold')} {call.out.shade('not running', 'red')} (`orange daemon start`)"
    where = f", {daemon['url']}" if daemon.get("url") else ""
    why = f": {one_line(daemon['pause_reason'])}" if daemon.get("pause_reason") else ""
    paused = call.out.shade(f", paused{why} (`orange daemon resume`)", "yellow") if daemon["paused"] else ""
    return f"{call.out.shade('daemon:', 'bold')} running (process {daemon['pid']}){where}{paused}"


def _project_lines(project: Mapping[str, Any], call: Call) -> Iterator[str]:
    shade = call.out.shade
    yield f"{shade(one_line(project['name']), 'bold')}  {one_line(project['path'])}"
    yield f"{shade('tasks:', 'dim')} {_counts(project['counts'])}"
    yield f"{shade('slots:', 'dim')} {_slots(project['slots'])}"
    yield f"{shade('base:', 'dim')} {_base(project['base'])}"
    yield from _waiting(project, call)
    if project["problems"]:
        yield shade("problems:", "red")
        yield from (f"  {line}" for line in problem_lines(project["problems"], call.style))


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{count} {one_line(word)}" for word, count in counts.items() if count]
    return ", ".join(shown) or "none yet (`orange task create`)"


def _base(base: Mapping[str, Any]) -> str:
    commits = "commit" if base.get("behind") == 1 else "commits"
    behind = f", your branch is {base['behind']} {commits} behind" if base.get("behind") else ""
    reason = f": {one_line(base['reason'])}" if base.get("reason") else ""
    return f"{one_line(base['ref'])}{behind}{reason}"


def _slots(slots: object) -> str:
    if isinstance(slots, Mapping):
        return ", ".join(f"{value} {one_line(name)}" for name, value in slots.items() if not isinstance(value, Mapping))
    return one_line(slots)


def _waiting(project: Mapping[str, Any], call: Call) -> Iterator[str]:
    if not project["waiting"]:
        return
    yield call.out.shade("waiting:", "yellow")
    lines = reasons(project["waiting"], call.style, lambda reason: call.out.shade(str(reason["task"]), "cyan"))
    yield from (f"  {line}" for line in lines)
