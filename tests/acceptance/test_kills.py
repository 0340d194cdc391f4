"""Killing the daemon at random instants under load: nothing is lost, nothing starts twice, everything still ends."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections import Counter

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

#: How often the daemon is killed; `make torture` does it ten times as often.
KILLS = 30 * int(os.environ.get("ORANGE_TORTURE", "1"))
#: Fixed, so that a failure can be looked at again.
SEED = 20261121


def test_a_daemon_killed_at_random_instants_loses_nothing_and_starts_nothing_twice(place: Place) -> None:
    """The scripted agents' own ledger is the witness: each run starts at most once, each task ends done."""
    (place.home / "config" / "orange").mkdir(parents=True)
    (place.home / "config" / "orange" / "config.yaml").write_text("limits: {max_agents: 4}\n")
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 50, consecutive_failures: 1000}\n")
    ledger = place.home / "ledger"
    names = [f"task-{n}" for n in range(KILLS)]
    previous: list[str] = []
    for number, name in enumerate(names):
        edges = [word for blocker in previous[-1:] if number % 3 == 0 for word in ("--blocked-by", blocker)]
        script = f"ledger {ledger}\nwrite {name}.txt {number}\nsleep 0.1\ncommit Add {name}"
        previous.append(place.create(name, script, *edges))
    rng = random.Random(SEED)
    ready_again = [kill_once(place, rng.uniform(0.0, 1.5)) for _ in range(KILLS)]
    place.start()
    place.settled(dict.fromkeys(names, "done"), 300)
    starts = Counter(line.split()[1] for line in ledger.read_text().splitlines())
    assert [run for run, count in starts.items() if count > 1] == []
    place.until(
        lambda: place.git("rev-parse", "main") == place.git("rev-parse", "refs/orange/base/main"),
        "the branch to follow",
    )
    files = set(place.git("ls-tree", "--name-only", "main").splitlines())
    assert {f"{name}.txt" for name in names} <= files
    place.close()  # what is written while it looks would seem to be missing
    place.git("fsck", "--connectivity-only")
    place.git("gc", "-q")
    assert statistics.median(ready_again) < 3.0


def kill_once(place: Place, delay: float) -> float:
    """Start the daemon, let it work for a moment, kill it; return the seconds it took to be ready."""
    begun = time.monotonic()
    daemon = place.start()
    ready = time.monotonic() - begun
    time.sleep(delay)
    daemon.kill()
    daemon.wait()
    return ready
