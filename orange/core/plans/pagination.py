"""Pages of a document's text: a form feed stands before the first line of each. Next in the flow: `decompose`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from orange.core.plans.model import Span

_BREAK = re.compile(r"^[ \t]*\f+|(?P<behind>\f+$)", re.MULTILINE)


def starts_of(text: str) -> list[int]:
    """Return the first line of each page; none for a text without pages."""
    if "\f" not in text:
        return []
    found = [text.count("\n", 0, match.end()) + (2 if match["behind"] else 1) for match in _BREAK.finditer(text)]
    return found if found[:1] == [1] else [1, *found]


def without(text: str) -> str:
    """Take the form feeds out, line by line."""
    return _BREAK.sub("", text) if "\f" in text else text


def pages_of(lines: Span, starts: Sequence[int]) -> Span | None:
    """Return the pages that lines stand on."""
    return Span(bisect_right(starts, lines.first), bisect_right(starts, lines.last)) if starts else None
