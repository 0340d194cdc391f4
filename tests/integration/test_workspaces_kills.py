"""SIGKILL at any instant: repair heals the repository, and no work is lost."""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orange.core.settings import WorkspaceSettings
from orange.testing.repos import Repo, kill, sample
from tests.integration.workspaces_churn import BASES
from tests.integration.workspaces_place import OTHER, TASK, Place

#: Kills at random instants, over both ways of killing.
_KILLS = 24
#: Kills before chosen operations of a life, which has about `_OPERATIONS`; `make torture` tries more of them.
_STEPS = 6
_OPERATIONS = 850


def _prepared(folder: Path) -> Place:
    """A repository of some hundred files with commits that conflict with each other now and then."""
    repo = sample(folder / "repo")
    files = {f"d{i}/f{j}.txt": f"{i} {j}\n" for i in range(12) for j in range(25)}
    repo.commit({**files, ".gitignore": "*.log\n*.cfg\n"}, "Many")
    repo.write({"local.cfg": "mine\n"})
    tip = repo.git("rev-parse", "HEAD")
    for number in range(BASES):
        repo.branch(f"base-{number}", {f"d{number}/f0.txt": f"base {number}\n"}, start=tip)
        repo.branch(f"base-{number}", {"shared.txt": f"base {number}\n"}, start=tip)
    return Place(repo, WorkspaceSettings(size=2, copy=("local.cfg",)))


def _start(place: Place, mode: str, seed: str) -> int:
    argv = [sys.executable, "-m", "tests.integration.workspaces_churn", place.repo.path, mode, seed]
    root = str(Path(__file__).parents[2])
    log = os.open(os.path.join(os.path.dirname(place.repo.path), "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
        return os.posix_spawn(sys.executable, argv, {**os.environ, "PYTHONPATH": root}, file_actions=actions)
    finally:
        os.close(log)


def _check(place: Place) -> None:
    """Repair, then look for anything wrong with git, with the work, or still to be repaired."""
    folder = Path(place.repo.path).parent
    place.workspaces.repair()
    failed = folder / "failed"
    assert not failed.exists(), failed.read_text()
    place.healthy()
    assert not _lost(place)
    assert place.workspaces.repair() == ()


def _lost(place: Place) -> set[str]:
    """Names in the ledger that are neither in a workspace nor in any commit that a ref reaches."""
    folder = Path(place.repo.path).parent
    ledger = folder / "ledger"
    noted = set(ledger.read_text().split()) if ledger.exists() else set()
    files = {path.name for path in folder.glob("repo.workspaces/[a-z]*-*/*")}
    stored = set(place.repo.git("log", "--all", "-m", "--root", "--format=", "--name-only").split("\n"))
    return noted - files - stored


def _usable(place: Place) -> None:
    for task in (TASK, OTHER):
        place.acquire(task, place.repo.git("rev-parse", "base-0"))
    place.repo.git("fetch", "--quiet", place.repo.path)


@pytest.mark.parametrize("family", [False, True], ids=["only it", "with its git"])
def test_kills_at_random_instants_are_healed(tmp_path: Path, times: Callable[[int], int], *, family: bool) -> None:
    """After each kill, repair leaves a repository that git likes, and every piece of work in it."""
    place = _prepared(tmp_path)
    dice = random.Random(f"instants {family}")
    for number in range(times(_KILLS // 2)):
        pid = _start(place, "random", f"{family} {number}")
        time.sleep(0.15 + dice.random() * 0.6)  # the instant is the test's subject
        kill(pid, family=family)
        os.waitpid(pid, 0)
        _check(place)
    _usable(place)


def test_a_kill_before_any_operation_is_healed(tmp_path: Path, times: Callable[[int], int]) -> None:
    """Killed before the N-th change of a file or start of a program, for many N: healed, nothing lost, usable."""
    model = tmp_path / "model"
    model.mkdir()
    settings = _prepared(model).settings
    count = min(times(_STEPS), _OPERATIONS)
    for number in random.Random("steps").sample(range(_OPERATIONS), count):
        folder = shutil.copytree(model, tmp_path / str(number), symlinks=True)
        place = Place(Repo(str(folder / "repo")), settings)
        os.waitpid(_start(place, "step", str(number)), 0)
        _check(place)
        _usable(place)
        shutil.rmtree(folder)
