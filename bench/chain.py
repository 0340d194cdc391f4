"""P7: from a blocker's recorded `done` to the start of its dependant's session, in a project of many tasks."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bench.board import Sample, orange_program, sample
from bench.measure import Row, wall

#: Links whose hand-over is measured.
LINKS = 9


def measure(count: int, files: int = 1) -> Iterator[Row]:
    """Measure at one size."""
    found = sample(count, files=files, assignee="human")
    chain = _chain(found)
    with _daemon(found):
        _until(lambda: _status(found, chain[-1]) == "done")
    gaps = [_started(found, after) - _done(found, before) for before, after in itertools.pairwise(chain)]
    floor = _floor(found)
    what = f"blocker done -> dependant's session started, {count} tasks"
    yield Row("P7", what, statistics.median(gaps), floor, 4.0)


def _chain(found: Sample) -> list[str]:
    ids: list[str] = []
    for number in range(LINKS):
        body = f"```script\nwrite chain{number}.txt {number}\ncommit Link {number}\n```\n"
        argv = [orange_program(), "task", "create", f"link-{number}", "--json", "--body", "-"]
        edges = ["--blocked-by", ids[-1]] if ids else []
        ids.append(json.loads(found.run(*argv, *edges, stdin=body.encode()))["task"]["id"])
    return ids


@contextmanager
def _daemon(found: Sample) -> Iterator[None]:
    argv = [sys.executable, "-m", "orange", "daemon", "run"]
    with open(f"{found.home}/daemon.log", "wb") as log:
        child = subprocess.Popen(argv, cwd=found.root, env=found.env, stdout=log, stderr=log)
    try:
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(60)


def _file(found: Sample, task: str) -> str:
    name = next(name for name in os.listdir(f"{found.root}/.orange/tasks") if name.endswith(f"-{task}"))
    return f"{found.root}/.orange/tasks/{name}/TASK.md"


def _status(found: Sample, task: str) -> str:
    with open(_file(found, task), encoding="utf-8") as file:
        match = re.search(r"^status: (\w+)$", file.read(), re.MULTILINE)
    return match[1] if match else ""


def _done(found: Sample, task: str) -> float:
    """When the file that says `done` was written."""
    return os.stat(_file(found, task)).st_mtime_ns / 1e9


def _started(found: Sample, task: str) -> float:
    """When the supervisor's process began, which is the first thing in its session."""
    with open(f"{found.root}/.git/orange/runs/{task}-1/supervisor.json", encoding="utf-8") as file:
        ticks = int(json.load(file)["started"])
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / os.sysconf("SC_CLK_TCK")


def _floor(found: Sample) -> float:
    """One bare tmux session and one bare move of a worktree, in the same run."""
    socket, place = f"{found.home}/floor.tmux", f"{found.home}/floor"
    tmux = ["tmux", "-S", socket, "-f", "/dev/null"]
    found.run(*tmux, "new-session", "-d", "-s", "first", "sleep 600")
    found.run("git", "worktree", "add", "-q", "--detach", f"{place}-0")
    times = [wall(partial(_session_and_move, found, tmux, place, turn)) for turn in range(7)]
    found.run(*tmux, "kill-server")
    return statistics.median(times)


def _session_and_move(found: Sample, tmux: list[str], place: str, turn: int) -> None:
    found.run(*tmux, "new-session", "-d", "-s", f"s{turn}", "sleep 600")
    found.run("git", "worktree", "move", f"{place}-{turn}", f"{place}-{turn + 1}")


def _until(condition: Callable[[], bool], patience: float = 300.0) -> None:
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the chain did not come to its end")
        time.sleep(0.1)
