"""A long document in portions that an agent reads at once: cut before headings, else at empty lines, else anywhere.

Every line keeps its number, so that a task knows where it stands in the whole. Next in the flow: `asking` asks about
one after the other, each with the headings above it and the tasks found before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orange.core.plans.markdown import read

#: Characters of a portion: a few thousand tokens, which leaves room in any agent's memory and for its answer.
LARGEST = 24_000
#: Portions of a document; each is a question that costs money.
MOST = 40
#: Characters of a line that stay together.
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Portion:
    """A stretch of a document."""

    #: Number in the document, text; a very long line comes in several pieces.
    lines: tuple[tuple[int, str], ...]
    #: The headings it stands below, the topmost first.
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    title: str


def portions(text: str) -> list[Portion]:
    """Part a document's text."""
    pieces = list(_pieces(text))
    headings = {part.line: _Heading(part.level, part.title) for part in read(text).root.walk() if part.level}
    found: list[Portion] = []
    above: list[_Heading] = []
    first = 0
    while first < len(pieces):
        end = _end(pieces, first, headings)
        begins = headings.get(pieces[first][0])
        outside = [one.title for one in above if begins is None or one.level < begins.level]
        found.append(Portion(tuple(pieces[first:end]), tuple(outside)))
        for number, _ in pieces[first:end]:
            if (heading := headings.get(number)) is not None:
                above = [one for one in above if one.level < heading.level] + [heading]
        first = end
    return found


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        for at in range(0, max(1, len(line)), _LONGEST):
            yield number, line[at : at + _LONGEST]


def _end(pieces: Sequence[tuple[int, str]], first: int, headings: dict[int, _Heading]) -> int:
    """Return where the portion ends that begins at a piece: as late as its size allows, at the best place."""
    size, end = 0, first
    while end < len(pieces) and (end == first or size + len(pieces[end][1]) <= LARGEST):
        size += len(pieces[end][1]) + 1
        end += 1
    if end == len(pieces):
        return end
    later = range(first + (end - first) // 2, end + 1)
    return max(later, key=lambda at: (_fitness(pieces, at, headings), at)) if end - first > 1 else end


def _fitness(pieces: Sequence[tuple[int, str]], at: int, headings: dict[int, _Heading]) -> int:
    """Say how well a document can be cut before a piece."""
    heading = headings.get(pieces[at][0])
    if heading is not None:
        return 8 - heading.level
    return 1 if not pieces[at][1].strip() else 0
