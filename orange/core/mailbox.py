"""What an agent in a sandbox may ask of orange, and how the letters look. The one who answers knows whose box it is.

A letter is `<id>.ask`: `{"argv": [...], "stdin": text or null}`; its answer `<id>.answer`: `{"status", "out", "err"}`.
One that a shell wrote is `sh`, the number of words, a line's end, each word and a NUL, and the standard input; its
answer is the status alone, and lies there once `<id>.out` and `<id>.err` do.

Next in the flow: `runner.client` writes letters inside, `adapters.isolation.postman` carries them out outside.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The pipe that is rung after a letter was put in.
BELL = "bell"
ASK, ANSWER = ".ask", ".answer"
#: What a shell is given besides.
OUT, ERR = ".out", ".err"
#: Bytes a letter may have.
LARGEST = 2 << 20

#: The commands that are carried out. What an agent may do with them is decided as for any agent.
_COMMANDS = {
    "ask": None,
    "status": None,
    "task": frozenset({"create", "events", "list", "show", "update", "why", "write"}),
}
#: Options that would read files, write files or run programs out here, or choose another project.
_KEPT_INSIDE = ("-C", "--project", "--body-file", "--from-file", "--edit", "--worktree-path", "--watch")


class Letter(NamedTuple):
    """A command to carry out."""

    argv: tuple[str, ...]
    stdin: str | None = None
    #: Whether a shell wrote it, which can read no JSON.
    by_shell: bool = False


def written(letter: Letter) -> bytes:
    """Write a letter."""
    return json.dumps({"argv": letter.argv, "stdin": letter.stdin}).encode()


def read(data: bytes) -> Letter | None:
    """Read a letter; None for what is none."""
    if found := re.match(rb"sh ([0-9]{1,4})\n", data):
        return _of_shell(data[found.end() :], int(found[1]))
    try:
        told = json.loads(data)
        argv, stdin = told["argv"], told["stdin"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    words = isinstance(argv, list) and all(isinstance(word, str) and "\0" not in word for word in argv)
    return Letter(tuple(argv), stdin) if words and (stdin is None or isinstance(stdin, str)) else None


def _of_shell(data: bytes, count: int) -> Letter | None:
    *words, stdin = data.split(b"\0", count)
    if len(words) != count:
        return None
    argv = tuple(word.decode("utf-8", "surrogateescape") for word in words)
    return Letter(argv, stdin.decode("utf-8", "surrogateescape") if "-" in argv else None, by_shell=True)


def letter_id(name: str) -> str | None:
    """Return the id in a letter's file name; None for any other file."""
    found = re.fullmatch(r"([a-z0-9]{1,32})\.ask", name)
    return found[1] if found else None


def refusal(argv: Sequence[str]) -> str | None:
    """Return why a command is not carried out for an agent in a sandbox; None where it is."""
    for word in argv:
        for option in _KEPT_INSIDE:
            if word == option or word.startswith(f"{option}=") or (option == "-C" and word.startswith(option)):
                return f"{option} does not work from inside a sandbox"
    words = [word for word in argv if not word.startswith("-")]
    command = words[0] if words else ""
    known = _COMMANDS.get(command, frozenset())
    if known is None or (len(words) > 1 and words[1] in known):
        return None
    asked = " ".join(words[:2]) or "nothing"
    return f"`orange {asked}` does not work from inside a sandbox: an agent may use {_listed()}"


def _listed() -> str:
    return ", ".join(
        f"{command} {'|'.join(sorted(known))}" if known else command for command, known in _COMMANDS.items()
    )
