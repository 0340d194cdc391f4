"""The merge queue with checks, end to end: a base only ever moves to what passed them, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.acceptance.test_checks import SETTINGS, check

BASE = "refs/orange/base/main"
#: Passes with either file, and with both only where a third one says how they go together.
TOGETHER = "test -e both.txt || ! test -e a.txt || ! test -e b.txt || { echo a and b do not go together; exit 1; }"


def wait_for(path: Path) -> str:
    """Write a shell command that waits for a file."""
    return f"while [ ! -e {path} ]; do sleep 0.05; done"


def at_the_merge(command: str) -> str:
    """Write a shell command that does something only where a merge is checked."""
    return f'case "$ORANGE_WORKSPACE" in */.check-*) {command};; esac'


def being_checked(place: Place, task: str) -> dict[str, Any] | None:
    """Return what `task why` says of a task whose merge is being checked."""
    return next((line for line in place.why(task) if line["code"] == "checking"), None)


def files(place: Place, ref: str) -> set[str]:
    """Return the names of a commit's files."""
    return set(place.git("ls-tree", "--name-only", ref).splitlines())


def check_folders(place: Place) -> list[Path]:
    """Return the workspaces in which merges are checked."""
    return sorted(Path(f"{place.repo}.workspaces").glob(".check-*"))


def pair(place: Place, *more: str) -> tuple[str, str]:
    """Have two tasks worked on at once, each fine alone and both cut from the same base."""
    gate = place.home / "both-started"
    lines = ("\n".join((f"run {wait_for(gate)}", f"write {name}.txt x", *more, "commit Write it")) for name in "ab")
    first, second = (place.create(name, script) for name, script in zip("ab", lines, strict=True))
    place.start()
    place.settled({"a": "working", "b": "working"})
    gate.touch()
    return first, second


def test_two_tasks_that_break_together_are_merged_only_once_that_is_mended(place: Place) -> None:
    """The second merge fails its checks: the base stays, its agent is told why, mends it, and that is merged."""
    configure(place, f"{SETTINGS}checks:\n{check(TOGETHER)}")
    tasks = pair(place, "attempt 2: write both.txt x")
    place.settled({"a": "done", "b": "done"})
    assert {"a.txt", "b.txt", "both.txt"} <= files(place, BASE)
    for commit in place.git("log", "--first-parent", "--format=%H", BASE).splitlines():
        assert files(place, commit) & {"a.txt", "b.txt"} != {"a.txt", "b.txt"} or "both.txt" in files(place, commit)
    (late,) = [task for task in map(place.task, tasks) if task["attempts"]]
    prompt = place.repo / ".git" / "orange" / "runs" / f"{late['id']}-2" / "prompt.md"
    assert "a and b do not go together" in prompt.read_text()
    assert [(found["on"], found["passed"]) for found in late["checks"]] == [("work", True), ("merge", True)]
    assert late["checks"][1]["commit"] == late["merged"]["commit"]
    outcomes = [e["data"]["outcome"] for e in place.orange("task", "events", late["id"], "--json").json["events"]
                if e["type"] == "task.publish_result"]  # fmt: skip
    assert outcomes == ["checks_failed", "merged"]
    place.until(lambda: not check_folders(place), "the workspace of the checks to be gone")


def test_a_merge_that_is_never_mended_leaves_the_base_and_needs_someone(place: Place) -> None:
    """Within the limits the agent is asked; then the task is stuck with the evidence. The other one stays merged."""
    configure(place, f"{SETTINGS}limits: {{attempts: 2}}\nchecks:\n{check(TOGETHER)}")
    tasks = pair(place, "append x.txt more")
    place.until(lambda: sorted(place.statuses().values()) == ["done", "stuck"], "one to be stuck")
    (stuck,) = [task for task in map(place.task, tasks) if task["status"] == "stuck"]
    (why,) = place.why(stuck["id"])
    assert why["code"] == "checks_failed"
    assert "the check tests did not pass: exit code 1" in why["message"]
    assert "a and b do not go together" in place.orange("task", "show", stuck["id"]).out
    assert len(files(place, BASE) & {"a.txt", "b.txt"}) == 1


def test_a_queue_says_its_places_and_holds_no_slot(place: Place) -> None:
    """While one merge is checked the next says its place and since when; an agent works on something else meanwhile."""
    gate = place.home / "checked"
    (place.home / "config" / "orange").mkdir(parents=True)
    (place.home / "config" / "orange" / "config.yaml").write_text("limits: {max_agents: 1}\n")
    configure(place, f"{SETTINGS}checks:\n{check(at_the_merge(wait_for(gate)))}")
    first = place.create("first", "write first.txt x\ncommit First")
    second = place.create("second", "write second.txt x\ncommit Second", "--blocked-by", place.create("other", ""))
    place.start()
    place.until(lambda: being_checked(place, first) or being_checked(place, "other"), "a merge to be checked")
    third = place.create("third", "write third.txt x\ncommit Third")
    place.settled({"first": "reviewed", "other": "reviewed", "third": "reviewed"})
    queue = {task: place.why(task) for task in (first, "other", third)}
    assert sorted(line["code"] for lines in queue.values() for line in lines) == [
        "checking",
        "merge_queue",
        "merge_queue",
    ]
    (head,) = [task for task, lines in queue.items() if lines[0]["code"] == "checking"]
    assert "(tests)" in queue[head][0]["message"]
    assert queue[head][0]["since"]
    behind = [lines[0]["message"] for lines in queue.values() if lines[0]["code"] == "merge_queue"]
    assert {message[0] for message in behind} == {"1", "2"}
    assert all(f"is being checked since {queue[head][0]['since']}" in message for message in behind)
    gate.touch()
    place.settled({"first": "done", "other": "done", "third": "done", "second": "done"})
    assert place.task(second)["merged"]


def test_a_new_commit_while_its_merge_is_checked_voids_the_approval(place: Place) -> None:
    """What was approved and checked is not what is on the branch any more: back to review, and the base stays."""
    gate = place.home / "checked"
    configure(place, f"agent: script\nchecks:\n{check(at_the_merge(wait_for(gate)))}")
    task = place.create("page", "write page.txt x\ncommit Write the page")
    place.start()
    place.settled({"page": "reviewing"})
    base = place.git("rev-parse", BASE)
    place.orange("task", "approve", task)
    place.until(lambda: being_checked(place, task), "its merge to be checked")
    workspace = Path(place.task(task)["workspace"])
    (workspace / "late.txt").write_text("x\n")
    place.git("add", "late.txt", cwd=workspace)
    place.git("commit", "-q", "-m", "Late", cwd=workspace)
    place.settled({"page": "reviewing"})
    place.until(lambda: not check_folders(place), "the checks to be ended")
    assert place.sessions() == set()
    assert place.git("rev-parse", BASE) == base
    gate.touch()
    place.orange("task", "approve", task)
    place.settled({"page": "done"})
    assert "late.txt" in files(place, BASE)


def test_a_base_that_moves_meanwhile_has_the_merge_checked_anew(place: Place) -> None:
    """What the user commits to the base during the checks is in what is checked next, and only that is merged."""
    gate = place.home / "checked"
    seen = place.home / "seen"
    looking = at_the_merge(f"ls users.txt >> {seen} 2>&1; {wait_for(gate)}")
    configure(place, f"{SETTINGS}checks:\n{check(looking)}")
    task = place.create("page", "write page.txt x\ncommit Write the page")
    place.start()
    place.until(lambda: being_checked(place, task), "its merge to be checked")
    before = being_checked(place, task)
    (place.repo / "users.txt").write_text("x\n")
    place.git("add", "users.txt")
    place.git("commit", "-q", "-m", "The user's own")
    place.until(lambda: (being_checked(place, task) or before) != before, "it to be checked anew")
    gate.touch()
    place.settled({"page": "done"})
    assert {"users.txt", "page.txt"} <= files(place, place.task(task)["checks"][1]["commit"])
    assert seen.read_text().splitlines()[-1] == "users.txt"


def test_a_killed_daemon_leaves_no_half_state(place: Place) -> None:
    """Killed while a merge is checked, with or without the checks, it finds them or begins again; then it is merged."""
    gate = place.home / "checked"
    configure(place, f"{SETTINGS}checks:\n{check(at_the_merge(wait_for(gate)))}")
    task = place.create("page", "write page.txt x\ncommit Write the page")
    daemon = place.start()
    place.until(lambda: being_checked(place, task), "its merge to be checked")
    place.until(lambda: len(place.sessions()) == 1 and waiting_for(gate), "nothing but the check to run")
    (session,) = place.sessions()
    base = place.git("rev-parse", BASE)
    daemon.kill()
    daemon.wait()
    daemon = place.start()
    place.until(lambda: being_checked(place, task), "its merge to be checked still")
    assert place.sessions() == {session}
    daemon.kill()
    daemon.wait()
    for name in supervisors(place):
        os.kill(name, signal.SIGKILL)
    place.until(lambda: not place.sessions(), "the session to be gone")
    assert place.git("rev-parse", BASE) == base
    place.start()
    place.until(lambda: place.sessions() - {session}, "its merge to be checked again")
    place.until(lambda: len(waiting_for(gate)) == 1, "one check to run, and none of those before")
    gate.touch()
    place.settled({"page": "done"})
    assert place.task(task)["attempts"] == 0
    assert place.task(task)["merged"]["commit"] == place.git("rev-parse", BASE)
    place.until(lambda: not check_folders(place), "the workspace of the checks to be gone")
    assert waiting_for(gate) == []


def supervisors(place: Place) -> list[int]:
    """Return the process ids of the supervisors of this place's checks, by their own records."""
    records = (place.repo / ".git" / "orange" / "runs").glob("*-c*/supervisor.json")
    pids = [int(json.loads(record.read_text())["pid"]) for record in records]
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def waiting_for(gate: Path) -> list[int]:
    """Return the process ids of the checks that wait for a file."""
    wanted, found = f"! -e {gate} ]".encode(), []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if wanted in entry.read_bytes():
                found.append(int(entry.parent.name))
    return found


def test_a_single_pass_waits_for_the_checks_of_its_merges(place: Place) -> None:
    """`daemon run --once` ends when nothing more can move, and a merge that is being checked still can."""
    configure(place, f"{SETTINGS}checks:\n{check(at_the_merge('sleep 1'))}")
    first = place.create("first", "write first.txt x\ncommit First")
    place.create("second", "require first.txt\nwrite second.txt x\ncommit Second", "--blocked-by", first)
    place.orange("daemon", "run", "--once")
    assert place.statuses() == {"first": "done", "second": "done"}
    assert {"first.txt", "second.txt"} <= files(place, BASE)


def test_merging_by_hand_goes_through_the_checks(place: Place) -> None:
    """`orange task merge` puts even a task that is published otherwise into the queue; nothing passes by it."""
    configure(place, f"{SETTINGS}publish: branch\nlimits: {{attempts: 1}}\nchecks:\n{check(at_the_merge('exit 1'))}")
    task = place.create("page", "write page.txt x\ncommit Write the page")
    place.start()
    place.settled({"page": "reviewed"})
    base = place.git("rev-parse", BASE)
    place.orange("task", "merge", task)
    place.settled({"page": "stuck"})
    assert place.why(task)[0]["code"] == "checks_failed"
    assert place.git("rev-parse", BASE) == base
