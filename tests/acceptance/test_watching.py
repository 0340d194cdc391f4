"""Hand edits, restarts and lost sessions: what happens outside of orange is seen, named, and never made worse."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

#: Seconds within which an edit must be seen with file events; without them: a poll (2 s) and one second.
WITH_EVENTS, WITHOUT = 2.0, 3.0


def in_place(path: Path, text: str) -> None:
    """Overwrite the file."""
    path.write_text(text)


def renamed_inside(path: Path, text: str) -> None:
    """Write a new file beside it and rename it over the old one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


def renamed_from_outside(path: Path, text: str) -> None:
    """Write a new file elsewhere on the same disk and rename it over the old one."""
    fresh = path.parents[4] / "elsewhere.md"
    fresh.write_text(text)
    fresh.rename(path)


def like_vim(path: Path, text: str) -> None:
    """Rename the old file to a backup, write the new one, remove the backup."""
    backup = path.with_name("TASK.md~")
    path.rename(backup)
    path.write_text(text)
    backup.unlink()


def touched_then_written(path: Path, text: str) -> None:
    """Touch the file, then write it with its old times, as some synchronising tools do."""
    os.utime(path)
    path.write_text(text)


PATTERNS = (in_place, renamed_inside, renamed_from_outside, like_vim, touched_then_written)


@pytest.mark.parametrize("events", [True, False], ids=["events", "polling"])
def test_hand_edits_are_seen_however_they_are_saved(place: Place, events: bool) -> None:
    """A backlog task set to pending in the file is started in time; touching a file changes nothing."""
    tasks = [place.create(f"edit-{n}", f"write {n}.txt x\ncommit {n}", "--backlog") for n in range(len(PATTERNS))]
    if not events:
        place.extra["ORANGE_WATCH"] = "off"
    place.start()
    for task, save in zip(tasks, PATTERNS, strict=True):
        path = place.repo / ".orange" / place.task(task)["path"]
        history = place.git("rev-parse", "orange-tasks")
        os.utime(path)
        save(path, path.read_text().replace("status: backlog", "status: pending"))
        took = claimed_after(place, task)
        assert took <= (WITH_EVENTS if events else WITHOUT), save.__name__
        assert place.git("rev-parse", "orange-tasks") != history
    place.settled({f"edit-{n}": "done" for n in range(len(PATTERNS))})


def claimed_after(place: Place, task: str) -> float:
    """Wait until the task has been claimed and return the seconds that took, by a look at its file."""
    path = place.repo / ".orange" / place.task(task)["path"]
    return place.until(lambda: "\nclaim:" in path.read_text(), f"{task} to be claimed")


def test_touching_a_file_changes_nothing(place: Place) -> None:
    """A touched file is the same file: no commit, no event, no problem."""
    task = place.create("still", "", "--backlog")
    place.start()
    place.until(lambda: place.task(task), "the task")
    path = place.repo / ".orange" / place.task(task)["path"]
    before = (
        path.read_bytes(),
        place.git("rev-parse", "orange-tasks"),
        place.orange("task", "events", task).out.count("\n"),
    )
    os.utime(path)
    other = place.create("other", "write other.txt x\ncommit Other")  # a task that runs shows that the daemon looked
    place.settled({"other": "done"})
    log = place.git("log", "--format=%H", "--", place.task(task)["path"], cwd=place.repo / ".orange")
    assert path.read_bytes() == before[0]
    assert len(place.git("log", "--format=%H", "orange-tasks", "--", place.task(task)["path"]).splitlines()) == 1
    assert place.orange("task", "events", task).out.count("\n") == before[2]
    assert other
    assert log is not None


def test_a_hand_edited_status_that_needs_evidence_is_not_believed(place: Place) -> None:
    """`done` written into a file stays without effect, and status names the file and the command that does it."""
    task = place.create("sly", "", "--backlog")
    path = place.repo / ".orange" / place.task(task)["path"]
    path.write_text(path.read_text().replace("status: backlog", "status: done"))
    assert place.task(task)["status"] == "backlog"
    problems = place.orange("status", "--json").json["projects"][0]["problems"]
    assert any(found["path"] == place.task(task)["path"] and "done" in found["message"] for found in problems)
    assert path.read_text().count("status: done") == 1


def test_sessions_survive_the_daemon_and_are_adopted(place: Place) -> None:
    """A run goes on while no daemon is there, and the next daemon brings its result in; it is never started again."""
    gate, ledger = place.home / "gate", place.home / "ledger"
    script = f"ledger {ledger}\nrun while [ ! -e {gate} ]; do sleep 0.05; done\nwrite a.txt a\ncommit A"
    task = place.create("long", script)
    daemon = place.start()
    place.settled({"long": "working"})
    place.until(ledger.exists, "the agent to start")
    daemon.kill()
    daemon.wait()
    place.start()
    time_of_adoption = place.until(lambda: place.why(task) == [], "the run to be adopted")
    gate.touch()
    place.settled({"long": "done"})
    assert len(ledger.read_text().splitlines()) == 1
    assert time_of_adoption >= 0
    assert place.task(task)["claim"]["epoch"] == 1


def test_a_killed_tmux_server_is_noticed_and_no_workspace_is_touched(place: Place) -> None:
    """Agents whose tmux server dies are noticed within seconds, named, and tried again; their files stay."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    task = place.create("lost", "leave half.txt work\nsay ready\nhang")
    place.start()
    place.until(lambda: "ready" in place.orange("task", "log", task).out, "the agent to be at work")
    workspace = Path(place.task(task)["workspace"])
    kill_servers(place)
    took = place.until(lambda: place.task(task)["status"] != "working", "the loss to be noticed")
    assert took < 5
    assert any("session" in str(line) or "crash" in str(line) for line in place.why(task))
    assert (workspace / "half.txt").exists()
    assert "half.txt" in place.git("ls-tree", "--name-only", place.task(task)["branch"])


def kill_servers(place: Place) -> None:
    """Kill this user's own tmux servers."""
    for socket in (place.home / "run").rglob("*.tmux"):
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)


@pytest.mark.parametrize("prepare", ["pause", "human", "blocked"])
def test_what_waits_says_why(place: Place, prepare: str) -> None:
    """Paused, kept for people, blocked: each waiting task names code, message, since, evidence and remedy."""
    makes: dict[str, Callable[[], str]] = {
        "pause": lambda: place.create("one"),
        "human": lambda: place.create("one", "", "--assignee", "human"),
        "blocked": lambda: place.create("one", "", "--blocked-by", place.create("zero", "hang")),
    }
    task = makes[prepare]()
    if prepare == "pause":
        place.orange("daemon", "pause", "--reason", "lunch")
    place.start()
    code = {"pause": "paused", "human": "human", "blocked": "blocker_open"}[prepare]
    place.until(lambda: any(line["code"] == code for line in place.why(task)), code)
    line = next(line for line in place.why(task) if line["code"] == code)
    assert line["message"]
    assert line["since"]
    assert str(line["remedy"]).startswith("orange ")
    assert time.strptime(line["since"], "%Y-%m-%dT%H:%M:%SZ")
