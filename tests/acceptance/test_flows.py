"""Seed 001's two flows, end to end, with real processes."""

from __future__ import annotations

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def events(place: Place, task: str, kind: str) -> list[dict[str, object]]:
    """Return a task's events of one kind."""
    return [event for event in place.orange("task", "events", task, "--json").json["events"] if event["type"] == kind]


def test_a_chain_of_tasks_runs_in_order_each_seeing_the_last_ones_commit(place: Place) -> None:
    """Flow 1: db, api and ui run one after the other; each finds the previous one's file in its workspace."""
    db = place.create("oauth-db", "write db.txt schema\ncommit Add the schema")
    api = place.create(
        "oauth-api", "require db.txt\nwrite api.txt endpoints\ncommit Add the endpoints", "--blocked-by", db
    )
    ui = place.create(
        "oauth-ui", "require db.txt\nrequire api.txt\nwrite ui.txt button\ncommit Add the button", "--blocked-by", api
    )
    listed = place.orange("task", "list", "--ready", "--json").json["tasks"]
    assert [task["id"] for task in listed] == [db]
    place.start()
    place.settled({"oauth-db": "done", "oauth-api": "done", "oauth-ui": "done"})
    integrated = place.git("ls-tree", "--name-only", "refs/orange/base/main").splitlines()
    assert {"db.txt", "api.txt", "ui.txt"} <= set(integrated)
    order = [events(place, task, "task.claimed")[0]["at"] for task in (db, api, ui)]
    assert order == sorted(str(at) for at in order)


def test_a_parent_that_delegates_is_done_when_its_children_are(place: Place) -> None:
    """Flow 2: an agent makes three children in its workspace and delegates; the parent closes by itself."""
    script = """write plan.txt three parts
commit Plan
create oauth-db "schema"
create oauth-api "endpoints"
create oauth-ui "button"
delegate"""
    parent = place.create("add-oauth", script)
    place.start()
    place.until(lambda: place.task(parent)["status"] == "delegated", "the parent to delegate")
    task = place.task(parent)
    assert len(task["children"]) == 3
    assert all(place.task(child)["parent"] == parent for child in task["children"])
    branch = task["branch"]
    assert "plan.txt" in place.git("ls-tree", "--name-only", branch)
    place.settled({"add-oauth": "done", "oauth-db": "done", "oauth-api": "done", "oauth-ui": "done"})
    assert place.task(parent)["progress"] == {"done": 3, "total": 3}
    assert "plan.txt" in place.git("ls-tree", "--name-only", "refs/orange/base/main")


def test_with_human_review_a_parent_waits_for_approval(place: Place) -> None:
    """A parent with commits of its own stops in reviewing, and `why` names the command."""
    configure(place, "agent: script\n")
    parent = place.create("big", 'write own.txt x\ncommit Own\ncreate small "Small part"\ndelegate')
    place.start()
    place.settled({"big": "delegated", "small": "reviewing"})
    place.orange("task", "approve", "small")
    place.settled({"big": "reviewing", "small": "done"})
    assert any("orange task approve" in str(line["remedy"]) for line in place.why(parent))
    place.orange("task", "approve", "big")
    place.settled({"big": "done"})
    assert place.task(parent)["merged"]["base"] == "main"


def test_feedback_reaches_the_same_task_and_approval_follows(place: Place) -> None:
    """Requested changes start a new run on the same branch, with the feedback in its prompt."""
    configure(place, "agent: script\n")
    task = place.create("page", "attempt 1: append page.txt hello\nappend page.txt again\ncommit Write the page")
    place.start()
    place.settled({"page": "reviewing"})
    place.orange("task", "reject", task, "--feedback", "say it again")
    place.until(lambda: place.task(task)["claim"]["epoch"] == 2, "a second claim")
    place.settled({"page": "reviewing"})
    place.orange("task", "approve", task)
    place.settled({"page": "done"})
    assert "say it again" in place.task(task)["body"]


def test_delegation_nests(place: Place) -> None:
    """A child may delegate further; every level closes by itself, from the inside out."""
    script = 'create middle "Middle" <<\n  ```script\n  create leaf "Leaf"\n  delegate\n  ```\n>>\ndelegate'
    place.create("top", script)
    place.start()
    place.settled({"top": "done", "middle": "done", "leaf": "done"})
