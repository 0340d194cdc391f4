"""Jobs of the queue format: the canonical form, the legacy types, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core import jobs
from orange.core.jobs import JobRefused

SAY = {"instructions": "Do it"}


def read(payload: dict[str, Any], kind: str = "task", default: str = "codex") -> jobs.Job:
    """Read a job."""
    return jobs.read(kind, payload, default)


def task(**more: Any) -> dict[str, Any]:
    """Make a canonical payload with one task."""
    return {"task": {**SAY, **more}}


def test_what_is_not_said_stays_null() -> None:
    """The least job there is: an instruction."""
    assert read(task()).payload == {
        "repository": None,
        "requiredCapabilities": ["codex", "git"],
        "targetRuntime": "codex",
        "auth": {"repoAuthRef": None, "publishAuthRef": None},
        "task": {
            "instructions": "Do it",
            "skill": {"id": "auto", "args": {}},
            "runtime": {"model": None, "effort": None, "mode": "codex"},
            "git": {"startingBranch": None, "newBranch": None},
            "publish": {"mode": None, "prBaseBranch": None, "commitMessage": None, "prTitle": None, "prBody": None},
            "steps": [],
            "container": None,
            "dependsOn": [],
        },
    }


def test_texts_are_trimmed_blank_ones_null_and_unknown_keys_stay() -> None:
    """What orange does not know is nobody's to throw away."""
    found = read(
        {
            "repository": " acme/shop ",
            "custom": {"a": 1},
            "task": {
                "instructions": "  Do it\n",
                "git": {"startingBranch": " ", "newBranch": " topic ", "depth": 1},
                "mood": "good",
                "publish": {"mode": " PR ", "draft": True},
            },
        }
    ).payload
    assert (found["repository"], found["custom"], found["task"]["mood"]) == ("acme/shop", {"a": 1}, "good")
    assert found["task"]["instructions"] == "Do it"
    assert found["task"]["git"] == {"startingBranch": None, "newBranch": "topic", "depth": 1}
    assert found["task"]["publish"]["mode"] == "pr"
    assert found["task"]["publish"]["draft"] is True


def test_other_names_are_understood() -> None:
    """The names of before and those of Python."""
    found = read(
        {
            "repo": "acme/shop",
            "target_runtime": "Claude",
            "task": {"instruction": "Do it", "publish": {"baseBranch": "develop"}},
        }
    )
    assert found.agent == "claude"
    assert found.payload["repository"] == "acme/shop"
    assert found.payload["task"]["publish"]["prBaseBranch"] == "develop"
    assert read({"instruction": "Do it"}).payload["task"]["instructions"] == "Do it"
    assert "repo" not in found.payload


@pytest.mark.parametrize(
    ("payload", "agent", "runtime"),
    [
        (task(), None, "gemini"),
        ({"targetRuntime": "universal", **task()}, None, "gemini"),
        ({"targetRuntime": "codex", **task()}, "codex", "codex"),
        (task(runtime={"mode": "CLAUDE"}), "claude", "claude"),
        (task(runtime="claude"), "claude", "claude"),
        (task(targetRuntime="claude"), "claude", "claude"),
        ({"targetRuntime": "universal", **task(runtime={"mode": "claude"})}, "claude", "claude"),
        ({"targetRuntime": "claude", **task(runtime={"mode": "claude"})}, "claude", "claude"),
    ],
)
def test_the_runtime_is_named_once_or_is_the_default(payload: dict[str, Any], agent: str | None, runtime: str) -> None:
    """Wherever it is said; `universal` is whatever the default is."""
    found = read(payload, default="gemini")
    assert (found.agent, found.payload["targetRuntime"], found.payload["task"]["runtime"]["mode"]) == (
        agent,
        runtime,
        runtime,
    )
    assert runtime in found.payload["requiredCapabilities"]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (task(), ["codex", "git"]),
        ({"requiredCapabilities": [], **task()}, ["codex", "git"]),
        (task(publish={"mode": "pr"}), ["codex", "git", "gh"]),
        (task(publish={"mode": "branch"}), ["codex", "git"]),
        (task(container={"enabled": True, "image": "i", "command": ["c"]}), ["codex", "git", "docker"]),
        (task(container={"enabled": False, "image": "i"}), ["codex", "git"]),
        (
            {
                "requiredCapabilities": ["QDRANT", " git "],
                "targetRuntime": "universal",
                "task": {
                    **SAY,
                    "publish": {"mode": "none"},
                    "skill": {"id": "mail", "requiredCapabilities": ["Drive"]},
                    "steps": [{"skill": {"requiredCapabilities": ["docker"]}}],
                },
            },
            ["qdrant", "git", "codex", "drive", "docker"],
        ),
    ],
)
def test_what_a_machine_must_have(payload: dict[str, Any], expected: list[str]) -> None:
    """What was asked for first, then what follows from the task; lower case, each once."""
    assert read(payload).payload["requiredCapabilities"] == expected


def test_steps_are_numbered_and_keep_what_they_say() -> None:
    """Their own ids do not count."""
    found = read(task(steps=[{"id": "x", "title": " First "}, {"instructions": "Then", "note": 1}])).payload
    first, second = found["task"]["steps"]
    assert first == {"id": "step-1", "title": "First", "instructions": None, "skill": {"id": "auto", "args": {}}}
    assert (second["id"], second["instructions"], second["note"]) == ("step-2", "Then", 1)


TOKEN = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "task.instructions"),
        ({"task": "do it"}, "task"),
        ({"task": {"instructions": "  "}}, "task.instructions"),
        ({"task": {"instructions": ["a"]}}, "task.instructions"),
        ({"repository": "not a repository", **task()}, "repository"),
        ({"repository": "https://ada:secret@example.org/a/b", **task()}, "payload.repository"),
        ({"repository": "a/b", "repo": "c/d", **task()}, "repository"),
        ({"targetRuntime": "cobol", **task()}, "targetRuntime"),
        ({"targetRuntime": "codex", **task(runtime={"mode": "claude"})}, "targetRuntime and task.runtime.mode"),
        (task(targetRuntime="codex", runtime="claude"), "task.targetRuntime and task.runtime.mode"),
        (task(publish={"mode": "merge"}), "task.publish.mode"),
        (task(steps="x"), "task.steps"),
        (task(steps=["x"]), "task.steps[0]"),
        *(
            (task(steps=[{}, {word: "x"}]), f"task.steps[1].{word}")
            for word in ("runtime", "model", "git", "container")
        ),
        (task(steps=[{}], container={"enabled": True, "image": "i", "command": ["c"]}), "task.steps"),
        (task(container={"enabled": "perhaps"}), "task.container.enabled"),
        (task(container={"enabled": True, "command": ["c"]}), "task.container.image"),
        (task(container={"enabled": True, "image": "i"}), "task.container.command"),
        (task(container={"timeoutSeconds": 0}), "task.container.timeoutSeconds"),
        (task(dependsOn=[f"t{number}" for number in range(11)]), "task.dependsOn"),
        (task(dependsOn="t1"), "task.dependsOn"),
        ({"requiredCapabilities": "docker", **task()}, "requiredCapabilities"),
        ({"auth": {"repoAuthRef": "vault://kv/../x#y"}, **task()}, "auth.repoAuthRef"),
        ({"auth": {"publishAuthRef": "hunter2"}, **task()}, "auth.publishAuthRef"),
        ({"auth": {"repoAuthRef": f"vault://kv/{'a' * 512}#y"}, **task()}, "auth.repoAuthRef"),
        (task(instructions=f"Use {TOKEN}"), "payload.task.instructions"),
        (task(skill={"args": {"deep": [{"token": TOKEN}]}}), "payload.task.skill.args.deep[0].token"),
        ({"other": {TOKEN: 1}, **task()}, "a name in payload.other"),
    ],
)
def test_a_job_that_cannot_be_taken_names_the_field(payload: dict[str, Any], field: str) -> None:
    """One sentence, with the field and, unless it may be a secret, the value."""
    with pytest.raises(JobRefused) as refused:
        read(payload)
    assert refused.value.field == field
    assert refused.value.http_status == 422
    assert TOKEN not in refused.value.message
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize("kind", ["", "codex", None, ["task"], {}])
def test_an_unknown_type_is_refused(kind: Any) -> None:
    """There are three."""
    with pytest.raises(JobRefused, match="codex_exec"):
        jobs.read(kind, task(), "codex")


def test_a_legacy_instruction_becomes_a_task() -> None:
    """Its own keys stay beside the canonical ones, and whoever sent it is told."""
    sent = {
        "repository": "acme/shop",
        "instruction": "Fix it",
        "ref": "develop",
        "codex": {"model": "m", "effort": "high"},
        "publish": {"mode": "branch", "baseBranch": "main"},
        "workdir": "/x",
    }
    found = read(sent, "codex_exec", default="claude")
    assert sent.items() <= found.payload.items()
    assert found.agent == "codex"
    assert found.payload["requiredCapabilities"] == ["codex", "git"]
    assert found.payload["task"]["instructions"] == "Fix it"
    assert found.payload["task"]["git"]["startingBranch"] == "develop"
    assert found.payload["task"]["runtime"] == {"mode": "codex", "model": "m", "effort": "high"}
    assert found.payload["task"]["publish"]["prBaseBranch"] == "main"
    assert found.payload["task"]["skill"]["id"] == "auto"
    assert "codex_exec" in found.warnings[0]


@pytest.mark.parametrize("where", ["repository", "repo"])
def test_a_legacy_skill_becomes_a_task(where: str) -> None:
    """Its inputs are the skill's arguments; some of them are the job's own fields."""
    inputs = {where: "acme/shop", "ref": "topic", "publishMode": "pr", "publishBaseBranch": "main", "feature": "x"}
    found = read({"inputs": inputs, "ref": "main", "codex": {"model": "m"}}, "codex_skill").payload
    made = found["task"]
    assert found["repository"] == "acme/shop"
    assert made["skill"] == {"id": "speckit", "args": inputs}
    assert "speckit" in made["instructions"]
    assert made["git"]["startingBranch"] == "topic"
    assert (made["publish"]["mode"], made["publish"]["prBaseBranch"]) == ("pr", "main")
    assert made["runtime"]["model"] == "m"
    assert found["requiredCapabilities"] == ["codex", "git", "gh"]


def test_a_legacy_skill_says_more_when_it_does() -> None:
    """A skill and an instruction of its own."""
    sent = {"skillId": "docs", "repository": "a/b", "inputs": {"instruction": "Write", "codex": {"effort": "low"}}}
    made = read(sent, "codex_skill").payload["task"]
    assert (made["skill"]["id"], made["instructions"], made["runtime"]["effort"]) == ("docs", "Write", "low")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["task", "instructions", "skill", "id", "runtime", "mode", "publish", "steps", "container", "enabled", "args",
         "repository", "git", "inputs", "codex", "dependsOn", "auth", "targetRuntime", "requiredCapabilities"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from([jobs.CANONICAL, *jobs.LEGACY]), VALUES)
def test_any_payload_is_read_or_refused_and_what_was_read_reads_the_same(kind: str, payload: Any) -> None:
    """No input makes a crash, and the canonical form is a fixed point."""
    try:
        found = jobs.read(kind, payload, "codex")
    except JobRefused:
        return
    if kind == jobs.CANONICAL:
        assert jobs.read(kind, found.payload, "codex").payload == found.payload
