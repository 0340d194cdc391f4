"""Seed 001's edge cases and validations, and the failures of the originals, with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import configure, fresh_home
from tests.acceptance.place import Place


def test_a_cancelled_child_leaves_its_parent_delegated(place: Place) -> None:
    """Child cancelled: the parent stays delegated, and `why` names the child."""
    parent = place.create("parent")
    child = place.create("child", "", "--parent", parent, "--backlog")
    place.orange("task", "update", parent, "--status", "delegated")
    place.orange("task", "cancel", child)
    place.start()
    place.until(lambda: any(line["code"] == "children" for line in place.why(parent)), "the reason to be named")
    assert place.task(parent)["status"] == "delegated"
    assert any(child in str(line) for line in place.why(parent))


def test_a_failed_child_leaves_its_parent_delegated(place: Place) -> None:
    """Child failed for good: it is stuck with its evidence, and the parent waits for a person."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    parent = place.create("parent", 'create child "Child" <<\n  ```script\n  fail 3 no luck\n  ```\n>>\ndelegate')
    place.start()
    place.settled({"parent": "delegated", "child": "stuck"})
    child = place.task("child")
    assert child["stuck"]["reason"] == "failed"
    assert Path(child["stuck"]["evidence"]).read_text()
    assert any("child" in str(line["message"]) or child["id"] in str(line) for line in place.why(parent))


def test_children_of_a_removed_parent_go_on(place: Place) -> None:
    """Parent deleted: its children continue on their own."""
    parent = place.create("parent", "", "--backlog")
    place.create("child", "write child.txt x\ncommit Child", "--parent", parent)
    place.orange("task", "remove", parent)
    place.start()
    place.settled({"child": "done"})
    assert place.task("child")["parent"] is None


def test_ready_tasks_wait_for_a_slot(place: Place) -> None:
    """Pool exhausted: what is ready waits, says so, and runs when a slot is free."""
    (place.home / "config" / "orange").mkdir(parents=True)
    (place.home / "config" / "orange" / "config.yaml").write_text("limits: {max_agents: 1}\n")
    gate = place.home / "gate"
    place.create(
        "first", f"run while [ ! -e {gate} ]; do sleep 0.05; done\nwrite a.txt a\ncommit A", "--priority", "high"
    )
    second = place.create("second", "write b.txt b\ncommit B")
    place.start()
    place.settled({"first": "working"})
    place.until(lambda: any(line["code"] == "slot" for line in place.why(second)), "the second to wait for a slot")
    gate.touch()
    place.settled({"first": "done", "second": "done"})


def test_a_circular_dependency_is_refused_at_once(place: Place) -> None:
    """Circular dependency: an error that names the cycle; nothing changes."""
    first = place.create("first")
    second = place.create("second", "", "--blocked-by", first)
    answer = place.orange("task", "update", first, "--blocked-by", second, "--json", fails=True)
    assert answer.status == 1
    assert answer.json["error"]["code"] == "dependency_cycle"
    assert first in answer.json["error"]["message"]
    assert place.task(first)["blocked_by"] == []
    own = place.orange("task", "update", first, "--blocked-by", first, "--json", fails=True)
    assert own.json["error"]["code"] == "dependency_cycle"


def test_a_blocker_must_exist_in_the_same_project(place: Place, tmp_path: Path) -> None:
    """Cross-project and missing blockers: an error when the task is created; no file is left behind."""
    with fresh_home() as home:
        other = Place(tmp_path / "other", home)
        other.repo.mkdir()
        other.git("init", "-q")
        other.git("commit", "-q", "--allow-empty", "-m", "Begin")
        other.orange("init")
        foreign = other.create("elsewhere")
    for address in (foreign, "zzzzzzzz"):
        answer = place.orange("task", "create", "here", "--blocked-by", address, "--json", fails=True)
        assert answer.status == 1
        assert address in answer.json["error"]["message"]
    assert place.statuses() == {}


def test_a_blockers_edge_stays_and_done_is_not_settable(place: Place) -> None:
    """Rows 7 and 8 of the originals' failures: edges are never erased, and no one writes `done` by hand."""
    first = place.create("first", "write a.txt a\ncommit A")
    second = place.create("second", "write b.txt b\ncommit B", "--blocked-by", first)
    refused = place.orange("task", "update", first, "--status", "done", "--json", fails=True)
    assert refused.json["error"]["code"] == "illegal_transition"
    place.start()
    place.settled({"first": "done", "second": "done"})
    assert place.task(second)["blocked_by"] == [first]


def test_a_cancelled_blocker_does_not_unblock(place: Place) -> None:
    """Row 9: the dependant of a cancelled blocker waits, says why, and names what would unblock it."""
    first = place.create("first")
    second = place.create("second", "write b.txt b\ncommit B", "--blocked-by", first)
    place.orange("task", "cancel", first)
    waiting = place.why(second)
    assert [line["code"] for line in waiting if line["code"].startswith("blocker")] == ["blocker_cancelled"]
    place.orange("task", "update", second, "--unblock", first)
    place.start()
    place.settled({"second": "done"})


def test_cancelling_a_run_stays_cancelled_and_keeps_its_work(place: Place) -> None:
    """Row 13: a task cancelled in the middle of its run stays cancelled; what it wrote is on its branch."""
    task = place.create("long", "leave half.txt work\nsay ready\nhang")
    place.start()
    place.settled({"long": "working"})
    place.until(lambda: "ready" in place.orange("task", "log", task).out, "the agent to be at work")
    place.orange("task", "cancel", task)
    found = place.task(task)
    place.until(lambda: "half.txt" in place.git("ls-tree", "--name-only", found["branch"]), "its work to be saved")
    place.until(lambda: not place.sessions(), "its session to end")
    place.create("next", "say hello")
    place.settled({"next": "done"})  # the daemon has looked since
    assert place.task(task)["status"] == "cancelled"


def test_a_long_run_never_blocks_a_command(place: Place) -> None:
    """Row 14: while an agent is at work everything is answered; the agent waits for the last of the answers."""
    gate = place.home / "gate"
    task = place.create("long", f"say ready\nrun while [ ! -e {gate} ]; do sleep 0.05; done\nwrite a.txt a\ncommit A")
    place.orange("task", "run", task)
    place.start()
    place.until(lambda: "ready" in place.orange("task", "log", task).out, "the agent to be at work")
    for words in ("status", "daemon status", "task list --all", f"task show {task}", f"task why {task}",
                  f"task events {task}", "forecast", "agents", "workspace list", "config show", "doctor"):  # fmt: skip
        assert place.orange(*words.split()).out
    place.orange("task", "update", task, "--title", "Long")
    other = place.create("other", "write b.txt b\ncommit B")
    place.settled({"other": "done"})
    assert place.task(other)["merged"]
    assert place.task(task)["status"] == "working"
    gate.touch()
    place.settled({"long": "done"})


def test_backlog_is_not_ready(place: Place) -> None:
    """Row 6: `--ready` shows what may start, not what is only captured."""
    place.create("later", "", "--backlog")
    now = place.create("now")
    listed = place.orange("task", "list", "--ready", "--json").json["tasks"]
    assert [task["id"] for task in listed] == [now]


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        ("approve", "approve"),
        ("reject --feedback no", "reject"),
        ("finish", "finish"),
        ("merge", "merge"),
        ("rollback", "rollback"),
        ("reopen", "reopen"),
        ("retry", "retry"),
        ("release", "release"),
        ("update --status done", "edit"),
        ("update --status reviewed", "edit"),
        ("update --status reviewing", "edit"),
    ],
)
def test_agents_cannot_do_what_is_for_people(place: Place, command: str, refused: str) -> None:
    """Rows 8 and 20: an agent that tries to pass its own gate is refused, and that it tried is in the audit trail.

    Who speaks is told by the process tree, not by a variable.
    """
    verb, _, flags = command.partition(" ")
    sly = f"env -u ORANGE_RUN -u ORANGE_TASK orange task {verb} $ORANGE_TASK {flags}"
    task = place.create("sly", f"run {sly} > answer.txt 2>&1; echo $? >> answer.txt")
    place.start()
    place.settled({"sly": "done"})
    told = place.git("show", f"{place.task(task)['branch']}:answer.txt")
    assert "agent" in told
    assert told.splitlines()[-1] == "1"
    events = place.orange("task", "events", task, "--json").json["events"]
    (tried,) = [event for event in events if "refused" in event["data"]]
    assert (tried["by"], tried["data"]["refused"]) == (f"agent:{task}-1", refused)
    assert tried["data"]["reason"] in told
    assert [event["by"] for event in events if event["data"].get("status") == "done"] == ["daemon"]


def test_no_command_of_a_persons_passes_a_gate(place: Place) -> None:
    """Row 20: status, finish and merge move a task no further than its review lets them."""
    configure(place, "agent: script\n")
    fresh = place.create("fresh", "", "--backlog")
    task = place.create("page", "write page.txt x\ncommit Page")
    place.start()
    place.settled({"page": "reviewing"})
    moves = ("update {} --status done", "update {} --status reviewed", "finish {}", "merge {}")
    asked = [move.format(found) for found in (fresh, task) for move in moves]
    for words in (*asked, f"approve {fresh}"):
        answer = place.orange("task", *words.split(), "--json", fails=True)
        assert answer.status == 1, words
        assert answer.json["error"]["message"], words
    assert place.statuses() == {"fresh": "backlog", "page": "reviewing"}
    assert "page.txt" not in place.git("ls-tree", "--name-only", "refs/orange/base/main").split()


def test_a_person_who_is_refused_leaves_no_trace(place: Place) -> None:
    """What somebody mistyped is told to them and to nobody else."""
    task = place.create("page")
    before = place.orange("task", "events", task, "--json").json["events"]
    place.orange("task", "approve", task, fails=True)
    assert place.orange("task", "events", task, "--json").json["events"] == before
