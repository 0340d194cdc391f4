"""Rules on finished work, end to end: a person is asked where one is needed, whatever `review.by` says."""

from __future__ import annotations

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

BASE = "refs/orange/base/main"


def test_a_path_that_always_needs_a_person_waits_for_one(place: Place) -> None:
    """With review off only what touches such a path is reviewed; `why` names it, and an approval merges it."""
    configure(place, "agent: script\nreview: {by: none, require_approval_for: ['migrations/**']}\n")
    table = place.create("table", "write migrations/1.sql x\ncommit Add a table")
    place.create("page", "write page.txt x\ncommit Add a page")
    place.start()
    place.settled({"page": "done", "table": "reviewing"})
    (why,) = place.why(table)
    assert why["code"] == "review"
    assert "review.require_approval_for says require human: it touches migrations/1.sql" in why["message"]
    assert "migrations/1.sql" not in place.git("ls-tree", "-r", "--name-only", BASE)
    place.orange("task", "approve", table)
    place.settled({"table": "done"})
    assert place.git("show", f"{BASE}:migrations/1.sql") == "x"


def test_what_a_rule_rejects_goes_back_to_its_agent(place: Place) -> None:
    """The reason is in the next attempt's prompt; what then fits is merged."""
    configure(place, "agent: script\nreview: {by: none}\nrules: [{name: narrow, then: reject, files: 1}]\n")
    script = "attempt 1: write b.txt x\nattempt 2: run rm b.txt\nwrite a.txt x\ncommit Do it"
    task = place.create("page", script)
    place.start()
    place.settled({"page": "done"})
    prompt = place.repo / ".git" / "orange" / "runs" / f"{task}-2" / "prompt.md"
    assert "the rule narrow says reject: 2 files changed, more than 1" in prompt.read_text()
    assert {"a.txt"} == set(place.git("ls-tree", "--name-only", BASE).splitlines()) - {"README.md"}


def test_what_a_rule_escalates_needs_someone_now(place: Place) -> None:
    """The task is stuck with the rule and its evidence; approved, it goes on."""
    configure(place, "agent: script\nreview: {by: none}\nrules: [{name: big, then: escalate, lines: 2}]\n")
    task = place.create("page", 'run printf "1\\n2\\n3\\n" > page.txt\ncommit Write the page')
    place.start()
    place.settled({"page": "stuck"})
    (why,) = place.why(task)
    assert (why["code"], why["message"]) == ("approval", "the rule big says escalate: 3 lines changed, more than 2")
    assert why["remedy"] == f"orange task approve {task}, or orange task reject {task} --feedback TEXT"
    place.orange("task", "approve", task)
    place.settled({"page": "done"})


def test_work_that_lowers_coverage_goes_back_to_its_agent(place: Place) -> None:
    """What was merged last is what it is held against, and that grows with the merges."""
    rules = "rules: [{name: untested, coverage_drop: 1, then: reject}]\n"
    checks = "checks: [{name: cov, kind: coverage, run: 'echo \"coverage: $(cat figure)%\"'}]\n"
    configure(place, f"agent: script\nreview: {{by: none}}\n{rules}{checks}")
    first = place.create("first", "write figure 80\ncommit First")
    script = "attempt 1: write figure 78\nattempt 2: write figure 79\ncommit Second"
    second = place.create("second", script, "--blocked-by", first)
    place.start()
    place.settled({"first": "done", "second": "done"})
    assert place.task(first)["attempts"] == 0
    assert place.task(second)["attempts"] == 1
    prompt = place.repo / ".git" / "orange" / "runs" / f"{second}-2" / "prompt.md"
    assert "coverage is 2 points lower than what was merged last, more than 1" in prompt.read_text()
