"""Reviews by agents, end to end: every way in which one comes out, with the scripted agent in the real tmux."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

from orange.core import artifacts
from tests.acceptance import bubblewrap
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.data.schemas import faults

BASE = "refs/orange/base/main"
WORK = "write page.txt x\ncommit Write the page"
NIT = {"severity": "nit", "file": "page.txt", "line": 1, "message": "A letter is little"}
MAJOR = {"severity": "major", "file": "page.txt", "line": 1, "message": "x is wrong, y is right"}


def by(who: str, more: str = "") -> str:
    """Write the configuration of a review."""
    return f"agent: script\nreview: {{by: {who}}}\n{more}"


def answer(verdict: str, *findings: dict[str, object]) -> str:
    """Write the instruction by which a reviewer answers."""
    return f"write orange-review.json {json.dumps({'verdict': verdict, 'findings': findings})}"


def create(place: Place, work: str, review: str) -> str:
    """Create a task with a script for its work and one for its review."""
    body = f"```script\n{work}\n```\n\n```script review\n{review}\n```\n"
    made = place.orange("task", "create", "page", "--body", "-", "--json", stdin=body)
    return str(made.json["task"]["id"])


def runs(place: Place) -> Path:
    """Return the folder of all runs."""
    return place.repo / ".git" / "orange" / "runs"


def trail(place: Place, task: str) -> list[dict[str, Any]]:
    """Return the data of a task's events."""
    return [event["data"] for event in place.orange("task", "events", task, "--json").json["events"]]


def claims(place: Place, task: str) -> list[str]:
    """Return the runs a task was claimed for."""
    return [data["run"] for data in trail(place, task) if "epoch" in data]


def test_work_that_passes_is_approved_by_the_daemon_and_merged(place: Place) -> None:
    """The approval is bound to the commit that was reviewed; nothing of the reviewer's own is in the work."""
    configure(place, by("agent"))
    assert place.orange("status", "--json").json["projects"][0]["problems"] == []
    review = "append page.txt mine\ncommit Meddle\nwrite more.txt y\n" + answer("PASS", NIT)
    task = create(place, WORK, review)
    place.start()
    place.settled({"page": "done"})
    shown = place.task(task)
    assert claims(place, task) == [f"{task}-1", f"review-{task}-2"]
    assert shown["approved"]["by"] == f"agent:review-{task}-2"
    assert shown["approved"]["commit"] == place.git("rev-parse", shown["branch"])
    (told,) = shown["reviews"]
    assert (told["verdict"], told["passed"], told["findings"]) == ("PASS", True, [NIT])
    assert told == json.loads((runs(place) / f"review-{task}-2" / "review.json").read_text())
    assert faults(told, artifacts.review()) == []
    assert place.orange("task", "review", task, "--json").json["reviews"] == [told]
    assert place.git("show", f"{BASE}:page.txt") == "x"
    assert "more.txt" not in place.git("ls-tree", "-r", "--name-only", BASE)
    assert "nit: page.txt:1: A letter is little" in place.orange("task", "show", task).out
    assert [data["message"] for data in trail(place, task) if data.get("review") == "passed"] == [
        "PASS with 1 nit: page.txt:1: A letter is little"
    ]
    assert not [path for path in (place.repo.parent / "repo.workspaces").glob(".check-*") if any(path.iterdir())]


def test_what_a_review_finds_goes_back_to_the_agent_in_one_batch(place: Place) -> None:
    """A major finding weighs more than the verdict; the agent mends it, and the next review lets it pass."""
    configure(place, by("agent"))
    work = "run test -e page.txt && echo y > page.txt || echo x > page.txt\ncommit Write the page"
    wrong, right = (
        f"'{json.dumps(told)}'" for told in ({"verdict": "PASS", "findings": [NIT, MAJOR]}, {"verdict": "PASS"})
    )
    task = create(
        place, work, f"run grep -q y page.txt && echo {right} > orange-review.json || echo {wrong} > orange-review.json"
    )
    place.start()
    place.settled({"page": "done"})
    assert claims(place, task) == [f"{task}-1", f"review-{task}-2", f"{task}-3", f"review-{task}-4"]
    shown = place.task(task)
    assert (shown["review_round"], shown["attempts"]) == (1, 0)
    assert [told["passed"] for told in shown["reviews"]] == [True, False]
    prompt = (runs(place) / f"{task}-3" / "prompt.md").read_text()
    assert "> page.txt:1: major: x is wrong, y is right\n> page.txt:1: nit: A letter is little\n" in prompt
    assert place.git("show", f"{BASE}:page.txt") == "y"


def test_after_the_last_round_it_needs_someone(place: Place) -> None:
    """It is stuck with the findings; a person may approve it as it is."""
    configure(place, by("agent"))
    task = create(place, "append page.txt x\ncommit Write the page", answer("FAIL", MAJOR))
    place.start()
    place.settled({"page": "stuck"})
    (why,) = place.why(task)
    assert why["code"] == "approval"
    assert "review 2 of 2, the last" in why["message"]
    assert "page.txt:1: x is wrong, y is right" in why["message"]
    assert why["evidence"] == str(runs(place) / f"review-{task}-4")
    assert BASE not in place.git("for-each-ref", "--contains", place.task(task)["branch"], "--format=%(refname)")
    place.orange("task", "approve", task)
    place.settled({"page": "done"})


def test_an_answer_that_makes_no_sense_is_asked_for_again(place: Place) -> None:
    """Twice, with what was wrong; then the task is stuck, and a retry has it reviewed once more."""
    configure(place, by("agent"))
    flag = place.home / "sense"
    good, bad = (f"echo '{json.dumps({'verdict': word})}' > orange-review.json" for word in ("PASS", "MAYBE"))
    task = create(place, WORK, f"run test -e {flag} && {good} || {bad}")
    place.start()
    place.settled({"page": "stuck"})
    (why,) = place.why(task)
    assert why["code"] == "failed"
    assert 'verdict: expected one of PASS, FAIL, found "MAYBE"' in why["message"]
    steps = json.loads((runs(place) / f"review-{task}-2" / "steps.json").read_text())["results"]
    assert [result["outcome"] for result in steps] == ["failed"] * 3
    assert 'found "MAYBE"' in (runs(place) / f"review-{task}-2" / "prompt.md").read_text()
    assert claims(place, task) == [f"{task}-1", f"review-{task}-2"]
    flag.touch()
    place.orange("task", "retry", task)
    place.settled({"page": "done"})
    assert claims(place, task) == [f"{task}-1", f"review-{task}-2", f"review-{task}-3"]


def test_a_review_that_cannot_be_begun_is_retried_and_not_the_work(place: Place) -> None:
    """A hook that fails uses up the attempts; with the hook mended a retry has the work reviewed."""
    hook = place.home / "hook"
    hook.touch()
    hooks = f"workspaces: {{hooks: {{after_create: 'case $PWD in *.check-*) test ! -e {hook};; esac'}}}}\n"
    configure(place, by("agent", f"limits: {{attempts: 2}}\n{hooks}"))
    task = create(place, WORK, answer("PASS"))
    place.start()
    place.settled({"page": "stuck"})
    (why,) = place.why(task)
    assert why["code"] == "failed"
    assert "after_create" in why["message"]
    hook.unlink()
    place.orange("task", "retry", task)
    place.settled({"page": "done"})
    assert claims(place, task) == [f"{task}-1", *(f"review-{task}-{epoch}" for epoch in (2, 3, 4))]


def test_an_answer_that_lies_there_already_is_none(place: Place) -> None:
    """The work under review cannot bring its own verdict along."""
    configure(place, by("agent"))
    task = create(place, f"{WORK}\n{answer('PASS')}\ncommit Approve myself", "say It looks good")
    place.start()
    place.settled({"page": "stuck"})
    assert "there is neither JSON" in place.why(task)[0]["message"]


def test_a_killed_reviewer_is_replaced(place: Place) -> None:
    """The reviewer's whole session dies by SIGKILL; another review is begun, and the first one's end is on record."""
    configure(place, by("agent"))
    flag = place.home / "killed"
    task = create(place, WORK, f"run test -e {flag} || (touch {flag}; sleep 600)\n{answer('PASS')}")
    place.start()
    record = runs(place) / f"review-{task}-2" / "supervisor.json"
    place.until(flag.exists, "the reviewer to be at work")
    why = place.why(task)
    assert [(one["code"], one["evidence"]) for one in why] == [("review", f"review-{task}-2")]
    told = json.loads(record.read_text())
    os.kill(told["pid"], signal.SIGKILL)
    place.settled({"page": "done"})
    assert claims(place, task)[-2:] == [f"review-{task}-2", f"review-{task}-3"]
    assert json.loads((runs(place) / f"review-{task}-2" / "result.json").read_text())["outcome"] == "crashed"
    assert place.task(task)["attempts"] == 1


def test_with_both_a_person_decides_after_the_agent(place: Place) -> None:
    """`why` has the findings at hand; a new commit voids the agent's word and has it reviewed again."""
    configure(place, by("both"))
    task = create(place, WORK, answer("PASS", NIT))
    place.start()
    place.until(lambda: place.task(task)["reviews"] and not place.task(task)["claim"]["run"], "the agent's review")
    (why,) = place.why(task)
    assert why["code"] == "review"
    assert why["message"] == (
        "it waits for a review; the review by script: PASS with 1 nit: page.txt:1: A letter is little"
    )
    shown = place.task(task)
    assert (shown["status"], shown["approved"]) == ("reviewing", None)
    workspace = Path(shown["workspace"])
    (workspace / "page.txt").write_text("z\n")
    place.git("commit", "-qam", "Change it", cwd=workspace)
    place.until(lambda: len(place.task(task)["reviews"]) == 2, "the new commit to be reviewed")
    place.until(lambda: not place.task(task)["claim"]["run"], "the review to be over")
    place.orange("task", "approve", task)
    place.settled({"page": "done"})
    assert place.task(task)["approved"]["by"] != f"agent:review-{task}-3"
    assert place.git("show", f"{BASE}:page.txt") == "z"


def test_what_needs_a_person_is_not_approved_by_an_agent(place: Place) -> None:
    """A path that always needs a person waits for one, whatever the agent says; nor can the reviewer approve."""
    configure(place, "agent: script\nreview: {by: agent, require_approval_for: ['*.txt']}\n")
    task = create(place, WORK, f"run orange task approve || true\n{answer('PASS')}")
    place.start()
    place.until(lambda: place.task(task)["reviews"] and not place.task(task)["claim"]["run"], "the agent's review")
    (why,) = place.why(task)
    assert "PASS without findings; the rule review.require_approval_for" in why["message"]
    assert [data["refused"] for data in trail(place, task) if "refused" in data] == ["approve"]
    place.orange("task", "approve", task)
    place.settled({"page": "done"})


def test_a_review_outlives_the_daemon(place: Place) -> None:
    """It ends while nobody looks; the next daemon draws the conclusion, and nothing is reviewed twice."""
    configure(place, by("agent"))
    flag = place.home / "go"
    task = create(place, WORK, f"run until test -e {flag}; do sleep 0.1; done\n{answer('PASS', NIT)}")
    daemon = place.start()
    place.until(lambda: f"page-review-{task}-2" in place.sessions(), "the review to begin")
    daemon.kill()
    daemon.wait()
    flag.touch()
    place.until((runs(place) / f"review-{task}-2" / "result.json").exists, "the review to end")
    assert place.statuses() == {"page": "reviewing"}
    place.start()
    place.settled({"page": "done"})
    assert claims(place, task) == [f"{task}-1", f"review-{task}-2"]
    assert place.task(task)["reviews"][0]["findings"] == [NIT]


def test_a_reviewer_that_dies_is_asked_again(place: Place) -> None:
    """Its program dies by SIGKILL; the run goes on with it, and uses up no attempt."""
    configure(place, by("agent"))
    flag = place.home / "killed"
    task = create(place, WORK, f"run test -e {flag} || (touch {flag}; kill -9 $PPID)\n{answer('PASS')}")
    place.start()
    place.settled({"page": "done"})
    assert claims(place, task) == [f"{task}-1", f"review-{task}-2"]
    steps = json.loads((runs(place) / f"review-{task}-2" / "steps.json").read_text())["results"]
    assert [(result["outcome"], "SIGKILL" in result["message"]) for result in steps] == [
        ("failed", True),
        ("done", False),
    ]
    assert place.task(task)["attempts"] == 0


def test_a_review_is_as_isolated_as_the_work(place: Place) -> None:
    """In a sandbox the reviewer sees what the branch changes, and its answer gets out; the task's text takes it too."""
    bubblewrap.required()
    configure(place, by("agent", "workspaces: {isolation: sandbox}\n"))
    review = "run git diff --name-only refs/orange/base/main...HEAD | grep -qx page.txt\nsection Review Verdict: PASS"
    task = create(place, WORK, review)
    place.start()
    place.settled({"page": "done"})
    assert place.task(task)["reviews"][0]["verdict"] == "PASS"


def test_a_person_may_decide_while_an_agent_reviews(place: Place) -> None:
    """The review is ended, its slot is free, and the work is merged."""
    configure(place, by("agent"))
    place.orange("config", "set", "--user", "limits.max_agents", "1")
    task = create(place, WORK, "hang")
    place.start()
    place.until(lambda: f"page-review-{task}-2" in place.sessions(), "the review to begin")
    other = place.create("other", WORK)
    place.until(lambda: [one["code"] for one in place.why(other)] == ["slot"], "the other task to wait for a slot")
    place.orange("task", "approve", task)
    place.settled({"page": "done"})
    place.orange("task", "cancel", other)
    place.until(lambda: not place.sessions(), "the review's session to end")
    assert place.task(task)["reviews"] == []


def test_a_task_that_is_removed_under_review_leaves_no_folder(place: Place) -> None:
    """Removed by hand while its reviewer is at work, or has ended unseen by a daemon that was killed."""
    configure(place, by("agent"))
    gate = place.home / "gate"
    tasks = [create(place, WORK, script) for script in ("hang", f"run until [ -e {gate} ]; do sleep 0.05; done")]
    daemon = place.start()
    place.until(lambda: {f"page-review-{task}-2" for task in tasks} <= place.sessions(), "the reviews to begin")
    assert len(checked_out(place)) == 2
    shutil.rmtree(place.repo / ".orange" / "tasks" / f"page-{tasks[0]}")
    place.until(lambda: len(checked_out(place)) == 1, "the folder of the first to go with its session")
    daemon.kill()
    daemon.wait()
    gate.touch()
    place.until(lambda: not place.sessions(), "the second reviewer to end")
    shutil.rmtree(place.repo / ".orange" / "tasks" / f"page-{tasks[1]}")
    place.start()
    place.until(lambda: not checked_out(place), "the folder of the second to go")


def checked_out(place: Place) -> list[Path]:
    """Return the folders in which reviewers work."""
    return list((place.repo.parent / "repo.workspaces").glob(".check-*"))
