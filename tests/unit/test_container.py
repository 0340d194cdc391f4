"""A run's container: what its command lines say, whose it is, and what may not be told to an engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from orange.core import container
from orange.core.container import Box, Engine
from orange.core.sandbox import Cage

CAGE = Cage(
    workspace="/w/t-1", common="/r/.git", admin="/r/.git/worktrees/t-1", branch="refs/heads/orange/t-1",
    folder="/r/.git/orange/runs/t-1-4", shown=("/h",), hidden=("/r/.orange",), hidden_files=("/h/.netrc",),
    own=("/h/.claude",), others=("/r/.git/refs/heads/orange/other",),
)  # fmt: skip
PODMAN = Engine("podman", "/usr/bin/podman", {"HOME": "/h"})
DOCKER = Engine("docker", "/usr/bin/docker", {})
BOX = Box(
    run="k3f9x2ab-4", task="k3f9x2ab", project="c10ne", image="agents:1", home="/h", user="0:0", read=("/h/.gitconfig",)
)


def _mounts(words: Sequence[str]) -> dict[str, str]:
    """Return each mounted path with how it may be used."""
    found = {}
    for at, word in enumerate(words):
        if word == "--mount":
            kind, source, target, *how = words[at + 1].split(",")
            assert kind == "type=bind"
            empty = source == "source=/dev/null"
            found[target.removeprefix("target=")] = "empty" if empty else " ".join(how) or "writable"
        elif word == "--tmpfs":
            found[words[at + 1].partition(":")[0]] = "tmpfs"
    return found


@pytest.mark.parametrize("engine", [PODMAN, DOCKER], ids=lambda engine: engine.kind)
def test_only_what_is_needed_is_mounted(engine: Engine) -> None:
    """What committing needs can be written, what git obeys only read; records and home are empty; no more is there."""
    assert _mounts(container.begin(engine, BOX, CAGE)) == {
        "/r/.git": "readonly", "/r/.git/orange": "tmpfs", "/r/.git/orange/runs/t-1-4": "readonly",
        "/r/.git/orange/runs/t-1-4/mail": "writable", "/h": "tmpfs", "/h/.gitconfig": "readonly",
        "/h/.claude": "writable", "/w/t-1": "writable", "/w/t-1/.git": "readonly", "/r/.git/objects": "writable",
        "/r/.git/worktrees/t-1": "writable", "/r/.git/worktrees/t-1/commondir": "readonly",
        "/r/.git/worktrees/t-1/gitdir": "readonly", "/r/.git/worktrees/t-1/config.worktree": "empty",
        "/r/.git/refs/heads/orange": "writable", "/r/.git/logs/refs/heads/orange": "writable",
        "/r/.git/refs/heads/orange/other": "readonly",
    }  # fmt: skip


def test_its_name_and_labels_are_exact() -> None:
    """The name is the run's; the task, the run and the clone are labels."""
    words = container.begin(PODMAN, BOX, CAGE)
    assert words[words.index("--name") + 1] == "orange-k3f9x2ab-4"
    labels = {words[at + 1] for at, word in enumerate(words) if word == "--label"}
    assert labels == {"orange.task=k3f9x2ab", "orange.run=k3f9x2ab-4", "orange.project=c10ne"}


@pytest.mark.parametrize(
    ("cage", "box", "engine", "has", "lacks"),
    [
        (CAGE, BOX, PODMAN, ["--network host", "--user 0:0", "--cap-drop all"], ["--memory"]),
        (CAGE, BOX, DOCKER, ["--pull never", "no-new-privileges"], ["--ulimit", "--userns"]),
        (CAGE, dataclasses.replace(BOX, user=None), PODMAN, ["--userns keep-id"], ["--user "]),
        (CAGE, dataclasses.replace(BOX, memory="4g", cpus="1.5"), DOCKER, ["--memory 4g", "--cpus 1.5"], []),
        (CAGE, dataclasses.replace(BOX, ulimits=("nofile=9:9",)), PODMAN, ["--ulimit nofile=9:9"], []),
        (dataclasses.replace(CAGE, network=False), BOX, PODMAN, ["--network none"], ["--network host"]),
    ],
)
def test_limits_and_network_follow_the_settings(
    cage: Cage, box: Box, engine: Engine, has: list[str], lacks: list[str]
) -> None:
    """Each setting becomes an option; what an engine does not know is not said to it."""
    words = " ".join(container.begin(engine, box, cage))
    assert [word for word in has if word not in words] == [word for word in lacks if word in words] == []


def test_values_of_variables_are_in_no_argument() -> None:
    """Variables are told by name; those of the engine's own and of the image's are not told."""
    words = container.enter(PODMAN, "orange-a-1", "/run", ["TOKEN", "PATH", "HOME"], terminal=True)
    assert words[:5] == ("env", "HOME=/h", "/usr/bin/podman", "exec", "--interactive")
    assert words[5:10] == ("--tty", "--env", "HOME", "--env", "TOKEN")
    assert "--tty" not in container.enter(PODMAN, "orange-a-1", "/run", [], terminal=False)


@pytest.mark.parametrize(
    ("listed", "task", "found"),
    [
        ("a\tT-1\tp\nb\tT-10\tp\nc\tT-1\tp", "T-1", ("a", "c")),
        ("a\tT-1\tp\nb\tT-10\tp", "T-10", ("b",)),
        ("a\tT-1\tq\nb\t\tp\nc", "T-1", ()),
        ("", "T-1", ()),
    ],
)
def test_one_tasks_containers_are_never_anothers(listed: str, task: str, found: tuple[str, ...]) -> None:
    """Cleaning T-1 does not touch T-10, nor another clone's, nor what has no label."""
    assert container.of_tasks(listed, {task}, "p") == found


@pytest.mark.parametrize(("engine", "ends"), [(PODMAN, ("--ignore", "orange-T-1-1")), (DOCKER, ("orange-T-1-1",))])
def test_a_container_is_removed_by_its_exact_name(engine: Engine, ends: tuple[str, ...]) -> None:
    """One name, and no pattern."""
    words = container.end(engine, "orange-T-1-1")
    assert words[-len(ends) :] == ends
    assert words[words.index("rm") + 1] == "--force"


@pytest.mark.parametrize(("path", "may"), [("/a b/ü:x", True), ("/a,b", False), ('/a"b', False), ("/a\nb", False)])
def test_paths_that_an_engine_would_misread_are_refused(path: str, may: bool) -> None:
    """A mount is a line of comma-separated values."""
    assert container.mountable(path) is may


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"engine": "podman", "image": None}, "workspaces.container.image names no image"),
        ({"engine": "docker", "image": "a"}, "there is no docker on the PATH: install it"),
    ],
)
def test_what_is_lacking_is_one_sentence(settings: dict[str, str | None], words: str) -> None:
    """It names what to install or to set."""
    assert words in container.lacking(settings)
