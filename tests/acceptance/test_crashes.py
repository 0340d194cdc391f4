"""Runs that vanish, files put back to an older state, a lock left held: counted, told apart, waited for."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

#: Looks at its own run's ledger, does half of its work, and would never end.
HALF = "ledger {ledger}\nleave half.txt work\nsay ready\nhang"


def record(place: Place, run: str, name: str) -> Path:
    """Return the path of a file of a run's record."""
    return place.repo / ".git" / "orange" / "runs" / run / name


def result(place: Place, run: str) -> dict[str, Any]:
    """Return how a run ended, once that is written."""
    path = record(place, run, "result.json")
    place.until(path.exists, f"{run} to have an end")
    return dict(json.loads(path.read_text()))


def kill_supervisor(place: Place, run: str) -> None:
    """Kill a run's supervisor once its agent is at work, so that nobody is left to write a result."""
    output = record(place, run, "output.log")
    place.until(lambda: output.exists() and b"ready" in output.read_bytes(), f"the agent of {run} to be at work")
    os.kill(json.loads(record(place, run, "supervisor.json").read_text())["pid"], signal.SIGKILL)


def test_a_task_whose_runs_vanish_again_and_again_is_stopped(place: Place) -> None:
    """A killed supervisor's run gets an end, a signature and a report; as many alike as allowed are no progress."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 9, same_failure: 2}\n")
    task = place.create("lost", HALF.format(ledger=place.home / "ledger"))
    place.start()
    kill_supervisor(place, f"{task}-1")
    place.until(lambda: place.task(task)["status"] == "pending", "the first loss to be settled")
    assert any(line["code"] == "backoff" for line in place.why(task))
    place.orange("task", "run", task)  # rather than to wait for the backoff
    kill_supervisor(place, f"{task}-2")
    place.settled({"lost": "stuck"})
    ends = [result(place, f"{task}-{epoch}") for epoch in (1, 2)]
    assert [end["outcome"] for end in ends] == ["crashed", "crashed"]
    assert ends[0]["signature"] == ends[1]["signature"] != ""
    assert ends[0]["message"] == ends[1]["message"] == "the run disappeared without a result"
    assert ends[0]["commit"] == ends[1]["commit"] == place.git("rev-parse", place.task(task)["branch"])
    stuck = place.task(task)["stuck"]
    assert stuck["reason"] == "no_progress"
    assert "2 times in a row" in stuck["message"]
    assert Path(stuck["evidence"]).read_text().startswith("# the run disappeared without a result\n")
    assert "half.txt" in place.git("ls-tree", "--name-only", place.task(task)["branch"])


def test_a_task_put_back_by_hand_never_uses_a_runs_name_again(place: Place) -> None:
    """Task and history are rewound to before the first run: the next claim's number lies beyond every run's."""
    ledger = place.home / "ledger"
    task = place.create("again", f"ledger {ledger}\nwrite again.txt x\ncommit Again")
    path = place.repo / ".orange" / place.task(task)["path"]
    before, tip = path.read_bytes(), place.git("rev-parse", "orange-tasks")
    daemon = place.start()
    place.settled({"again": "done"})
    daemon.terminate()
    daemon.wait()
    path.write_bytes(before)
    place.git("update-ref", "refs/heads/orange-tasks", tip)
    assert (place.task(task)["status"], place.task(task)["claim"]) == ("pending", None)
    run = place.orange("task", "run", task, "--json").json["task"]["claim"]["run"]
    assert run == f"{task}-2"
    assert result(place, run)["outcome"] == "finished"
    assert [line.split()[1] for line in ledger.read_text().splitlines()] == [f"{task}-1", f"{task}-2"]


def test_a_success_in_between_keeps_failures_from_pausing_dispatch(place: Place) -> None:
    """Only failures in a row pause dispatch: a task that was done in between counts, though it is closed."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1, consecutive_failures: 2}\n")
    place.start()
    for name, script, status in (
        ("a", "fail 1 no", "stuck"),
        ("b", "write b.txt b\ncommit B", "done"),
        ("c", "fail 1 no", "stuck"),
        ("d", "write d.txt d\ncommit D", "done"),
    ):
        place.create(name, script)
        place.settled({name: status})
    for name in ("e", "f"):
        place.create(name, "fail 1 no")
        place.settled({name: "stuck"})
    place.until(lambda: place.orange("status", "--json").json["daemon"]["paused"], "dispatch to be paused")


def test_starts_of_agents_tasks_count_though_they_are_done(place: Place) -> None:
    """Children that were started and done within the minute still count for `limits.spawns_per_minute`."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {spawns_per_minute: 2}\n")
    script = "".join(
        f'create {name} "{name}" <<\n  ```script\n  write {name} x\n  commit X\n  ```\n>>\n' for name in "abc"
    )
    place.create("parent", f"{script}delegate")
    place.start()
    place.settled({"a": "done", "b": "done"})
    place.until(lambda: [line["code"] for line in place.why("c")] == ["spawn_rate"], "the third to wait")
    assert place.task("c")["claim"] is None


def test_the_lock_of_a_daemon_that_was_just_killed_is_waited_for(place: Place) -> None:
    """A program the killed one was starting holds its lock a little longer: whoever starts anew is not refused."""
    path = place.home / "state" / "orange" / "daemon.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        daemon = subprocess.Popen(place.argv("daemon", "run"), cwd=place.repo, env=place.env)
        place.daemons.append(daemon)
        place.until(lambda: daemon.poll() is None and str(path) in _open_files(daemon.pid), "the daemon to want it")
    place.until(lambda: place.orange("daemon", "status", "--json").json["daemon"]["running"], "the daemon to answer")


def _open_files(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(link.readlink()))
    return found
