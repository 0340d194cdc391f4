"""Programs that work with workspaces until they are killed.

`python -m tests.integration.workspaces_churn REPO random SEED` works for ever; `... REPO step NUMBER` goes through one
life of two workspaces and kills itself before the operation of that number (files changed, programs started).

Each piece of work is a file of a unique name; the name is noted in a ledger once the file is there.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

from orange.core.model import Task
from orange.core.problems import WorkspaceFailed
from orange.core.settings import HookSettings, WorkspaceSettings
from orange.testing.repos import Repo
from tests.integration.workspaces_place import OTHER, TASK, Place, branch

BASES = 6
_OPERATIONS = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "subprocess.Popen"})


class Worker:
    """Somebody who takes, uses and returns workspaces."""

    def __init__(self, repo: str, settings: WorkspaceSettings, seed: str) -> None:
        self.place = Place(Repo(repo), settings)
        self.ledger = Path(os.path.dirname(repo), "ledger")
        self.dice = random.Random(seed)

    def take(self, task: Task, base: int) -> str:
        """Acquire a task's workspace; returns its path."""
        start = self.place.repo.git("rev-parse", f"base-{base}")
        return self.place.workspaces.acquire(task, branch(task), start).path

    def work(self, path: str, kind: str) -> None:
        """Leave a file of a kind, and a change that may conflict."""
        name = f"{self.dice.getrandbits(64):016x}.{kind}"
        Path(path, name).write_text(name)
        Path(path, "shared.txt").write_text(f"{self.dice.random()}\n")
        with self.ledger.open("a") as file:
            file.write(f"{name}\n")

    def live(self) -> None:
        """Take, use and return workspaces for ever."""
        dice = self.dice
        while True:
            path = self.take(dice.choice([TASK, OTHER]), dice.randrange(BASES))
            self.work(path, dice.choice(["txt", "log"]))
            if dice.random() < 0.6:
                self.place.workspaces.commit_leftovers(path, "Leftovers")
            if dice.random() < 0.3:
                self.work(path, dice.choice(["txt", "log"]))
            if dice.random() < 0.7:
                self.place.workspaces.release(path)
            if dice.random() < 0.5:
                self.place.workspaces.refill()

    def one_life(self) -> None:
        """Go through every operation once: cold, from a spare, again with a merge, returned, removed."""
        workspaces = self.place.workspaces
        first = self.take(TASK, 0)
        self.work(first, "txt")
        workspaces.commit_leftovers(first, "Leftovers")
        self.take(TASK, 1)
        self.work(first, "log")
        self.work(first, "txt")
        workspaces.release(first)
        second = self.take(OTHER, 1)
        self.work(second, "txt")
        self.work(self.take(TASK, 2), "txt")
        for path in (first, second):
            workspaces.commit_leftovers(path, "Leftovers")
            workspaces.release(path)
        while workspaces.refill():
            pass


def die_before(number: int) -> None:
    """Kill this process before the operation of that number from now."""
    left = number

    def count(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        opened = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if opened or event in _OPERATIONS:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def main() -> None:
    """Read the arguments and work."""
    folder, mode, seed = sys.argv[1:]
    hooks = HookSettings(after_create="true", before_remove="true")
    worker = Worker(folder, WorkspaceSettings(size=2, copy=("local.cfg",), hooks=hooks), seed)
    try:
        if mode == "step":
            die_before(int(seed))
            worker.one_life()
        else:
            worker.live()
    except WorkspaceFailed as error:
        Path(os.path.dirname(folder), "failed").write_text(error.message)
        raise


if __name__ == "__main__":
    main()
