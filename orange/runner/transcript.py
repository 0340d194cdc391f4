"""The record of what a terminal showed: an append-only file with an upper size, whose end is always kept.

Secrets are masked before anything is written or kept.

Next in the flow: `report` quotes its tail when the run failed; `orange task log` follows the file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orange.core.redact import SHAPES, Masker

if TYPE_CHECKING:
    from orange.core.redact import Secrets

#: Bytes of output recorded as they come.
LIMIT = 64 << 20
#: Bytes of the end that are recorded even when the limit was reached, and kept at hand for the report.
TAIL = 64 << 10


class Transcript:
    """An open log. A full disk or limit ends the recording, never the program that is recorded."""

    def __init__(self, path: str, secrets: Secrets = SHAPES, limit: int = LIMIT) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._masker = Masker(secrets)
        self._left = limit
        self._skipped = 0
        self._tail = bytearray()
        #: Why the recording is incomplete, in one sentence.
        self.trouble: str | None = None

    @property
    def tail(self) -> bytes:
        """The last bytes that came; what may be the beginning of a secret comes with what follows it."""
        return bytes(self._tail[-TAIL:])

    def add(self, data: bytes) -> None:
        """Record output."""
        self._record(self._masker.feed(data))

    def _record(self, data: bytes) -> None:
        self._tail += data
        if len(self._tail) > 2 * TAIL:
            del self._tail[:-TAIL]
        kept = data[: self._left]
        if kept and self._write(kept):
            self._left -= len(kept)
        self._skip(len(data) - len(kept))

    def close(self) -> None:
        """Record the end of what was held back and of what was left out, and close the file."""
        self._record(self._masker.finish())
        if self._skipped and not self.trouble:
            end = self.tail[-min(TAIL, self._skipped) :]
            self._write(b"\r\n[orange: %d bytes left out]\r\n" % (self._skipped - len(end)) + end)
        os.close(self._fd)

    def _skip(self, count: int) -> None:
        if count and not self._skipped:
            self._write(b"\r\n[orange: the log is full; only the end of what follows is recorded]\r\n")
        self._skipped += count

    def _write(self, data: bytes) -> bool:
        if self.trouble:
            return False
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            self.trouble = f"the output could not be recorded: {error.strerror}"
            return False
        return True


class Transcripts:
    """Several logs of the same output."""

    def __init__(self, secrets: Secrets, *paths: str) -> None:
        self._logs = [Transcript(path, secrets) for path in paths]

    @property
    def tail(self) -> bytes:
        """The last bytes that came."""
        return self._logs[0].tail

    @property
    def trouble(self) -> str | None:
        """Why a recording is incomplete, in one sentence."""
        return next((log.trouble for log in self._logs if log.trouble), None)

    def add(self, data: bytes) -> None:
        """Record output."""
        for log in self._logs:
            log.add(data)

    def close(self) -> None:
        """Close the files."""
        for log in self._logs:
            log.close()
