"""Publishing conflicting work while it is killed again and again: nothing is ever left half-merged.

No instant is guessed: the daemon and its gits are stopped first, then it is seen whether they are in the middle of
publishing, and only then they are killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from orange import proctable
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

BASE = "refs/orange/base/main"
#: Fixed, so that a failure can be looked at again.
SEED = 20261121
#: Files each task makes beside the one that conflicts, so that a checkout is some way from one state to the next.
FILES = 30
#: What the user has in the checkout all the time: edited, staged, not tracked.
MINE = {"mine/edited": " M", "mine/staged": "M ", "mine/untracked": "??"}
MERGING, RECORDING, MOVING = "merging", "recording a merge", "moving the checkout"
#: How many seconds at most what is watched for is waited for, before the next is looked for.
WATCH = 0.3


@dataclass
class Publishing:
    """A daemon that publishes, and whoever kills it."""

    place: Place
    chance: random.Random
    daemon: subprocess.Popen[bytes] | None = None
    #: The names of the tasks by their pair, as they were made.
    pairs: list[tuple[str, str]] = field(default_factory=list)
    #: What was going on when something was killed, and what that was.
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: The groups of killed daemons, in which their gits may be at work still.
    left: list[int] = field(default_factory=list)

    @property
    def runtime(self) -> Path:
        """The project's runtime folder."""
        return self.place.repo / ".git" / "orange"

    # -- supply

    def make(self, count: int) -> None:
        """Create pairs of tasks that change one file, and have them worked off."""
        made = [(f"p{number}-one", f"p{number}-two") for number in range(len(self.pairs), len(self.pairs) + count)]
        jobs = [{"type": "task", "payload": {"task": {"instructions": _text(name)}}} for pair in made for name in pair]
        path = self.place.home / "jobs.json"
        path.write_text(json.dumps(jobs))
        self.place.orange("task", "import", str(path))
        self.pairs += made
        self.run()
        self.place.settled({name: "reviewing" for pair in made for name in pair})

    def run(self) -> subprocess.Popen[bytes]:
        """Start the daemon, as the leader of a group of its own, unless it runs."""
        if self.daemon is None or self.daemon.poll() is not None:
            with (self.place.home / "daemon.out").open("ab") as log:
                argv = self.place.argv("daemon", "run", "--poll", "1s")
                self.daemon = subprocess.Popen(
                    argv, cwd=self.place.repo, env=self.place.env, stdout=log, stderr=log, process_group=0
                )
            self.place.daemons.append(self.daemon)
        return self.daemon

    def supply(self) -> bool:
        """See to it that there is something to publish; whether there may ever be more without new tasks."""
        statuses = {task["name"]: task["status"] for task in self.tasks()}
        if not self.owed() and self.follows():
            waiting = next((name for name, status in statuses.items() if status == "reviewing"), None)
            if waiting:
                self.place.orange("task", "approve", waiting)
        return set(statuses.values()) != {"done"} or not self.follows()

    def tasks(self) -> list[dict[str, str]]:
        """Read the plain fields of every task's file."""
        texts = (path.read_text() for path in (self.place.repo / ".orange" / "tasks").rglob("TASK.md"))
        fields = (text.partition("\n---\n")[0].splitlines() for text in texts)
        return [dict(line.split(": ", 1) for line in lines if ": " in line) for lines in fields]

    def owed(self) -> list[str]:
        """List the branches that were approved and are not recorded as merged."""
        return [task["branch"] for task in self.tasks() if task["status"] == "reviewed" and "request" not in task]

    def follows(self) -> bool:
        """Whether the user's branch is where the base is."""
        return len(set(self.place.git("rev-parse", "main", BASE).splitlines())) == 1

    # -- kill

    def strike(self) -> None:
        """Watch the daemon publish and kill something in the middle of it; nothing where nothing is published."""
        daemon = self.run()
        later = self.chance.choice((0.0, 0.01, 0.1)) * self.chance.random()
        end = time.monotonic() + WATCH
        while time.monotonic() < end:
            if not self.at_the_bases():
                time.sleep(0.0005)
                continue
            time.sleep(later)
            _send(daemon.pid, signal.SIGSTOP)
            doing = self.doing()
            if doing:
                self.check()
                victim = self.chance.choice((self.kill_daemon, self.kill_family, self.kill_gits))
                victim(daemon)
                self.kills[doing, victim.__name__] += 1
                return
            _send(daemon.pid, signal.SIGCONT)

    def missed(self) -> set[str]:
        """List the parts of publishing in which nothing was killed yet."""
        return {MERGING, RECORDING, MOVING} - {doing for doing, _ in self.kills}

    def doing(self) -> str | None:
        """Say which part of publishing has begun and has not ended; None for none."""
        if self.is_moving():
            return MOVING
        if any(self.place.git("rev-list", "-1", branch, f"^{BASE}") == "" for branch in self.owed()):
            return RECORDING
        if self.at_the_bases() and (self.owed() or not self.follows()):
            return MERGING
        return None

    def at_the_bases(self) -> bool:
        """Whether somebody holds the lock of what moves bases and checkouts."""
        with (self.runtime / "integrate.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def is_moving(self) -> bool:
        """Whether the user's checkout is between two commits."""
        return (self.runtime / "follow.json").exists()

    def kill_daemon(self, daemon: subprocess.Popen[bytes]) -> None:
        """Kill the daemon; the gits it started go on."""
        daemon.kill()
        daemon.wait()
        self.left.append(daemon.pid)
        _send(daemon.pid, signal.SIGCONT)

    def kill_family(self, daemon: subprocess.Popen[bytes]) -> None:
        """Kill the daemon with its gits."""
        _send(daemon.pid, signal.SIGKILL)
        daemon.wait()
        self.pass_time()

    def kill_gits(self, daemon: subprocess.Popen[bytes]) -> None:
        """Kill the gits; the daemon goes on."""
        for row in proctable.descendants(proctable.table(), daemon.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(row.pid, signal.SIGKILL)
        self.pass_time()
        _send(daemon.pid, signal.SIGCONT)

    def pass_time(self) -> None:
        """Make what a killed git left locked as old as if a minute had passed; nobody may touch it before."""
        self.place.until(lambda: not any(map(_is_there, self.left)), "the gits of killed daemons to end")
        git = self.place.repo / ".git"
        for path in (*git.glob("*.lock"), *(git / "refs" / "orange").rglob("*.lock"), git / "refs/heads/main.lock"):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (1, 1))

    # -- judge

    def check(self) -> None:
        """Fail unless the user's changes are as they were, and a checkout that no journal tells of is whole."""
        for path in MINE:
            assert (self.place.repo / path).read_text() == f"mine: {path}\n"
        if not self.is_moving():
            self.check_checkout()

    def check_checkout(self) -> None:
        """Fail unless nothing differs from the branch but what the user changed."""
        told = self.place.git("--no-optional-locks", "status", "--porcelain", "--untracked-files=all")
        assert {line[3:]: line[:2] for line in told.splitlines()} == MINE

    def check_base(self) -> None:
        """Fail unless each state the base ever had holds each task's work whole or not at all, and none twice."""
        names = [name for pair in self.pairs for name in pair]
        for commit in self.place.git("log", "--first-parent", "--format=%H", BASE).splitlines():
            found = set(self.place.git("ls-tree", "-r", "--name-only", commit).splitlines())
            for name in names:
                assert sum(f"{name}/{number}" in found for number in range(FILES)) in {0, FILES}, (name, commit)
        subjects = self.place.git("log", "--first-parent", "--merges", "--format=%s", BASE).splitlines()
        merges = Counter(name for subject in subjects for name in names if f"orange/{name}-" in subject)
        assert merges == dict.fromkeys(names, 1)


def _text(name: str) -> str:
    """Write a task that makes files of its own, and keeps what others wrote to the file it shares."""
    shared = f"{name.partition('-')[0]}.txt"
    lines = (
        f"mkdir -p {name}; for n in $(seq 0 {FILES - 1}); do seq 300 > {name}/$n; done",
        f"touch {shared}; {{ grep -v '^[<=>|]' {shared}; echo {name}; }} | sort -u > t; mv t {shared}",
    )
    script = "\n".join((*(f"run {line}" for line in lines), f"commit Make {name}"))
    return f"{name}\n\n```script\n{script}\n```\n"


def _send(group: int, number: int) -> None:
    """Send a signal to all of a group that are still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _is_there(group: int) -> bool:
    """Whether a group has any process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def prepare(place: Place) -> None:
    """Give the user changes that are not committed, and every task enough agents and attempts."""
    settings = place.home / "config" / "orange" / "config.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("limits: {max_agents: 4}\n")
    configure(place, "agent: script\nlimits: {attempts: 50, consecutive_failures: 1000}\n")
    (place.repo / "mine").mkdir()
    for path in ("mine/edited", "mine/staged"):
        (place.repo / path).write_text("committed\n")
    place.git("add", "mine")
    place.git("commit", "-q", "-m", "Mine")
    for path in MINE:
        (place.repo / path).write_text(f"mine: {path}\n")
    place.git("add", "mine/staged")


def test_conflicting_work_is_published_whatever_is_killed(place: Place, times: Callable[[int], int]) -> None:
    """The forecast names the files, the second of a pair is sent back and merged then; base and checkout stay whole."""
    prepare(place)
    publishing = Publishing(place, random.Random(SEED))
    publishing.make(5)
    forecast = place.orange("forecast", "--json").json["conflicts"]
    assert sorted(found["files"] for found in forecast) == [[f"p{number}.txt"] for number in range(5)]
    while publishing.kills.total() < times(50) or publishing.missed():
        if not publishing.supply():
            publishing.make(5)
        publishing.strike()
    publishing.run()
    place.until(lambda: not publishing.supply(), "all to be merged", 300)
    publishing.check()
    publishing.check_checkout()
    publishing.check_base()
    for number, pair in enumerate(publishing.pairs):
        assert place.git("show", f"{BASE}:p{number}.txt").splitlines() == list(pair)
        assert sorted(map(tuple, (_outcomes(place, name) for name in pair))) == [("conflict", "merged"), ("merged",)]
    place.close()  # what is written while it looks would seem to be missing
    place.git("fsck", "--connectivity-only")
    place.git("gc", "-q")


def _outcomes(place: Place, name: str) -> list[str]:
    """List what came of publishing a task, the same thing told twice in a row once."""
    events = place.orange("task", "events", name, "--json").json["events"]
    told = [event["data"]["outcome"] for event in events if event["type"] == "task.publish_result"]
    return [outcome for outcome, _ in itertools.groupby(told)]
