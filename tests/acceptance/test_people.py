"""What people and agents do together: questions, tasks taken by hand, failures, reopening, cleaning up."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def test_a_question_waits_for_its_answer_and_the_next_run_gets_it(place: Place) -> None:
    """An agent that asks and ends is stuck with the question; the answer starts it again, in its prompt."""
    script = "run [ -e asked ] || { touch asked; orange ask 'Which colour?'; }\nwrite colour.txt blue\ncommit Colour"
    task = place.create("asks", script)
    place.start()
    place.settled({"asks": "stuck"})
    place.until(lambda: any(line["code"] == "question" for line in place.why(task)), "the question")
    line = next(line for line in place.why(task) if line["code"] == "question")
    assert "Which colour?" in line["message"]
    assert "orange answer" in line["remedy"]
    runs = place.repo / ".git" / "orange" / "runs"
    place.until((runs / f"{task}-1" / "result.json").exists, "the run that asked to end")
    place.orange("answer", task, "Blue, please")
    place.settled({"asks": "done"})
    assert "Blue, please" in place.task(task)["body"]
    prompt = (runs / f"{task}-2" / "prompt.md").read_text()
    assert "Blue, please" in prompt


def test_a_run_that_waits_for_the_answer_goes_on_under_its_own_claim(place: Place) -> None:
    """`ask --wait` blocks; the answer is its output, and the same run finishes the task."""
    script = "run orange ask 'Which colour?' --wait > answer.txt\ncommit Colour"
    task = place.create("waits", script)
    place.start()
    place.settled({"waits": "stuck"})
    place.orange("answer", task, "Red")
    place.settled({"waits": "done"})
    found = place.task(task)
    assert found["claim"]["epoch"] == 1
    assert "Red" in place.git("show", f"{found['branch']}:answer.txt")


def test_a_person_takes_a_task_and_finishes_it(place: Place) -> None:
    """`take` gives a person the workspace, no agent and no slot; `finish` brings the work in."""
    place.orange("daemon", "pause", "--reason", "by hand")
    task = place.create("by-hand", "fail 1")
    place.start()
    taken = place.orange("task", "take", task, "--json").json["task"]
    assert taken["status"] == "working"
    workspace = Path(taken["workspace"])
    (workspace / "hand.txt").write_text("made by hand\n")
    place.orange("task", "finish", task)
    place.settled({"by-hand": "done"})
    assert "hand.txt" in place.git("ls-tree", "--name-only", "refs/orange/base/main")


def test_attempts_are_used_up_with_an_error_report_and_a_retry_starts_anew(place: Place) -> None:
    """A task that keeps failing is stuck with a report that says how to go on; retry gives it fresh attempts."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    task = place.create("fails", f"require {place.home}/never\nfail 7 the disk is on fire")
    place.start()
    place.settled({"fails": "stuck"})
    found = place.task(task)
    report = Path(found["stuck"]["evidence"]).read_text()
    assert "orange task retry" in report
    assert found["attempts"] == 1
    (place.home / "never").touch()
    place.orange("task", "retry", task)
    place.until(lambda: place.task(task)["claim"]["epoch"] == 2, "the second attempt")
    place.settled({"fails": "stuck"})
    assert "the disk is on fire" in Path(place.task(task)["stuck"]["evidence"]).read_text()


def test_a_failing_task_is_tried_again_and_may_succeed(place: Place) -> None:
    """A first failure is followed, after a pause, by a second attempt on the same branch."""
    task = place.create("flaky", "attempt 1: fail 1 once\nwrite flaky.txt ok\ncommit Flaky")
    place.start()
    place.settled({"flaky": "done"})
    assert place.task(task)["claim"]["epoch"] == 2


def test_a_stalled_agent_is_ended(place: Place) -> None:
    """No output and no work for `limits.stall`: the run is ended and counted as a failure."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1, stall: 2s}\n")
    task = place.create("hangs", "say begun\nhang")
    place.start()
    place.settled({"hangs": "stuck"})
    assert place.task(task)["stuck"]["reason"] in {"failed", "timeout"}
    assert "stall" in str(place.why(task)) or "no output" in str(place.why(task))


def test_a_reopened_child_reopens_its_parent(place: Place) -> None:
    """A parent that closed is delegated again when a child is reopened, and closes again after it."""
    gate = place.home / "gate"
    child_script = f"append child.txt x\ncommit Child\nattempt 1: run [ ! -e {gate} ] || true"
    parent = place.create("parent", "", "--backlog")
    child = place.create("child", child_script, "--parent", parent)
    place.orange("task", "update", parent, "--status", "delegated")
    place.start()
    place.settled({"parent": "done", "child": "done"})
    place.orange("daemon", "pause")
    place.orange("task", "reopen", child)
    place.settled({"parent": "delegated", "child": "pending"})
    place.orange("daemon", "resume")
    place.settled({"parent": "done", "child": "done"})


def test_restore_brings_a_cancelled_task_back(place: Place) -> None:
    """A cancelled task returns to the backlog and may be made pending again."""
    task = place.create("changes", "write x.txt x\ncommit X", "--backlog")
    place.orange("task", "cancel", task)
    assert place.task(task)["status"] == "cancelled"
    place.orange("task", "restore", task)
    assert place.task(task)["status"] == "backlog"
    place.orange("task", "update", task, "--status", "ready")
    place.start()
    place.settled({"changes": "done"})


def test_cleanup_returns_what_is_safe_and_names_what_it_kept(place: Place) -> None:
    """Workspaces of done tasks are returned; others are kept, each with its reason; a dry run changes nothing."""
    done = place.create("finished", "write a.txt a\ncommit A")
    place.start()
    place.settled({"finished": "done"})
    place.orange("daemon", "pause")
    open_task = place.create("mine")
    place.orange("task", "take", open_task)
    dry = place.orange("cleanup", "--dry-run", "--json").json["workspaces"]
    assert {row["task"]: row["removed"] for row in dry} == {done: False, open_task: False}
    rows = {row["task"]: row for row in place.orange("cleanup", "--json").json["workspaces"]}
    assert rows[done]["removed"]
    assert not rows[open_task]["removed"]
    assert "held" in rows[open_task]["reason"]
    assert Path(place.task(open_task)["workspace"]).exists()


def test_a_script_block_that_makes_no_sense_is_a_failure_with_its_line(place: Place) -> None:
    """The scripted agent names the instruction it does not know."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    task = place.create("nonsense", "frobnicate the widget")
    place.start()
    place.settled({"nonsense": "stuck"})
    assert "frobnicate" in place.orange("task", "log", task).out


def test_a_returned_workspaces_port_is_nobodys_until_it_is_reserved_again(place: Place) -> None:
    """Cleaning up takes workspace and ports out of the file; the next task gets the port, this one later another."""
    configure(place, "agent: script\nreview: {by: none}\nworkspaces: {ports: 1}\n")
    first, second = place.create("first"), place.create("second")
    taken = place.orange("task", "take", first, "--json").json["task"]
    place.orange("task", "finish", first)
    place.orange("cleanup", first)
    assert not Path(taken["workspace"]).exists()
    returned = place.task(first)
    assert (returned["status"], returned["workspace"], returned["ports"]) == ("done", None, [])
    ports = {place.orange("task", "take", second, "--json").json["task"]["ports"][0]}
    place.orange("task", "reopen", first)
    ports.add(place.orange("task", "take", first, "--json").json["task"]["ports"][0])
    assert len(ports) == 2
    assert taken["ports"][0] in ports


def test_two_projects_of_one_user_never_have_the_same_ports(place: Place, tmp_path: Path) -> None:
    """What one project's workspace holds, another's does not get; a project that was deleted holds nothing."""
    other = replace(place, repo=tmp_path / "other")
    place.git("clone", "-q", str(place.repo), str(other.repo))
    other.orange("init")
    held = {}
    for project in (place, other):
        configure(project, "agent: script\nworkspaces: {ports: 2}\n")
        held[project.repo] = project.orange("task", "take", project.create("work"), "--json").json["task"]["ports"]
    assert len({*held[place.repo], *held[other.repo]}) == 4
    shutil.rmtree(other.repo)
    again = place.orange("task", "take", place.create("more"), "--json").json["task"]["ports"]
    assert {*again} & {*held[other.repo]}


def test_a_failed_task_is_cleaned_up_where_that_was_asked_for(place: Place) -> None:
    """Its work is saved first, ignored files too; a retry finds its branch again. Else its workspace is kept."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    (place.repo / ".git/info/exclude").write_text(".orange/\nkept.bin\n")
    script = f"leave half.txt half\nrun echo kept > kept.bin\nrun test -e {place.home}/go"
    clean, plain = place.create("clean", script, "--backlog"), place.create("plain", script, "--backlog")
    place.start()
    place.orange("task", "run", clean, "--cleanup-on-fail")
    place.orange("task", "run", plain, "--dirty-run")
    place.settled({"clean": "stuck", "plain": "stuck"})
    workspace = Path(place.task(plain)["workspace"])
    place.until(lambda: place.task(clean)["workspace"] is None, "its workspace to be returned")
    assert not workspace.with_name(f"clean-{clean}").exists()
    assert (workspace / "half.txt").exists()
    assert "half.txt" in place.git("ls-tree", "--name-only", place.task(clean)["branch"])
    assert "kept.bin" in place.git("ls-tree", "--name-only", f"refs/orange/rescue/{clean}/1")
    (place.home / "go").touch()
    place.orange("task", "retry", clean)
    place.settled({"clean": "done"})
    assert "half.txt" in place.git("ls-tree", "--name-only", "refs/orange/base/main")
