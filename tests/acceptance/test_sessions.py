"""Supervised sessions: what the daemon is told on its command line, what it did, and how it ended."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def _sessions(place: Place) -> list[dict[str, Any]]:
    return list(place.orange("session", "list", "--json").json["sessions"])


def test_a_session_takes_on_so_many_tasks_and_is_recorded(place: Place) -> None:
    """It ends by itself when they are finished, retries included; the others are left alone, and say why."""
    good = place.create("good", "write good.txt", "--priority", "high")
    bad = place.create("bad", "fail", "--priority", "high")
    place.create("other", "write other.txt")
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    place.orange("daemon", "run", "--max-tasks", "2")
    assert place.statuses() == {"good": "done", "bad": "stuck", "other": "pending"}
    (session,) = _sessions(place)
    assert (session["status"], session["done"], session["failed"]) == ("completed", [good], [bad])
    assert session["options"]["max_tasks"] == 2
    assert sorted(session["runs"]) == sorted([f"{good}-1", f"{bad}-1"])
    assert "--max-tasks 2" in session["reason"]
    assert session["ended_at"] >= session["started_at"]
    shown = place.orange("session", "show", session["id"][:5], "--json").json["session"]
    assert shown == session
    assert session["id"] in place.orange("session", "list").out
    assert good in place.orange("session", "show", session["id"]).out
    assert "is no session" in place.orange("session", "show", "zzzzzzzz", fails=True).err


def test_a_person_is_asked_before_each_start(place: Place) -> None:
    """What they say yes to is started; what they say no to is left alone, and says why; without anybody it ends."""
    first, second = place.create("first", "", "--priority", "high"), place.create("second", "write b.txt 1")
    argv, said, log = place.argv("daemon", "run", "--interactive", "--once"), place.home / "said", place.home / "log"
    with said.open("wb") as out, log.open("wb") as err:
        daemon = subprocess.Popen(argv, cwd=place.repo, env=place.env, stdin=subprocess.PIPE, stdout=out, stderr=err)
        place.daemons.append(daemon)
    assert daemon.stdin is not None
    with daemon.stdin as told:
        for number, (asked, answer) in enumerate(((first, "n"), (second, "y"))):
            place.until(lambda number=number: len(said.read_text().splitlines()) > number, "a question")  # type: ignore[misc]  # bound here
            assert said.read_text().splitlines()[number].startswith(f"start {asked} (")
            if answer == "y":
                assert "--interactive" in place.why(first)[0]["message"]
            told.write(f"{answer}\n".encode())
            told.flush()
        place.until(lambda: daemon.poll() is not None, "it to end")
    assert daemon.returncode == 0
    assert place.statuses() == {"first": "pending", "second": "done"}
    assert _sessions(place)[0]["options"]["interactive"] is True
    with log.open("ab") as err:
        subprocess.run(argv, cwd=place.repo, env=place.env, input=b"", stdout=err, stderr=err, timeout=60, check=True)
    assert "nobody is there any more" in _sessions(place)[0]["reason"]


def test_only_tasks_of_a_label_are_started(place: Place) -> None:
    """The others wait and say what the daemon was told."""
    place.create("night", "write night.txt", "--label", "nightly")
    place.create("day", "write day.txt")
    place.orange("daemon", "run", "--once", "--label", "nightly", "--max-parallel", "1")
    assert place.statuses() == {"night": "done", "day": "pending"}


def test_with_require_tests_nothing_is_done_unchecked(place: Place) -> None:
    """Without checks work waits and says so; once there are some and they pass, it is done."""
    task = place.create("work", "write work.txt")
    place.orange("daemon", "run", "--once", "--require-tests")
    assert place.task(task)["status"] == "reviewed"
    configure(place, "agent: script\nreview: {by: none}\nchecks: [{name: there, kind: test, run: test -e work.txt}]\n")
    place.orange("daemon", "run", "--once", "--require-tests")
    assert place.task(task)["status"] == "done"


def test_a_stop_is_recorded_with_its_reason_and_a_kill_as_a_failure(place: Place) -> None:
    """While it runs a session is active, or paused; agents outlive it and belong to the one that began them."""
    task = place.create("long", "sleep 600")
    daemon = place.start()
    place.settled({"long": "working"})
    place.until(lambda: _sessions(place)[0]["runs"] == [f"{task}-1"], "the run to be noted")
    assert _sessions(place)[0]["status"] == "active"
    place.orange("daemon", "pause")
    assert _sessions(place)[0]["status"] == "paused"
    place.orange("daemon", "stop", "--reason", "lunch")
    daemon.wait()
    assert (_sessions(place)[0]["status"], _sessions(place)[0]["reason"]) == ("completed", "lunch")
    killed = place.start()
    place.until(lambda: len(_sessions(place)) == 2, "the next session to be noted")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    last = _sessions(place)[0]
    assert (last["status"], last["ended_at"], last["runs"]) == ("failed", None, [])
    assert "without a word" in place.orange("session", "show", last["id"]).out
    place.orange("task", "cancel", task)


def test_a_drained_daemon_stops_when_what_runs_has_ended(place: Place) -> None:
    """It starts nothing new, sees the work under way through, and says why it stopped; the next one starts anew."""
    waiting = "agents: {command: {run: 'until test -e go; do sleep 0.1; done'}}\n"
    configure(place, f"agent: command\nreview: {{by: none}}\nlimits: {{per_project: 1}}\n{waiting}")
    first = place.create("first")
    daemon = place.start()
    place.settled({"first": "working"})
    place.create("second")
    assert place.orange("daemon", "drain", "--reason", "new kernel", "--json").json["draining"] is True
    place.until(lambda: [line["code"] for line in place.why("second")] == ["draining"], "the drain to be named")
    assert daemon.poll() is None
    workspace = place.task(first)["workspace"]
    with open(f"{workspace}/go", "w", encoding="utf-8"):
        pass
    place.until(lambda: daemon.poll() is not None, "the daemon to stop")
    assert place.statuses() == {"first": "done", "second": "pending"}
    assert _sessions(place)[0]["reason"] == "drained: new kernel"
    assert place.orange("daemon", "drain", "--json").json["draining"] is False  # no daemon runs that could stop
    place.orange("daemon", "resume")
    place.start()
    place.settled({"second": "working"})
