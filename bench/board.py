"""Makes projects of a given size: 60 % done, 10 % stuck, 30 % pending, 1.5 edges a task, bodies of 1 kB."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from bench.measure import scratch

ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
BODY = (
    "## Context\n\n" + "\n".join(f"Line {n}: what is wanted and why, in a few plain words." for n in range(17)) + "\n"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A project of the bench and the user it belongs to."""

    root: str
    home: str

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "XDG_STATE_HOME": f"{self.home}/state",
            "XDG_CONFIG_HOME": f"{self.home}/config",
            "XDG_RUNTIME_DIR": f"{self.home}/run",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
        }

    def run(self, *argv: str, stdin: bytes = b"") -> bytes:
        """Run a program in the project; it must succeed."""
        done = subprocess.run(argv, cwd=self.root, env=self.env, input=stdin, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{argv} -> {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def orange(self, *args: str) -> bytes:
        """Run an orange command."""
        return self.run(orange_program(), *args)


def orange_program() -> str:
    """Return the installed `orange` beside this Python."""
    return os.path.join(os.path.dirname(sys.executable), "orange")


def sample(count: int, *, files: int = 1, assignee: str | None = None) -> Sample:
    """Make a project of `count` tasks in a repository of `files` files; it is removed when all benches are done."""
    folder = scratch("ob-")
    found = Sample(f"{folder}/repo", folder)
    os.makedirs(found.root)
    os.makedirs(f"{folder}/run", mode=0o700)
    found.run("git", "init", "-q", "-b", "main")
    found.run("git", "config", "gc.auto", "0")  # else git packs in the background while the bench measures
    for number in range(files):
        path = f"{found.root}/src/{number % 200:03}/file{number}.txt"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{number}\n" * 20)
    found.run("git", "add", "-A")
    found.run("git", "commit", "-q", "-m", "Begin")
    found.orange("init")
    write_config(found)
    for path, text in tasks(count, assignee=assignee):
        os.makedirs(os.path.dirname(f"{found.root}/.orange/{path}"), exist_ok=True)
        with open(f"{found.root}/.orange/{path}", "w", encoding="utf-8") as file:
            file.write(text)
    _record(found)
    return found


def _record(found: Sample) -> None:
    """Put the files into history as a clone would find them, packed, and fill the index."""
    records = f"{found.root}/.orange"
    found.run("git", "-C", records, "add", "-A")
    found.run("git", "-C", records, "commit", "-q", "-m", "Add the tasks")
    found.run("git", "-C", records, "update-ref", "refs/heads/orange-tasks", "HEAD")
    found.run("git", "gc", "-q")
    found.orange("task", "create", "the-first", "--backlog")


def write_config(found: Sample, extra: str = "") -> None:
    """Set the scripted agent, review off."""
    with open(f"{found.root}/.orange/config.yaml", "w", encoding="utf-8") as file:
        file.write(f"format: 1\nagent: script\nreview: {{by: none}}\nbase: main\narchive: {{after: 3650d}}\n{extra}")


def tasks(count: int, *, assignee: str | None = None, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Yield path and text of each task. Edges point back, so that there are no cycles."""
    rng = random.Random(seed)
    known: list[str] = []
    for number in range(count):
        task_id = f"t{''.join(rng.choices(ALPHABET, k=7))}"
        status = "done" if number < count * 0.6 else "stuck" if number < count * 0.7 else "pending"
        edges = rng.sample(known, k=min(len(known), rng.choice((1, 2))))
        yield f"tasks/task-{number}-{task_id}/TASK.md", _text(number, task_id, status, edges, assignee)
        known.append(task_id)


def _text(number: int, task_id: str, status: str, edges: list[str], assignee: str | None) -> str:
    priority = ("critical", "high", "medium", "low")[number % 4]
    kept = f"assignee: {assignee}\n" if assignee else ""
    stuck = "stuck: {reason: manual, message: held, since: 2026-11-20T09:00:00Z}\n" if status == "stuck" else ""
    return (
        f"---\nid: {task_id}\ntitle: Task number {number}\nname: task-{number}\nstatus: {status}\ntype: task\n"
        f"priority: {priority}\nblocked_by: [{', '.join(edges)}]\nparent: null\n{stuck}{kept}"
        f"created_at: 2026-10-{number % 28 + 1:02}T09:00:00Z\n---\n\n{BODY}"
    )
