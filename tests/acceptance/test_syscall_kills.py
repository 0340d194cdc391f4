"""Killed at a system call of claiming, of spawning, of bringing in a result: nothing is lost, nothing runs twice.

strace kills the process as it enters the N-th call of a kind. A first, unharmed run shows which calls there are; the
ones that touch the project are sampled, and each kills one more task's command.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

#: Calls that are counted in every thread and process, and those of the main thread only: of these every program makes
#: many as it begins, so that their numbers say something only within one thread.
EVERYWHERE = ("fsync", "fdatasync", "rename", "renameat2", "unlink")
MAIN = ("openat", "write", "vfork", "clone", "clone3")
#: Where strace is asked to stop a call.
_CALL = re.compile(r"^(?:(\d+) +)?(\w+)\((.*)")


@dataclass(frozen=True)
class Point:
    """The N-th call of a kind, in any thread or in the main one."""

    call: str
    number: int
    follow: bool


@dataclass
class Victims:
    """A place, the tasks that were acknowledged in it, and a ledger of every start."""

    place: Place
    made: list[str] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def ledger(self) -> Path:
        return self.place.home / "ledger"

    def create(self) -> str:
        name = f"task-{len(self.made)}"
        self.place.create(name, f"ledger {self.ledger}\nwrite {name}.txt {name}\ncommit Add {name}")
        self.made.append(name)
        return name

    def trace(self, argv: Sequence[str], *options: str) -> int:
        """Run `orange` under strace; returns how it ended."""
        line = ["strace", "-qq", *options, *self.place.argv(*argv)]
        with (self.place.home / "traced.out").open("ab") as log:
            ended = subprocess.run(
                line, cwd=self.place.repo, env=self.place.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                timeout=180, check=False,
            )  # fmt: skip
        return ended.returncode

    def look(self, argv: Sequence[str], *, follow: bool) -> list[Point]:
        """Run unharmed and list the calls that touch the project."""
        calls = EVERYWHERE if follow else MAIN
        log = self.place.home / "calls"
        options = ["-f"] if follow else []
        assert self.trace(argv, *options, "-y", "-e", f"trace=?{',?'.join(calls)}", "-o", str(log)) == 0
        return list(self._points(log, follow=follow))

    def _points(self, log: Path, *, follow: bool) -> Iterator[Point]:
        numbers: Counter[tuple[str, str]] = Counter()
        seen: set[Point] = set()
        begun = False
        for line in log.read_text(errors="replace").splitlines():
            match = _CALL.match(line)
            if not match or "resumed>" in line[:60]:
                continue
            thread, call, rest = match[1] or "", match[2], match[3]
            numbers[thread, call] += 1
            ours = any(str(root) in rest for root in (self.place.repo, f"{self.place.repo}.workspaces"))
            reading = call == "openat" and not re.search("O_CREAT|O_WRONLY|O_RDWR", rest)
            begun = begun or (ours and not reading)
            point = Point(call, numbers[thread, call], follow)
            forks = call.startswith(("vfork", "clone"))
            if point not in seen and ((ours and not reading) or (begun and forks)):
                seen.add(point)
                yield point

    def kill(self, argv: Sequence[str], point: Point) -> bool:
        """Run and kill at a point; returns whether it was reached."""
        options = ["-f"] if point.follow else []
        inject = f"inject={point.call}:signal=KILL:when={point.number}"
        ended = self.trace(argv, *options, "-e", f"trace={point.call}", "-e", inject, "-o", os.devnull)
        hit = ended in {128 + signal.SIGKILL, -signal.SIGKILL}
        self.killed[point.call] += hit
        return hit

    def check(self, name: str, states: set[str]) -> None:
        """Fail unless orange and the user's repository work, and the task is before or after what was killed."""
        self.place.orange("status")
        statuses = self.place.statuses()
        assert statuses[name] in states, (name, statuses[name])
        assert set(self.made) <= statuses.keys()
        self.place.git("fsck", "--connectivity-only")
        self.place.git("status", "--porcelain")  # a kill while files follow the branch is repaired by the next daemon
        if not self.pass_time():
            self.place.git("gc", "-q")

    def pass_time(self) -> list[Path]:
        """Make what a killed git left locked as old as if a minute had passed; nobody may touch it before."""
        git = self.place.repo / ".git"
        locks = [path for root in (git / "refs", git / "worktrees") for path in root.rglob("*.lock")]
        for path in (*locks, *git.glob("*.lock")):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (1, 1))
        return locks

    def finish(self) -> None:
        """Let the daemon end everything; each run started at most once, each task's work is in the branch."""
        self.place.orange("daemon", "run", "--once")
        for _ in range(3):
            if set(self.place.statuses().values()) != {"done"}:
                self.place.orange("daemon", "run", "--once")
        assert set(self.place.statuses().values()) == {"done"}, self.place.report()
        starts = Counter(line.split()[1] for line in self.ledger.read_text().splitlines())
        assert [run for run, count in starts.items() if count > 1] == []
        self.place.until(
            lambda: (
                {f"{name}.txt" for name in self.made}
                <= set(self.place.git("ls-tree", "--name-only", "refs/orange/base/main").splitlines())
            ),
            "all work to be in the base",
        )
        self.place.until(lambda: self.place.git("status", "--porcelain") == "", "the checkout to be clean")
        assert not self.pass_time()
        self.place.git("gc", "-q")
        self.place.git("fsck", "--connectivity-only")


@pytest.fixture
def victims(place: Place) -> Victims:
    """A place where processes may be traced; skipped, saying so, where they may not."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: kills at system calls are NOT tested")
    tried = subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"strace may not trace here ({tried.stderr.strip()}): kills at system calls are NOT tested")
    limits = "limits: {attempts: 50, consecutive_failures: 1000}\n"
    settings = place.home / "config" / "orange" / "config.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("limits: {max_agents: 100}\n")  # what a killed daemon left unsettled holds a slot
    configure(place, f"agent: script\nreview: {{by: none}}\n{limits}")
    return Victims(place)


def spread(points: Sequence[Point], count: int) -> list[Point]:
    """Choose so many points, evenly, each kind of call in turn."""
    kinds: dict[str, list[Point]] = {}
    for point in points:
        kinds.setdefault(point.call, []).append(point)
    share = max(1, -(-count // max(1, len(kinds))))
    chosen = [[found[at * len(found) // share] for at in range(min(share, len(found)))] for found in kinds.values()]
    in_turn = [point for turn in zip_longest(*chosen) for point in turn if point]
    return list(dict.fromkeys(in_turn))[: max(count, len(kinds))]


def torment(
    victims: Victims, count: int, argv: Callable[[str], Sequence[str]], ready: Callable[[str], None], states: set[str]
) -> None:
    """Look at an unharmed run, then kill one at each of the chosen calls."""
    points: list[Point] = []
    for follow in (False, True):
        name = victims.create()
        ready(name)
        points += victims.look(argv(name), follow=follow)
    assert points
    chosen = spread(points, count)
    hits = 0
    for point in chosen:
        name = victims.create()
        ready(name)
        hits += victims.kill(argv(name), point)
        victims.check(name, states)
    assert hits * 2 > len(chosen), (hits, chosen)


def test_a_claim_killed_at_any_call_is_made_or_not(victims: Victims, times: Callable[[int], int]) -> None:
    """`task take`: the task is pending or held, and can be given back and worked off."""
    torment(victims, times(6), lambda name: ("task", "take", name), lambda _name: None, {"pending", "working"})
    for name, status in victims.place.statuses().items():
        if status == "working":
            victims.place.orange("task", "release", name)
    victims.finish()


def test_a_start_killed_at_any_call_is_finished_or_never_begun(victims: Victims, times: Callable[[int], int]) -> None:
    """`task run` without a daemon: the next daemon launches what was claimed; no agent starts twice."""
    states = {"pending", "working"}
    torment(victims, times(6), lambda name: ("task", "run", name), lambda _name: None, states)
    victims.finish()


def test_a_result_brought_in_by_a_daemon_killed_at_any_call_is_brought_in_once(
    victims: Victims, times: Callable[[int], int]
) -> None:
    """`daemon run --once` over an ended run: settling, merging and following survive a kill anywhere."""

    def ready(name: str) -> None:
        victims.place.orange("task", "run", name)
        run = victims.place.task(name)["run"]
        result = victims.place.repo / ".git" / "orange" / "runs" / run / "result.json"
        victims.place.until(result.exists, f"{run} to end")

    states = {"working", "reviewed", "done"}
    torment(victims, times(6), lambda _name: ("daemon", "run", "--once"), ready, states)
    victims.finish()
    tip = victims.place.git("rev-parse", "main")
    victims.place.until(
        lambda: victims.place.git("rev-parse", "main") == victims.place.git("rev-parse", "refs/orange/base/main"),
        f"the branch to follow from {tip}",
    )


def test_a_lock_of_a_tasks_branch_left_by_a_killed_git_holds_nothing_up(place: Place) -> None:
    """A git killed while it creates the branch leaves its lock; a minute later it is nobody's."""
    configure(place, "agent: script\nreview: {by: none}\nlimits: {attempts: 1}\n")
    task = place.create("locked", "write a.txt a\ncommit Add a")
    lock = place.repo / ".git" / "refs" / "heads" / "orange" / f"locked-{task}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    os.utime(lock, (1, 1))
    place.orange("daemon", "run", "--once")
    assert place.statuses() == {"locked": "done"}
