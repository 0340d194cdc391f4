"""Quick actions: a record, a patch and a rescue ref; never a task unless promoted, and then exactly one."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def _ask(place: Place, script: str, *flags: str) -> str:
    prompt = f"Do it once\n\n```script\n{script}\n```\n"
    return str(place.orange("quick", "run", "-", *flags, "--json", stdin=prompt).json["quick_run"]["id"])


def _show(place: Place, quick: str) -> dict[str, Any]:
    return dict(place.orange("quick", "show", quick, "--json").json["quick_run"])


def _over(place: Place, quick: str) -> dict[str, Any]:
    """Wait until it is over and its workspace was given back."""

    def settled() -> bool:
        found = _show(place, quick)
        return found["status"] in {"completed", "failed"} and found["workspace"] is None

    place.until(settled, f"quick action {quick} to be over")
    return _show(place, quick)


def test_it_leaves_a_record_and_its_changes_and_nothing_else(place: Place) -> None:
    """No task, no branch, no workspace; the base and the user's checkout are as they were."""
    place.start()
    before = place.git("for-each-ref", "refs/heads")
    quick = _ask(place, "write quick.txt\nsay all is well")
    found = _over(place, quick)
    assert (found["status"], found["outcome"], found["error"]) == ("completed", "finished", None)
    assert "all is well" in found["result_summary"]
    assert found["changed_files"] == 1
    assert "quick.txt" in Path(found["patch"]).read_text()
    assert "quick.txt" in place.git("ls-tree", "--name-only", found["rescue"])
    assert "all is well" in Path(found["logs_ref"]).read_text()
    assert place.statuses() == {}
    bound = [row["task"] for row in place.orange("workspace", "list", "--json").json["workspaces"]]
    assert quick not in bound
    assert place.git("for-each-ref", "refs/heads") == before
    assert not (place.repo / "quick.txt").exists()
    assert [row["id"] for row in place.orange("quick", "list", "--json").json["quick_runs"]] == [quick]
    assert quick in place.orange("quick", "list").out
    assert "all is well" in place.orange("quick", "show", quick[:4]).out


def test_promoting_makes_one_task_that_begins_with_its_changes(place: Place) -> None:
    """However often it is asked for; where nothing was changed there is nothing to begin with."""
    place.start()
    quick, empty = _ask(place, "write quick.txt"), _ask(place, "say nothing to do")
    _over(place, quick)
    assert _over(place, empty)["rescue"] is None
    place.orange("daemon", "pause")
    made = place.orange("quick", "promote", quick, "--json").json["task"]
    assert place.orange("quick", "promote", quick, "--json").json["task"]["id"] == made["id"]
    assert made["source"] == {"kind": "promoted_quick_action", "reference": quick}
    assert made["title"] == "Do it once"
    assert "quick.txt" in place.git("ls-tree", "--name-only", made["branch"])
    assert _show(place, quick)["promoted_task_id"] == made["id"]
    other = place.orange("quick", "promote", empty, "--json").json["task"]
    assert other["branch"] is None
    place.orange("task", "cancel", other["id"])
    place.orange("daemon", "resume")
    place.until(lambda: place.task(made["id"])["status"] == "done", "the promoted task to be done")
    assert "quick.txt" in place.git("ls-tree", "--name-only", "refs/orange/base/main")


def test_it_promotes_itself_where_that_was_asked_for(place: Place) -> None:
    """Once it is completed."""
    place.start()
    quick = _ask(place, "write quick.txt", "--promote")
    task = _over(place, quick)["promoted_task_id"]
    place.until(lambda: place.task(task)["status"] == "done", "its task to be done")


@pytest.mark.parametrize(
    ("script", "settings", "outcome"),
    [("write half.txt\nfail", "", "failed"), ("write half.txt\nsleep 600", "limits: {run: 1s}\n", "timeout")],
)
def test_a_failure_has_a_name_and_its_work_is_kept(place: Place, script: str, settings: str, outcome: str) -> None:
    """One that failed is not promoted."""
    configure(place, f"agent: script\nreview: {{by: none}}\n{settings}")
    place.start()
    quick = _ask(place, script)
    found = _over(place, quick)
    assert (found["status"], found["outcome"]) == ("failed", outcome)
    assert found["error"]
    assert "half.txt" in place.git("ls-tree", "--name-only", found["rescue"])
    assert "only a completed one" in place.orange("quick", "promote", quick, fails=True).err
    assert place.statuses() == {}


def test_it_outlives_the_daemon_and_its_death_is_noticed(place: Place) -> None:
    """A next daemon adopts it; killed with everything it started, it has crashed, and its work is kept."""
    daemon = place.start()
    quick = _ask(place, "write half.txt\nsleep 600")
    run = place.repo / ".git/orange/runs" / f"{quick}-q1"
    place.until(lambda: "half" in _text(run / "output.log"), "its agent to be at work")
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    assert _show(place, quick)["status"] == "running"
    place.start()
    for process in _processes(f"ORANGE_RUN={quick}-q1"):
        os.kill(process, signal.SIGKILL)
    found = _over(place, quick)
    assert (found["status"], found["outcome"]) == ("failed", "crashed")
    assert "half.txt" in place.git("ls-tree", "--name-only", found["rescue"])


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _processes(mark: str) -> list[int]:
    """List the processes that were started with this in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_it_waits_for_a_slot_like_any_agent(place: Place) -> None:
    """And a task waits while it has the only one."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {per_project: 1}\n")
    place.create("long", "sleep 600")
    place.start()
    place.settled({"long": "working"})
    quick = _ask(place, "sleep 600")
    place.create("next", "sleep 600")
    assert (_show(place, quick)["status"], _show(place, quick)["waiting"]) == ("queued", "no agent slot is free")
    place.orange("task", "cancel", "long")
    place.until(lambda: _show(place, quick)["status"] == "running", "its turn to come")
    assert [line["code"] for line in place.why("next")] == ["slot"]


def test_what_cannot_be_asked_for_is_refused_with_a_sentence(place: Place) -> None:
    """Without a daemon; a secret; nothing at all; what is not there; by an agent."""
    assert "orange daemon start" in place.orange("quick", "run", "hello", fails=True).err
    assert place.orange("quick", "list", "--json").json == {"quick_runs": []}
    token = "ghp_" + "a1B2" * 9
    assert "secret" in place.orange("quick", "run", f"use {token}", fails=True).err
    assert "say what" in place.orange("quick", "run", " ", fails=True).err
    assert "is none" in place.orange("quick", "show", "zzzzzzzz", fails=True).err
    place.create("sly", "run orange quick run hello || echo refused > refused.txt")
    place.start()
    place.settled({"sly": "done"})
    assert "refused.txt" in place.git("ls-tree", "--name-only", "refs/orange/base/main")
    missing = place.orange("quick", "run", "hello", "--agent", "nobody", "--json").json["quick_run"]["id"]
    assert _over(place, missing)["outcome"] == "agent_missing"


def test_one_that_cannot_be_started_has_failed_and_says_why(place: Place) -> None:
    """What had been made of its workspace is given back."""
    configure(place, "agent: script\nworkspaces: {hooks: {after_create: exit 3}}\n")
    place.start()
    found = _over(place, _ask(place, "write quick.txt"))
    assert (found["status"], found["outcome"]) == ("failed", None)
    assert "after_create" in found["error"]


def test_it_counts_for_the_day_and_waits_while_nothing_may_start(place: Place) -> None:
    """A day that is used up, and a pause, are named."""
    configure(place, "agent: script\nreview: {by: none}\nbudget: {per_day: {minutes: 0.01}}\n")
    place.start()
    _over(place, _ask(place, "sleep 1"))
    quick = _ask(place, "write late.txt")
    assert "this day" in _show(place, quick)["waiting"]
    task = place.create("late", "write late.txt")
    place.until(lambda: [line["code"] for line in place.why(task)] == ["budget"], "the day to be named")
    place.orange("daemon", "pause", "--reason", "lunch")
    configure(place, "agent: script\nreview: {by: none}\n")
    assert "lunch" in _show(place, quick)["waiting"]
    assert _show(place, quick)["status"] == "queued"
    place.orange("daemon", "resume")
    assert _over(place, quick)["status"] == "completed"
