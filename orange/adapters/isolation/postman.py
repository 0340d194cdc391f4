"""`python -P -m orange.adapters.isolation.postman RUN_FOLDER WORKSPACE`: carries out what an agent in a sandbox asks.

The supervisor starts one for its run and ends it with the run. Who speaks is clear: the box belongs to that run, and
the commands run below its supervisor, so that they may do what its agent may do. The box can be written by the agent:
nothing in it is followed, and nothing in it is overwritten.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import sys
import threading

from orange import recordfile
from orange.adapters import process
from orange.core import environment, mailbox, sandbox
from orange.core.problems import OrangeError

#: Seconds a command may take: as long as an answer to a question may.
PATIENCE = 7 * 86400.0
_SET_PARENT_DEATH_SIGNAL = 1


def main() -> int:
    """Serve a box until this process is ended; standard input is its bell."""
    _end_with(os.getppid())
    folder, workspace = sandbox.mailbox(sys.argv[1]), sys.argv[2]
    taken: set[str] = set()
    while True:
        for name in sorted(os.listdir(folder)):
            letter = mailbox.letter_id(name)
            if letter and letter not in taken:
                taken.add(letter)
                threading.Thread(target=_serve, args=(folder, letter, workspace), daemon=True).start()
        os.read(0, 4096)


def _end_with(supervisor: int) -> None:
    """Have the system end this process when the supervisor is killed."""
    import ctypes  # the standard library has no other way

    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != supervisor:
        sys.exit(1)


def _serve(folder: str, letter_id: str, workspace: str) -> None:
    letter = mailbox.read(_read(f"{folder}/{letter_id}{mailbox.ASK}"))
    status, out, err = _carry_out(letter, workspace)
    answer = json.dumps({"status": status, "out": out, "err": err})
    with contextlib.suppress(OSError):  # the agent has taken its own box to pieces
        if letter and letter.by_shell:
            answer = f"{status}\n"
            _put(f"{folder}/{letter_id}{mailbox.OUT}", out)
            _put(f"{folder}/{letter_id}{mailbox.ERR}", err)
        _put(f"{folder}/{letter_id}{mailbox.ANSWER}", answer)


def _put(path: str, text: str) -> None:
    temporary = f"{os.path.dirname(path)}/{os.urandom(8).hex()}.new"
    if recordfile.create(temporary, text.encode("utf-8", "surrogateescape")):
        os.rename(temporary, path)


def _carry_out(letter: mailbox.Letter | None, workspace: str) -> tuple[int, str, str]:
    if letter is None:
        return 2, "", "orange: that was no letter\n"
    refused = mailbox.refusal(letter.argv)
    if refused:
        return 1, "", f"{refused}\n"
    argv = [sys.executable, "-P", "-m", "orange", *letter.argv]
    stdin = (letter.stdin or "").encode("utf-8", "surrogateescape" if letter.by_shell else "surrogatepass")
    try:
        done = process.run(argv, cwd=workspace, env=environment.outside(os.environ), stdin=stdin, timeout=PATIENCE)
    except OrangeError as error:
        return 1, "", f"{error.message}\n"
    return done.status, done.stdout.decode("utf-8", "replace"), done.stderr


def _read(path: str) -> bytes:
    """Read a letter and take it out of the box; nothing where it is no plain file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            data = file.read(mailbox.LARGEST) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
        os.unlink(path)
    except OSError:
        return b""
    return data


if __name__ == "__main__":
    sys.exit(main())
