"""Asking the daemon: it carries out the command line with the whole command line's own code, and sends back the text.

Only questions are asked this way. The daemon refuses the call of another version of orange; then, as when there is no
daemon or it is busy, the whole command line answers. Next in the flow: `cli.served`, in the daemon.
"""

from __future__ import annotations

import os

from orange import __version__
from orange.fastlane import socket_path

TYPE_CHECKING = False  # typing's own would have to be imported
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds after which a daemon counts as busy.
PATIENCE = 5.0
#: Commands that only read, need no terminal and no input: their words, and how many free words follow at most.
QUESTIONS = {("task", "list"): 0, ("task", "show"): 1, ("task", "why"): 1, ("status",): 0}
#: Their options, and whether a value follows.
OPTIONS = {
    "--json": False,
    "--ready": False,
    "--all": False,
    "--blocked": False,
    "--body": False,
    "--status": True,
    "--parent": True,
    "--label": True,
    "--session": True,
    "-C": True,
}


def may_ask(argv: Sequence[str]) -> bool:
    """Whether the line is a question that the daemon may answer."""
    words = tuple(argv[:2]) if argv[0] == "task" else tuple(argv[:1])
    most = QUESTIONS.get(words)
    if most is None:
        return False
    free = 0
    rest = iter(argv[len(words) :])
    for word in rest:
        if OPTIONS.get(word):
            if next(rest, None) is None:
                return False
        elif word not in OPTIONS:
            free += 1
            if word.startswith("-"):
                return False
    return free == most  # a TASK left out depends on who asks


def ask(argv: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str] | None:
    """Let the daemon answer; returns exit code and text, or None when it cannot."""
    try:
        from _json import encode_basestring_ascii as quoted

        words = ", ".join(quoted(word) for word in argv)
        arguments = f'"version": {quoted(__version__)}, "cwd": {quoted(os.getcwd())}, "argv": [{words}]'
        reply = _exchange(
            socket_path(environment, os.getuid()), f'{{"call": "command", "arguments": {{{arguments}}}}}\n'
        )
        return _read(reply)
    except (OSError, ImportError, ValueError, UnicodeError):
        return None


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


def _read(reply: bytes) -> tuple[int, str] | None:
    """Take the text out of `{"status": N, "out": "..."}`; None for every other answer."""
    from _json import scanstring

    head, tail = '{"status": ', ', "out": "'
    text = reply.decode("ascii")
    at = text.find(tail, len(head), len(head) + 8 + len(tail))
    if not text.startswith(head) or at < 0:
        return None
    out, end = scanstring(text, at + len(tail))
    return (int(text[len(head) : at]), out) if text[end:] == "}\n" else None
