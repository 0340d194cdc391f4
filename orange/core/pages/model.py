"""The nouns of printed pages, and the port that reads them out of a file.

Next in the flow: `lines` puts pieces together, `text` makes Markdown of the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text at a place on a page, in one font."""

    text: str
    #: Points from the left and from the bottom of the page.
    x: float
    y: float
    #: Points.
    size: float
    bold: bool = False
    #: Whether all letters are equally wide: code.
    mono: bool = False


#: What stands on one page, in the order it was written in.
Page: TypeAlias = Sequence[Piece]


class PageReader(Protocol):
    """Reads files that hold printed pages."""

    def pages(self, data: bytes, source: str) -> Sequence[Page]:
        """Read a PDF. Raises InvalidInput for one that is broken, encrypted, empty, too large or only pictures."""
