"""Jobs of the queue: the words for how far they are, their stages, and what is counted of them."""

from __future__ import annotations

from typing import Any

import pytest

from orange.core import jobs as payloads
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Priority, Publish, Task
from orange.core.service import queue
from orange.core.service.queue import JobStatus, Stage, StageStatus, Trail, Wanted
from orange.core.settings import Limits
from orange.core.storeports import Event
from orange.testing.worlds import a_stuck, a_task


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (a_task("a", Status.BACKLOG), "queued"),
        (a_task("a", Status.PENDING), "queued"),
        (a_task("a", Status.WORKING), "running"),
        (a_task("a", Status.DELEGATED), "running"),
        (a_task("a", Status.REVIEWING), "running"),
        (a_task("a", Status.REVIEWED), "running"),
        (a_task("a", Status.DONE), "succeeded"),
        (a_task("a", Status.CANCELLED), "cancelled"),
        *((a_stuck("a", reason), "running") for reason in (StuckReason.QUESTION, StuckReason.APPROVAL)),
        *((a_stuck("a", reason), "dead_letter") for reason in (StuckReason.FAILED, StuckReason.TIMEOUT)),
        *((a_stuck("a", reason), "failed") for reason in (StuckReason.CONFLICT, StuckReason.MANUAL)),
    ],
)
def test_every_status_of_a_task_has_a_word_of_the_queue(task: Task, expected: str) -> None:
    """A question and a gate wait for somebody and go on; what is stuck otherwise has failed."""
    assert queue.status_of(task) == expected


def event(at: int, kind: str, **data: Any) -> Event:
    """Make a line of a trail."""
    return Event(f"2026-11-20T09:00:{at:02}Z", f"task.{kind}", "daemon", data)


def test_stages_are_those_of_the_latest_run_that_works() -> None:
    """A new claim begins anew; a run that reviews changes nothing of it."""
    trail = [
        event(1, "claimed", run="k-1"),
        event(2, "prepare", run="k-1", status="started"),
        event(3, "prepare", run="k-1", status="failed", message="no"),
        event(4, "claimed", run="k-2"),
        event(5, "prepare", run="k-2", status="started"),
        event(6, "prepare", run="k-2", status="finished"),
        event(7, "execute", run="k-2", status="started"),
        event(8, "claimed", run="review-k-3", review=True),
        event(9, "prepare", run="review-k-3", status="started"),
    ]
    assert queue.stages(trail[:3])[0] == Stage("prepare", StageStatus.FAILED, trail[1].at, trail[2].at, "no")
    assert queue.stages(trail) == (
        Stage("prepare", StageStatus.FINISHED, trail[4].at, trail[5].at),
        Stage("execute", StageStatus.STARTED, trail[6].at),
        Stage("publish"),
    )
    skipped = event(10, "publish", status="finished", skipped="by choice")
    assert queue.stages([*trail, skipped])[2] == Stage("publish", StageStatus.FINISHED, None, skipped.at, "by choice")


CANONICAL: dict[str, Any] = {
    "repository": "acme/shop",
    "requiredCapabilities": ["gpu", "codex", "git", "gh"],
    "targetRuntime": "codex",
    "auth": {"repoAuthRef": "env:TOKEN"},
    "custom": 1,
    "task": {
        "instructions": "Do it",
        "skill": {"id": "speckit", "args": {"a": 1}},
        "runtime": {"model": "m", "effort": "high", "mode": "codex"},
        "git": {"startingBranch": "main", "newBranch": "topic"},
        "publish": {"mode": "pr", "prBaseBranch": "main", "prTitle": "T"},
        "steps": [{"id": "step-1", "instructions": "First"}],
        "container": None,
        "dependsOn": ["k3f9x2ab"],
    },
}


def test_a_job_is_told_as_it_was_sent() -> None:
    """What has a key of the task and what has not come together again, and make the same job once more."""
    sent = a_task(
        "a",
        requires=("gpu", "codex", "git", "gh"),
        agent="codex",
        model="m",
        effort="high",
        skill="speckit",
        base="main",
        branch="topic",
        publish=Publish.PR,
        blocked_by=("k3f9x2ab",),
        job={
            "repository": "acme/shop",
            "auth": {"repoAuthRef": "env:TOKEN"},
            "custom": 1,
            "affinityKey": "a",
            "maxAttempts": 2,
            "skill": {"args": {"a": 1}},
            "publish": {"prTitle": "T"},
            "steps": [{"id": "step-1", "instructions": "First"}],
        },
    )
    told = queue.payload_of(sent, "Do it\n", "claude")
    assert told == CANONICAL
    again = payloads.read("task", told, "claude").payload
    assert (again["task"]["git"], again["task"]["dependsOn"]) == (CANONICAL["task"]["git"], ["k3f9x2ab"])


def test_a_job_says_what_it_is_in_short() -> None:
    """Its priority is a number again, and its attempts stay within the project's limit."""
    task = a_task("a", priority=Priority.HIGH, source={"job": "codex_exec"}, job={"maxAttempts": 9, "affinityKey": "k"})
    found = queue.summary(task, "claude", Limits(attempts=3))
    assert (found["type"], found["priority"], found["runtime"], found["affinityKey"]) == (
        "codex_exec",
        1,
        "claude",
        "k",
    )
    assert (found["maxAttempts"], found["status"]) == (3, "queued")
    assert queue.summary(a_task("a", job={"maxAttempts": 1}), "claude", Limits(attempts=3))["maxAttempts"] == 1


JOB = {"type": "task", "status": "running", "runtime": "codex", "skill": "auto", "publishMode": "pr"}


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Wanted(), True),
        (Wanted(statuses=(JobStatus.RUNNING, JobStatus.FAILED)), True),
        (Wanted(statuses=(JobStatus.QUEUED,)), False),
        (Wanted(type="codex_exec"), False),
        (Wanted(runtime="codex", skill="auto", publish_mode="pr"), True),
        (Wanted(runtime="claude"), False),
        (Wanted(skill="speckit"), False),
        (Wanted(publish_mode="none"), False),
    ],
)
def test_a_list_is_filtered(wanted: Wanted, shown: bool) -> None:
    """Every condition must hold."""
    assert wanted.shows(JOB) is shown


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Wanted(), True),
        (Wanted(stage="execute"), True),
        (Wanted(stage="publish"), False),
        (Wanted(stage_status=StageStatus.FAILED), True),
        (Wanted(stage="prepare", stage_status=StageStatus.FAILED), False),
        (Wanted(stage="publish", stage_status=StageStatus.PENDING), True),
    ],
)
def test_a_list_is_filtered_by_stages(wanted: Wanted, shown: bool) -> None:
    """A stage alone must have begun; a status alone may be that of any stage."""
    found = (Stage("prepare", StageStatus.FINISHED), Stage("execute", StageStatus.FAILED), Stage("publish"))
    assert wanted.shows_stages(found) is shown


def test_telemetry_counts_what_is_within_its_window() -> None:
    """Volume by type, ends by runtime and stage, outcomes of publishing; what was before is not counted."""
    run = {"run": "a-1"}
    first = [
        event(1, "prepare", status="failed", **run),
        event(5, "prepare", status="finished", **run),
        event(6, "execute", status="started", **run),
        event(7, "execute", status="failed", **run),
        event(8, "publish_result", outcome="merged"),
    ]
    second = [event(9, "publish_result", outcome="pr_opened"), event(9, "publish_result", outcome="merged")]
    since, until = event(4, "x").at, event(59, "x").at
    found = queue.telemetry(
        [
            Trail("task", event(1, "x").at, first, {"a-1": "codex"}, "claude"),
            Trail("task", event(5, "x").at, second),
            Trail("codex_exec", event(6, "x").at, [event(7, "prepare", status="failed")], {}, "claude"),
        ],
        since,
        until,
    )
    assert found == {
        "since": since,
        "until": until,
        "volume": {"total": 2, "byType": {"task": 1, "codex_exec": 1}},
        "legacy": {"total": 1, "byType": {"codex_exec": 1}, "rate": 0.5},
        "stages": [
            {"runtime": "claude", "stage": "prepare", "finished": 0, "failed": 1, "failureRate": 1.0},
            {"runtime": "codex", "stage": "execute", "finished": 0, "failed": 1, "failureRate": 1.0},
            {"runtime": "codex", "stage": "prepare", "finished": 1, "failed": 0, "failureRate": 0.0},
        ],
        "publish": [
            {"outcome": "merged", "count": 2, "rate": 0.6667},
            {"outcome": "pr_opened", "count": 1, "rate": 0.3333},
        ],
    }
    assert queue.telemetry([], since, until)["legacy"]["rate"] is None


def test_what_came_last_of_publishing_and_the_warnings_are_told() -> None:
    """Of a trail without either, nothing."""
    trail = [
        event(1, "created", warnings=["old"]),
        event(2, "publish_result", outcome="conflict"),
        event(3, "publish_result", outcome="merged", commit="c"),
    ]
    assert queue.publish_result(trail) == {"at": trail[2].at, "outcome": "merged", "commit": "c"}
    assert queue.warnings(trail) == ["old"]
    assert (queue.publish_result([]), queue.warnings([])) == (None, [])
