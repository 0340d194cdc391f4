"""What runs used, as their folders say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orange.adapters.usage import FileUsage
from orange.core.layout import Layout
from orange.core.model import Outcome

SPEC = {"spec": {"name": "api", "title": "Api", "agent": "claude", "model": "asked", "attempt": 2}}
TOLD = {"model": "told", "tokens": {"input": 7, "output": 3, "cached": 5}, "cost_usd": 0.25}


def _run(runs: Path, run: str, **files: Any) -> None:
    (runs / run).mkdir(parents=True)
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (runs / run / (name if name == "launched" else f"{name}.json")).write_text(text)


def test_every_run_that_began_is_told_once(tmp_path: Path) -> None:
    """One that ended, one at work, one closed without a word; not one that never began, nor a merge's checks."""
    layout = Layout(str(tmp_path), str(tmp_path))
    runs = Path(layout.runs)
    over = {"outcome": "failed", "ended_at": 160.0, "conversation": TOLD}
    _run(runs, "a2b3c4d5-1", spec=SPEC, launched={"at": 100.0}, result=over, agent={"tokens": {"input": 999}})
    _run(runs, "a2b3c4d5-12", spec=SPEC, launched={"at": 200}, agent=TOLD)
    _run(runs, "b2b3c4d5-1", spec=SPEC, launched={"at": 1}, result={"outcome": "crashed", "ended_at": 2.0})
    _run(runs, "c2b3c4d5-1", spec=SPEC)
    _run(runs, "a2b3c4d5-c0123abcd", spec=SPEC, launched={"at": 100.0})
    found = {used.run: used for used in FileUsage(layout).runs()}
    assert sorted(found) == ["a2b3c4d5-1", "a2b3c4d5-12", "b2b3c4d5-1"]
    ended, live, crashed = (found[run] for run in sorted(found))
    assert (ended.task, ended.name, ended.agent, ended.model, ended.attempt) == ("a2b3c4d5", "api", "claude", "told", 2)
    assert (ended.outcome, ended.started_at, ended.ended_at) == (Outcome.FAILED, 100.0, 160.0)
    assert (ended.tokens, ended.usd) == (10, 0.25)
    assert (live.outcome, live.ended_at, live.tokens) == (None, None, 10)
    assert (crashed.outcome, crashed.model, crashed.tokens, crashed.usd) == (Outcome.CRASHED, "asked", None, None)


def test_records_that_make_no_sense_hide_nothing_else(tmp_path: Path) -> None:
    """A torn or foreign file costs what it would have told, and no other run."""
    layout = Layout(str(tmp_path), str(tmp_path))
    assert list(FileUsage(layout).runs()) == []
    runs = Path(layout.runs)
    _run(runs, "a2b3c4d5-1", spec='{"spec": ', launched={"at": 5}, result="[]", agent='{"tokens": "many"}')
    _run(runs, "a2b3c4d5-2", spec={"spec": []}, launched={"at": 5}, result={"outcome": ["x"], "ended_at": "soon"})
    _run(runs, "a2b3c4d5-3", spec=SPEC, launched="no")
    _run(runs, "a2b3c4d5-6", spec=SPEC, launched='{"at": NaN}')
    _run(runs, "a2b3c4d5-7", spec=SPEC, launched={"at": 1e30})
    _run(runs, "a2b3c4d5-4", spec=SPEC, launched={"at": 5}, agent={"tokens": {"input": "x"}, "cost_usd": "dear"})
    (runs / "a2b3c4d5-5").write_text("a file")
    found = {used.run: used for used in FileUsage(layout).runs()}
    assert sorted(found) == ["a2b3c4d5-1", "a2b3c4d5-2", "a2b3c4d5-4"]
    assert all((used.tokens, used.usd, used.outcome) == (None, None, None) for used in found.values())
