"""`orange demo`: the whole of orange at work on a sample repository, in a folder and with a daemon of its own.

Every step but git's is a real command line, printed as it is carried out. Nothing of the user's is touched: state,
settings and sockets lie inside the demonstration's folder. Next in the flow: the reader, who types the last lines.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click

from orange.cli import sample
from orange.cli.call import Call
from orange.cli.errors import guarded
from orange.cli.output import Output
from orange.cli.parsing import Command, common
from orange.cli.render import View, state, task_tree
from orange.core import graph
from orange.core.home import home
from orange.core.lifecycle import CLOSED, Status
from orange.core.model import Board, Task
from orange.core.problems import InvalidInput, OrangeError

#: Seconds within which everything must be done.
PATIENCE = 80.0
#: Seconds between looks.
PACE = 0.2


class DemoFailed(OrangeError):
    """A demonstration that did not come to its end."""

    code = "demo_failed"


@click.command(cls=Command, epilog="Example: orange demo --path /tmp/corner-shop")
@click.option("--path", metavar="P", type=click.Path(), help="A folder that does not exist yet, or is empty.")
@common
def demo(call: Call, /, path: str | None) -> None:
    """Show it all at work in a sample repository, without any account."""
    show = Demo(call, _folder(path))
    began = time.monotonic()
    with show.private():
        show.prepare()
        try:
            show.start()
            views = show.watch(began + PATIENCE)
        finally:
            show.stop()
        show.finish(views, time.monotonic() - began)


def _folder(path: str | None) -> str:
    if path is None:
        return tempfile.mkdtemp(prefix="orange-demo-")
    folder = os.path.abspath(path)
    if os.path.isdir(folder) and os.listdir(folder):
        raise InvalidInput("--path", f"{folder} is not empty: give a new folder")
    os.makedirs(folder, exist_ok=True)
    return folder


@dataclass
class Demo:
    """One demonstration in its folder."""

    call: Call
    folder: str

    @property
    def repo(self) -> str:
        """The sample repository."""
        return f"{self.folder}/corner-shop"

    @contextmanager
    def private(self) -> Iterator[None]:
        """Be a user of our own: state, settings and sockets inside the folder."""
        mine = _environment(self.folder)
        before = {key: os.environ.get(key) for key in mine}
        os.environ.update(mine)
        try:
            yield
        finally:
            for key, value in before.items():
                if value is None:
                    os.environ.pop(key, None)
                else:
                    os.environ[key] = value

    def prepare(self) -> None:
        """Make the repository, the project and its tasks."""
        self._say(f"A sample repository in {self.repo}")
        for name, text in sample.FILES.items():
            _write(f"{self.repo}/{name}", text)
        for words in _GIT_STEPS:
            self.call.doors.output_of(["git", *words], self.repo)
        self._step("init")
        _write(f"{self.repo}/.orange/config.yaml", sample.CONFIG)
        for one in sample.TASKS:
            blockers = [word for name in one.blocked_by for word in ("--blocked-by", name)]
            self._step("task", "create", one.name, one.title, *blockers, "--body", "-", stdin=one.body)

    def start(self) -> None:
        """Start the private daemon, and say where its dashboard is while it runs."""
        self._step("daemon", "start")
        url = self._step("dashboard", "--no-open")["dashboard"]["url"]
        self._say(f"The same in a browser, as long as it runs: {url}")
        self._say("")

    def stop(self) -> None:
        """End the private daemon, and the private tmux server with it."""
        self.call.doors.daemon_stop("the demo is over")
        self.call.doors.open_project(self.repo).parts.executor.shut_down()

    def watch(self, deadline: float) -> list[View]:
        """Show the tasks as they move until all are done. Raises DemoFailed when they are not by the deadline."""
        project = self.call.doors.open_project(self.repo)
        seen: dict[str, str] = {}
        while True:
            views = light_views(project.board())
            self._progress(views, seen)
            if all(view["status"] in CLOSED for view in views):
                return views
            if time.monotonic() > deadline or _hopeless(views):
                raise DemoFailed(self._unfinished(views))
            time.sleep(PACE)

    def _progress(self, views: Sequence[View], seen: dict[str, str]) -> None:
        changed = {view["id"]: state(view) for view in views if seen.get(view["id"]) != state(view)}
        if not changed or self.call.out.json:
            return
        seen.update(changed)
        self.call.now = time.time()
        if self.call.out.terminal:
            self.call.out.clear()
            self.call.out.lines(task_tree(views, self.call.style))
            self.call.out.stream.flush()
            return
        for view in views:
            if view["id"] in changed:
                self.call.out.line(f"{view['name']:<10} {changed[view['id']]}")

    def _unfinished(self, views: Sequence[View]) -> str:
        left = ", ".join(f"{view['name']} ({state(view)})" for view in views if view["status"] not in CLOSED)
        log = self.call.doors.daemon_log()
        return f"not everything came to its end: {left}. The repository is {self.repo}, the daemon's log {log}"

    def finish(self, views: Sequence[View], took: float) -> None:
        """Show what came of it, and what to type next."""
        answer = {"path": self.repo, "done": True, "tasks": [dict(view) for view in views]}
        self.call.out.give(answer, lambda: self._end(views, took))

    def _end(self, views: Sequence[View], took: float) -> Iterator[str]:
        if self.call.out.terminal:
            self.call.out.clear()
        yield ""
        yield self.call.out.shade(f"{len(views)} tasks done in {took:.0f} s:", "bold")
        yield from task_tree(views, self.call.style)
        yield ""
        yield from self.call.doors.output_of(["git", "log", "--graph", "--oneline", "main"], self.repo).splitlines()
        yield ""
        yield "Look around:"
        yield f"  cd {shlex.quote(self.repo)}"
        yield "  orange task list --all --tree"
        yield "  orange task show checkout"
        yield "  orange task log api"
        yield "  orange dashboard"
        yield "In a repository of your own:"
        yield '  orange init && orange task create "Add a login page" && orange daemon start'

    def _say(self, text: str) -> None:
        if not self.call.out.json:
            self.call.out.line(text)

    def _step(self, *argv: str, stdin: str = "") -> Mapping[str, Any]:
        """Carry out one command line in the sample repository, as a person would type it. Raises DemoFailed."""
        self._say(f"{self.call.out.shade('$', 'dim')} {shlex.join(('orange', *argv))}")
        printed, complaints = io.StringIO(), io.StringIO()
        step = replace(self.call, out=Output(printed, complaints, os.environ), stdin=io.StringIO(stdin))
        step.chosen, step.env = self.repo, os.environ
        status = guarded([*argv, "--json"], step)
        answer: Mapping[str, Any] = json.loads(printed.getvalue() or "{}")
        if status != 0:
            raise DemoFailed(f"`orange {argv[0]}` failed: {answer.get('error', {}).get('message')}")
        return answer


_GIT_STEPS = (
    ("init", "--quiet", "--initial-branch=main"),
    ("config", "user.name", "Orange demo"),
    ("config", "user.email", "demo@localhost"),
    ("add", "--all"),
    ("-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Open the corner shop"),
)


def light_views(board: Board) -> list[View]:
    """Make of the board what a table needs, without looking at anything else."""
    tasks = board.tasks
    places = {one.name: place for place, one in enumerate(sample.TASKS)}
    ordered = sorted(tasks.values(), key=lambda task: (places.get(task.name, len(places)), task.created_at, task.name))
    return [_light(task, tasks) for task in ordered]


def _light(task: Task, tasks: Mapping[str, Task]) -> View:
    children = [tasks[child] for child in task.children if child in tasks]
    done = sum(child.status is Status.DONE for child in children)
    return {
        "id": task.id,
        "name": task.name,
        "title": task.title,
        "status": task.status.value,
        "priority": task.priority.value,
        "parent": task.parent,
        "agent": task.agent,
        "created_at": task.created_at,
        "stuck": {"reason": task.stuck.reason.value} if task.stuck else None,
        "ready": all(graph.satisfied(tasks.get(blocker), cancelled_satisfies=False) for blocker in task.blocked_by),
        "progress": {"done": done, "total": len(children)} if children else None,
    }


def _hopeless(views: Sequence[View]) -> bool:
    return any(view["status"] == Status.STUCK for view in views)


def _environment(folder: str) -> dict[str, str]:
    mine = {"XDG_STATE_HOME": f"{folder}/state", "XDG_CONFIG_HOME": f"{folder}/config"}
    runtime = f"{folder}/run"
    if not home({"XDG_RUNTIME_DIR": runtime}, os.getuid()).sockets.startswith(runtime):
        runtime = tempfile.mkdtemp(prefix="orange-", dir="/tmp")  # a socket's path must be short
    os.makedirs(runtime, mode=0o700, exist_ok=True)
    return {**mine, "XDG_RUNTIME_DIR": runtime}


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
