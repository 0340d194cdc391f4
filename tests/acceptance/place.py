"""A place to try orange for real: a git repository, a user of its own, the `orange` command and its daemon."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Seconds after which a condition that should come true is given up. For liveness only: nothing is timed by it.
PATIENCE = 60.0


@dataclass
class Answer:
    """How one command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.out)


@dataclass
class Place:
    """A repository with a user around it. `home` is private and short, because sockets live below it."""

    repo: Path
    home: Path
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)
    #: More of the environment.
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process of this user."""
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
        return kept | {
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_COLOR": "1",
            **self.extra,
        }

    def argv(self, *args: str) -> list[str]:
        """Return the command line of an `orange` command."""
        return [sys.executable, "-m", "orange", *args]

    def orange(self, *args: str, cwd: Path | None = None, stdin: str = "", fails: bool = False) -> Answer:
        """Run `orange` to its end; unless it is expected to fail, it must exit with 0."""
        done = subprocess.run(
            self.argv(*args),
            cwd=cwd or self.repo,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        assert (answer.status != 0) is fails, f"orange {' '.join(args)} -> {answer}"
        return answer

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """Run git as the user and return its output."""
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.repo, env=self.env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"git {' '.join(args)} -> {done.stderr}{done.stdout[-4000:]}"
        return done.stdout.removesuffix("\n")

    def create(self, name: str, script: str = "", *flags: str, cwd: Path | None = None) -> str:
        """Create a task for the scripted agent and return its id."""
        body = f"## Context\n\n{name}\n\n```script\n{script}\n```\n" if script else ""
        answer = self.orange("task", "create", name, *flags, "--body", "-", "--json", cwd=cwd, stdin=body)
        return str(answer.json["task"]["id"])

    def task(self, address: str) -> dict[str, Any]:
        """Return one task as `orange task show` prints it."""
        return dict(self.orange("task", "show", address, "--json").json["task"])

    def why(self, address: str) -> list[dict[str, Any]]:
        """Return what a task waits for."""
        return list(self.orange("task", "why", address, "--json").json["waiting"])

    def statuses(self) -> dict[str, str]:
        """Return the status of every task by name, from their files: a command for each look would be the most work."""
        found = {}
        for path in (self.repo / ".orange" / "tasks").rglob("TASK.md"):
            with contextlib.suppress(FileNotFoundError):  # moved or removed meanwhile
                head = path.read_text(errors="replace").partition("\n---")[0]
                fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
                found[fields.get("name", "")] = fields.get("status", "pending")
        return found

    def start(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start the daemon in the foreground of a process of ours, and wait until it answers."""
        log = (self.home / "daemon.out").open("ab")
        daemon = subprocess.Popen(
            self.argv("daemon", "run", *flags), cwd=self.repo, env=self.env, stdout=log, stderr=log
        )
        log.close()
        self.daemons.append(daemon)
        self.until(lambda: self.orange("daemon", "status", "--json").json["daemon"]["running"], "the daemon to answer")
        return daemon

    def until(
        self, condition: Callable[[], object], what: str, patience: float = PATIENCE, *, pace: float = 0.05
    ) -> float:
        """Wait for a condition and return how many seconds it took; fail with what was seen at the end."""
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > patience:
                raise AssertionError(f"waited {patience:g} s for {what}\n{self.report()}")
            time.sleep(pace)
        return time.monotonic() - begun

    def sessions(self) -> set[str]:
        """Return the names of the tmux sessions of this user's runs."""
        found: set[str] = set()
        for socket in (self.home / "run").rglob("*.tmux"):
            argv = ["tmux", "-S", str(socket), "list-sessions", "-F", "#{session_name}"]
            found.update(subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split())
        return found

    def settled(self, wanted: Mapping[str, str], patience: float = PATIENCE) -> None:
        """Wait until the named tasks have the wanted statuses."""
        self.until(lambda: wanted.items() <= self.statuses().items(), f"{dict(wanted)}", patience)

    def report(self) -> str:
        """Return what a person would look at when something does not move."""
        log = self.home / "daemon.out"
        tail = log.read_text(errors="replace")[-4000:] if log.exists() else ""
        status = subprocess.run(
            self.argv("status"), cwd=self.repo, env=self.env, capture_output=True, text=True, check=False
        )
        return f"{status.stdout}{status.stderr}\n--- daemon\n{tail}"

    def close(self) -> None:
        """End what was started here: the daemon, and the tmux servers on this user's own sockets."""
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGTERM)
                try:
                    daemon.wait(20)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        for socket in (self.home / "run").rglob("*.tmux"):
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)
