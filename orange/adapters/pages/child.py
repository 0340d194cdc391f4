"""The child process that reads a PDF from standard input and prints the pieces of its text as JSON.

It bounds itself before it looks at anything. Whatever the library raises ends it, and its parent says so.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import resource
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

#: The exit code of a child that needed more memory than it may have.
OUT_OF_MEMORY = 77
#: Bytes of text, each piece counted with what its place takes.
_MOST, _PLACE = 16 << 20, 24
#: Points; no page is larger.
_FARTHEST = 20_000.0
_BOLD = ("bold", "black", "heavy", "cmbx")
_MONO = ("courier", "mono", "consol", "cmtt", "menlo")
#: Text, x, y, size, bold, mono.
_Row: TypeAlias = tuple[str, float, float, float, int, int]


class _Refused(Exception):
    """A PDF that is whole, and still cannot be used."""


def main(memory: int, seconds: int) -> None:
    """Read, and print what was read; `memory` in bytes."""
    _bound(resource.RLIMIT_AS, memory)
    _bound(resource.RLIMIT_CPU, seconds)
    logging.disable()
    try:
        json.dump(_told(sys.stdin.buffer.read()), sys.stdout)
        sys.stdout.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # nothing is left to say more with


def _told(data: bytes) -> dict[str, object]:
    from pypdf import PdfReader  # within the bounds, and for nothing else

    try:
        return {"pages": _read(PdfReader(BytesIO(data)))}
    except _Refused as refused:
        return {"refused": str(refused)}


def _bound(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError, OSError):  # a system that knows no such bound
        resource.setrlimit(kind, (least, hard))


def _read(reader: PdfReader) -> list[list[_Row]]:
    from pypdf.errors import DependencyError

    try:
        locked = reader.is_encrypted and not reader.decrypt("")
    except DependencyError:
        locked = True
    if locked:
        raise _Refused("this PDF is encrypted: save it without a password")
    pages, left = [], _MOST
    for page in reader.pages:
        pages.append(list(_rows(page)))
        left -= sum(len(row[0].encode("utf-8", "replace")) + _PLACE for row in pages[-1])
        if left < 0:
            raise _Refused("this PDF holds more text than a plan can come from: split it")
    if not any(pages):
        raise _Refused(_empty(reader))
    return pages


def _empty(reader: PdfReader) -> str:
    pictures = any("/XObject" in (page.get("/Resources") or {}) for page in reader.pages)
    if pictures:
        return "this PDF holds only pictures (it was scanned): let a program for text recognition add text to it first"
    return "this PDF is empty: it holds no text"


def _rows(page: PageObject) -> Iterator[_Row]:
    found: list[_Row] = []

    def visit(text: str, cm: list[float], tm: list[float], font: dict[str, Any] | None, size: float) -> None:
        if text.strip():
            row = _row(text, _joined(tm, cm), str((font or {}).get("/BaseFont", "")).lower(), size)
            found.extend(row)

    page.extract_text(visitor_text=visit)
    return iter(found)


def _joined(inner: list[float], outer: list[float]) -> list[float]:
    """Multiply two matrices of six numbers, as PDF does."""
    a, b, c, d, e, f = inner
    k, m, n, o, p, q = outer
    return [a * k + b * n, a * m + b * o, c * k + d * n, c * m + d * o, e * k + f * n + p, e * m + f * o + q]


def _row(text: str, place: list[float], font: str, size: float) -> Iterator[_Row]:
    x, y, points = place[4], place[5], abs(size) * math.hypot(place[2], place[3])
    if abs(x) < _FARTHEST and abs(y) < _FARTHEST and 0.1 < points < _FARTHEST:
        bold, mono = (int(any(word in font for word in words)) for words in (_BOLD, _MONO))
        yield text.strip("\n"), round(x, 2), round(y, 2), round(points, 2), bold, mono


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
