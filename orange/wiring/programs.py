"""Running a plain program for a command that has no adapter of its own to do it (the demonstration's git)."""

from __future__ import annotations

import os
from collections.abc import Sequence

from orange.adapters import process
from orange.core.problems import OrangeError


class ProgramFailed(OrangeError):
    """A program that ended with an exit code other than 0."""

    code = "program_failed"

    def __init__(self, argv: Sequence[str], status: int, stderr: str) -> None:
        super().__init__(f"`{' '.join(argv)}` failed ({status}): {stderr.strip() or 'no message'}")


def output_of(argv: Sequence[str], folder: str) -> str:
    """Run a program in a folder and return its output. Raises ProgramMissing, TimedOut, ProgramFailed."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    result = process.run(argv, cwd=folder, env=env)
    if result.status != 0:
        raise ProgramFailed(argv, result.status, result.stderr)
    return result.stdout.decode("utf-8", "replace")
