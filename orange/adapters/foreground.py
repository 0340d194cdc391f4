"""Runs that a command waits for: their supervisor is this process's child, without tmux and without a daemon.

All else is as in a session: the environment, the terminal of its own, the limits, the records.

Next in the flow: `runner` carries the run out.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from orange.adapters import process
from orange.core import environment, runfiles
from orange.core.layout import Layout
from orange.core.problems import InvalidInput, SessionFailed


@dataclass(frozen=True, slots=True)
class ChildRuns:
    """Satisfies `core.plans.asking.Foreground`."""

    layout: Layout
    #: The Python that runs orange.
    python: str
    env: Mapping[str, str]

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold a name that one command at a time may hold. Raises InvalidInput where another one does."""
        folder = f"{self.layout.runtime}/alone"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = f"{folder}/{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InvalidInput(name, "another command is at it with an agent: wait for it, or end it") from None
            yield
        finally:
            os.close(fd)

    def run(self, run: str, beat: Callable[[], None]) -> None:
        """Carry out a prepared run to its end. Raises SessionFailed."""
        folder = f"{self.layout.runs}/{run}"
        marks = {runfiles.RUN_MARK: run, runfiles.RUNTIME_MARK: self.layout.runtime}
        argv = [self.python, "-P", "-m", "orange.runner", run]
        env = {**environment.outside(self.env), **marks}
        try:
            process.attend(argv, env=env, log=f"{folder}/{runfiles.COMPLAINTS}", beat=beat)
        except (process.ProgramMissing, OSError) as failed:
            raise SessionFailed(f"the run {run} could not be started: {failed}") from failed
