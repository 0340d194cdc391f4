"""P8: handing over a prepared spare, making a workspace cold, and cleaning one, against `git worktree add`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.measure import Row, medians, scratch, wall
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

    def __init__(self, folder: Path, size: int) -> None:
        self.repo = str(folder / "repo")
        self._make()
        settings = WorkspaceSettings(size=size, copy=())
        self.workspaces = WorktreeWorkspaces(Layout(self.repo, f"{self.repo}/.git"), settings, _Clock())
        self.start = self.git("rev-parse", "HEAD").strip()
        self.numbers = iter(range(10**6))

    def git(self, *args: str, cwd: str | None = None, stdin: str = "") -> str:
        """Run git as a user would."""
        argv = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *args]
        found = subprocess.run(argv, cwd=cwd or self.repo, input=stdin, check=True, capture_output=True, text=True)
        return found.stdout

    def _make(self) -> None:
        """Make it with its objects in a pack, as a clone has them."""
        self.git("init", "-q", "-b", "main", self.repo, cwd="/")
        stream = ["commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 5\nBegin\n"]
        for folder in range(FOLDERS):
            for file in range(FILES):
                text = f"file {folder} {file}\n" * 40
                stream.append(f"M 100644 inline d{folder}/f{file}.txt\ndata {len(text)}\n{text}\n")
        self.git("fast-import", "--quiet", stdin="".join(stream))
        self.git("reset", "-q", "--hard")

    def worktree_add(self) -> float:
        """What git itself takes."""
        number = next(self.numbers)
        return wall(lambda: self.git("worktree", "add", "-q", "-b", f"plain-{number}", f"{self.repo}-plain-{number}"))

    def acquire(self) -> float:
        """A new task's workspace."""
        number = next(self.numbers)
        self.task = replace(_TASK, name=f"bench-{number}")
        return wall(lambda: self.workspaces.acquire(self.task, f"orange/bench-{number}", self.start))

    def cold(self) -> float:
        """Without a spare."""
        assert all(found.task for found in self.workspaces.list())
        return self.acquire()

    def hand_over(self) -> float:
        """With a spare; then the agent works, for `clean`."""
        self.workspaces.refill()
        seconds = self.acquire()
        path = self.workspaces.path_for(self.task)
        for number in range(50):
            Path(path, f"d{number}", "f0.txt").write_text("changed")
            Path(path, f"d{number}", "new.txt").write_text("new")
        self.leftovers = wall(lambda: self.workspaces.commit_leftovers(path, "Leftovers"))
        return seconds

    def clean(self) -> float:
        """Saved, cleaned, and a spare again."""
        return wall(lambda: self.workspaces.release(self.workspaces.path_for(self.task)))


def measure(_count: int) -> Iterator[Row]:
    """Measure on repositories of 20 000 files."""
    folder = scratch("orange-bench-")
    cold, warm = _Bench(Path(folder, "cold"), 0), _Bench(Path(folder, "warm"), 1)  # never a spare, and always one
    found = medians(
        {
            "add": cold.worktree_add,
            "cold": cold.cold,
            "spare": warm.hand_over,
            "leftovers": lambda: warm.leftovers,
            "clean": warm.clean,
        }
    )
    what = "20 000 files, against git worktree add"
    yield Row("P8", f"hand over a spare: {what}", found["spare"], found["add"], 20.0, at_least=True)
    yield Row("P8", f"make a workspace cold: {what}", found["cold"], found["add"], 0.7)
    yield Row("P8", f"save, clean and keep one: {what}", found["clean"], found["add"], None)
    yield Row("P8", f"commit 100 leftovers: {what}", found["leftovers"], found["add"], None)
