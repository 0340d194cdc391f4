"""Reads PDFs: a child process with bounds on time and memory does it, so that no file can do harm here.

Next in the flow: `core.pages.text` makes Markdown of the pages.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orange.adapters import process
from orange.adapters.pages.child import OUT_OF_MEMORY
from orange.core.pages.model import Page, Piece
from orange.core.problems import InvalidInput

_CHILD = ("-P", "-m", "orange.adapters.pages.child")
#: Characters of what the library said that are told on.
_TOLD = 120
_AS_TEXT = "split it, or give it as text"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading one file may take."""

    #: Bytes.
    memory: int = 1 << 30
    #: Seconds of computing; waiting for the machine may take three times as long.
    seconds: int = 30


class PdfPages:
    """Satisfies `pages.model.PageReader`."""

    def __init__(self, bounds: Bounds = Bounds(), python: str = sys.executable) -> None:
        self.bounds, self.python = bounds, python

    def pages(self, data: bytes, source: str) -> Sequence[Page]:
        """Read a PDF. Raises InvalidInput for one that is broken, encrypted, empty, too large or only pictures."""
        memory, seconds = self.bounds.memory, self.bounds.seconds
        try:
            argv = [self.python, *_CHILD, str(memory), str(seconds)]
            result = process.run(argv, stdin=data, timeout=3.0 * seconds)
        except process.TimedOut:
            raise InvalidInput(source, f"reading this PDF takes too long: {_AS_TEXT}") from None
        if result.status != 0:
            raise InvalidInput(source, _why(result))
        told = json.loads(result.stdout)
        if "refused" in told:
            raise InvalidInput(source, told["refused"])
        return [[_piece(row) for row in page] for page in told["pages"]]


def _piece(row: Sequence[Any]) -> Piece:
    text, x, y, size, bold, mono = row
    return Piece(text, x, y, size, bold=bool(bold), mono=bool(mono))


def _why(result: process.Result) -> str:
    """Say in a sentence why the child ended."""
    last = next((line for line in reversed(result.stderr.splitlines()) if line.strip()), "")
    if result.status == -signal.SIGXCPU:
        return f"reading this PDF takes too long: {_AS_TEXT}"
    kind, _, told = last.partition(": ")
    if result.status < 0 or result.status == OUT_OF_MEMORY or kind.endswith(".LimitReachedError"):
        return f"reading this PDF takes too much memory: {_AS_TEXT}"
    known = f" ({told[:_TOLD].rstrip('.')})" if kind.startswith("pypdf.") and told else ""
    return f"this PDF is broken{known}: print it to PDF anew, or give it as text"
