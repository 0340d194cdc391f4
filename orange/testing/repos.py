"""Builders of real git repositories for tests, as a user would have made them: hooks, index and checkouts included.

They run the git program with the user's own behaviour (the adapters' calls disarm hooks; these do not).
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orange.adapters import process
from orange.core.layout import Layout
from orange.core.problems import GitFailed

#: Relative path -> text or bytes; None deletes it.
Files = Mapping[str, str | bytes | None]

_NOBODY = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}


class SetsEnvironment(Protocol):
    """What `isolate` needs of pytest's `monkeypatch`."""

    def setenv(self, name: str, value: str) -> None:
        """Set a variable for the test."""

    def delenv(self, name: str, raising: bool = True) -> None:  # noqa: FBT001, FBT002 - pytest's signature
        """Remove a variable for the test."""


def isolate(patch: SetsEnvironment, home: Path) -> None:
    """Give the test a home folder without any git configuration."""
    home.mkdir(exist_ok=True)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@dataclass(frozen=True, slots=True)
class Repo:
    """A git repository, or a worktree of one, by its folder."""

    path: str

    @property
    def common(self) -> str:
        """The git directory all worktrees share."""
        return os.path.realpath(os.path.join(self.path, self.git("rev-parse", "--git-common-dir")))

    @property
    def layout(self) -> Layout:
        """Where orange's things lie in it."""
        common = self.common
        return Layout(os.path.dirname(common) if os.path.basename(common) == ".git" else common, common)

    def attempt(self, *args: str, stdin: bytes | None = None) -> process.Result:
        """Run git as the user would, whatever the exit code."""
        return process.run(["git", *args], cwd=self.path, env={**_NOBODY, **os.environ}, stdin=stdin)

    def git(self, *args: str, stdin: bytes | None = None) -> str:
        """Run git as the user would; returns its output without the last newline. Raises GitFailed."""
        result = self.attempt(*args, stdin=stdin)
        if result.status != 0:
            raise GitFailed(("git", *args), result.status, result.stderr)
        return result.text.removesuffix("\n")

    def rev(self, name: str = "HEAD") -> str | None:
        """Return the commit a name stands for, or None."""
        result = self.attempt("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return result.text.strip() if result.status == 0 else None

    def write(self, files: Files) -> None:
        """Put files into the worktree; None deletes."""
        for name, data in files.items():
            path = f"{self.path}/{name}"
            if data is None:
                os.unlink(path)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        with open(f"{self.path}/{name}", "rb") as file:
            return file.read()

    def commit(self, files: Files, message: str = "Change") -> str:
        """Write files and commit exactly them on what is checked out; returns the commit."""
        self.write(files)
        self.git("add", "--", *files)
        self.git("commit", "-q", "-m", message, "--", *files)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, files: Files, *, start: str | None = None, message: str = "Work") -> str:
        """Commit files on a branch without touching any checkout; cut at `start` where it does not exist yet."""
        self.branches({name: files}, start=start, message=message)
        return self.git("rev-parse", f"refs/heads/{name}")

    def branches(self, work: Mapping[str, Files], *, start: str | None = None, message: str = "Work") -> None:
        """Do that for many branches at once."""
        root = self.rev(start) if start else None
        stream = []
        for name, files in work.items():
            parent = (self.rev(f"refs/heads/{name}") if len(work) == 1 else None) or root
            head = f"commit refs/heads/{name}\ncommitter Ada <ada@example.org> 1700000000 +0000\n"
            stream.append(f"{head}data {len(message.encode())}\n{message}\n".encode())
            stream += [f"from {parent}\n".encode()] if parent else []
            for path, data in files.items():
                stream.append(_change(os.fsencode(path), data.encode() if isinstance(data, str) else data))
        self.git("fast-import", "--quiet", "--force", "--date-format=raw", stdin=b"".join(stream))

    def tree(self, revision: str) -> dict[str, bytes]:
        """Map every path of a commit to its bytes."""
        listing = self.attempt("ls-tree", "-r", "-z", "--full-tree", revision).stdout.split(b"\0")
        entries = (entry.split(b"\t", 1) for entry in listing if entry)
        return {os.fsdecode(path): self.attempt("cat-file", "blob", meta.split()[2].decode()).stdout
                for meta, path in entries}  # fmt: skip

    def hook(self, name: str, script: str) -> None:
        """Plant a hook."""
        path = f"{self.common}/hooks/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        os.chmod(path, 0o755)  # noqa: S103 - a hook is a program

    def worktree(self, path: str | Path, *args: str) -> Repo:
        """Add a linked worktree."""
        self.git("worktree", "add", "-q", str(path), *args)
        return Repo(str(path))


def _change(path: bytes, data: bytes | None) -> bytes:
    quoted = b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if data is None:
        return b"D %b\n" % quoted
    return b"M 100644 inline %b\ndata %d\n%b\n" % (quoted, len(data), data)


def make(path: str | Path, *options: str, identity: bool = True) -> Repo:
    """Make an empty repository (branch `main`); `options` go to `git init`."""
    os.makedirs(path, exist_ok=True)
    repo = Repo(str(path))
    repo.git("init", "-q", "-b", "main", *options, ".")
    if identity:
        repo.git("config", "user.name", "Ada")
        repo.git("config", "user.email", "ada@example.org")
    return repo


def sample(path: str | Path) -> Repo:
    """Make a repository with one commit on `main`."""
    repo = make(path)
    repo.commit({"README.md": "# Sample\n", "src/a.txt": "a\n", "src/b.txt": "b\n"}, "Begin")
    return repo


def clone(source: Repo, path: str | Path, *options: str) -> Repo:
    """Clone a repository."""
    os.makedirs(os.path.dirname(str(path)), exist_ok=True)
    source.git("clone", "-q", *options, "--", source.path, str(path))
    repo = Repo(str(path))
    repo.git("config", "user.name", "Bea")
    repo.git("config", "user.email", "bea@example.org")
    return repo


def until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait for a condition, with a deadline that only a broken program misses. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.005)


def kill(pid: int, *, family: bool) -> None:
    """Kill a process at once; with `family` also what it started (where the system can tell)."""
    pids = [pid, *_descendants(pid)] if family else [pid]
    for one in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (child, *_descendants(child))]
