"""Bars for people: one line a value, as long as the screen allows. Pure.

Next in the flow: `output` prints the lines.
"""

from __future__ import annotations

from collections.abc import Sequence

from orange.cli.table import pad, width_of

#: Eighths of a cell.
_PARTS = " ▏▎▍▌▋▊▉"
#: Cells of the longest bar where the width of the screen is unknown, and at the most.
_USUAL, _MOST = 40, 60


def bars(values: Sequence[tuple[str, float, str]], width: int | None, *, fine: bool) -> list[str]:
    """Draw a label, a bar and words for each value, within `width` cells; `fine`: with eighths of a cell."""
    labels = max((width_of(label) for label, _, _ in values), default=0)
    words = max((width_of(text) for _, _, text in values), default=0)
    room = _USUAL if width is None else max(1, min(_MOST, width - labels - words - 3))
    most = max((value for _, value, _ in values), default=0.0)
    return [
        f"{pad(label, labels)} {_bar(value / most if most else 0.0, room, fine=fine)} {text}".rstrip()
        for label, value, text in values
    ]


def _bar(part: float, room: int, *, fine: bool) -> str:
    """Draw a bar that fills this part of the room; what is more than nothing is seen."""
    eighths = max(round(part * room * 8), 1 if part > 0 else 0)
    whole, rest = divmod(eighths, 8)
    if fine:
        return "█" * whole + (_PARTS[rest] if rest else "")
    return "#" * (whole + (rest >= 4 or (whole == 0 and rest > 0)))
