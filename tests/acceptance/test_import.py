"""`orange task import`: jobs become tasks that run, and what cannot be taken changes nothing."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place


def job(instructions: str, **more: Any) -> dict[str, Any]:
    """Make a canonical job."""
    envelope: dict[str, Any] = {name: more.pop(name) for name in ("id", "priority") if name in more}
    return {"type": "task", "payload": {"task": {"instructions": instructions, **more}}, **envelope}


def put(place: Place, *found: Any) -> str:
    """Write a file of jobs."""
    path = place.home / "jobs.json"
    path.write_text(json.dumps(found))
    return str(path)


def test_jobs_become_tasks_that_run_in_their_order(place: Place) -> None:
    """The second waits for the first, which it names by its id; both come to their end."""
    configure(place, "agent: script\nreview: {by: none}\n")
    second = "Second\n```script\nrequire one.txt\nwrite two.txt 2\n```"
    path = put(
        place,
        job("First\n```script\nwrite one.txt 1\n```", id="J-1", priority=10, custom={"kept": [1, "two"]}),
        {**job(second, dependsOn=["J-1"], git={"newBranch": "second", "depth": 1}), "affinityKey": "a"},
    )
    assert "would create: First" in place.orange("task", "import", path, "--dry-run").out
    assert place.orange("task", "list", "--all", "--json").json["tasks"] == []
    first, then = place.orange("task", "import", path, "--json").json["tasks"]
    assert (first["ref"], first["priority"], first["title"]) == ("J-1", "critical", "First")
    assert first["requires"] == ["script", "git"]
    assert first["job"] == {"custom": {"kept": [1, "two"]}}
    assert first["source"] == {"kind": "imported", "reference": "J-1", "job": "task"}
    assert (then["blocked_by"], then["branch"], then["job"]) == (
        [first["id"]],
        "second",
        {"affinityKey": "a", "git": {"depth": 1}},
    )
    place.start()
    place.settled({first["name"]: "done", then["name"]: "done"})
    assert place.git("show", "refs/orange/base/main:two.txt") == "2"


def test_one_job_that_cannot_be_taken_leaves_them_all(place: Place) -> None:
    """One sentence names the job and its field; nothing is created."""
    for wrong, said in (
        (job("Two", runtime="cobol"), "job 2: task.runtime.mode"),
        (job("Two", dependsOn=["J-9"]), "J-9"),
        ({"type": "codex", "payload": {}}, "job 2: type"),
        ("text", "job 2"),
    ):
        answer = place.orange("task", "import", put(place, job("One"), wrong), fails=True)
        assert said in answer.err
        assert len(answer.err.strip().splitlines()) == 1
    assert place.orange("task", "list", "--all", "--json").json["tasks"] == []
    assert "not JSON" in place.orange("task", "import", "README.md", "--format", "job", fails=True).err


def test_a_job_is_for_the_repository_it_names(place: Place) -> None:
    """By its remote's address; without a remote, by the folder's name."""
    given = {"payload": {"repository": "acme/shop", "task": {"instructions": "One"}}, "type": "task"}
    assert "not this repository" in place.orange("task", "import", put(place, given), fails=True).err
    place.git("remote", "add", "origin", "ssh://git@example.org/acme/shop.git")
    assert (
        place.orange("task", "import", put(place, given), "--json").json["tasks"][0]["job"]["repository"] == "acme/shop"
    )


def test_a_legacy_job_is_taken_with_a_warning(place: Place) -> None:
    """Its own keys are kept."""
    given = {"type": "codex_exec", "payload": {"instruction": "Fix it", "ref": "main", "codex": {"effort": "low"}}}
    (made,) = place.orange("task", "import", put(place, given), "--json").json["tasks"]
    assert (made["agent"], made["effort"], made["base"]) == ("codex", "low", "main")
    assert "codex_exec" in made["warnings"][0]
