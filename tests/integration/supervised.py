"""A supervisor run directly, without tmux, with parts that write down what they were asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orange.adapters.runs import FileRuns
from orange.core.layout import Layout
from orange.core.ports import RunRecord
from orange.core.settings import AgentSettings
from orange.testing.repos import until
from orange.testing.tmux import SPEC, Place, shell

RUN = SPEC.run

#: What a supervisor's process runs: as `orange.runner` does, with other parts.
PROGRAM = """
import os, sys, time
from orange.core.problems import GitFailed
from orange.runner.supervise import Place, supervise

class Clock:
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

class Parts:
    def commit_leftovers(self, path, message):
        if os.environ.get("BROKEN"):
            raise GitFailed(["git"], 1, "no space left")
        with open(os.environ["ASKED"], "a") as file:
            print(path, message.splitlines()[0], os.listdir(path), file=file)
        return "c0ffee"

    def diff(self, branch, base):
        return f"{branch} against {base}\\n"

    def nudge(self):
        return True

supervise(sys.argv[2], Place(os.environ["ORANGE_RUNTIME"], os.environ, Clock()), lambda runtime: Parts())
"""


@dataclass
class Bench:
    """A project's runtime folder and workspace, without sessions."""

    place: Place
    root: Path

    def prepare(self, command: str, **changes: Any) -> None:
        """Prepare the run."""
        spec = replace(SPEC, workspace=self.place.workspace, agent_settings=AgentSettings(run=command))
        self.place.runs.prepare(replace(spec, **changes))

    def begin(self, env: Mapping[str, str] | None = None, run: str = RUN) -> subprocess.Popen[bytes]:
        """Start a supervisor."""
        given = {"ORANGE_RUNTIME": self.place.layout.runtime, "ORANGE_RUN": run, "ASKED": str(self.root / "asked")}
        argv = [sys.executable, "-P", "-c", PROGRAM, "orange.runner", run]
        pipe = subprocess.DEVNULL
        return subprocess.Popen(argv, cwd="/", env={**os.environ, **given, **(env or {})}, stdin=pipe, stdout=pipe)

    def run(self, command: str, inherited: Mapping[str, str] | None = None, **changes: Any) -> RunRecord:
        """Prepare a run and supervise it to its end."""
        self.prepare(command, **changes)
        child = self.begin(inherited)
        assert child.wait(60) == 0
        return self.record

    def told(self, number: signal.Signals, command: str = "echo up; exec sleep 600", **changes: Any) -> RunRecord:
        """Begin a run, signal its supervisor once the agent speaks, and wait for the end."""
        self.prepare(command, **changes)
        child = self.begin()
        until(lambda: "up" in self.read("output.log"))
        child.send_signal(number)
        assert child.wait(60) == 0
        return self.record

    @property
    def record(self) -> RunRecord:
        """The run's record."""
        found = self.place.runs.record(RUN)
        assert found
        return found

    @property
    def asked(self) -> str:
        """What the parts were asked."""
        path = self.root / "asked"
        return path.read_text() if path.exists() else ""

    def read(self, name: str) -> str:
        """Read a file of the run's folder."""
        return self.place.read(RUN, name)

    def stages(self) -> list[str]:
        """The stage events, as `stage/step status`."""
        import json

        events = [json.loads(line) for line in self.read("stages.jsonl").splitlines()]
        return [f"{e['stage']}{'/' + e['step'] if e['step'] else ''} {e['status']}" for e in events]


def bench(root: Path) -> Bench:
    """Make one below a folder."""
    from orange.adapters.sessions import TmuxExecutor

    common, workspace = root / "repo" / ".git", root / "ws"
    for folder in (common, workspace):
        folder.mkdir(parents=True)
    layout = Layout(str(root / "repo"), str(common))
    executor = TmuxExecutor(layout, str(root / "s"), sys.executable, os.environ)
    return Bench(Place(layout, executor, FileRuns(layout, shell), str(workspace)), root)
