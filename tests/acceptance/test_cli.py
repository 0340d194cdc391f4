"""The command line as a real process: streams, exit codes, where it looks, what it imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.place import Place

#: Every key of the file format's table that a task object carries, and what is derived.
KEYS = {
    *("id", "title", "name", "ref", "status", "type", "pipeline", "priority", "blocked_by", "parent", "children"),
    *(
        "labels",
        "category",
        "assignee",
        "session",
        "estimate",
        "acceptance_criteria",
        "context_files",
        "agent",
        "model",
    ),
    *("effort", "skill", "base", "branch", "publish", "requires", "acceptance", "budget", "job", "source", "workspace"),
    *("tmux_session", "run", "ports", "claim", "attempts", "review_round", "stuck", "approved", "merged", "created_at"),
    *("updated_at", "project", "path", "ready", "state", "progress", "waiting"),
}
LISTS = ("blocked_by", "children", "labels", "acceptance_criteria", "context_files", "requires", "waiting")


def test_a_task_object_has_every_documented_key_and_no_null_list(place: Place) -> None:
    """create, show, list and update print the same kind of object; the body is in show, in list only with --body."""
    made = place.orange("task", "create", "Log in page", "--label", "ui", "--json").json["task"]
    shown = place.orange("task", "show", made["id"], "--json").json["task"]
    (listed,) = place.orange("task", "list", "--json").json["tasks"]
    (whole,) = place.orange("task", "list", "--json", "--body").json["tasks"]
    updated = place.orange("task", "update", made["id"], "--priority", "high", "--json").json["task"]
    for found in (made, shown, listed, whole, updated):
        assert set(found) >= KEYS
        assert all(isinstance(found[key], list) for key in LISTS)
    assert ("body" in shown, "body" in listed, "body" in whole) == (True, False, True)
    assert (made["name"], made["title"], made["labels"]) == ("log-in-page", "Log in page", ["ui"])
    assert (updated["priority"], updated["project"]) == ("high", "repo")


def test_the_project_is_found_from_anywhere_when_named(place: Place, tmp_path: Path) -> None:
    """-C chooses it from outside; without it, outside of any project, the refusal says how to begin."""
    place.create("db")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert len(place.orange("task", "list", "--json", "-C", str(place.repo), cwd=elsewhere).json["tasks"]) == 1
    refused = place.orange("task", "list", "--json", cwd=elsewhere, fails=True)
    assert (refused.status, refused.json["error"]["code"], refused.err) == (1, "not_a_project", "")


def test_inside_a_workspace_the_task_may_be_left_out(place: Place) -> None:
    """A person who took a task works in its workspace, where TASK means that task."""
    task = place.create("db")
    taken = place.orange("task", "take", task, "--json").json["task"]
    there = Path(taken["workspace"])
    assert place.orange("task", "show", "--json", cwd=there).json["task"]["id"] == task
    place.orange("task", "write", "Handoff", "-", cwd=there, stdin="DONE: all of it\n")
    assert "DONE: all of it" in place.task(task)["body"]
    child = place.orange("task", "create", "part", "--json", cwd=there).json["task"]
    assert child["parent"] == task
    assert place.orange("task", "show", fails=True).status == 2


def test_why_and_status_name_an_open_blocker_and_a_broken_file(place: Place) -> None:
    """What does not move is explained; what cannot be read is named with path and line."""
    db = place.create("db")
    api = place.create("api", "", "--blocked-by", "db")
    broken = place.repo / ".orange" / "tasks" / "broken-q2w3t4s5"
    broken.mkdir()
    (broken / "TASK.md").write_text("---\nid: q2w3t4s5\ntitle: [\n---\n")
    assert any(db in json.dumps(reason) for reason in place.why(api))
    found = place.orange("status", "--json").json["projects"][0]
    assert [line["path"] for line in found["problems"]] == ["tasks/broken-q2w3t4s5/TASK.md"]
    assert "broken-q2w3t4s5/TASK.md" in place.orange("status").out


def test_a_reader_that_stops_reading_is_no_error(place: Place) -> None:
    """`orange task list | head -1` is quiet."""
    place.create("db")
    child = subprocess.Popen(
        place.argv("task", "list", "--json"),
        cwd=place.repo,
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.close()
    _, complaints = child.communicate(timeout=60)
    assert (child.returncode, complaints) == (0, b"")


def _interruptible() -> None:
    """Take interruptions, even where the tests run in the background of a shell that has them ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interruption_ends_with_130(place: Place) -> None:
    """Control-C during `status --watch` is no failure of orange."""
    child = subprocess.Popen(
        place.argv("status", "--watch", "--json"),
        cwd=place.repo,
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_interruptible,  # noqa: PLW1509 - nothing here runs threads
    )
    assert child.stdout is not None
    json.loads(child.stdout.readline())
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130


@pytest.mark.parametrize(
    "argv",
    [
        ["task", "list"],
        ["task", "list", "--ready", "--json"],
        ["task", "show", "db"],
        ["task", "why", "db"],
        ["task", "create", "x"],
        ["task", "update", "db", "--priority", "low"],
        ["status"],
        ["--help"],
    ],
)
def test_hot_paths_import_nothing_heavy(place: Place, argv: list[str]) -> None:
    """No command of every day pays for aiohttp, pygit2, libtmux, watchdog or asyncio."""
    place.create("db")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "orange", *argv],
        cwd=place.repo, env=place.env, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert imported & {"aiohttp", "pygit2", "libtmux", "watchdog", "asyncio", "rich", "frontmatter"} == set()


def test_the_shell_completes_commands_and_tasks(place: Place) -> None:
    """The completion that bash calls answers with commands and with names of tasks."""
    place.create("oauth-db")

    def offered(*words: str) -> list[str]:
        env = place.env | {
            "_ORANGE_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("orange", *words)),
            "COMP_CWORD": str(len(words)),
        }
        done = subprocess.run(
            place.argv(), cwd=place.repo, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert offered("task", "ap") == ["approve"]
    assert "oauth-db" in offered("task", "show", "oau")
    assert "_ORANGE_COMPLETE=bash_complete" in place.orange("completion", "bash").out


def test_the_demonstration_comes_to_its_end_and_touches_nothing_else(place: Place, tmp_path: Path) -> None:
    """All tasks of the sample are done, its history shows them, and the user's own state is as before."""
    before = sorted(place.home.rglob("*"))
    shown = place.orange("demo", "--path", str(tmp_path / "show"), cwd=tmp_path)
    for part in ("tasks done", "checkout", "basket", "Add the database schema", "cd "):
        assert part in shown.out
    repo = tmp_path / "show" / "corner-shop"
    assert {"shop/schema.sql", "shop/api.py", "shop/page.html", "docs/checkout.md"} <= set(
        place.git("ls-tree", "-r", "--name-only", "main", cwd=repo).splitlines()
    )
    listed = place.orange("task", "list", "--all", "--json", "-C", str(repo)).json["tasks"]
    assert {task["status"] for task in listed} == {"done"}
    assert sorted(place.home.rglob("*")) == before
    assert not [pid for pid in _processes() if str(tmp_path / "show") in pid]


def _processes() -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def test_a_daemon_that_stopped_says_why_until_the_next_one_starts(place: Place) -> None:
    """The reason of `daemon stop` is in the log and in `daemon status`; so is the signal that ended it."""

    def stopped() -> str | None:
        found = place.orange("daemon", "status", "--json").json["daemon"].get("stopped")
        return str(found["reason"]) if found else None

    place.orange("daemon", "start")
    assert stopped() is None
    place.orange("daemon", "stop", "--reason", "new disk\x1b[31m")
    assert stopped() == "new disk\x1b[31m"
    assert "ago: new disk\\x1b[31m" in place.orange("daemon", "status").out
    assert "stops: new disk\\x1b[31m" in place.orange("daemon", "logs").out
    daemon = place.start()
    assert stopped() is None
    daemon.terminate()
    assert daemon.wait(60) == 0
    assert stopped() == "it was sent SIGTERM"


def test_status_says_that_dispatch_is_paused_and_why(place: Place) -> None:
    """A pause is shown with its reason, whether the daemon runs or not, until it is lifted."""
    place.orange("daemon", "pause", "--reason", "lunch")
    daemon = place.orange("status", "--json").json["daemon"]
    assert (daemon["running"], daemon["paused"], daemon["pause_reason"]) == (False, True, "lunch")
    place.orange("daemon", "resume")
    assert place.orange("status", "--json").json["daemon"]["paused"] is False
