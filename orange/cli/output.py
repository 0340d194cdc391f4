"""The one way out to people and programs: lines, JSON and colour on two streams.

With `--json` there is nothing on standard output but one JSON value; without it, lines for people. Colour and
progress only where the stream is a terminal and `NO_COLOR` is not set. Next in the flow: the reader.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import UnsupportedOperation
from typing import TYPE_CHECKING, TextIO

from orange.core import present

if TYPE_CHECKING:
    from threading import Event

#: What a line may be painted with, as SGR parameters.
SHADES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
#: The width people's tables keep to when the terminal's is unknown.
FALLBACK_WIDTH = 100


def compact(value: object) -> str:
    """Render a JSON value as one line of ASCII."""
    return json.dumps(value, separators=(", ", ": "))


class Output:
    """Two streams and what may be done with them."""

    def __init__(self, stream: TextIO, errors: TextIO, env: Mapping[str, str]) -> None:
        self.stream, self.errors, self.env = stream, errors, env
        self.terminal, self.errors_terminal = stream.isatty(), errors.isatty()
        #: Whether standard output carries JSON.
        self.json = False
        self.color = self.terminal and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
        self.unicode = _speaks_unicode(stream)

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None where lines go to a file or a program and are not cut."""
        return shutil.get_terminal_size((FALLBACK_WIDTH, 24)).columns if self.terminal else None

    def give(self, value: object, lines: Callable[[], Iterable[str]]) -> str:
        """Print the answer: `value` with `--json`, else the lines for people. Returns the JSON that was printed."""
        if not self.json:
            self.lines(lines())
            return ""
        text = compact(value) + "\n"
        self.stream.write(text)
        return text

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines as they come."""
        self.stream.writelines(line + "\n" for line in lines)

    def line(self, text: str) -> None:
        """Print one line at once."""
        self.stream.write(text + "\n")
        self.stream.flush()

    def note(self, text: str) -> None:
        """Print a remark for people beside the answer; nothing with `--json`."""
        if not self.json:
            self.stream.flush()
            shown = present.visible(text)
            self.errors.write(self.shade(shown, "dim") + "\n" if self.errors_terminal else shown + "\n")

    @contextmanager
    def busy(self, text: str, beat: float = 1.0) -> Iterator[None]:
        """Say on a terminal what takes long, with the seconds it took, anew at each beat; nothing with `--json`."""
        if self.json or not self.errors_terminal or self.env.get("TERM") == "dumb":
            yield
            return
        from threading import Event, Thread

        over = Event()
        told = Thread(target=self._tell_on, args=(present.visible(text), over, beat), daemon=True)
        told.start()
        try:
            yield
        finally:
            over.set()
            told.join()

    def _tell_on(self, text: str, over: Event, beat: float) -> None:
        beats = 0
        while not over.wait(beat):
            beats += 1
            self.errors.write(f"\r{text}: {beats * beat:.0f} s")
            self.errors.flush()
        if beats:
            self.errors.write("\r\x1b[K")
            self.errors.flush()

    def fail(self, code: str, message: str) -> None:
        """Print why the request was refused or failed."""
        if self.json:
            self.stream.write(compact({"error": {"code": code, "message": message}}) + "\n")
        else:
            self.stream.flush()
            self.errors.write(f"orange: {present.visible(message)}\n")

    def shade(self, text: str, shade: str) -> str:
        """Paint text where colour is wanted."""
        return f"\x1b[{SHADES[shade]}m{text}\x1b[0m" if self.color and shade else text

    def clear(self) -> None:
        """Begin the screen anew, on a terminal."""
        if self.terminal:
            self.stream.write("\x1b[H\x1b[2J")

    def close(self) -> None:
        """Send what is buffered; a reader that has gone is not an error."""
        try:
            self.stream.flush()
        except BrokenPipeError:
            silence(self.stream)


def silence(stream: TextIO) -> None:
    """Let the rest of a stream whose reader has gone vanish, so that closing it at exit raises nothing."""
    try:
        there = stream.fileno()
    except UnsupportedOperation:  # a stream in memory has nothing to close
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, there)
    os.close(nowhere)


def _speaks_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")
