"""`python -P -m orange.runner.client ARG...`: the `orange` of an agent in a sandbox. It asks by letter.

Nothing of orange can be reached from there but the run's mailbox. Next in the flow: the postman outside answers.
"""

from __future__ import annotations

import json
import os
import sys
import time

from orange.core import mailbox, runfiles

#: Seconds between two looks for the answer.
PAUSE = 0.02


def main() -> int:
    """Have the command carried out; returns its exit code."""
    folder = os.environ.get(runfiles.MAILBOX_MARK, "")
    argv = tuple(sys.argv[1:])
    stdin = sys.stdin.read() if "-" in argv else None
    try:
        return _answered(folder, mailbox.Letter(argv, stdin))
    except OSError as error:
        print(f"orange cannot be asked from here: {error.strerror}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 1


def _answered(folder: str, letter: mailbox.Letter) -> int:
    name = f"{folder}/{os.urandom(8).hex()}"
    with open(f"{name}.new", "wb") as file:
        file.write(mailbox.written(letter))
    os.rename(f"{name}.new", f"{name}{mailbox.ASK}")
    _ring(folder)
    while not os.path.exists(f"{name}{mailbox.ANSWER}"):
        time.sleep(PAUSE)
        _ring(folder)
    with open(f"{name}{mailbox.ANSWER}", encoding="utf-8") as file:
        told = json.load(file)
    os.unlink(f"{name}{mailbox.ANSWER}")
    sys.stdout.write(told["out"])
    sys.stderr.write(told["err"])
    return int(told["status"])


def _ring(folder: str) -> None:
    """Say that there is a letter. Raises OSError where nobody listens any more."""
    bell = os.open(f"{folder}/{mailbox.BELL}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(bell, b"!")
    except BlockingIOError:
        return
    finally:
        os.close(bell)


if __name__ == "__main__":
    sys.exit(main())
