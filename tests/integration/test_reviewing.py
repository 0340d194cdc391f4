"""Launching an agent's review, as often as it takes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orange.adapters.pipelines import FilePipelines
from orange.adapters.runs import FileRuns
from orange.core.agents import Command
from orange.core.layout import Layout
from orange.core.lifecycle import Status
from orange.core.model import BranchState, Claim, Task
from orange.core.reviews import run_of
from orange.core.settings import Settings
from orange.project import reviewing
from orange.testing.worlds import AT, HOST, a_task

TASK = "k3f9x2ab"
RUN = run_of(TASK, 2)


class Parts(SimpleNamespace):
    """As much of a project as a launch needs, with the real records of runs; `done` says what was done, in order."""

    def __init__(self, folder: Path, commit: str = "c1") -> None:
        layout = Layout(str(folder), str(folder / ".git"))
        self.done: list[str] = []
        runs = FileRuns(layout, lambda _spec, _prompt: Command(("true",), {}))
        super().__init__(layout=layout, runs=runs, pipelines=FilePipelines(layout), commit=commit)
        self.settings = Settings
        self.store = SimpleNamespace(body=lambda _task: "")
        self.integration = SimpleNamespace(branch_states=self._states, default_base=lambda: "main")
        self.workspaces = SimpleNamespace(check_out=self._check_out)
        self.executor = SimpleNamespace(start=lambda run, _session: self.done.append(f"start {run}"))

    def _states(self, wanted: dict[str, Any]) -> dict[str, BranchState]:
        return {task: BranchState(self.commit, unmerged=True) for task in wanted}

    def _check_out(self, _purpose: str, commit: str, _task: str) -> str:
        self.done.append(f"check out {commit}")
        return "/w/.check"


def _task(epoch: int) -> Task:
    run = run_of(TASK, epoch)
    claim = Claim(run, epoch, "nonce", HOST, AT)
    return a_task(TASK, Status.REVIEWING, branch="orange/a", claim=claim, run=run, tmux_session=f"a-{run}")


@pytest.mark.parametrize(
    ("outcome", "session", "commit", "goes_on"),
    [
        ("rate_limited", "talk", "c1", True),
        ("rate_limited", None, "c1", False),
        ("rate_limited", "talk", "c2", False),
        ("failed", "talk", "c1", False),
    ],
)
def test_only_a_review_that_was_cut_off_goes_on(
    tmp_path: Path, outcome: str, session: str | None, commit: str, *, goes_on: bool
) -> None:
    """By its provider, at the very commit that is reviewed now; every other one begins anew."""
    reviewing.launch(cast("Any", Parts(tmp_path)), _task(2), RUN)
    tokens = {"input": 1, "output": 2, "cached": 0}
    stream = {"session": session, "model": "m", "turns": 1, "tokens": tokens, "conversation_tokens": tokens,
              "cost_usd": None, "limited_until": 1.0, "error": None}  # fmt: skip
    folder = tmp_path / ".git" / "orange" / "runs" / RUN
    (folder / "agent.json").write_text(json.dumps(stream))
    (folder / "result.json").write_text(json.dumps({"outcome": outcome, "ended_at": 1.0}))
    parts: Any = Parts(tmp_path, commit)
    reviewing.launch(parts, _task(3), run_of(TASK, 3))
    spec = parts.runs.record(run_of(TASK, 3)).spec
    assert (spec.resume and spec.resume.session, bool(spec.followup)) == (("talk", True) if goes_on else (None, False))


def test_launching_again_leaves_the_reviewer_its_folder(tmp_path: Path) -> None:
    """A launch that is repeated, for nobody saw the session yet, takes nothing away from a reviewer at work."""
    parts: Any = Parts(tmp_path)
    for _ in range(2):
        reviewing.launch(parts, _task(2), RUN)
    assert parts.done == ["check out c1", f"start {RUN}", f"start {RUN}"]
    record = parts.runs.record(RUN)
    assert (record.spec.reviewed, record.spec.workspace, record.spec.auto_commit) == ("c1", "/w/.check", False)
    assert "/w/.check/orange-review.json" in record.spec.prompt
