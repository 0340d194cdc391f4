"""How finished work leaves its branch, seen from the command line."""

from __future__ import annotations

from typing import Any

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def test_a_forecast_names_a_conflict_before_it_happens(place: Place) -> None:
    """Two finished tasks that change one file are named with it; after one is merged, the other conflicts with main."""
    configure(place, "agent: script\n")
    one = place.create("one", "write shared.txt one\ncommit One")
    two = place.create("two", "write shared.txt two\ncommit Two")
    place.create("three", "write three.txt three\ncommit Three")
    place.start()
    place.settled({"one": "reviewing", "two": "reviewing", "three": "reviewing"})
    found = place.orange("forecast", "--json").json
    both = {one: f"one ({one})", two: f"two ({two})"}
    first, second = found["conflicts"][0]["tasks"]  # made in one second, they are ordered by their ids
    assert {first, second} == {one, two}
    assert found["conflicts"] == [{"tasks": [first, second], "base": "main", "files": ["shared.txt"]}]
    assert {branch["name"]: branch["clear"] for branch in found["branches"]} == {
        "one": False,
        "two": False,
        "three": True,
    }
    said = place.orange("forecast").out
    assert f"{both[first]} and {both[second]} conflict in shared.txt" in said
    assert "no conflict: three" in said
    place.orange("task", "approve", "one")
    place.settled({"one": "done"})
    found = place.orange("forecast", "--json").json
    assert found["conflicts"] == [{"tasks": [two], "base": "main", "files": ["shared.txt"]}]


def test_a_rolled_back_task_is_stuck_and_its_retry_brings_the_work_back(place: Place) -> None:
    """Its work leaves the base and the user's branch by one commit; the retry goes on from it and merges again."""
    task = place.create("feature", "append feature.txt x\ncommit Feature")
    place.start()
    place.settled({"feature": "done"})
    after = place.create("after", "require feature.txt\nwrite after.txt y\ncommit After", "--blocked-by", task)
    place.settled({"after": "done"})
    late = place.create("late", "require feature.txt\nwrite late.txt y\ncommit Late", "--blocked-by", task, "--backlog")
    place.orange("daemon", "pause")
    said = place.orange("task", "rollback", task).out
    found = place.task(task)
    assert found["status"] == "stuck"
    assert found["stuck"]["reason"] == "manual"
    revert = found["stuck"]["evidence"]
    assert revert[:12] in found["stuck"]["message"]
    assert revert[:12] in said
    assert place.git("rev-parse", "refs/orange/base/main") == revert
    assert place.git("log", "-1", "--format=%s", revert) == f'Revert "Merge {found["branch"]}: feature"'
    assert set(place.git("ls-tree", "--name-only", "main").split()) == {"README.md", "after.txt"}
    place.orange("task", "rollback", task, fails=True)
    place.orange("task", "update", late, "--status", "pending")
    assert [line["code"] for line in place.why(late)] == ["blocker_open", "paused"]
    place.orange("task", "retry", task)
    place.orange("daemon", "resume")
    place.settled({"feature": "done", "late": "done"})
    assert set(place.git("ls-tree", "--name-only", "refs/orange/base/main").split()) == {
        "README.md",
        "after.txt",
        "feature.txt",
        "late.txt",
    }
    assert place.git("show", "refs/orange/base/main:feature.txt") == "x\nx"
    outcomes = [event["data"]["outcome"] for event in events(place, task)]
    assert outcomes == ["merged", "rolled_back", "merged"]
    assert place.task(after)["status"] == "done"


def test_a_roll_back_that_conflicts_changes_nothing(place: Place) -> None:
    """The refusal names the files, and the task stays done."""
    one = place.create("one", "write shared.txt one\ncommit One")
    place.create("two", "write shared.txt two\ncommit Two", "--blocked-by", one)
    place.start()
    place.settled({"one": "done", "two": "done"})
    before = place.git("rev-parse", "refs/orange/base/main")
    assert "shared.txt" in place.orange("task", "rollback", one, fails=True).err
    assert place.task(one)["status"] == "done"
    assert place.git("rev-parse", "refs/orange/base/main") == before


def events(place: Place, task: str) -> list[dict[str, Any]]:
    """Return what was published of a task, oldest first."""
    listed = place.orange("task", "events", task, "--json").json["events"]
    return [event for event in listed if event["type"] == "task.publish_result"]
