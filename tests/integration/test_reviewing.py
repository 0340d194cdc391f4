"""Launching an agent's review, as often as it takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from orange.adapters.pipelines import FilePipelines
from orange.adapters.runs import FileRuns
from orange.core.agents import Command
from orange.core.layout import Layout
from orange.core.lifecycle import Status
from orange.core.model import BranchState, Claim
from orange.core.reviews import run_of
from orange.core.settings import Settings
from orange.project import reviewing
from orange.testing.worlds import AT, HOST, a_task

TASK = "k3f9x2ab"
RUN = run_of(TASK, 2)


class Parts(SimpleNamespace):
    """As much of a project as a launch needs, with the real records of runs; `done` says what was done, in order."""

    def __init__(self, folder: Path) -> None:
        layout = Layout(str(folder), str(folder / ".git"))
        self.done: list[str] = []
        runs = FileRuns(layout, lambda _spec, _prompt: Command(("true",), {}))
        super().__init__(layout=layout, runs=runs, pipelines=FilePipelines(layout))
        self.settings = Settings
        self.store = SimpleNamespace(body=lambda _task: "")
        self.integration = SimpleNamespace(branch_states=self._states, default_base=lambda: "main")
        self.workspaces = SimpleNamespace(check_out=self._check_out)
        self.executor = SimpleNamespace(start=lambda run, _session: self.done.append(f"start {run}"))

    def _states(self, wanted: dict[str, Any]) -> dict[str, BranchState]:
        return {task: BranchState("c1", unmerged=True) for task in wanted}

    def _check_out(self, _purpose: str, commit: str, _task: str) -> str:
        self.done.append(f"check out {commit}")
        return "/w/.check"


def test_launching_again_leaves_the_reviewer_its_folder(tmp_path: Path) -> None:
    """A launch that is repeated, for nobody saw the session yet, takes nothing away from a reviewer at work."""
    parts: Any = Parts(tmp_path)
    claim = Claim(RUN, 2, "nonce", HOST, AT)
    task = a_task(TASK, Status.REVIEWING, branch="orange/a", claim=claim, run=RUN, tmux_session=f"a-{RUN}")
    for _ in range(2):
        reviewing.launch(parts, task, RUN)
    assert parts.done == ["check out c1", f"start {RUN}", f"start {RUN}"]
    record = parts.runs.record(RUN)
    assert (record.spec.reviewed, record.spec.workspace, record.spec.auto_commit) == ("c1", "/w/.check", False)
    assert "/w/.check/orange-review.json" in record.spec.prompt
