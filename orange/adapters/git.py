"""The one door to the git program.

Every call is made safe the same way: nothing planted in the repository's hooks or configuration is run, no prompt is
shown, no optional lock is taken, no inherited `GIT_*` variable counts, and there is a time limit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
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
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(("GIT_AUTHOR", "GIT_COMM"))}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(extra or {})}


@dataclass(frozen=True, slots=True)
class Git:
    """The git program, run in one directory. `env` may point it at a git directory, index or work tree of our own."""

    directory: str
    env: Mapping[str, str] | None = None

    def attempt(self, *args: str, stdin: bytes | None = None, timeout: float = 60.0) -> process.Result:
        """Run git and return how it ended, whatever the exit code. Raises ProgramMissing, TimedOut."""
        return process.run(
            ["git", *_SAFE, *args], cwd=self.directory, env=environment(self.env), stdin=stdin, timeout=timeout
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


@contextmanager
def repository_lock(path: str) -> Iterator[None]:
    """Hold the repository-wide lock around what git itself does not serialise (worktree add, remove, prune, fetch)."""
    import fcntl

    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
