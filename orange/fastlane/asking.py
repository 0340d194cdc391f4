"""Asking the daemon: it carries out the command line with the whole command line's own code, and sends back the text.

Questions, and the small change of one task, are asked this way. The daemon refuses the call of another version of
orange, and a change where it cannot tell whose process asks; then, as when there is no daemon or it is busy, the whole
command line carries the line out: to do a change twice is to do it once. Next in the flow: `cli.served` in the daemon.
"""

from __future__ import annotations

import os
import sys

from orange import __version__
from orange.fastlane import socket_path

TYPE_CHECKING = False  # typing's own would have to be imported
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO, TypeAlias

    #: Exit code, standard output, standard error.
    Answer: TypeAlias = tuple[int, bytes, bytes]

#: Seconds after which a daemon counts as busy.
PATIENCE = 5.0
#: Options that every command here takes, and whether a value follows.
_COMMON = {"--json": False, "-C": True}
#: Commands that need no terminal, no input and no workspace: their words -> how many free words follow, their options.
COMMANDS = {
    ("status",): (0, _COMMON),
    ("task", "show"): (1, _COMMON),
    ("task", "why"): (1, _COMMON),
    ("task", "list"): (
        0,
        {
            **_COMMON,
            **dict.fromkeys(("--ready", "--all", "--blocked", "--body"), False),
            **dict.fromkeys(("--status", "--parent", "--label", "--session"), True),
        },
    ),
    ("task", "update"): (
        1,
        {
            **_COMMON,
            **dict.fromkeys(("--status", "--title", "--priority", "--add-label", "--remove-label"), True),
            **dict.fromkeys(("--blocked-by", "--unblock", "--reason", "--message"), True),
        },
    ),
}
#: Targets of an update that start, end or hand over work: the caller's own process does that.
_HEAVY = ("working", "in_progress", "delegated", "cancelled")


def may_ask(argv: Sequence[str]) -> bool:
    """Whether the daemon may carry out the line. A TASK left out depends on who asks, so it may not be."""
    words = tuple(argv[:2]) if argv[0] == "task" else tuple(argv[:1])
    if words not in COMMANDS:
        return False
    most, options = COMMANDS[words]
    free = 0
    rest = iter(argv[len(words) :])
    for word in rest:
        if options.get(word):
            value = next(rest, None)
            if value is None or (word == "--status" and value in _HEAVY and is_write(argv)):
                return False
        elif word not in options:
            free += 1
            if word.startswith("-"):
                return False
    return free == most


def is_write(argv: Sequence[str]) -> bool:
    """Whether the line changes something: then the daemon must know who asks."""
    return tuple(argv[:2]) == ("task", "update")


def ask(argv: Sequence[str], environment: Mapping[str, str]) -> Answer | None:
    """Let the daemon answer; returns exit code, output and errors, or None when it cannot."""
    path = socket_path(environment, os.getuid())
    if not os.path.lexists(path):
        return None
    try:
        from _json import encode_basestring_ascii as quoted

        words = ", ".join(quoted(word) for word in argv)
        arguments = f'"version": {quoted(__version__)}, "cwd": {quoted(os.getcwd())}, "argv": [{words}]'
        screen = "" if "--json" in argv else f', "screen": {_screen(environment)}'
        return _read(_exchange(path, f'{{"call": "command", "arguments": {{{arguments}{screen}}}}}\n'))
    except (OSError, ImportError, ValueError):
        return None


def _screen(environment: Mapping[str, str]) -> str:
    """Say what an answer for people may look like, as `cli.output` finds it out."""
    terminal = sys.stdout.isatty()
    columns = _columns(environment) if terminal else 0
    color = terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    facts = (terminal, color, _encoding(sys.stdout).lower().replace("-", "").startswith("utf"), sys.stderr.isatty())
    names = ("terminal", "color", "unicode", "errors")
    said = ", ".join(f'"{name}": {"true" if fact else "false"}' for name, fact in zip(names, facts))  # noqa: B905 - four each
    return f'{{"columns": {columns}, {said}}}'


def _columns(environment: Mapping[str, str]) -> int:
    """The terminal's width, as `shutil.get_terminal_size` tells it; 0 where it is unknown."""
    told = environment.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0


def _encoding(stream: TextIO) -> str:
    return stream.encoding or "utf-8"


def _exchange(path: str, request: str) -> bytes:
    """Send one line and return the line that comes back. Raises OSError."""
    import _socket

    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        link.settimeout(PATIENCE)
        link.connect(path)
        link.sendall(request.encode())
        parts = []
        while part := link.recv(1 << 18):
            parts.append(part)
            if part.endswith(b"\n"):
                break
        return b"".join(parts)
    finally:
        link.close()


def _read(reply: bytes) -> Answer | None:
    """Take the answer out of `{"status": N, "answer": {...}}`, or its two texts; None for every other reply."""
    head, between, texts = b'{"status": ', b', "answer": ', b', "out": "'
    if not (reply.startswith(head) and reply.endswith(b"}\n")):
        return None
    at = reply.find(b", ", len(head), len(head) + 5)
    if reply.startswith(between, at):
        return int(reply[len(head) : at]), reply[at + len(between) : -2] + b"\n", b""
    return _texts(int(reply[len(head) : at]), reply[at + len(texts) :]) if reply.startswith(texts, at) else None


def _texts(status: int, rest: bytes) -> Answer | None:
    """Read `OUT", "err": "ERR"}`: what follows the quote that begins the first text. Raises ValueError."""
    from _json import scanstring

    text, between = rest.decode("ascii"), ', "err": "'
    out, end = scanstring(text, 0)
    if not text.startswith(between, end):
        return None
    err, _ = scanstring(text, end + len(between))
    return status, _bytes(out, sys.stdout), _bytes(err, sys.stderr)


def _bytes(text: str, stream: TextIO) -> bytes:
    """Encode as the whole command line does."""
    return text.encode(_encoding(stream), "backslashreplace")
