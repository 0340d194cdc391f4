"""What an agent in a container can do and cannot do, and what is left of one, tried with the real podman."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.acceptance import enclosed, image
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place
from tests.acceptance.test_sandbox import ATTACK

IMAGE = f"container: {{image: {image.NAME}}}"


def _settings(script: Path, workspaces: str = IMAGE, env: str = "") -> str:
    return (
        f"agent: command\nreview: {{by: none}}\nlimits: {{attempts: 1}}\n"
        f"workspaces: {{isolation: container, copy: [], {workspaces}}}\n"
        f"agents: {{command: {{run: 'sh agent.sh', env: {{OUTSIDE: '{script.parent}'{env}}}}}}}\n"
    )


def _agent(place: Place, script: str, **more: str) -> None:
    """Let the agent run a script, which lies in the repository: nothing else of the machine is seen in there."""
    (place.repo / "agent.sh").write_text(script)
    place.git("add", "agent.sh")
    place.git("commit", "-q", "-m", "Say what to do")
    configure(place, _settings(place.home / "agent.sh", **more))


def _containers(*words: str) -> list[str]:
    argv = ["podman", "ps", "--all", "--format", "{{.Names}}", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


def test_an_agent_in_a_container_writes_its_workspace_and_nothing_else(place: Place) -> None:
    """Writing outside, hooks, configuration, other branches, records and logins: all blocked. Committing works."""
    image.required()
    (place.home / ".ssh").mkdir()
    (place.home / ".ssh" / "id").write_text("key")
    (place.home / ".netrc").write_text("machine example.org password hidden")
    place.extra["OUTER_TOKEN"] = "outer-t0ken"
    place.git("branch", "orange/other")
    daemon = place.start()
    script = ATTACK.replace("REPO", str(place.repo)).replace("HOME", str(place.home)).replace("DAEMON", str(daemon.pid))
    # What is not mounted lies in the container's own layer: written there, it is nowhere.
    script = script.replace("try touch", "touch").replace("try sh -c 'echo x", "sh -c 'echo x")
    _agent(place, script)
    before = {path: path.read_text() for path in (place.repo / ".git/config", *(place.repo / ".git/hooks").iterdir())}
    task = place.create("attack")
    place.until(lambda: place.statuses()["attack"] in {"done", "stuck"}, "the attack to end")
    log = enclosed.log_of(place)
    assert place.statuses()["attack"] == "done", (log, place.task(task))
    assert "DONE" not in log, log
    assert log.count("blocked:") == script.count("\ntry "), log
    assert "hidden" not in log
    assert "committed" in log
    assert before == {
        path: path.read_text() for path in (place.repo / ".git/config", *(place.repo / ".git/hooks").iterdir())
    }
    assert place.git("show", "refs/orange/base/main:made.txt") == "made"
    assert not list(place.home.glob("planted")) + list(place.home.glob("ran"))
    assert (place.repo / "README.md").read_text() == "# Sample\n"
    assert not [name for name in _containers() if task in name]


def test_an_agent_in_a_container_reaches_orange_by_mailbox(place: Place) -> None:
    """Without any Python in the image: it writes sections, creates children, delegates and reads."""
    image.required()
    _agent(place, enclosed.DELEGATING)
    enclosed.delegates(place)


def test_a_quick_action_in_a_container_leaves_its_changes(place: Place) -> None:
    """It works in a workspace of its own, sees nothing else, and its container is gone afterwards."""
    image.required()
    _agent(place, enclosed.ONCE.replace("REPO", str(place.repo)))
    found = enclosed.acts_once(place)
    place.until(lambda: not [name for name in _containers() if found["id"] in name], "its container to be gone")


@pytest.mark.parametrize("how", ["told", "killed"])
def test_no_container_outlives_its_run(place: Place, how: str) -> None:
    """Cancelled, or its supervisor killed: the container is gone, with all that ran in it."""
    image.required()
    _agent(place, "echo up > up.txt\nsleep 600\n")
    task = place.create("endless")
    place.start()
    run = place.repo / ".git/orange/runs" / f"{task}-1"
    place.until(lambda: list(place.repo.with_name("repo.workspaces").glob("endless-*/up.txt")), "the agent to start")
    assert _containers("--filter", f"name=^orange-{task}-1$") == [f"orange-{task}-1"]
    if how == "told":
        place.orange("task", "cancel", task)
    else:
        os.kill(json.loads((run / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    place.until(lambda: not [name for name in _containers() if task in name], "the container to be gone")


@pytest.mark.parametrize("command", [("cleanup", "TASK"), ("task", "run", "TASK", "--dirty-run")])
def test_what_was_left_is_cleaned_up_by_exact_label(place: Place, command: tuple[str, ...]) -> None:
    """The containers that one task left are removed, and none of a task whose id merely begins alike."""
    image.required()
    _agent(place, "true\n")
    task = place.create("left", "", "--backlog")
    host = (place.repo / ".git/orange/host").read_text().strip()
    for number, of in enumerate((task, f"{task}0")):
        labels = ("--label", f"orange.task={of}", "--label", f"orange.project={host}")
        subprocess.run(
            ["podman", "create", *image.LIMITS, "--name", f"orange-{of}-{number}", *labels, image.NAME, "true"],
            check=True, capture_output=True,
        )  # fmt: skip
    try:
        place.orange(*(task if word == "TASK" else word for word in command))
        left = _containers()
        assert f"orange-{task}-0" not in left
        assert f"orange-{task}0-1" in left
    finally:
        subprocess.run(["podman", "rm", "--force", "--ignore", f"orange-{task}0-1"], check=True, capture_output=True)


def test_checks_and_secrets_are_in_the_container_too(place: Place) -> None:
    """A check sees the workspace alone, a variable reaches the agent, and the network is as the settings say."""
    image.required()
    place.extra["OUTER_TOKEN"] = "outer-t0ken-value"
    script = 'echo "$GIVEN" | wc -c > got.txt; wc -l < /proc/net/dev > net.txt; git add .; git commit -q -m Got\n'
    _agent(place, script, workspaces=f"network: none, {IMAGE}", env=", GIVEN: env:OUTER_TOKEN")
    path = place.repo / ".orange" / "config.yaml"
    check = f"test -e got.txt && ! ls {place.repo}/README.md 2>/dev/null && echo shut"
    path.write_text(path.read_text() + f"checks: [{{name: shut, run: '{check}'}}]\n")
    place.create("checked")
    place.start()
    place.settled({"checked": "done"})
    assert place.git("show", "refs/orange/base/main:got.txt") == str(len("outer-t0ken-value\n"))
    assert place.git("show", "refs/orange/base/main:net.txt") == "3"
    logs = list((place.repo / ".git/orange/runs").glob("*/logs/steps/check-shut.log"))
    assert [log.read_text().strip() for log in logs] == ["shut", "shut"]


def test_an_agents_program_is_the_images(place: Place) -> None:
    """It is not on this machine's PATH; its prompt goes in, its stream comes out and is understood."""
    image.required()
    workspaces = f"workspaces: {{isolation: container, copy: [], {IMAGE}}}"
    configure(place, f"agent: codex\nreview: {{by: none}}\nlimits: {{attempts: 1}}\n{workspaces}\n")
    task = place.create("contained")
    place.start()
    place.settled({"contained": "done"})
    assert "contained" in place.git("show", "refs/orange/base/main:prompt.txt")
    result = json.loads((place.repo / f".git/orange/runs/{task}-1/result.json").read_text())
    assert (result["conversation"]["session"], result["conversation"]["tokens"]["output"]) == ("c0ntained", 3)


def test_without_an_engine_nothing_is_started(place: Place) -> None:
    """The task waits for the capability, in one sentence; so does the doctor say it."""
    programs = place.home / "bin"
    programs.mkdir()
    for program in ("git", "tmux", "sh", "python3", "env", "ps"):
        if found := shutil.which(program):
            (programs / program).symlink_to(found)
    place.extra["PATH"] = str(programs)
    _agent(place, "touch ran\n")
    task = place.create("waiting")
    place.start()
    place.until(lambda: [one["code"] for one in place.why(task)] == ["capability"], "the task to wait")
    assert place.why(task)[0]["message"] == (
        "agents are to run in containers, and there is no podman on the PATH: install it, or set workspaces.isolation "
        "to sandbox"
    )
    checks = json.loads(place.orange("doctor", "--json", fails=True).out)["checks"]
    assert [check["ok"] for check in checks if check["check"] == "container"] == [False]


def test_an_image_that_is_not_there_is_named(place: Place) -> None:
    """Nothing is fetched behind a person's back: the run is refused with the command that fetches it."""
    image.required()
    _agent(place, "true\n", workspaces="container: {image: localhost/orange-no-such-image}")
    task = place.create("refused")
    place.start()
    place.settled({"refused": "stuck"})
    stuck = place.task(task)["stuck"]
    assert stuck["reason"] == "agent_missing"
    assert "localhost/orange-no-such-image of workspaces.container.image cannot be used" in stuck["message"]
