"""Real tmux for tests: a project with a private socket, runs prepared by hand, and a reaper that leaves nothing behind.

The reaper kills by exact means only: the server of that very socket, and the processes that carry the mark of that very
runtime folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orange import proctable
from orange.adapters import process
from orange.adapters.runs import FileRuns
from orange.adapters.sessions import TmuxExecutor
from orange.core import runfiles
from orange.core.agents import Command
from orange.core.layout import Layout
from orange.core.ports import RunRecord, RunSpec
from orange.core.settings import AgentSettings
from orange.testing.repos import until

#: A run as most tests need it; `Place.prepare` changes what matters.
SPEC = RunSpec(
    run="k3f9x2ab-1",
    task="k3f9x2ab",
    name="demo",
    epoch=1,
    attempt=1,
    agent="command",
    model=None,
    effort=None,
    workspace="",
    branch=None,
    base="main",
    title="A demonstration",
    prompt="Do it.\n",
    task_file="",
    ports=(),
    env={},
    agent_settings=AgentSettings(),
    stall=600,
    limit=3600,
    auto_commit=True,
    before_run=None,
    after_run=None,
    hook_timeout=60,
)


@dataclass(frozen=True)
class Place:
    """A project's folders, its runs and its sessions."""

    layout: Layout
    executor: TmuxExecutor
    runs: FileRuns
    workspace: str

    def prepare(self, run: str, command: str, **changes: Any) -> str:
        """Prepare a run that executes a shell command; returns its folder."""
        task, _, epoch = run.rpartition("-")
        named: dict[str, Any] = {"run": run, "task": task, "epoch": int(epoch), "workspace": self.workspace}
        settings = AgentSettings(run=command)
        return self.runs.prepare(replace(SPEC, **{**named, "agent_settings": settings, **changes}))

    def start(self, run: str, command: str, **changes: Any) -> str:
        """Prepare and start a run in the session `demo-RUN`; returns the session's name."""
        self.prepare(run, command, **changes)
        self.executor.start(run, f"demo-{run}")
        return f"demo-{run}"

    def ended(self, run: str) -> RunRecord:
        """Wait until a run has ended; returns its record."""
        until(lambda: self._record(run).outcome is not None)
        return self._record(run)

    def launched(self, run: str) -> None:
        """Wait until a run's agent was started."""
        until(lambda: self.identities(run) is not None)

    def identities(self, run: str) -> tuple[int, int] | None:
        """Return the process ids of the supervisor and its agent, once both are there."""
        record = self.read_json(run, runfiles.SUPERVISOR) or {}
        agent = record.get("agent")
        return (record["pid"], agent["pid"]) if agent else None

    def read(self, run: str, name: str) -> str:
        """Read a file of a run's folder; empty where it is missing."""
        path = Path(self.runs.folder(run), name)
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def read_json(self, run: str, name: str) -> Any:
        """Read a JSON file of a run's folder; None where it is missing."""
        text = self.read(run, name)
        return json.loads(text) if text else None

    def marked(self) -> list[proctable.Process]:
        """List the living processes of every run of this project."""
        return proctable.marked((runfiles.marks("", self.layout.runtime)[1],))

    def _record(self, run: str) -> RunRecord:
        found = self.runs.record(run)
        assert found, f"run {run} has no record"
        return found


def shell(spec: RunSpec, _prompt_file: str) -> Command:
    """Run the command of the spec's settings as it stands."""
    return Command(("sh", "-c", str(spec.agent_settings.run), "orange"), {})


@contextmanager
def place(
    root: Path,
    env: Mapping[str, str],
    command: Callable[[RunSpec, str], Command] = shell,
    python: str = sys.executable,
    patience: float = 10.0,
) -> Iterator[Place]:
    """Make a place below a folder, and leave no process of it behind."""
    common, workspace, sockets = root / "repo" / ".git", root / "ws", root / "s"
    for folder in (common, workspace):
        folder.mkdir(parents=True)
    layout = Layout(str(root / "repo"), str(common))
    executor = TmuxExecutor(layout, str(sockets), python, env, patience=patience)
    made = Place(layout, executor, FileRuns(layout, command), str(workspace))
    try:
        yield made
    finally:
        reap(made)


def reap(made: Place) -> None:
    """End the tmux server of the place's socket and every process of its runs."""
    made.executor.shut_down()
    server = made.executor.server
    if server.listening():
        process.run([*server.argv("kill-server")], env=server.env, timeout=20)
    until(lambda: not _killed(made.marked()))


def _killed(rows: list[proctable.Process]) -> list[proctable.Process]:
    for row in rows:
        if row.pid != os.getpid():
            proctable.send(proctable.Identity(row.pid, row.started, proctable.boot_id()), signal.SIGKILL)
    return rows
