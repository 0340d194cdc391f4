"""Budgets: work that has used its own up is stopped within seconds, and goes on where it was once there is more."""

from __future__ import annotations

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

SETTINGS = """agent: command
review: {by: none}
agents:
  command: {run: 'echo kept > work.txt; test -e go-on || sleep 600; echo done > end.txt'}
"""


def test_work_without_a_budget_is_stopped_explained_and_goes_on_with_more(place: Place) -> None:
    """Its changes are kept, its figures shown; with a raised budget the same task comes to its end."""
    configure(place, SETTINGS + "budget: {minutes: 0.02}\n")
    task = place.create("thinker")
    place.start()
    place.settled({"thinker": "stuck"})
    found = place.task(task)
    assert found["stuck"]["reason"] == "budget"
    assert "its budget is used up" in found["stuck"]["message"]
    assert found["spent"]["minutes"] >= 0.02
    assert "of 0.02" in place.orange("task", "why", task).out
    place.until(lambda: "work.txt" in place.git("ls-tree", "--name-only", found["branch"]), "its changes to be kept")
    place.until(lambda: place.task(task)["run"] is None, "its run to be over")
    place.orange("task", "retry", task)
    assert [line["code"] for line in place.why(task)] == ["budget"]
    workspace = place.orange("task", "show", task, "--json").json["task"]["workspace"]
    with open(f"{workspace}/go-on", "w", encoding="utf-8"):
        pass
    place.orange("config", "set", "budget.minutes", "10")
    place.settled({"thinker": "done"})
    assert "end.txt" in place.git("ls-tree", "--name-only", "refs/orange/base/main")


def test_a_day_that_is_used_up_holds_everything_back(place: Place) -> None:
    """What works is stopped, what is ready waits; both say why."""
    configure(place, SETTINGS + "budget: {per_day: {minutes: 0.02}}\nlimits: {per_project: 1}\n")
    first, then = place.create("first"), place.create("then")
    place.start()
    place.until(lambda: "stuck" in place.statuses().values(), "the one at work to be stopped")
    place.until(lambda: set(place.statuses().values()) == {"stuck", "pending"}, "the other to be held back")
    waits = next(task for task in (first, then) if place.task(task)["status"] == "pending")
    place.until(lambda: [line["code"] for line in place.why(waits)] == ["budget"], "the day to be named")
    assert "this day" in place.why(waits)[0]["message"]
