"""The real agent programs, driven by a scripted model on loopback, inside tmux, through the real daemon."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import configure, fresh_place
from tests.acceptance.place import Place
from tests.acceptance.programs import AGENTS, folder, furnish, required, settings
from tests.model.server import Model, serving


@pytest.fixture
def model() -> Iterator[Model]:
    """A model that carries out the commands of its prompts."""
    required()
    with serving() as found:
        yield found


@pytest.fixture
def agents(model: Model) -> Iterator[Place]:
    """A project whose user has all four programs; Gemini ignores files of settings below a folder like `/tmp`."""
    with tempfile.TemporaryDirectory(dir=folder().parents[2]) as root, fresh_place(Path(root)) as place:
        furnish(place, model.url)
        configure(place, f"limits: {{stall: 2m}}\nreview: {{by: human}}\n{settings(model.url)}")
        place.orange("config", "set", "--user", "limits.max_agents", "4")
        yield place


def _task(place: Place, agent: str, *commands: str, name: str = "") -> str:
    """Create a task whose agent is to carry out these commands."""
    lines = "\n".join(f"$ {command}" for command in commands)
    body = f"## Context\n\nCarry out:\n\n{lines}\n"
    argv = ("task", "create", name or f"with-{agent}", "--agent", agent, "--body", "-", "--json")
    return str(place.orange(*argv, stdin=body).json["task"]["id"])


def _commit(file: str, text: str = "made") -> str:
    return f"echo {text} >> {file} && git add {file} && git commit -q -m 'Make {file}'"


def _record(place: Place, run: str) -> Any:
    """Read the result of a run."""
    return json.loads((place.repo / ".git" / "orange" / "runs" / run / "result.json").read_text())


def _status(place: Place, task: str, wanted: str, epoch: int = 1) -> None:
    """Wait until a task has a status, after so many runs."""

    def reached() -> bool:
        seen = place.task(task)
        return bool(seen["status"] == wanted and seen["claim"]["epoch"] >= epoch)

    place.until(reached, f"{task} to be {wanted}", 90)


def test_all_four_at_once(agents: Place, model: Model) -> None:
    """Each program edits and commits; asked for changes it continues the same conversation; its work is merged."""
    tasks = {agent: _task(agents, agent, _commit(f"{agent}.txt")) for agent in AGENTS}
    agents.start()
    for agent, task in tasks.items():
        _status(agents, task, "reviewing")
        agents.orange("task", "reject", task, "--feedback", f"More of it:\n$ {_commit(f'{agent}.txt', 'more')}")
    for task in tasks.values():
        _status(agents, task, "reviewing", epoch=2)
        agents.orange("task", "approve", task)
    agents.settled(dict.fromkeys((f"with-{agent}" for agent in AGENTS), "done"))
    for agent, task in tasks.items():
        assert agents.git("show", f"refs/orange/base/main:{agent}.txt") == "made\nmore"
        first, second = (_record(agents, f"{task}-{epoch}")["conversation"] for epoch in (1, 2))
        assert first["session"] == second["session"]
        for told in (first, second):
            assert told["tokens"] == {"input": 2400, "output": 60, "cached": 400}, agent
            assert told["turns"] == 2
        last = model.of(f"Task {task}")[-1]
        assert len(last.prompts) == 2
        assert "(continued)" in last.prompts[1]
        assert "## How to work here" not in last.prompts[1]
