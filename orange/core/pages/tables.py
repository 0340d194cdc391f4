"""Lines with gaps at the same places -> rows of a table, cells that go on over several lines put together.

Next in the flow: `text` writes the rows as a Markdown table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from orange.core.pages.lines import PAGE, Cell, Line, width

#: Lines below a head that are looked at for a second row.
_AHEAD = 8
#: Lines of a table that are looked at for how its rows are written.
_SEEN = 200
#: How much farther than its letters are high a line of the same cell may be below the one before.
_SAME_CELL = 1.45


#: What stands above a column: it is short, and no half sentence.
_HEAD = re.compile(r"[\w#].{0,48}(?<![(,;:–—-])")


@dataclass(slots=True)
class _Row:
    #: Where it begins, and where the last line of its first cell is.
    y: float
    first: float
    cells: list[str]

    def add(self, column: int, text: str) -> None:
        self.cells[column] = f"{self.cells[column]} {text}".strip()


def table_at(lines: Sequence[Line], at: int) -> tuple[list[list[str]], int]:
    """Read the table that begins at a line: its rows and the number of lines it takes; none where there is none."""
    head = lines[at]
    if len(head.cells) < 2 or not all(_HEAD.fullmatch(cell.text.strip()) for cell in head.cells):
        return [], 0
    table = _Table(head, lines[at : at + _SEEN])
    if not any(table.is_row(*pair) for pair in pairwise(lines[at : at + 1 + _AHEAD])):
        return [], 0
    end = at + 1
    while end < len(lines) and table.belongs(lines[end - 1], lines[end]):
        table.take(lines[end - 1], lines[end])
        end += 1
    return [row.cells for row in table.rows], end - at


class _Table:
    """One table: its columns begin where the cells of its head do."""

    def __init__(self, head: Line, lines: Sequence[Line]) -> None:
        self.head, self.places = head, [cell.x for cell in head.cells]
        self.rows = [_Row(head.y, head.y, [" ".join(cell.text.split()) for cell in head.cells])]
        #: Whether two cells beside each other are surely a new row: cells are written whole, or each line is a row.
        self.tight = any(self._is_up(*pair) or self._is_dense(*pair) for pair in pairwise(lines))

    def _column(self, cell: Cell, size: float) -> int | None:
        """Return the column that a cell stands in: the last one that begins before it."""
        found = [i for i, place in enumerate(self.places) if cell.x >= place - size]
        return found[-1] if found else None

    def _fitting(self, line: Line) -> int:
        return sum(any(abs(cell.x - place) < 0.6 * line.size for place in self.places) for cell in line.cells)

    def _is_up(self, above: Line, line: Line) -> bool:
        """Whether a line is back up in another column: the next cell of a row whose first cells are whole."""
        return self._fitting(line) > 0 and line.page == above.page and line.y > above.y and line.x > above.x

    def _is_dense(self, above: Line, line: Line) -> bool:
        whole = len(self.places)
        return whole == self._fitting(above) == self._fitting(line) and 0 < above.y - line.y < _SAME_CELL * line.size

    def is_row(self, above: Line, line: Line) -> bool:
        """Whether a line is of a row: two of its cells begin where columns do, or it is back up in another column."""
        return self._fitting(line) > 1 or self._is_up(above, line)

    def belongs(self, last: Line, line: Line) -> bool:
        """Whether a line goes on with the table."""
        turned = line.page != last.page
        if line.size > self.head.size * 1.1 or last.y - line.y > 4 * line.size + (PAGE if turned else 0):
            return False
        first = line.cells[0]
        column = self._column(first, line.size)
        if column is None or (turned and not self.is_row(last, line)):
            return False
        if len(line.cells) == 1 and column + 1 < len(self.places):
            return first.x + width(first.text, line.size) < self.places[column + 1] + line.size
        return True

    def take(self, last: Line, line: Line) -> None:
        """Put a line into the row it belongs to, or into a new one."""
        columns = [(self._column(cell, line.size) or 0, " ".join(cell.text.split())) for cell in line.cells]
        if line.y > last.y + 0.3 * line.size:
            self._merge(line, columns[0][0])
        elif self._begins(line, columns[0][0]):
            self.rows.append(_Row(line.y, line.y, [""] * len(self.places)))
        if columns[0][0] == 0:
            self.rows[-1].first = line.y
        for column, text in columns:
            self.rows[-1].add(column, text)

    def _begins(self, line: Line, column: int) -> bool:
        several = len(line.cells) > 1 and self.tight
        apart = self.rows[-1].first - line.y > _SAME_CELL * line.size
        return len(line.cells) == len(self.places) or (column == 0 and (several or apart))

    def _merge(self, line: Line, column: int) -> None:
        """Make one row of the lines between the one that a cell begins beside and the last one.

        Where that row has such a cell already, its first cells only stood lower, in the middle of the row below it.
        """
        rows = self.rows
        above = next((i for i in range(len(rows) - 1, 0, -1) if rows[i].y >= line.y - 0.3 * line.size), 0)
        if above + 1 < len(rows) and rows[above].cells[column]:
            above += 1
            rows[above].y = line.y
        for row in rows[above + 1 :]:
            for i, text in enumerate(row.cells):
                rows[above].add(i, text)
            rows[above].first = row.first
        del rows[above + 1 :]
