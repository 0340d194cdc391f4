"""What of a run's folder is shown to programs, and its log page by page. Pure, but for the port at the end.

Next in the flow: `project.runviews` reads it, `orange.web.routes.runs` serves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from orange.core import runfiles
from orange.core.problems import OrangeError

#: The files of a run's record, as the reference of runs names them.
_NAMED = frozenset(
    {
        runfiles.CONTEXT,
        runfiles.PROMPT,
        runfiles.FOLLOWUP,
        runfiles.STEPS,
        runfiles.OUTPUT,
        runfiles.STAGES,
        runfiles.PATCH,
        runfiles.SUMMARY,
        runfiles.REVIEW,
        runfiles.ERROR,
        "publish_result.json",
        *(f"{runfiles.LOGS}/{stage}.log" for stage in ("prepare", "execute", "publish")),
    }
)
_STEP = re.compile(rf"{runfiles.LOGS}/steps/[A-Za-z0-9_-][A-Za-z0-9_.-]*\.log")
#: Bytes of a page of a log, and of an artifact.
PAGE, LARGEST = 256 << 10, 32 << 20


def shown(name: str) -> bool:
    """Whether a file of a run's folder is part of its record, by its name below the folder."""
    return name in _NAMED or _STEP.fullmatch(name) is not None


class TooLarge(OrangeError):
    """A file of a run that is too large to be sent whole."""

    code = "too_large"
    http_status = 413

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is larger than {LARGEST >> 20} MiB: read it in the run's folder")


class Page(NamedTuple):
    """A part of a log."""

    #: Secrets masked.
    data: bytes
    #: Where the next page begins.
    after: int
    #: Bytes of the whole log.
    size: int


def cut(data: bytes, *, last: bool) -> int:
    """Say where a page ends: with a line, unless it is the `last` of the log or one line longer than a page."""
    end = len(data) if last else data.rfind(b"\n") + 1
    return _whole_letters(data) if end == 0 and len(data) >= PAGE else end


def _whole_letters(data: bytes) -> int:
    """Return where the last letter that is there in full ends: up to three bytes of the next may hang over."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        width = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        return len(data) - back if width > back else len(data)
    return len(data)


class RunFolders(Protocol):
    """What lies in the folders of runs."""

    def runs(self, task: str) -> Sequence[str]:
        """Name every run of a task that left anything here, the earliest first; those that review, too."""

    def files(self, run: str) -> Mapping[str, int]:
        """Return the files of a run's record and their bytes, by name below its folder."""

    def page(self, run: str, start: int, *, ended: bool) -> Page:
        """Return the part of a run's log that begins at a byte; what it has not ended yet comes with its next line."""

    def read(self, run: str, name: str) -> bytes | None:
        """Return a file of a run's record, secrets masked; None where there is none. Raises TooLarge."""
