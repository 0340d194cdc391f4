"""Pieces of text -> lines, parted into cells where there is a gap; running heads and tables of contents are left out.

Next in the flow: `tables` finds rows among the lines, `text` makes Markdown of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from orange.core.pages.model import Page, Piece

#: Pages with the same line at their edge before it is a running head; with one that differs by the number of the page.
_OFTEN, _OFTEN_COUNTED = 3, 2
#: How much wider than it is guessed a text may be.
_DOUBT = 0.15
#: How far the next page is below this one, in points: farther than any page is high.
PAGE = 100_000.0
_SPELLED = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "\u00a0": " ", "\u00ad": "", "\u200b": "", "\t": " "}
)
_FOLIO = re.compile(
    r"(?:page\s*)?(?:\d{1,4}|[ivxl]{1,6})(?:\s*(?:of|/|\|)\s*\d{1,4})?|[–—-]\s*\d{1,4}\s*[–—-]", re.IGNORECASE
)
_NUMBER = re.compile(r"\d{1,9}")
_CONTENTS = re.compile(r"(?:\.\s?){4,}\s*\w{1,5}$")
_LONE = re.compile(r"[•·▪◦●○■□▢☐☑☒✓✔❏➢➤►‣⁃\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc\x7f]|\d{1,3}[.)]")
#: How far before a point its mark stands at most, in points.
_NEAR = 72.0
#: A number before a heading that its program set apart by place only.
_TIGHT = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*\.?)(?=[A-Z][a-z])")
_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[] `-"), frozenset("mwMWABCDEGHKNOPQRUVXYZ@%&—…")


@dataclass(slots=True)
class Cell:
    """Text without a gap in it."""

    x: float
    text: str


@dataclass(slots=True)
class Line:
    """One line of a page."""

    #: From 1.
    page: int
    #: Points; it falls from line to line, and from page to page.
    y: float
    cells: list[Cell]
    #: Where its text ends, as far as that can be told.
    end: float
    #: Letters by size, and how many of them are bold, and of code.
    sizes: Counter[float] = field(default_factory=Counter)
    bolds: int = 0
    monos: int = 0

    @property
    def x(self) -> float:
        """Where it begins."""
        return self.cells[0].x

    @property
    def text(self) -> str:
        """All of it."""
        return _TIGHT.sub(r"\1 ", " ".join(" ".join(cell.text.split()) for cell in self.cells).strip())

    @property
    def size(self) -> float:
        """The size most of its letters have."""
        return self.sizes.most_common(1)[0][0]

    @property
    def letters(self) -> int:
        """How many letters it has."""
        return self.sizes.total()

    @property
    def bold(self) -> bool:
        """Whether all of it is bold, but for a mark at its beginning."""
        return self.bolds >= max(1, self.letters - 1)

    @property
    def mono(self) -> bool:
        """Whether all of it is code."""
        return self.monos == self.letters


def lines_of(pages: Sequence[Page]) -> list[Line]:
    """Put the pieces of all pages together to lines."""
    scale = _scale(pages)
    found = [_of_page(page, number, scale) for number, page in enumerate(pages, 1)]
    for _ in range(2):  # a head may have two lines
        found = _without_heads(found)
    return [line for lines in found for line in lines if not _CONTENTS.search(line.text)]


def _scale(pages: Sequence[Page]) -> float:
    """Find out how much wider than guessed this file's letters are: where the next piece of a line begins tells."""
    found = [
        (piece.x - last.x) / guessed
        for page in pages
        for last, piece in pairwise(page)
        if abs(piece.y - last.y) < 0.1 and len(last.text) > 5 and (guessed := width(last.text, last.size)) > 0
    ]
    near = [ratio for ratio in found if 0.8 < ratio < 1.4]
    return max(1.0, median(near)) if len(near) > 5 else 1.0


def _of_page(page: Page, number: int, scale: float) -> list[Line]:
    lines: list[Line] = []
    last: Piece | None = None
    for piece in page:
        if not piece.text.strip():
            continue
        if last is None or not _goes_on(lines[-1], piece, last, number):
            lines.append(Line(number, piece.y - number * PAGE, [Cell(piece.x, "")], piece.x))
        _add(lines[-1], piece, last, scale)
        last = piece
    return _with_marks(lines)


def _with_marks(lines: Sequence[Line]) -> list[Line]:
    """Put marks of points that were written apart from their points before them."""
    alone = [line for line in lines if _LONE.fullmatch(line.text)]
    rest = [line for line in lines if not _LONE.fullmatch(line.text)] if alone else list(lines)
    for mark in alone:
        beside = [line for line in rest if abs(line.y - mark.y) < 0.6 * line.size and 0 < line.x - mark.x < _NEAR]
        if beside:
            line = min(beside, key=lambda found: found.x)
            line.cells.insert(0, mark.cells[0])
    return rest


def _goes_on(line: Line, piece: Piece, last: Piece, number: int) -> bool:
    level = abs(piece.y - number * PAGE - line.y) <= 0.4 * max(piece.size, last.size)
    return level and piece.x >= line.x - 1


def _add(line: Line, piece: Piece, last: Piece | None, scale: float) -> None:
    """Put a piece behind a line; where a piece says no place of its own, it has that of the one before it."""
    text = piece.text.translate(_SPELLED)
    here = last is not None and (piece.x, piece.y) == (last.x, last.y) and line.sizes.total() > 0
    gap = 0.0 if here else piece.x - line.end
    cell = line.cells[-1]
    if cell.text and gap > max(piece.size, 0.3 * piece.size + _DOUBT * (line.end - cell.x)):
        cell = Cell(piece.x, "")
        line.cells.append(cell)
    elif gap > 0.35 * piece.size:
        cell.text += " "
    cell.text += text
    wide = 0.6 * len(text.strip()) * piece.size if piece.mono else width(text.strip(), piece.size) * scale
    line.end = (line.end if here else piece.x) + wide
    letters = len(text.replace(" ", ""))
    line.sizes[max(round(piece.size * 2), 1) / 2] += letters
    line.bolds += letters if piece.bold else 0
    line.monos += letters if piece.mono else 0


def width(text: str, size: float) -> float:
    """Guess how wide a text is: fonts do not say it in a common way."""
    ems = sum(0.29 if sign in _NARROW else 0.74 if sign in _WIDE else 0.53 for sign in text)
    return ems * size


def _without_heads(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Leave out what stands at the top or bottom of page after page, and numbers of pages."""
    edges = [(max(lines, key=_height), min(lines, key=_height)) if lines else () for lines in pages]
    often = Counter(shape for found in edges for shape in {shape for line in found for shape in _shapes(line)})
    dropped = {id(line) for found in edges for line in found if _is_head(line, often)}
    return [[line for line in lines if id(line) not in dropped] for lines in pages]


def _is_head(line: Line, often: Mapping[str, int]) -> bool:
    same, *counted = _shapes(line)
    running = often[same] >= _OFTEN or any(often[shape] >= _OFTEN_COUNTED for shape in counted)
    return running or _FOLIO.fullmatch(line.text) is not None


def _height(line: Line) -> float:
    return line.y


def _shapes(line: Line) -> list[str]:
    """Return a line's text, and what it is once a number in it counts from its page on."""
    numbers = list(_NUMBER.finditer(line.text))
    counted = [(match, int(match[0]) - line.page) for match in {numbers[0], numbers[-1]}] if numbers else []
    return [line.text, *(f"{line.text[: m.start()]}\f{count}\f{line.text[m.end() :]}" for m, count in counted)]


def body_size(lines: Iterable[Line]) -> float:
    """Return the size of running text: most letters have it."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes.update(line.sizes)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def leading_of(lines: Sequence[Line]) -> float:
    """Return how far apart lines of a paragraph are, in sizes of their letters."""
    steps = [(above.y - line.y) / line.size for above, line in pairwise(lines) if above.size == line.size]
    near = sorted(step for step in steps if 0.8 < step < 2.2)
    return min(near[len(near) // 4], 1.6) if near else 1.2
