"""P11: what the idle daemon costs, and how soon its socket answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.board import Sample, sample
from bench.measure import Row, cpu, medians

#: Seconds over which the idle daemon is watched, after it has settled.
WATCHED = 20.0


def measure(count: int) -> Iterator[Row]:
    """Measure with half as many tasks as the other benches."""
    found = sample(count // 2, assignee="human")
    plain = medians({"plain": lambda: cpu([sys.executable, "-c", "pass"], cwd=found.root, env=found.env)})["plain"]
    answer, share, memory = _watch(found)
    yield Row("P11", "daemon start to its first answer, against `python -c pass`", answer, plain, 20.0)
    yield Row("P11", f"idle with {count // 2} tasks: CPU seconds a second of wall (share of a core)", share, 1.0, 0.02)
    yield Row("P11", "idle: resident memory, in units of 120 MB", memory / (120 << 20), 1.0, 1.0)


def _watch(found: Sample) -> tuple[float, float, int]:
    begun = time.perf_counter()
    argv = [sys.executable, "-m", "orange", "daemon", "run"]
    child = subprocess.Popen(argv, cwd=found.root, env=found.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(found):
            time.sleep(0.005)
        answer = time.perf_counter() - begun
        time.sleep(10.0)
        before = _cpu_of(child.pid)
        time.sleep(WATCHED)
        return answer, (_cpu_of(child.pid) - before) / WATCHED, _memory_of(child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(60)


def _answers(found: Sample) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX) as link:
        return link.connect_ex(f"{found.home}/run/orange/daemon.sock") == 0


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process and of the children it waited for."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(int(fields[number]) for number in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def _memory_of(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="utf-8") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
