"""The pages a newcomer types from are executed as they stand: the tutorial, and the tour in the README."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Seconds after which a condition that should come true is given up.
PATIENCE = 120.0
#: Lines that want a terminal; a reader leaves them by key.
_INTERACTIVE = ("orange status --watch", "orange attach")


class Reader:
    """Somebody who types what a page says, block by block, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bin_folder = str(Path(sys.executable).parent)
        self.env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "PAGER": "cat", "NO_COLOR": "1"}

    def type(self, block: str) -> str:
        """Type a block; every command of it must succeed. Returns what was printed."""
        lines = [line for line in block.splitlines() if not line.startswith(_INTERACTIVE)]
        done = subprocess.run(
            ["bash", "-euc", "\n".join(lines)],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n-> {done.stdout}{done.stderr}"
        return done.stdout

    def tasks(self) -> dict[str, str]:
        """Return the status of every task by name."""
        found = json.loads(self.type("orange task list --all --json"))["tasks"]
        return {task["name"]: task["status"] for task in found}

    def wait(self, met: Callable[[dict[str, str]], bool]) -> None:
        """Wait until the tasks are as wished."""
        deadline = time.monotonic() + PATIENCE
        while not met(tasks := self.tasks()):
            assert time.monotonic() < deadline, f"{tasks}\n{self.type('orange status')}"
            time.sleep(0.2)

    def leave(self) -> None:
        """Stop the daemon, and end the tmux servers below this reader's own runtime folder."""
        subprocess.run(["orange", "daemon", "stop"], cwd=self.folder, env=self.env, capture_output=True, check=False)
        for path in Path(self.env["XDG_RUNTIME_DIR"]).rglob("*"):
            if path.is_socket():
                subprocess.run(["tmux", "-S", str(path), "kill-server"], capture_output=True, check=False)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A newcomer in an empty folder."""
    found = Reader(tmp_path)
    yield found
    found.leave()


def blocks(page: str) -> list[str]:
    """Return the shell blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for _, body in re.findall(r"^(`{3,})sh\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)]


def _all_done(tasks: dict[str, str]) -> bool:
    return set(tasks.values()) == {"done"}


def test_tutorial_works_as_written(reader: Reader) -> None:
    """Typing the tutorial up to the real agent gives a graph that works itself off, and a parent that closes."""
    for block in blocks("docs/tutorial/first-graph.md"):
        if "orange agents" in block:
            break
        reader.type(block)
        if block.startswith("mkdir shop"):
            reader.folder /= "shop"
        if "daemon start" in block or "delegate" in block:
            reader.wait(_all_done)
    assert set(reader.tasks()) == {"schema", "api", "pages", "page-one", "page-two"}
    files = reader.type("git ls-tree --name-only main").split()
    assert {"schema.sql", "api.py", "one.html", "two.html"} <= set(files)


def test_tour_works_as_written(reader: Reader) -> None:
    """Typing the README's tour, with the built-in agent, leads from two tasks to the second one starting by itself."""
    (tour,) = (block for block in blocks("README.md") if "orange init" in block)
    reader.type("git init -q -b main && git commit -q --allow-empty -m Begin")
    before, _, after = tour.replace("set agent command", "set agent script").partition("orange task review")
    reader.type(before)
    reader.wait(lambda tasks: tasks["oauth-db"] == "reviewing")
    assert reader.tasks()["oauth-api"] == "pending"
    reader.type("orange task review" + after)
    reader.wait(lambda tasks: tasks["oauth-db"] == "done" and tasks["oauth-api"] == "reviewing")
