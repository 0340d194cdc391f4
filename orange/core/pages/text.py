"""Lines of printed pages -> Markdown: headings by size and weight, points by their marks, tables, code, paragraphs.

A form feed stands before the first line of each page. Next in the flow: `plans.decompose` reads it like any document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orange.core.pages.lines import Line, body_size, leading_of, lines_of
from orange.core.pages.model import Page
from orange.core.pages.tables import table_at
from orange.core.plans import facts

#: Words of a heading.
_LONGEST_HEAD = 16
#: How much larger than running text a heading is.
_LARGER = 1.08
_DEEPEST, _DEEPEST_CODE = 5, 80
_MARK = re.compile(
    r"(?P<mark>[•·▪◦●○■□▢☐☑☒✓✔❏➢➤►‣⁃–—*+\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc\x7f-])\s+(?=\S)|(?P<o>o)\s{1,3}(?=[A-Z])"
)
_OPEN, _TICKED = frozenset("□▢☐❏\uf0a8"), frozenset("☑☒✓✔\uf0fc")
_COUNTED = re.compile(r"\d{1,3}[.)]\s+(?=\S)")
_LETTERED = re.compile(r"(?:\d{1,3}(?:\.\d{1,3})+\.?|[a-z][.)]|\([a-z0-9]{1,3}\))\s+(?=\S)")
_NAMED = re.compile(r"[A-Z]{1,6}-?\d{1,4}(?:\.\d{1,3})*[a-z]?[.:)]\s+(?=\S)")
_BROKEN = re.compile(r"[^\W\d_]{2,}-$")


def text_of(pages: Sequence[Page]) -> str:
    """Make Markdown of printed pages."""
    lines = lines_of(pages)
    writer = _Writer(lines)
    at = 0
    while at < len(lines):
        rows, taken = table_at(lines, at) if not _pointed(lines[at].text) else ([], 0)
        if taken:
            writer.table(rows, lines[at])
        else:
            writer.line(lines[at])
        writer.last = lines[at + max(taken, 1) - 1]
        at += max(taken, 1)
    return writer.whole()


def _pointed(text: str) -> bool:
    return any(pattern.match(text) for pattern in (_MARK, _COUNTED, _LETTERED, _NAMED))


class _Writer:
    """Writes line by line."""

    def __init__(self, lines: Sequence[Line]) -> None:
        letters = sum(line.letters for line in lines)
        self.coded = sum(line.monos for line in lines) * 2 < letters  # else it is a listing, and not code in a text
        self.body = body_size([line for line in lines if not (self.coded and line.mono)])
        self.leading = leading_of(lines)
        sizes = sorted({line.size for line in lines if self._is_large(line)}, reverse=True)
        self.levels = {size: min(i, _DEEPEST - 1) for i, size in enumerate(sizes, 1)}
        self.out: list[str] = []
        self.page = 0
        self.last: Line | None = None
        #: What the last line was: head, point, text, table or code.
        self.kind = ""
        #: Where the marks of the open points stand, the outer ones first.
        self.stack: list[float] = []

    def whole(self) -> str:
        """Return the text."""
        self._close_code()
        return "\n".join(self.out).strip("\n") + "\n"

    def line(self, line: Line) -> None:
        """Write one line."""
        if line.mono and self.coded:
            self._code(line)
            return
        self._close_code()
        level = self._level(line)
        if level:
            self._head(line, level)
        elif _pointed(line.text):
            self._point(line)
        else:
            self._text(line)

    def table(self, rows: Sequence[Sequence[str]], line: Line) -> None:
        """Write a table."""
        self._close_code()
        self._begin("table")
        self.stack = []
        bars = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
        self._put(bars[0], line)
        self.out += [f"|{' --- |' * len(rows[0])}", *bars[1:], ""]

    # --- headings

    def _is_large(self, line: Line) -> bool:
        return line.size > self.body * _LARGER and not (line.mono and self.coded)

    def _level(self, line: Line) -> int:
        """Return the level of a line as a heading; 0 where it is none."""
        text = line.text
        if len(text.split()) > _LONGEST_HEAD or not re.search(r"\w", text) or _MARK.match(text):
            return 0
        if self._is_large(line):
            return 0 if text.endswith((".", ";", ",")) else self.levels[line.size]
        alone = line.bold and line.size >= self.body and not text.endswith((".", ";", ","))
        if not alone or ((given := facts.field_of(text)) is not None and given[1]):
            return 0
        return len(set(self.levels.values())) + 1

    def _head(self, line: Line, level: int) -> None:
        above = self.last
        marks = "#" * level
        goes_on = (
            above is not None
            and self.kind == "head"
            and (above.size, above.bold) == (line.size, line.bold)
            and 0 < above.y - line.y < 1.5 * line.size
            and not re.match(r"[\d#]", line.text)
        )
        if goes_on:
            self.out[-2] += f" {line.text}"
        else:
            self._begin("head")
            self._put(f"{marks} {line.text}", line)
            self.out.append("")
        self.stack = []

    # --- points and paragraphs

    def _point(self, line: Line) -> None:
        while self.stack and line.x < self.stack[-1] - 2:
            self.stack.pop()
        if not self.stack or line.x > self.stack[-1] + 4:
            self.stack.append(line.x)
        self._begin("point", apart=self.kind != "point")
        self._put(f"{'    ' * (len(self.stack) - 1)}{_marked(line.text)}", line)

    def _text(self, line: Line) -> None:
        apart = self._is_apart(line)
        least = 0.8 * line.size if apart or self.kind != "point" else -2.0  # a point may go on right below its mark
        while self.stack and line.x < self.stack[-1] + least:
            self.stack.pop()
        kind = "point" if self.stack else "text"
        self._begin(kind, apart=apart or self.kind != kind)
        text, indent = line.text, "    " * len(self.stack)
        if self.out and _BROKEN.search(self.out[-1]) and text[:1].islower():
            first, _, text = text.partition(" ")
            self.out[-1] = self.out[-1][:-1] + first
        if text:
            self._put(f"{indent}{text}", line)

    def _is_apart(self, line: Line) -> bool:
        """Whether a new paragraph begins."""
        above = self.last
        if above is None:
            return True
        if line.page != above.page:
            return not (line.text[:1].islower() and not above.text.endswith((".", ":", ";", "!", "?")))
        return not 0 <= above.y - line.y <= self.leading * 1.3 * max(line.size, above.size)

    # --- code

    def _code(self, line: Line) -> None:
        if self.kind != "code":
            self._begin("code")
            self.out.append("```")
            self.margin = line.x
        pad = " " * min(round(max(0.0, line.x - self.margin) / (0.6 * line.size)), _DEEPEST_CODE)
        self._put(pad + line.text.replace("```", "'''"), line)

    def _close_code(self) -> None:
        if self.kind == "code":
            self.out += ["```", ""]
            self.kind = ""

    # --- lines

    def _begin(self, kind: str, *, apart: bool = True) -> None:
        if apart and self.out and self.out[-1]:
            self.out.append("")
        self.kind = kind

    def _put(self, text: str, line: Line) -> None:
        self.out.append(text if line.page == self.page else f"\f{text}")
        self.page = line.page


def _marked(text: str) -> str:
    """Write a point as Markdown writes it."""
    if _COUNTED.match(text):
        return text
    match = _MARK.match(text)
    if match is None:
        return f"- {text}"
    box = "[ ] " if match["mark"] in _OPEN else "[x] " if match["mark"] in _TICKED else ""
    return f"- {box}{text[match.end() :]}"
