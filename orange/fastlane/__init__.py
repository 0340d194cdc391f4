"""The fast lane: answers the questions asked most often without importing click or the model.

It answers only what it is certain of, byte for byte as the whole command line would; for everything else it says
None and leaves the field. A running daemon answers with the whole command line's own code (`asking`, and `cli.served`
at its end); without one, an answer that was kept is taken up while nothing has changed (`kept`). `ORANGE_LANE=whole`
turns it off. Next in the flow: `cli.errors.carry_out`, for whatever is left.

Every module here imports as little as it can: that is the point of it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's own would have to be imported
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def answer(argv: Sequence[str]) -> int | None:
    """Answer the command line and return the exit code, or None to leave it to the whole command line."""
    environment = os.environ
    if not argv or "_ORANGE_COMPLETE" in environment or environment.get("ORANGE_LANE") == "whole":
        return None
    from orange.fastlane import asking

    if not asking.may_ask(argv):
        return None
    found: tuple[int, bytes | memoryview, bytes] | None = asking.ask(argv, environment)
    if found is None:
        from orange.fastlane import kept

        text = kept.answer(argv, environment)
        found = None if text is None else (0, text, b"")
    if found is None:
        return None
    status, out, err = found
    return status if _written(sys.stdout.fileno(), out) and _written(sys.stderr.fileno(), err) else 0


def _written(stream: int, text: bytes | memoryview) -> bool:
    """Write to a stream; False when nobody reads it any more, which is no error."""
    rest = memoryview(text)
    try:
        while rest:
            rest = rest[os.write(stream, rest) :]
    except BrokenPipeError:
        return False
    return True


def socket_path(environment: Mapping[str, str], user: int) -> str:
    """Work out the daemon's socket, as `core.home` does."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    private = f"/tmp/orange-{user}"  # noqa: S108 - made private by the daemon
    folder = f"{runtime}/orange" if runtime else private
    fits = len(os.fsencode(f"{folder}/{'x' * 24}.sock")) < 108
    return f"{folder if fits else private}/daemon.sock"
