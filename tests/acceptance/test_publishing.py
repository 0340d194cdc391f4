"""How finished work leaves its branch, seen from the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orange import recordfile
from orange.adapters.git import repository_lock
from orange.adapters.integration import GitIntegration
from orange.core.layout import Layout
from orange.core.publish_result import schema
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.data.schemas import faults
from tests.integration.github import serving


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
    left = {"README.md", "after.txt"}
    place.until(lambda: set(place.git("ls-tree", "--name-only", "main").split()) == left, "the user's branch to follow")
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
    assert outcomes(place, task) == ["merged", "rolled_back", "merged"]
    assert [result(place, f"{task}-{epoch}")["outcome"] for epoch in (1, 2)] == ["rolled_back", "merged"]
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


def result(place: Place, run: str) -> dict[str, Any]:
    """Return what came of publishing a run's work, as its artifact says, which is as its schema says."""
    told = json.loads((place.repo / ".git" / "orange" / "runs" / run / "publish_result.json").read_text())
    assert faults(told, schema()) == []
    return dict(told)


def outcomes(place: Place, task: str) -> list[str]:
    """List what came of publishing a task, oldest first."""
    return [event["data"]["outcome"] for event in events(place, task)]


def shared(place: Place) -> Path:
    """Give the place a bare remote, with its main; returns somebody else's clone of it."""
    remote, other = place.home / "remote.git", place.home / "other"
    place.git("clone", "-q", "--bare", str(place.repo), str(remote))
    place.git("remote", "add", "origin", str(remote))
    place.git("clone", "-q", str(remote), str(other))
    return other


def merged_elsewhere(place: Place, other: Path, branch: str) -> None:
    """Merge a branch in the other clone, and push."""
    place.git("fetch", "-q", cwd=other)
    place.git("merge", "-q", "--no-ff", f"origin/{branch}", cwd=other)
    place.git("push", "-q", "origin", "main", cwd=other)


def sooner(place: Place, task: str, condition: Callable[[], object], what: str) -> None:
    """Wait for what follows from a look at what was published, without the half minute between two looks."""
    path = f"{place.repo}/.git/orange/publications.json"

    def hurried() -> object:
        with repository_lock(f"{path}.lock"):
            told = json.loads(Path(path).read_text())
            if task in told["tasks"]:
                told["tasks"][task]["tried_at"] = 0.0
                recordfile.replace(path, json.dumps(told).encode())
        return condition()

    place.until(hurried, what)


def test_a_pushed_branch_is_done_once_its_work_is_seen_in_the_base(place: Place) -> None:
    """`publish: branch` pushes and waits in reviewed; merged elsewhere, the base is taken in and the task is done."""
    other = shared(place)
    configure(place, "agent: script\nreview: {by: none}\npublish: branch\n")
    task = place.create("feature", "write feature.txt x\ncommit Feature")
    place.start()
    place.until(lambda: outcomes(place, task) == ["pushed"], "the push")
    branch = place.task(task)["branch"]
    assert place.git("rev-parse", branch) == place.git("rev-parse", branch, cwd=place.home / "remote.git")
    place.until(lambda: "is pushed" in str(place.why(task)), "the reason")
    assert place.task(task)["status"] == "reviewed"
    merged_elsewhere(place, other, branch)
    sooner(place, task, lambda: place.statuses() == {"feature": "done"}, "it to be done")
    theirs = place.git("rev-parse", "main", cwd=other)
    place.until(lambda: place.git("rev-parse", "main") == theirs, "the user's branch to follow")
    assert place.task(task)["merged"]["commit"] == place.git("rev-parse", branch)
    assert outcomes(place, task) == ["pushed", "merged_elsewhere"]
    assert result(place, f"{task}-1")["commit"] == place.git("rev-parse", branch)


def test_a_push_that_fails_says_why(place: Place) -> None:
    """Without a remote the task waits, and `why` names what is missing."""
    configure(place, "agent: script\nreview: {by: none}\npublish: branch\n")
    task = place.create("feature", "write feature.txt x\ncommit Feature")
    place.start()
    place.until(lambda: "git remote add" in str(place.why(task)), "the reason")
    assert [line["code"] for line in place.why(task)] == ["publish_failed"]


def test_merges_are_pushed_on_wish(place: Place) -> None:
    """`publish_push: true` pushes the base after a merge or a revert, with what others pushed meanwhile taken in."""
    other = shared(place)
    (other / "theirs.txt").write_text("theirs\n")
    place.git("add", "theirs.txt", cwd=other)
    place.git("commit", "-q", "-m", "Theirs", cwd=other)
    place.git("push", "-q", "origin", "main", cwd=other)
    configure(place, "agent: script\nreview: {by: none}\npublish_push: true\n")
    place.create("feature", "write feature.txt x\ncommit Feature")
    place.start()
    place.settled({"feature": "done"})
    remote = place.home / "remote.git"

    def pushed() -> set[str]:
        return set(place.git("ls-tree", "--name-only", "main", cwd=remote).split())

    place.until(lambda: pushed() == {"README.md", "feature.txt", "theirs.txt"}, "the push")
    place.until((place.repo / "theirs.txt").exists, "the user's branch to follow")
    place.orange("task", "rollback", "feature")
    place.until(lambda: pushed() == {"README.md", "theirs.txt"}, "the push of the revert")


@pytest.mark.skipif(shutil.which("gh") is None, reason="gh is not installed")
def test_a_pull_request_is_followed_from_review_to_merge(place: Place) -> None:
    """It is opened with the project's texts, its review goes to the agent once, and its merge closes the task."""
    other = shared(place)
    configure(
        place,
        "agent: script\nreview: {by: none}\npublish: pr\n"
        'publish_templates: {pr_title: "[{type}] {title}", pr_body: "For {id}: {context}"}\n',
    )
    with serving() as github:
        place.extra |= github.env
        task = place.create("feature", "append feature.txt x\ncommit Feature")
        place.start()
        place.until(lambda: outcomes(place, task) == ["pushed", "pr_opened"], "the pull request")
        pull = github.pulls[0]
        assert (pull["title"], pull["base"]) == ("[task] feature", "main")
        assert pull["body"].startswith(f"For {task}: feature")
        place.until(lambda: "/pull/7 is open" in str(place.why(task)), "the reason")
        github.review("CHANGES_REQUESTED", "Say it twice", comment={"body": "here", "path": "feature.txt", "line": 1})
        sooner(place, task, lambda: "changes_requested" in outcomes(place, task), "the review to be heard")
        place.until(lambda: outcomes(place, task)[2:] == ["changes_requested", "pushed"], "the changes")
        prompt = (place.repo / ".git" / "orange" / "runs" / f"{task}-2" / "prompt.md").read_text()
        assert "Say it twice" in prompt
        assert "feature.txt:1: here" in prompt
        branch = place.task(task)["branch"]
        remote = place.home / "remote.git"
        assert place.git("show", f"{branch}:feature.txt", cwd=remote) == "x\nx"
        merged_elsewhere(place, other, branch)
        pull["state"] = "MERGED"
        sooner(place, task, lambda: place.statuses() == {"feature": "done"}, "it to be done")
        assert len(github.pulls) == 1


@pytest.mark.skipif(shutil.which("gh") is None, reason="gh is not installed")
def test_a_closed_pull_request_needs_someone(place: Place) -> None:
    """The task is stuck with its address; a retry opens another."""
    shared(place)
    configure(place, "agent: script\nreview: {by: none}\npublish: pr\n")
    with serving() as github:
        place.extra |= github.env
        task = place.create("feature", "write feature.txt x\ncommit Feature")
        place.start()
        place.until(lambda: outcomes(place, task) == ["pushed", "pr_opened"], "the pull request")
        github.pulls[0]["state"] = "CLOSED"
        sooner(place, task, lambda: place.statuses() == {"feature": "stuck"}, "it to be stuck")
        assert result(place, f"{task}-1")["outcome"] == "pr_closed"
        found = place.task(task)["stuck"]
        assert found["reason"] == "manual"
        assert found["evidence"].endswith("/pull/7")
        place.orange("task", "retry", task)
        place.until(lambda: len(github.pulls) == 2, "another pull request")


def test_nothing_to_publish_is_a_success_that_says_so(place: Place) -> None:
    """Without changes the outcome says so, and by choice likewise."""
    quiet = place.create("quiet", "say done")
    apart = place.create("apart", "write apart.txt x\ncommit Apart", "--publish", "none")
    place.start()
    place.settled({"quiet": "done", "apart": "done"})
    assert result(place, f"{quiet}-1")["outcome"] == "no_changes"
    assert result(place, f"{apart}-1")["outcome"] == "disabled"


def test_a_merge_that_a_killed_daemon_did_not_record_is_a_merge(place: Place) -> None:
    """It is told as what it is, with its commit, and pushed where merges are."""
    configure(place, "agent: script\n")
    task = place.create("page", "write page.txt x\ncommit Page")
    daemon = place.start()
    place.settled({"page": "reviewing"})
    daemon.kill()
    daemon.wait()
    place.orange("task", "approve", task)
    shared(place)
    configure(place, "agent: script\npublish_push: true\n")
    layout = Layout(str(place.repo), str(place.repo / ".git"))
    merged = GitIntegration(layout).integrate(place.task(task)["branch"], "main", "Merge it", None)
    place.start()
    place.settled({"page": "done"})
    assert outcomes(place, task) == ["merged"]
    assert place.task(task)["merged"]["commit"] == merged.commit
    remote = place.home / "remote.git"
    place.until(lambda: place.git("rev-parse", "main", cwd=remote) == merged.commit, "the merge to be pushed")


def test_a_conflict_is_an_outcome_with_its_files(place: Place) -> None:
    """Of two finished tasks that change one file, the second to be merged says which."""
    configure(place, "agent: script\n")
    one = place.create("one", "write shared.txt one\ncommit One")
    two = place.create("two", "write shared.txt two\ncommit Two")
    place.start()
    place.settled({"one": "reviewing", "two": "reviewing"})
    place.orange("task", "approve", one)
    place.settled({"one": "done"})
    place.orange("task", "approve", two)
    place.until(lambda: "conflict" in outcomes(place, two), "the conflict")
    assert events(place, two)[0]["data"]["files"] == ["shared.txt"]
