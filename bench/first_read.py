"""P4 and P5: reading every task without a cache, and the daemon's first correct decision."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from bench.board import Sample, sample
from bench.measure import Row, medians

_FIRST = """
import sys, time
from orange.wiring import open_parts
store = open_parts(sys.argv[1]).store
begun = time.process_time()
board = store.read()
print(time.process_time() - begun, len(board.tasks))
"""


def measure(count: int) -> Iterator[Row]:
    """Measure at one size."""
    found = sample(count, assignee="human")
    paths = [f"{at}/TASK.md" for at, _, files in os.walk(f"{found.root}/.orange/tasks") if "TASK.md" in files]
    results = medians(
        {
            "bytes": lambda: _spent(lambda: [_read(path) for path in paths]),
            "first": lambda: _first_read(found),
        }
    )
    decided = medians({"daemon": lambda: _daemon(found)}, 3)["daemon"]
    yield Row(
        "P4",
        f"first read of {count} files, no cache, against their bytes (s CPU)",
        results["first"],
        results["bytes"],
        8.0,
    )
    yield Row("P5", "daemon start to first decision, against first read + 1.5 s", decided, results["first"] + 1.5, 1.0)


def _spent(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _read(path: str) -> int:
    fd = os.open(path, os.O_RDONLY)
    try:
        return len(os.read(fd, 1 << 16))  # a larger buffer is mapped and unmapped for each file
    finally:
        os.close(fd)


def _forget(found: Sample) -> None:
    for name in os.listdir(f"{found.root}/.git/orange"):
        if name.startswith("index"):
            os.unlink(f"{found.root}/.git/orange/{name}")


def _first_read(found: Sample) -> float:
    _forget(found)
    return float(found.run(sys.executable, "-c", _FIRST, found.root).split()[0])


def _daemon(found: Sample) -> float:
    """Start the daemon without a cache and let it end by itself when nothing is owed; the start of Python included."""
    _forget(found)
    begun = time.perf_counter()
    argv = [sys.executable, "-m", "orange", "daemon", "run", "--once"]
    subprocess.run(argv, cwd=found.root, env=found.env, capture_output=True, check=True)
    return time.perf_counter() - begun
