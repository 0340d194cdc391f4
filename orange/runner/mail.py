"""The mailbox of a run in a sandbox: who carries out what its agent asks is started before it and ended after it.

Next in the flow: `client` inside puts letters in, `adapters.isolation.postman` answers them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from orange import proctable
from orange.core import environment, mailbox, runfiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orange.runner.folder import RunFolder
    from orange.runner.job import Job

_POSTMAN = ("-P", "-m", "orange.adapters.isolation.postman")


@contextlib.contextmanager
def answered(job: Job, folder: RunFolder, inherited: Mapping[str, str]) -> Iterator[None]:
    """Have the mailbox served within the block. Raises OSError."""
    box = folder.path(runfiles.MAILBOX)
    os.makedirs(box, mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkfifo(f"{box}/{mailbox.BELL}", 0o600)
    bell = os.open(f"{box}/{mailbox.BELL}", os.O_RDWR | os.O_NOFOLLOW)  # for writing too: then it never ends
    try:
        postman = _started(job, folder, inherited, bell)
    finally:
        os.close(bell)
    try:
        yield
    finally:
        _end(postman)


def _end(postman: int) -> None:
    """End the postman and the commands it is carrying out: nobody is left who would hear their answers."""
    for row in proctable.descendants(proctable.table(), postman):
        proctable.send(proctable.identify(row.pid), signal.SIGTERM)
    with contextlib.suppress(OSError):  # it has ended, and the terminal's loop took note of it
        os.kill(postman, signal.SIGTERM)
        os.waitpid(postman, 0)


def _started(job: Job, folder: RunFolder, inherited: Mapping[str, str], bell: int) -> int:
    """Start the postman, with the bell as its standard input: a letter can be put in from now on."""
    complaints = folder.path(runfiles.COMPLAINTS)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, *_POSTMAN, folder.root, job.workspace],
        environment.outside(inherited),
        file_actions=[
            (os.POSIX_SPAWN_DUP2, bell, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, complaints, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600),
        ],
        setpgroup=0,
        setsigdef=[signal.SIGPIPE, signal.SIGTERM, signal.SIGINT],
    )
