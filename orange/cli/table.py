"""Aligned columns for people: text laid out by the width it has on the screen. Pure.

A wide character counts two cells, a combining one none. Colour is put on after the layout, so that it never counts.
Next in the flow: `output` prints the lines.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a table, and the shade it is painted with."""

    text: str
    shade: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    #: Whether it gives way when the line is too long for the screen.
    flexible: bool = False


Paint = Callable[[str, str], str]


def width_of(text: str) -> int:
    """Count the screen cells of a text."""
    return len(text) if text.isascii() else sum(_cells(character) * text.count(character) for character in set(text))


def clip(text: str, width: int) -> str:
    """Cut a text to at most `width` cells, with an ellipsis where something was cut."""
    if width_of(text) <= width:
        return text
    used, end = 1, 0
    for end, character in enumerate(text):  # noqa: B007 - the index is where the loop stopped
        used += _cells(character)
        if used > width:
            break
    return (text[:end] + "…")[: max(width, 0)]


def pad(text: str, width: int) -> str:
    """Fill a text up to `width` cells."""
    return text + " " * (width - width_of(text))


def layout(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None, paint: Paint) -> list[str]:
    """Lay rows out under their titles within `width` cells (None: as long as need be).

    A column in which every cell is empty is left out.
    """
    kept = [i for i in range(len(columns)) if any(row[i].text for row in rows)]
    widths = _widths([columns[i] for i in kept], [[row[i].text for row in rows] for i in kept], width)
    head = _line([Cell(columns[i].title, "dim") for i in kept], widths, paint)
    return [head, *(_line([row[i] for i in kept], widths, paint) for row in rows)]


def _widths(columns: Sequence[Column], texts: Sequence[Sequence[str]], width: int | None) -> list[int]:
    wanted = [
        max(map(width_of, (column.title, *cells)), default=0) for column, cells in zip(columns, texts, strict=True)
    ]
    if width is None:
        return wanted
    excess = sum(wanted) + len(_GAP) * (len(wanted) - 1) - width
    for i in sorted((i for i, column in enumerate(columns) if column.flexible), key=lambda i: -wanted[i]):
        less = min(max(excess, 0), max(wanted[i] - 12, 0))
        wanted[i] -= less
        excess -= less
    return wanted


def _line(cells: Sequence[Cell], widths: Sequence[int], paint: Paint) -> str:
    parts = []
    for cell, width in zip(cells, widths, strict=True):
        text = clip(cell.text, width)
        painted = paint(text, cell.shade) if cell.shade and text else text
        parts.append(painted + " " * (width - width_of(text)))
    return _GAP.join(parts).rstrip()


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
