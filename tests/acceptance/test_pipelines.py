"""Pipelines, end to end: steps in order, loops, gates, approvals, retries at the failed step, kills."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from orange.core import artifacts, publish_result
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.data.schemas import faults


def create(place: Place, name: str, scripts: dict[str, str], *flags: str) -> str:
    """Create a task with a script for each of its steps; the empty name is the step that does the work."""
    blocks = "\n".join(f"```script {step}".rstrip() + f"\n{script}\n```\n" for step, script in scripts.items())
    answer = place.orange("task", "create", name, *flags, "--body", "-", "--json", stdin=f"## Context\n\n{blocks}")
    return str(answer.json["task"]["id"])


def pipeline(place: Place, name: str, text: str) -> None:
    """Write one of the project's own pipelines."""
    folder = place.repo / ".orange" / "pipelines"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text)


def steps_of(place: Place, run: str) -> list[str]:
    """Return what came of a run's steps, as `step outcome`."""
    path = place.repo / ".git" / "orange" / "runs" / run / "steps.json"
    return [f"{result['step']} {result['outcome']}" for result in json.loads(path.read_text())["results"]]


def read(place: Place, run: str, name: str) -> str:
    """Read a file of a run's folder."""
    return (place.repo / ".git" / "orange" / "runs" / run / name).read_text()


def events(place: Place, task: str) -> list[dict[str, Any]]:
    """Return a task's audit trail."""
    return list(place.orange("task", "events", task, "--json").json["events"])


def waits_for_approval(place: Place, task: str) -> bool:
    """Whether a task is stuck for a person's approval, and nobody has answered."""
    found = place.task(task)
    return found["status"] == "stuck" and found["stuck"]["reason"] == "approval" and not found["request"]


def test_a_feature_goes_through_its_steps_in_order(place: Place) -> None:
    """Plan, plan of the implementation, implementation, verification; then it is reviewed and published."""
    task = create(
        place,
        "oauth",
        {
            "plan": "section Plan APPROACH: by hand\nwrite plan.txt x\ncommit Plan",
            "": "require plan.txt\nwrite code.txt x\ncommit Build",
            "verify": "require code.txt\nwrite verified.txt x",
        },
        "--type",
        "feature",
    )
    place.start()
    place.settled({"oauth": "done"})
    assert steps_of(place, f"{task}-1") == ["plan done", "plan_impl done", "implement done", "verify done"]
    tree = place.git("ls-tree", "--name-only", "refs/orange/base/main").splitlines()
    assert {"plan.txt", "code.txt", "verified.txt"} <= set(tree)
    folder = place.repo / ".git" / "orange" / "runs" / f"{task}-1" / "logs" / "steps"
    assert {path.stem for path in folder.iterdir()} == {"plan", "plan_impl", "implement", "verify"}


def test_a_failing_command_sends_the_work_back_with_the_evidence(place: Place) -> None:
    """The command fails once; the earlier step is done again, and its prompt says what failed."""
    pipeline(
        place,
        "task",
        "steps:\n- implement\n- name: test\n  run: 'echo need more; test $(wc -l < count.txt) -ge 2'\n"
        "  on_fail: implement\n- review\n- commit\n",
    )
    task = create(place, "work", {"": "append count.txt x\ncommit Work\nrun cat $ORANGE_PROMPT_FILE"})
    place.start()
    place.settled({"work": "done"})
    assert steps_of(place, f"{task}-1") == ["implement done", "test failed", "implement done", "test done"]
    said = read(place, f"{task}-1", "logs/steps/implement.log")
    assert said.count("## What came of the step test") == 1
    assert "> need more" in said
    assert "exit code 1" in said


def test_a_loop_that_never_succeeds_fails_the_attempt_and_the_retry_begins_at_the_failed_step(place: Place) -> None:
    """After its retries the run has failed; the next attempt does the failed step again, not the steps before it."""
    gate = place.home / "gate"
    pipeline(
        place,
        "task",
        f"steps:\n- plan\n- implement\n- name: test\n  run: test -e {gate}\n  on_fail: implement\n  retries: 1\n"
        "- commit\n",
    )
    task = create(place, "work", {"plan": "say planning", "": "append count.txt x\ncommit Work"})
    place.start()
    place.until(lambda: place.task(task)["attempts"] == 1, "the attempt to fail")
    failed = ["plan done", "implement done", "test failed", "implement done", "test failed"]
    assert steps_of(place, f"{task}-1") == failed
    assert "# the step test ended with exit code 1" in read(place, f"{task}-1", "error.md")
    gate.touch()
    place.orange("task", "retry", task)
    place.settled({"work": "done"})
    assert steps_of(place, f"{task}-2") == [*failed, "test done"]


def test_a_gate_wants_its_section_filled(place: Place) -> None:
    """Without the section the run goes back; the prompt says what is missing; filled, it goes on."""
    pipeline(
        place,
        "task",
        "steps:\n- implement\n- name: planned\n  section: Plan\n  on_fail: implement\n- review\n- commit\n",
    )
    missing = 'grep -q "section [P]lan is missing" $ORANGE_PROMPT_FILE'
    fills = f'run if {missing}; then echo "APPROACH: y" | orange task write Plan -; fi'
    task = create(place, "work", {"": f"{fills}\nwrite a.txt x\ncommit Work"})
    place.start()
    place.settled({"work": "done"})
    assert steps_of(place, f"{task}-1") == ["implement done", "planned failed", "implement done", "planned done"]


def test_a_condition_skips_a_step_and_what_is_not_required_may_fail(place: Place) -> None:
    """Neither keeps the run from going on."""
    pipeline(
        place,
        "task",
        "steps:\n- implement\n- name: docs\n  run: touch docs-made\n  condition: test -d no-such-folder\n"
        "- name: lint\n  run: exit 3\n  required: false\n- commit\n",
    )
    task = create(place, "work", {"": "write a.txt x\ncommit Work"})
    place.start()
    place.settled({"work": "done"})
    assert steps_of(place, f"{task}-1") == ["implement done", "docs skipped", "lint failed"]


def test_an_approval_holds_no_slot_and_lets_the_next_step_go_on(place: Place) -> None:
    """The run ends at the gate; another task runs meanwhile in the only slot; approved, the next step follows."""
    (place.home / "config" / "orange").mkdir(parents=True)
    (place.home / "config" / "orange" / "config.yaml").write_text("limits: {max_agents: 1}\n")
    configure(place, "agent: script\nreview: {by: none}\nmode: collaborative\n")
    task = create(place, "gated", {"": "write a.txt x\ncommit A", "verify": "write b.txt x"}, "--type", "hotfix")
    place.start()
    place.until(lambda: waits_for_approval(place, task), "the gate")
    place.until(lambda: f"gated-{task}-1" not in place.sessions(), "its session to end")
    (line,) = place.why(task)
    assert (line["code"], "approve-implement" in line["message"]) == ("approval", True)
    create(place, "other", {"": "write o.txt x\ncommit O"}, "--type", "task")
    place.until(lambda: place.statuses()["other"] == "stuck", "the other one to come to its own gate")
    place.orange("task", "approve", task)
    place.until(
        lambda: place.task(task)["claim"]["epoch"] == 2 and waits_for_approval(place, task),
        "the gate before the commit",
    )
    assert steps_of(place, f"{task}-2") == ["implement done", "approve-implement approved", "verify done"]
    place.orange("task", "approve", task)
    place.settled({"gated": "done"})
    approvals = [event for event in events(place, task) if event["data"].get("approved")]
    assert next(event["data"].get("step") for event in approvals) == "approve-implement"
    assert {"a.txt", "b.txt"} <= set(place.git("ls-tree", "--name-only", "refs/orange/base/main").splitlines())


def test_a_rejected_gate_sends_the_work_back_with_the_feedback(place: Place) -> None:
    """What the person said is in the prompt of the step that is done again; then the gate is asked anew."""
    pipeline(place, "task", "steps:\n- implement\n- name: look\n  kind: approval\n- review\n- commit\n")
    task = create(place, "work", {"": "append a.txt x\ncommit A\nrun cat $ORANGE_PROMPT_FILE"})
    place.start()
    place.until(lambda: waits_for_approval(place, task), "the gate")
    place.orange("task", "reject", task, "--feedback", "use words")
    place.until(
        lambda: place.task(task)["claim"]["epoch"] == 2 and waits_for_approval(place, task), "the gate once more"
    )
    assert "> use words" in read(place, f"{task}-2", "logs/steps/implement.log")
    assert steps_of(place, f"{task}-2") == ["implement done", "look rejected", "implement done"]
    place.orange("task", "approve", task)
    place.settled({"work": "done"})


def test_a_question_in_a_step_is_answered_in_that_step(place: Place) -> None:
    """An agent that asked and ended has not done its step: the answer brings it back there, not to the next one."""
    script = "run test -e asked || { touch asked; orange ask 'which one?'; }\nsay planned"
    task = create(place, "work", {"plan": script, "": "write a.txt x\ncommit A"}, "--type", "feature")
    place.start()
    place.until(lambda: place.statuses()["work"] == "stuck", "the question")
    place.until(lambda: place.task(task)["run"] is None, "the run to end")
    assert steps_of(place, f"{task}-1") == ["plan interrupted"]
    place.orange("answer", task, "the first")
    place.settled({"work": "done"})
    assert steps_of(place, f"{task}-2")[:3] == ["plan interrupted", "plan done", "plan_impl done"]


def test_a_pipeline_without_review_or_commit_ends_by_itself(place: Place) -> None:
    """Nothing is reviewed that has no review, nothing published that has no commit: its report is its result."""
    configure(place, "agent: script\n")
    task = create(place, "look", {"": "write notes.txt x\nsection Handoff DONE: looked"}, "--type", "research")
    chore = create(place, "tidy", {"": "write tidy.txt x\ncommit Tidy"}, "--type", "chore")
    place.start()
    place.settled({"look": "done", "tidy": "done"})
    tree = place.git("ls-tree", "--name-only", "refs/orange/base/main").splitlines()
    assert "tidy.txt" in tree
    assert "notes.txt" not in tree
    assert place.task(task)["merged"] is None
    assert place.task(chore)["merged"]


def test_a_broken_pipeline_is_named_and_its_task_set_aside(place: Place) -> None:
    """Doctor, status, `config validate` and the task itself name file, line, field; mended, a retry does the work."""
    pipeline(place, "deploy", "steps:\n- implement\n- name: ship\n  tiemout: 5m\n")
    refused = place.orange("task", "create", "x", "--type", "nothing", "--json", fails=True).json["error"]
    assert "deploy" in refused["message"]
    task = create(place, "work", {"": "write a.txt x\ncommit A"}, "--type", "deploy")
    said = place.orange("config", "validate", "--json", fails=True).json["problems"]
    assert [(found["path"], found["line"]) for found in said] == [("pipelines/deploy.yaml", 4)]
    assert "unknown field tiemout" in place.orange("doctor", fails=True).out
    assert "pipelines/deploy.yaml" in place.orange("status", "--json").out
    place.start()
    place.until(lambda: place.statuses()["work"] == "stuck", "the task to be set aside")
    stuck = place.task(task)["stuck"]
    assert (stuck["reason"], "pipelines/deploy.yaml:4" in stuck["message"]) == ("invalid", True)
    pipeline(place, "deploy", "steps:\n- implement\n- commit\n")
    place.orange("task", "retry", task)
    place.settled({"work": "done"})


def test_a_prompt_of_the_project_is_used_and_a_wrong_one_named(place: Place) -> None:
    """A template below `.orange/prompts` replaces orange's; a variable that does not exist is named with its line."""
    folder = place.repo / ".orange" / "prompts"
    folder.mkdir()
    (folder / "task.md").write_text("Work on {title} now.\n\n{asked}\n")
    task = create(place, "work", {"": "run cat $ORANGE_PROMPT_FILE\nwrite a.txt x\ncommit A"})
    place.start()
    place.settled({"work": "done"})
    assert "Work on work now." in read(place, f"{task}-1", "output.log")
    (folder / "task.md").write_text("Work on\n\n{tittle}\n")
    other = create(place, "other", {"": "write b.txt x"})
    place.until(lambda: place.statuses()["other"] == "stuck", "the task to be set aside")
    assert "prompts/task.md:3 there is no variable {tittle}" in place.task(other)["stuck"]["message"]
    assert "{tittle}" in place.orange("config", "validate", fails=True).out


def test_a_supervisor_killed_in_a_step_is_followed_by_that_step(place: Place) -> None:
    """SIGKILL of supervisor and daemon in the second step: the next attempt begins with it, the first is not redone."""
    gate, ledger = place.home / "gate", place.home / "ledger"
    task = create(
        place,
        "work",
        {
            "plan": f"ledger {ledger}\nsay planned",
            "plan_impl": f"run while [ ! -e {gate} ]; do sleep 0.05; done",
            "": "write a.txt x\ncommit A",
        },
        "--type",
        "feature",
    )
    daemon = place.start()
    folder = place.repo / ".git" / "orange" / "runs" / f"{task}-1"
    place.until((folder / "logs" / "steps" / "plan_impl.log").exists, "the second step")
    daemon.kill()
    daemon.wait()
    os.kill(json.loads((folder / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    gate.touch()
    place.start()
    place.until(lambda: place.task(task)["attempts"] == 1, "the crash to be seen")
    place.orange("task", "retry", task)
    place.settled({"work": "done"})
    assert steps_of(place, f"{task}-2") == ["plan done", "plan_impl done", "implement done", "verify done"]
    assert len(ledger.read_text().splitlines()) == 1


def test_commands_of_a_clones_pipelines_wait_for_trust(place: Place, tmp_path: Path) -> None:
    """A pipeline with commands that a clone brought along runs nothing before `orange trust`."""
    mark = place.home / "mark"
    pipeline(place, "task", f"steps:\n- implement\n- name: test\n  run: touch {mark}\n- commit\n")
    place.orange("task", "create", "first", "--backlog")
    place.orange("config", "set", "review.max_rounds", "3")
    assert "pipelines/task.yaml" in place.git("ls-tree", "-r", "--name-only", "orange-tasks")
    clone = tmp_path / "clone"
    place.git("clone", "-q", str(place.repo), str(clone))
    place.orange("init", cwd=clone)
    said = place.orange("config", "validate", "--json", cwd=clone, fails=True).json["problems"]
    assert [(found["path"], found["hint"]) for found in said if "pipelines" in found["path"]] == [
        ("pipelines/task.yaml", "read it, then run `orange trust`")
    ]
    assert "pipelines" in place.orange("trust", cwd=clone).out
    assert not place.orange("config", "validate", "--json", cwd=clone).json["problems"]
    assert not mark.exists()


def trail(place: Place, task: str) -> list[tuple[str, str]]:
    """What the events of a task say of its stages and steps."""
    kinds = {"prepare", "execute", "publish", "step_started", "step_completed"}
    found = [event for event in events(place, task) if event["type"].partition(".")[2] in kinds]
    return [(event["type"], event["data"].get("step") or event["data"].get("status")) for event in found]


def test_the_trail_tells_the_stages_and_steps_in_order(place: Place) -> None:
    """Prepare, execute with each step, publish: each began and ended once, and is told at once; kills change nothing.

    What was not changed is not published.
    """
    gate = place.home / "gate"
    script = f"run until [ -e {gate} ]; do sleep 0.05; done\nwrite a.txt x\ncommit A"
    task = create(place, "oauth", {"plan": "say planned", "": script}, "--type", "feature")
    idle = create(place, "idle", {"": "say nothing to do"})
    daemon = place.start()
    place.until(lambda: ("task.step_started", "implement") in trail(place, task), "the step to be told")
    assert place.task(task)["status"] == "working"
    daemon.kill()
    daemon.wait()
    place.start()
    gate.touch()
    place.settled({"oauth": "done", "idle": "done"})
    told = trail(place, task)
    steps = ("plan", "plan_impl", "implement", "verify")
    assert told == [
        ("task.prepare", "started"),
        ("task.prepare", "finished"),
        ("task.execute", "started"),
        *((kind, step) for step in steps for kind in ("task.step_started", "task.step_completed")),
        ("task.execute", "finished"),
        ("task.publish", "started"),
        ("task.publish", "finished"),
    ]
    last = [event["data"] for event in events(place, idle) if event["type"] == "task.publish"][-1]
    assert (last["status"], "nothing was changed" in last["skipped"]) == ("finished", True)
    assert json.loads(read(place, f"{idle}-1", "reports/run_summary.json"))["code"] == "NO_CHANGES"
    assert json.loads(read(place, f"{task}-1", "reports/run_summary.json"))["code"] == "PUBLISHED_MERGE"
    assert "merged" in read(place, f"{task}-1", "logs/publish.log")


def test_an_agent_that_hands_over_leaves_its_steps_in_the_trail(place: Place) -> None:
    """What a run noted is in the trail when it leaves its task, by whatever way, and never twice."""
    task = create(place, "parent", {"": 'create part "A part" --body -\ndelegate\nhang'})
    place.start()
    place.until(lambda: place.task(task)["status"] in {"delegated", "done"}, "the hand-over")
    place.settled({"parent": "done"})
    lines = [event["data"]["line"] for event in events(place, task) if "line" in event["data"]]
    assert lines == sorted(set(lines))
    assert [event["type"] for event in events(place, task)].count("task.step_started") == 1


@pytest.mark.parametrize("status", ["done", "stuck"])
def test_what_a_run_leaves_is_as_its_schemas_say(place: Place, status: str) -> None:
    """Context, steps, summary and the result of publishing, of a run that succeeded and of one that failed."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    run = "exit 3" if status == "stuck" else "true"
    pipeline(place, "task", f"steps:\n- implement\n- name: test\n  run: {run}\n- review\n- commit\n")
    task = create(place, "work", {"": "write a.txt x\ncommit A"})
    place.start()
    place.settled({"work": status})
    found = {
        "task_context.json": artifacts.task_context(),
        "steps.json": artifacts.steps(),
        "reports/run_summary.json": artifacts.run_summary(),
        **({"publish_result.json": publish_result.schema()} if status == "done" else {}),
    }
    for name, schema in found.items():
        assert not faults(json.loads(read(place, f"{task}-1", name)), schema), name
    for name in ("logs/prepare.log", "logs/execute.log", "logs/steps/test.log", "patches/changes.patch"):
        assert (place.repo / ".git" / "orange" / "runs" / f"{task}-1" / name).exists(), name
    summary = json.loads(read(place, f"{task}-1", "reports/run_summary.json"))
    assert [step["step"] for step in summary["steps"]] == ["implement", "test"]
    shown = {step["name"]: step["state"] for step in place.task(task)["steps"]}
    assert shown == (
        {"implement": "done", "test": "done", "review": "done", "commit": "done"}
        if status == "done"
        else {"implement": "done", "test": "failed", "review": "pending", "commit": "pending"}
    )
    assert f"implement done, test {shown['test']}" in place.orange("task", "show", task).out


def test_the_projects_checks_verify_and_send_the_work_back(place: Place) -> None:
    """Where there are checks, `verify` takes no agent; a failing one is mended where the work is done, not planned."""
    configure(
        place,
        "agent: script\nreview: {by: none}\nchecks: [{name: two, run: 'test $(wc -l < count.txt) -ge 2'}]\n",
    )
    scripts = {"plan": "say planned", "": "append count.txt x\ncommit Work", "verify": "fail never run"}
    task = create(place, "work", scripts, "--type", "feature")
    place.start()
    place.settled({"work": "done"})
    done = ["plan done", "plan_impl done", "implement done", "verify done"]
    assert steps_of(place, f"{task}-1") == done
    assert steps_of(place, f"{task}-2") == [*done, "review rejected", "implement done", "verify done"]


def test_supervised_asks_before_planning_implementing_and_committing(place: Place) -> None:
    """Nothing is done before the first yes; each yes lets the work go as far as the next question."""
    configure(place, "agent: script\nreview: {by: none}\nmode: supervised\n")
    task = create(place, "work", {"plan": "say planned", "": "write a.txt x\ncommit A"}, "--type", "feature")
    place.start()
    asked = []
    for epoch in (1, 2, 3):
        folder = place.repo / ".git" / "orange" / "runs" / f"{task}-{epoch}"
        place.until((folder / "result.json").exists, f"run {epoch} to end")
        place.until(lambda: waits_for_approval(place, task), f"question {epoch}")
        asked.append(next(step["name"] for step in place.task(task)["steps"] if step["state"] == "waiting"))
        place.orange("task", "approve", task)
    place.settled({"work": "done"})
    assert asked == ["approve-plan", "approve-implement", "approve-commit"]
    assert not (place.repo / ".git" / "orange" / "runs" / f"{task}-1" / "output.log").exists()
    assert place.task(task)["approved"]["commit"] == place.git("rev-parse", place.task(task)["branch"])
