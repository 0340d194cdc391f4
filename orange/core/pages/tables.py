"""Lines with gaps at the same places -> rows of a table, cells that go on over several lines put together.

Next in the flow: `text` writes the rows as a Markdown table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from orange.core.pages.lines import PAGE, Cell, Line, width

#: Lines below a head that are looked at for a second row.
_AHEAD = 8
#: How much farther than its letters are high a line of the same cell may be below the one before.
_SAME_CELL = 1.45


@dataclass(slots=True)
class _Row:
    y: float
    cells: list[str]

    def add(self, column: int, text: str) -> None:
        self.cells[column] = f"{self.cells[column]} {text}".strip()


def table_at(lines: Sequence[Line], at: int) -> tuple[list[list[str]], int]:
    """Read the table that begins at a line: its rows and the number of lines it takes; none where there is none."""
    head = lines[at]
    places = [cell.x for cell in head.cells]
    if len(places) < 2 or not any(_is_row(places, *pair) for pair in pairwise(lines[at : at + 1 + _AHEAD])):
        return [], 0
    rows = [_Row(head.y, [" ".join(cell.text.split()) for cell in head.cells])]
    last, end = head, at + 1
    while end < len(lines) and _belongs(places, head, last, lines[end]):
        _take(rows, places, last, lines[end])
        last, end = lines[end], end + 1
    return [row.cells for row in rows], end - at


def _column(places: Sequence[float], cell: Cell, size: float) -> int | None:
    """Return the column that a cell stands in: the last one that begins before it."""
    found = [i for i, place in enumerate(places) if cell.x >= place - size]
    return found[-1] if found else None


def _is_row(places: Sequence[float], above: Line, line: Line) -> bool:
    """Whether a line is of a row: two of its cells begin where columns do, or it is back up in another column."""
    fitting = [cell for cell in line.cells if any(abs(cell.x - place) < 0.6 * line.size for place in places)]
    return len(fitting) > 1 or (bool(fitting) and line.y > above.y and line.x > above.x)


def _belongs(places: Sequence[float], head: Line, last: Line, line: Line) -> bool:
    if line.size > head.size * 1.1 or last.y - line.y > 4 * line.size + (PAGE if line.page != last.page else 0):
        return False
    first = line.cells[0]
    column = _column(places, first, line.size)
    if column is None or (line.page != last.page and not _is_row(places, last, line)):
        return False
    if len(line.cells) == 1 and column + 1 < len(places):
        return first.x + width(first.text, line.size) < places[column + 1] + line.size
    return True


def _take(rows: list[_Row], places: Sequence[float], last: Line, line: Line) -> None:
    """Put a line into the row it belongs to, or into a new one."""
    columns = [(_column(places, cell, line.size) or 0, " ".join(cell.text.split())) for cell in line.cells]
    if line.y > last.y + 0.3 * line.size:  # back up: the next cell of a row whose first cells are whole
        _merge(rows, line)
    elif (last.y - line.y > _SAME_CELL * line.size and columns[0][0] == 0) or len(columns) == len(places):
        rows.append(_Row(line.y, [""] * len(places)))
    for column, text in columns:
        rows[-1].add(column, text)


def _merge(rows: list[_Row], line: Line) -> None:
    above = next((i for i in range(len(rows) - 1, 0, -1) if rows[i].y >= line.y - 0.3 * line.size), len(rows) - 1)
    for row in rows[above + 1 :]:
        for column, text in enumerate(row.cells):
            rows[above].add(column, text)
    del rows[above + 1 :]
