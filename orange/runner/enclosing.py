"""What encloses a run's programs and must be made first: it stands for as long as the run does.

Its first program waits at a pipe that this process holds open, so that it also ends with a supervisor that was killed.
Next in the flow: every program of the run is put into it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from orange.core import runfiles
from orange.core.ending import AGENT_MISSING, Ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job
    from orange.runner.supervise import Clock, Place

#: Seconds that making it, and removing it, may take.
PATIENCE = 120.0
_PAUSE = 0.02
_LOG = f"{runfiles.LOGS}/steps/enclosure.log"


@contextlib.contextmanager
def standing(job: Job, folder: RunFolder, place: Place) -> Iterator[Ending | None]:
    """Have it stand within the block; yields the end of a run for which it cannot be made. Raises OSError."""
    if not job.begin:
        yield None
        return
    pipe = f"{folder.path(runfiles.MAILBOX)}/{runfiles.ALIVE}"
    with contextlib.suppress(FileExistsError):
        os.mkfifo(pipe, 0o600)
    held = os.open(pipe, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        trouble = _carried_out(job.begin, folder, place)
        yield Ending(AGENT_MISSING, f"what encloses the agent could not be made: {trouble}") if trouble else None
    finally:
        os.close(held)
        _carried_out(job.end, folder, place)


def _carried_out(argv: tuple[str, ...], folder: RunFolder, place: Place) -> str | None:
    """Run a command to its end; returns what it said last where it failed."""
    log = folder.path(_LOG)
    os.makedirs(os.path.dirname(log), mode=0o700, exist_ok=True)
    begun = os.stat(log).st_size if os.path.exists(log) else 0
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        restored = [signal.SIGPIPE, signal.SIGTERM, signal.SIGINT]
        pid = os.posix_spawnp(argv[0], argv, dict(place.env), file_actions=files, setpgroup=0, setsigdef=restored)
    except OSError as error:
        return f"{argv[0]}: {error.strerror}"
    status = _waited(pid, place.clock)
    if status == 0:
        return None
    with open(log, encoding="utf-8", errors="replace") as file:
        file.seek(begun)
        said = [line.strip() for line in file if line.strip()]
    return said[-1] if said else f"exit code {status}"


def _waited(pid: int, clock: Clock) -> int:
    """Wait for a command, and end one that takes too long."""
    deadline = clock.monotonic() + PATIENCE
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if clock.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE)
