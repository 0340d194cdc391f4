"""The one door to the git program.

Every call is made safe the same way: nothing planted in the repository's hooks or configuration is run, no prompt is
shown, no optional lock is taken, no inherited `GIT_*` variable counts, and there is a time limit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from orange.adapters import process
from orange.core.problems import GitFailed

_SAFE = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "protocol.ext.allow=never",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "core.quotePath=false",
    "-c", "advice.detachedHead=false",
    "-c", "commit.gpgSign=false",
)  # fmt: skip


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Build the environment of a git call: the user's own, without any `GIT_*` but the identity."""
    who = ("GIT_AUTHOR_", "GIT_COMMITTER_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(who)}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(extra or {})}


_BROKEN = re.compile(r"ignoring broken ref (\S+)")
#: A ref's lock that old, in seconds, was left by a kill: a ref is locked for milliseconds.
_STALE = 10.0
#: What git itself would drop from a name or an address, and what would end its line.
_CRUD = re.compile(r"[<>\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit is by."""

    name: str
    email: str

    def env(self, now: float) -> dict[str, str]:
        """Build the environment that makes git's author and committer this identity, at that time, in UTC."""
        when = f"@{int(now)} +0000"
        author = {"GIT_AUTHOR_NAME": self.name, "GIT_AUTHOR_EMAIL": self.email, "GIT_AUTHOR_DATE": when}
        return author | {k.replace("AUTHOR", "COMMITTER"): v for k, v in author.items()}


@dataclass(frozen=True, slots=True)
class Git:
    """The git program, run in one directory. `env` may point it at a git directory, index or work tree of our own."""

    directory: str
    env: Mapping[str, str] | None = None
    #: Descriptors of held locks that git inherits, so that a lock outlives a killed caller until its git has ended.
    keep: tuple[int, ...] = ()

    def attempt(self, *args: str, stdin: bytes | None = None, timeout: float = 60.0) -> process.Result:
        """Run git and return how it ended, whatever the exit code. Raises ProgramMissing, TimedOut."""
        return process.run(
            ["git", *_SAFE, *args],
            cwd=self.directory,
            env=environment(self.env),
            stdin=stdin,
            timeout=timeout,
            keep=self.keep,
        )

    def run(self, *args: str, stdin: bytes | None = None, timeout: float = 60.0) -> process.Result:
        """Run git. Raises GitFailed on a non-zero exit."""
        result = self.attempt(*args, stdin=stdin, timeout=timeout)
        if result.status != 0:
            raise GitFailed(("git", *args), result.status, result.stderr)
        return result

    def line(self, *args: str) -> str:
        """Run git and return its output without the last newline. Raises GitFailed."""
        return self.run(*args).text.removesuffix("\n")

    def query(self, *args: str) -> str | None:
        """Run git and return its output without the last newline, or None where it exits non-zero."""
        result = self.attempt(*args)
        return result.text.removesuffix("\n") if result.status == 0 else None

    def fields(self, *args: str) -> tuple[str, ...]:
        """Run git with `-z` among the arguments and return the NUL-separated fields. Raises GitFailed."""
        return tuple(field for field in self.run(*args).text.split("\0") if field)

    def refs(self, *patterns: str) -> dict[str, str]:
        """Map the full names of the refs equal to or below the patterns to object ids.

        Raises GitFailed, also for a broken ref that is asked for by its name: that is not the same as none.
        """
        result = self.run("for-each-ref", "--format=%(objectname) %(refname)", "--", *patterns)
        if not set(_BROKEN.findall(result.stderr)).isdisjoint(patterns):
            raise GitFailed(("git", "for-each-ref"), 0, result.stderr)
        lines = (line.split(" ", 1) for line in result.text.splitlines())
        return {name: commit for commit, name in lines}

    def ref(self, name: str) -> str | None:
        """Return what a ref, by its full name, points to; None where it does not exist. Raises GitFailed."""
        return self.refs(name).get(name)

    def identity(self) -> Identity:
        """Return the name and address configured here, or orange's own: never one made up from the host's name."""
        listed = self.attempt("config", "-z", "--get-regexp", r"^user\.(name|email)$").text
        found = dict(entry.split("\n", 1) for entry in listed.split("\0") if "\n" in entry)
        name, email = (_CRUD.sub("", found.get(key, "")).strip(" .,:;\"'") for key in ("user.name", "user.email"))
        return Identity(name or "orange", email or "orange@localhost")


def clear_stale_lock(git_dir: str, ref: str, now: float, texts: Container[bytes] | None = None) -> None:
    """Remove a ref's lock that a kill left: one that is too old for anyone's, and says one of `texts` where given.

    For who holds the lock that all of orange's writers of that ref hold: then it is none of theirs.
    """
    path = f"{git_dir}/{ref}.lock"
    try:
        if now - os.stat(path).st_mtime <= _STALE:
            return
        with open(path, "rb") as file:
            said = file.read(1 << 10)
        if texts is None or said in texts:
            os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return


@contextmanager
def repository_lock(path: str) -> Iterator[int]:
    """Hold the repository-wide lock around what git itself does not serialise (worktree add, remove, prune, fetch).

    Yields its descriptor, for `Git.keep`.
    """
    import fcntl

    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)
