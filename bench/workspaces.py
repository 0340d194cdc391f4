"""P8: handing over a prepared spare, making a workspace cold, and cleaning one, against `git worktree add`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.measure import Row, medians, wall
from orange.adapters.workspaces import WorktreeWorkspaces
from orange.core.layout import Layout
from orange.core.model import Task
from orange.core.settings import WorkspaceSettings

FOLDERS, FILES = 200, 100
_TASK = Task("k3f9x2ab", "Bench", "bench")


class _Clock:
    """The real time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class _Bench:
    """A repository of 20 000 files and its workspaces."""

    def __init__(self, folder: Path) -> None:
        self.repo = str(folder / "repo")
        self._make()
        layout = Layout(self.repo, f"{self.repo}/.git")
        self.keeping, self.removing = (
            WorktreeWorkspaces(layout, WorkspaceSettings(size=size, copy=()), _Clock()) for size in (1, 0)
        )
        self.start = self.git("rev-parse", "HEAD").strip()
        self.numbers = iter(range(10**6))

    def git(self, *args: str) -> str:
        """Run git as a user would."""
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        return subprocess.run(["git", *who, *args], cwd=self.repo, check=True, capture_output=True, text=True).stdout

    def _make(self) -> None:
        for number in range(FOLDERS):
            folder = Path(self.repo, f"d{number}")
            folder.mkdir(parents=True)
            for file in range(FILES):
                (folder / f"f{file}.txt").write_text(f"file {number} {file}\n" * 40)
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-qm", "Begin")

    def worktree_add(self) -> float:
        """What git itself takes."""
        path = f"{self.repo}-plain"
        seconds = wall(lambda: self.git("worktree", "add", "-q", "-b", f"plain-{next(self.numbers)}", path))
        self.git("worktree", "remove", "--force", path)
        return seconds

    def acquire(self, workspaces: WorktreeWorkspaces) -> float:
        """A new task's workspace."""
        number = next(self.numbers)
        self.task = replace(_TASK, name=f"bench-{number}")
        return wall(lambda: workspaces.acquire(self.task, f"orange/bench-{number}", self.start))

    def cold(self) -> float:
        """Without a spare."""
        self.removing.refill()  # removes the spare that `clean` left
        assert not self.removing.list()
        seconds = self.acquire(self.removing)
        self.release(self.removing)
        return seconds

    def hand_over(self) -> float:
        """With a spare; then the agent works, for `clean`."""
        self.keeping.refill()
        seconds = self.acquire(self.keeping)
        path = self.keeping.path_for(self.task)
        for number in range(50):
            Path(path, f"d{number}", "f0.txt").write_text("changed")
            Path(path, f"d{number}", "new.txt").write_text("new")
        self.leftovers = wall(lambda: self.keeping.commit_leftovers(path, "Leftovers"))
        return seconds

    def release(self, workspaces: WorktreeWorkspaces) -> float:
        """Saved, and cleaned or removed."""
        return wall(lambda: workspaces.release(workspaces.path_for(self.task)))


@contextmanager
def _bench() -> Iterator[_Bench]:
    folder = tempfile.mkdtemp(prefix="orange-bench-")
    try:
        yield _Bench(Path(folder))
    finally:
        shutil.rmtree(folder)


def measure(_count: int) -> Iterator[Row]:
    """Measure on a repository of 20 000 files."""
    with _bench() as bench:
        found = medians(
            {
                "add": bench.worktree_add,
                "cold": bench.cold,
                "spare": bench.hand_over,
                "leftovers": lambda: bench.leftovers,
                "clean": lambda: bench.release(bench.keeping),
            }
        )
    what = "20 000 files, against git worktree add"
    yield Row("P8", f"hand over a spare: {what}", found["spare"], found["add"], 20.0, at_least=True)
    yield Row("P8", f"make a workspace cold: {what}", found["cold"], found["add"], 0.7)
    yield Row("P8", f"save, clean and keep one: {what}", found["clean"], found["add"], None)
    yield Row("P8", f"commit 100 leftovers: {what}", found["leftovers"], found["add"], None)
