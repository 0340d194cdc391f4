"""Types text into a session and submits it, and does not believe that it arrived before it is seen there.

`send-keys` loses text; a buffer pasted with brackets does not, and an agent's interface takes it as one message. The
return key is a message of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from orange.adapters.sessions.server import Server

if TYPE_CHECKING:
    from libtmux import Pane

#: Seconds a program gets to show what was typed, and to react to the return key; between looks.
PATIENCE, PACE = 5.0, 0.05
#: How many characters at the end of the text must be seen. A longer text is folded away or scrolled by some programs.
PROOF = 24


def say(server: Server, pane: Pane, text: str) -> bool:
    """Type and submit; True only when both were seen to have an effect. Raises ProgramMissing, TimedOut."""
    clean = printable(text)
    proof = squeezed(clean)[-PROOF:]
    if not proof:
        return False
    before = squeezed(_screen(pane)).count(proof)
    if not _paste(server, str(pane.pane_id), clean):
        return False
    if not _seen(lambda: squeezed(_screen(pane)).count(proof) > before):
        return False
    shown = _screen(pane)
    pane.cmd("send-keys", "Enter")
    return _seen(lambda: _screen(pane) != shown)


def printable(text: str) -> str:
    """Return text without what a terminal takes for a command: an escape could end the paste and type the rest."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t").strip("\n")


def squeezed(text: str) -> str:
    """Return text without white space: programs wrap and indent what they show."""
    return "".join(text.split())


def _paste(server: Server, pane: str, text: str) -> bool:
    name = f"orange-{time.monotonic_ns()}"
    server.cmd("copy-mode", "-q", "-t", pane)  # somebody scrolling back would swallow it
    if not server.cmd("load-buffer", "-b", name, "-", stdin=text.encode("utf-8", "replace")).ok:
        return False
    return server.cmd("paste-buffer", "-p", "-d", "-b", name, "-t", pane).ok


def _screen(pane: Pane) -> str:
    """Return what is shown, and where the cursor stands."""
    cursor = pane.cmd("display-message", "-p", "#{cursor_x},#{cursor_y},#{history_size}").stdout
    return "\n".join([*pane.capture_pane(join_wrapped=True), *cursor])


def _seen(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(PACE)
    return True
