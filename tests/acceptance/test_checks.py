"""The project's checks, end to end: on an agent's work, and back to the agent."""

from __future__ import annotations

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

SETTINGS = "agent: script\nreview: {by: none}\n"


def check(run: str, name: str = "tests", **more: object) -> str:
    """Write the setting of one check, whose command is a block of its own."""
    rest = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return f"  - name: {name}\n{rest}    run: |\n      {run}\n"


def test_a_failing_check_goes_back_to_the_agent_whose_next_attempt_mends_it(place: Place) -> None:
    """The evidence is in the next attempt's prompt at once; once all checks pass the work is merged."""
    configure(place, f"{SETTINGS}checks:\n{check('echo looking at the page; grep -q right page.txt')}")
    script = "attempt 1: write page.txt wrong\nattempt 2: write page.txt right\ncommit Write the page"
    task = place.create("page", script)
    place.start()
    place.settled({"page": "done"})
    shown = place.task(task)
    assert shown["attempts"] == 1
    (work,) = [found for found in shown["checks"] if found["on"] == "work"]
    assert (work["passed"], work["run"]) == (True, f"{task}-2")
    assert work["commit"] == place.git("rev-parse", shown["branch"])
    prompt = place.repo / ".git" / "orange" / "runs" / f"{task}-2" / "prompt.md"
    assert "looking at the page" in prompt.read_text()
    assert "exit code 1" in prompt.read_text()
    assert place.git("show", "refs/orange/base/main:page.txt").strip() == "right"
    assert "tests: passed (exit code 0)" in place.orange("task", "show", task).out
    assert place.orange("task", "review", task, "--json").json["checks"] == shown["checks"]


def test_a_task_whose_checks_never_pass_is_stuck_with_the_evidence(place: Place) -> None:
    """After `limits.attempts` it needs someone; the base never moved, and `why` says what did not pass."""
    configure(place, f"{SETTINGS}limits: {{attempts: 2}}\nchecks:\n{check('echo the wall is red; exit 3')}")
    task = place.create("wall", "append wall.txt red\ncommit Paint")
    base = place.git("rev-parse", "main")
    place.start()
    place.settled({"wall": "stuck"})
    (why,) = place.why(task)
    assert why["code"] == "checks_failed"
    assert "the check tests did not pass: exit code 3" in why["message"]
    assert why["evidence"].endswith("error.md")
    assert "the wall is red" in place.orange("task", "show", task).out
    assert place.git("rev-parse", "refs/orange/base/main") == base


def test_where_checks_are_required_nobody_is_done_without(place: Place) -> None:
    """A person's own work is checked on its way into the base; what nothing checked stays, and `why` says so."""
    configure(place, f"{SETTINGS}checks_required: true\n")
    nothing = place.create("nothing", "say there is nothing to do")
    place.start()
    place.settled({"nothing": "reviewed"})
    (why,) = place.why(nothing)
    assert (why["code"], why["evidence"]) == ("checks_required", "checks")
    configure(place, f"{SETTINGS}checks_required: true\nchecks:\n{check('test -e page.txt')}")
    task = place.create("page", "", "--assignee", "human")
    workspace = place.orange("task", "take", task, "--json").json["task"]["workspace"]
    with open(f"{workspace}/page.txt", "w", encoding="utf-8") as file:
        file.write("x\n")
    place.orange("task", "finish", task)
    place.settled({"page": "done"})
    assert place.git("show", "refs/orange/base/main:page.txt") == "x"
    assert place.statuses()["nothing"] == "reviewed"
    assert "none passed" in place.why(nothing)[0]["message"]
    refused = place.orange("task", "update", nothing, "--status", "done", fails=True)
    assert "cannot go from reviewed to done" in refused.err
