"""Many processes at once, commands and library mixed: no task is claimed twice, none is missed, no edit is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orange import wiring
from orange.core.layout import RECORDS_REF
from orange.core.lifecycle import Actor
from orange.core.problems import AlreadyClaimed
from orange.project import Project
from orange.project.claims import claim_run
from orange.project.requests import Edit, Speaker
from orange.testing import repos
from tests.integration.store_place import add, in_processes, quick_folder, task

ADA = Speaker(Actor.PERSON, "ada")


@dataclass
class Site:
    """A real project without a daemon, where syncing costs nothing, so that races are many."""

    root: Path

    def parts(self) -> wiring.Wired:
        """Make the project's parts as a process of its own has them; history is recorded when it is told to."""
        return wiring.Wired(repos.Repo(str(self.root)).layout, wiring.current_home(), daemon=True)

    def add(self, count: int) -> list[str]:
        """Create so many tasks."""
        parts = self.parts()
        made = add(parts.store, *(task(number) for number in range(count)))
        parts.store.record()
        return [one.id for one in made]

    def command(self, *args: str) -> tuple[int, str]:
        """Run a real `orange`; returns its exit code and what it complained of."""
        argv = [sys.executable, "-m", "orange", *args]
        done = subprocess.run(argv, cwd=self.root, capture_output=True, text=True, timeout=300, check=False)
        return done.returncode, done.stderr


@pytest.fixture
def site() -> Iterator[Site]:
    """A project of its own."""
    with quick_folder() as folder:
        repos.sample(str(folder / "r"))
        wiring.init_project(str(folder / "r"), None)
        yield Site(folder / "r")


class Turns:
    """Turns that processes give each other; made before they fork.

    The library takes one for each attempt, and the commands give them: else it would be done before the first command
    had loaded Python.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def give(self, count: int) -> None:
        """Give so many turns, to whoever waits."""
        os.write(self._write, b"x" * count)

    def take(self) -> None:
        """Wait for a turn."""
        os.read(self._read, 1)


def front(ids: list[str], seed: int) -> list[str]:
    """List all tasks in nearly the same order for everybody, so that many are after the same one at the same time."""
    chance = random.Random(seed)
    places = {task_id: place + chance.uniform(0, 40) for place, task_id in enumerate(ids)}
    return sorted(ids, key=places.__getitem__)


def test_every_task_is_claimed_exactly_once(site: Site, times: Callable[[int], int]) -> None:
    """32 processes, half of them real commands, claim 500 ready tasks: none is claimed twice, none is missed.

    The commands begin among themselves; then they and the library race along the board.
    """
    commands, library, turns = 16, 16, times(3)
    ids, begun, pace = site.add(500), [Turns() for _ in range(commands)], Turns()
    orders = [front(ids, number) for number in range(commands + library)]
    attempts = -(-library * len(ids) // (commands * (turns - 1)))

    def take(number: int) -> list[str]:
        """Take one task by command, then some more about where the library will be."""
        won, order = [], orders[number]
        places = [
            number,
            *((turn * commands + number) * len(ids) // (commands * (turns - 1)) for turn in range(turns - 1)),
        ]
        for turn, place in enumerate(places):
            status, complaint = site.command("task", "take", order[place])
            assert status == 0 or "already claimed" in complaint, complaint
            won += [order[place]] * (status == 0)
            (pace if turn else begun[number]).give(attempts if turn else library)
        return won

    def claim(number: int) -> list[str]:
        """Claim whatever is still free, as a daemon would."""
        parts, won = site.parts(), []
        for other in begun:
            other.take()
        for task_id in orders[number]:
            pace.take()
            try:
                won.append(claim_run(parts, ADA, task_id).id)
            except AlreadyClaimed:
                continue
        parts.store.record()
        return won

    won = in_processes(commands + library, lambda number: (take if number < commands else claim)(number))
    taken, claimed = ([one for mine in part for one in mine] for part in (won[:commands], won[commands:]))
    assert sorted(taken + claimed) == sorted(ids)
    board = site.parts().store.read()
    runs = {f"person-{task_id}-1" for task_id in taken} | {f"{task_id}-1" for task_id in claimed}
    assert {str(found.claim and found.claim.run) for found in board.tasks.values()} == runs
    assert not board.problems
    assert len(taken) >= len({order[number] for number, order in enumerate(orders[:commands])}) > commands // 2


def test_no_edit_of_many_is_lost(site: Site, times: Callable[[int], int]) -> None:
    """16 processes make 3 000 edits on 20 tasks, 200 of them by command: every one is there, in the history too."""
    commands, library, ids = 8, 8, site.add(20)

    def by_command(number: int, serial: int) -> tuple[str, str]:
        task_id, label = ids[(number + serial) % len(ids)], f"l-{number}-{serial}"
        assert site.command("task", "update", task_id, "--add-label", label) == (0, "")
        return task_id, label

    def by_library(project: Project, number: int, serial: int) -> tuple[str, str]:
        task_id, label = ids[(number + serial) % len(ids)], f"l-{number}-{serial}"
        project.edit(task_id, Edit(add_labels=(label,)))
        if serial % 50 == number:
            project.parts.store.record()
        return task_id, label

    def edit(number: int) -> list[tuple[str, str]]:
        if number < commands:
            return [by_command(number, serial) for serial in range(times(200 // commands))]
        project = Project(site.parts(), ADA)
        return [by_library(project, number, serial) for serial in range(times(2800 // library))]

    done = [tuple(pair) for pairs in in_processes(commands + library, edit) for pair in pairs]
    assert len(done) == times(3000)
    store = site.parts().store
    board = store.read()
    assert sorted((task_id, label) for task_id, found in board.tasks.items() for label in found.labels) == sorted(done)
    assert max(Counter(done).values()) == 1
    assert (board.problems, store.hand_edits()) == ((), ())
    store.record()
    tip = repos.Repo(str(site.root)).tree(RECORDS_REF)
    tree = Path(site.parts().layout.tree)
    assert all(tip[found.path] == (tree / found.path).read_bytes() for found in board.tasks.values())
