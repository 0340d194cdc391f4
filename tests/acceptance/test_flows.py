"""Seed 001's two flows, end to end, with real processes."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

#: Seconds the contract gives a start after a merge, and an end after delegating.
AT_ONCE = 2.0
#: On a loaded machine: so many times what an `orange` command takes there at that time.
COMMANDS = 25.0


def a_command(place: Place) -> float:
    """Return the seconds an `orange` command takes now: the median of three."""
    return sorted(_seconds(place) for _ in range(3))[1]


def _seconds(place: Place) -> float:
    begun = time.monotonic()
    place.orange("task", "list", "--json")
    return time.monotonic() - begun


def deadline(*commands: float) -> float:
    """Return what "within 2 s" means: that, or under load so much more as commands before and after took longer."""
    return max(AT_ONCE, COMMANDS * max(commands))


def file_of(place: Place, task: str) -> Path:
    """Return the path of a task's file."""
    return Path(place.repo, ".orange", place.task(task)["path"])


def says(path: Path, line: str) -> bool:
    """Whether a task's file has a line. To ask the file costs next to nothing, and so delays nothing."""
    return f"\n{line}\n" in path.read_text()


def completed_at(path: Path) -> float:
    """Return when a task was recorded as completed: its last event, so the time of its events' file tells precisely."""
    events = path.with_name("events.jsonl")
    last = json.loads(events.read_text().splitlines()[-1])
    assert last["type"] == "task.completed"
    return events.stat().st_mtime


def run_folder(place: Place, run: str) -> Path:
    """Return the folder of a run's record."""
    return place.repo / ".git" / "orange" / "runs" / run


def started_at(place: Place, task: str) -> float:
    """Return when a task's first run started its agent, by the run's own record."""
    return float(json.loads((run_folder(place, f"{task}-1") / "launched").read_text())["at"])


def test_a_chain_of_tasks_runs_in_order_each_seeing_the_last_ones_commit(place: Place) -> None:
    """Flow 1: db, api and ui run one after the other, each within 2 s of the merge before it, whose commit it sees.

    Both instants are recorded ones: the event of the merge, and the marker of the run made before its agent starts.
    Under load the 2 s stretch as an `orange` command does there (`deadline`).
    """
    log = "run git log --format=%H"
    db = place.create("oauth-db", "write db.txt schema\ncommit Add the schema")
    api = place.create(
        "oauth-api", f"require db.txt\n{log}\nwrite api.txt x\ncommit Add the endpoints", "--blocked-by", db
    )
    ui = place.create(
        "oauth-ui",
        f"require db.txt\nrequire api.txt\n{log}\nwrite ui.txt x\ncommit Add the button",
        "--blocked-by",
        api,
    )
    listed = place.orange("task", "list", "--ready", "--json").json["tasks"]
    assert [task["id"] for task in listed] == [db]
    files, usual = {task: file_of(place, task) for task in (db, api, ui)}, a_command(place)
    place.start()
    place.until(lambda: all(says(path, "status: done") for path in files.values()), "all three to be done")
    at_once = deadline(usual, a_command(place))
    for before, after in ((db, api), (api, ui)):
        waited = started_at(place, after) - completed_at(files[before])
        assert 0 < waited < at_once, f"{after} was started {waited:.1f} s after {before} was merged"
        commit = place.git("rev-parse", place.task(before)["branch"])
        assert commit in (run_folder(place, f"{after}-1") / "output.log").read_text().split()
    integrated = place.git("ls-tree", "--name-only", "refs/orange/base/main").splitlines()
    assert {"db.txt", "api.txt", "ui.txt"} <= set(integrated)


def child(name: str, *script: str) -> str:
    """Write the instruction that makes a child with a script of its own."""
    lines = "".join(f"  {line}\n" for line in script)
    return f'create {name} "{name}" <<\n  ```script\n{lines}  ```\n>>\n'


def test_a_parent_that_delegates_is_done_when_its_children_are(place: Place) -> None:
    """Flow 2: an agent makes three children and delegates; its session ends, its work is kept, it closes by itself.

    The agent itself would never end. From its status in the file to the end of its session and the return of its
    workspace pass at most 2 s; under load these stretch as an `orange` command does there (`deadline`).
    """
    configure(place, "agent: script\nreview: {by: none}\nworkspaces: {ports: 1}\n")
    gate = place.home / "gate"
    script = (
        "write plan.txt three parts\ncommit Plan\nleave notes.txt not committed\n"
        + child("oauth-db", "write db.txt x", "commit Db")
        + child("oauth-api", "write api.txt x", "commit Api")
        + child("oauth-ui", f"run while [ ! -e {gate} ]; do sleep 0.05; done", "write ui.txt x", "commit Ui")
        + "delegate\nhang"
    )
    parent = place.create("add-oauth", script)
    path, usual = file_of(place, parent), a_command(place)
    place.start()
    place.until(lambda: says(path, "status: delegated"), "the parent to delegate", pace=0.005)
    delegated = time.monotonic()
    workspace = Path(f"{place.repo}.workspaces", f"add-oauth-{parent}")
    place.until(lambda: f"add-oauth-{parent}-1" not in place.sessions(), "its session to be gone")
    place.until(lambda: not workspace.exists(), "its workspace to be free", pace=0.005)
    took = time.monotonic() - delegated
    assert took < deadline(usual, a_command(place)), f"it took {took:.1f} s"

    task = place.task(parent)
    assert len(task["children"]) == 3
    assert all(place.task(one)["parent"] == parent for one in task["children"])
    place.until(lambda: place.task(parent)["workspace"] is None, "its file to say so")
    assert (place.task(parent)["tmux_session"], place.task(parent)["ports"]) == (None, [])
    own = place.git("rev-parse", task["branch"])
    assert {"plan.txt", "notes.txt"} <= set(place.git("ls-tree", "--name-only", own).splitlines())
    assert place.git("log", "--format=%s", own).splitlines()[1] == "Plan"

    place.settled({"oauth-db": "done", "oauth-api": "done", "oauth-ui": "working"})
    for shown in (("task", "list"), ("task", "show", parent), ("status",)):
        assert "delegated (2/3)" in place.orange(*shown).out
    assert not place.task(parent)["merged"]
    gate.touch()
    place.settled({"add-oauth": "done", "oauth-ui": "done"})
    assert place.task(parent)["progress"] == {"done": 3, "total": 3}
    place.git("merge-base", "--is-ancestor", own, "refs/orange/base/main")
    assert place.task(parent)["merged"]["base"] == "main"


def test_with_human_review_a_parent_waits_for_approval(place: Place) -> None:
    """A parent with commits of its own stops in reviewing, and `task why` names `approve`, for people and programs."""
    configure(place, "agent: script\n")
    parent = place.create("big", 'write own.txt x\ncommit Own\ncreate small "Small part"\ndelegate')
    place.start()
    place.settled({"big": "delegated", "small": "reviewing"})
    place.orange("task", "approve", "small")
    place.settled({"big": "reviewing", "small": "done"})
    assert [str(line["remedy"]).startswith("orange task approve") for line in place.why(parent)] == [True]
    assert "orange task approve" in place.orange("task", "why", parent).out
    assert not place.task(parent)["merged"]
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
