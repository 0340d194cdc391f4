"""Measuring: interleaved runs, medians, ratios within one run. Seconds differ between machines; ratios hold."""

from __future__ import annotations

import atexit
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

#: How often each thing is measured; the medians count.
ROUNDS = int(os.environ.get("ORANGE_BENCH_ROUNDS", "7"))


def scratch(prefix: str) -> str:
    """Make a folder that is removed when all benches are done.

    Not before: ext4 without a journal passes over every file removed in the last minutes when it looks for room for a
    new one, which makes whatever is measured next many times slower.
    """
    folder = tempfile.mkdtemp(prefix=prefix)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result: a value against a floor measured in the same run."""

    #: The target's number, such as `P1`.
    number: str
    what: str
    #: Seconds, unless `what` says otherwise.
    value: float
    floor: float
    #: The greatest (or, with `at_least`, the least) ratio that meets the target; None where it is only printed.
    target: float | None
    at_least: bool = False

    @property
    def ratio(self) -> float:
        """Value over floor; floor over value where the target is a speed-up."""
        return self.floor / self.value if self.at_least else self.value / self.floor

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        if self.target is None:
            return True
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the result that is no time: a share, from 0 to 1, of what was wanted."""

    number: str
    what: str
    value: float
    #: The least that meets the target; None where it is only printed.
    target: float | None

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.target is None or self.value >= self.target


def cpu(argv: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> float:
    """Return the CPU seconds (user and system) of one run of a program that must succeed."""
    child = subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    message = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if child.returncode != 0:
        raise RuntimeError(f"{argv} -> {child.returncode}: {message.decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime


def wall(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def medians(measures: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """Run the measures in turn, `rounds` times, and return the median of each. The first round only warms up."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(rounds + 1):
        for name, measure in measures.items():
            value = measure()
            if turn:
                found[name].append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def table(rows: Sequence[Row | Score]) -> str:
    """Return the rows as aligned text."""
    lines = [f"{'':4} {'what':58} {'value':>10} {'floor':>10} {'ratio':>8} {'target':>8}"]
    for row in rows:
        if isinstance(row, Score):
            lines.append(_scored(row))
            continue
        sign = ">=" if row.at_least else "<="
        target = f"{sign}{row.target:g}" if row.target is not None else "-"
        verdict = "" if row.target is None else ("met" if row.met else "MISSED")
        lines.append(
            f"{row.number:4} {row.what:58} {_time(row.value):>10} {_time(row.floor):>10} "
            f"{row.ratio:8.2f} {target:>8} {verdict}"
        )
    return "\n".join(lines)


def _scored(row: Score) -> str:
    target = f">={row.target:g}" if row.target is not None else "-"
    verdict = "" if row.target is None else ("met" if row.met else "MISSED")
    return f"{row.number:4} {row.what:58} {row.value:>10.2f} {'':>10} {'':8} {target:>8} {verdict}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"
