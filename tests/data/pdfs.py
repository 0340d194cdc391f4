"""PDFs for tests: a small writer, a printer of Markdown, and files that are built to do harm.

Next in the flow: the tests of `adapters.pages` read them.
"""

from __future__ import annotations

import re
import textwrap
import zlib
from collections.abc import Iterable, Sequence

_HEIGHT, _LEFT, _TOP, _BOTTOM = 842, 60, 780, 60
_SIZES = {1: 22, 2: 16, 3: 13, 4: 12, 5: 11.5, 6: 11.5}
_BODY = 11
_REGULAR, _BOLD, _CODE = "F1", "F2", "F3"
_FONTS = {_REGULAR: "Helvetica", _BOLD: "Helvetica-Bold", _CODE: "Courier"}


def pdf(contents: Sequence[bytes], *, extra: Iterable[bytes] = (), packed: bool = True) -> bytes:
    """Write a PDF whose pages show the given drawing commands; `extra` are more objects, counted on."""
    fonts = " ".join(f"/{name} {3 + i} 0 R" for i, name in enumerate(_FONTS))
    kids = " ".join(f"{6 + 2 * i} 0 R" for i in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(contents)} /Kids [{kids}] >>".encode(),
        *(
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding /WinAnsiEncoding >>".encode()
            for font in _FONTS.values()
        ),
    ]
    for i, content in enumerate(contents):
        page = f"/MediaBox [0 0 595 {_HEIGHT}] /Contents {7 + 2 * i} 0 R /Resources << /Font << {fonts} >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {page} >>".encode())
        objects.append(stream(zlib.compress(content), "/Filter /FlateDecode") if packed else stream(content))
    return assembled([*objects, *extra])


def stream(data: bytes, keys: str = "") -> bytes:
    """Write a stream object's text."""
    return f"<< /Length {len(data)} {keys} >>\nstream\n".encode() + data + b"\nendstream"


def assembled(objects: Sequence[bytes], trailer: str = "") -> bytes:
    """Write numbered objects with their table and trailer."""
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    begun = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{begun}\n%%EOF\n".encode()
    return bytes(out)


def shown(text: str, x: float, y: float, size: float, font: str = _REGULAR) -> bytes:
    """Write the command that shows a text at a place; words between `**` are bold."""
    parts = text.split("**")
    runs = [f"/{_BOLD if i % 2 else font} {size} Tf ({_escaped(part)}) Tj" for i, part in enumerate(parts) if part]
    return f"BT 1 0 0 1 {x} {y} Tm {' '.join(runs)} ET\n".encode("cp1252", "ignore")


def _escaped(text: str) -> str:
    return re.sub(r"([\\()])", r"\\\1", text)


class _Printer:
    """Puts lines on pages, from the top down."""

    def __init__(self, head: str) -> None:
        self.head = head
        self.pages: list[bytearray] = []
        self._turn()

    def _turn(self) -> None:
        self.pages.append(bytearray())
        self.y = float(_TOP)
        if self.head:
            self.pages[-1] += shown(self.head, _LEFT, 815, 8)
        self.pages[-1] += shown(str(len(self.pages)), 300, 25, 8)

    def put(self, cells: Sequence[tuple[float, str]], size: float, font: str, step: float) -> None:
        """Print one line of texts beside each other."""
        self.y -= step
        if self.y < _BOTTOM:
            self._turn()
            self.y -= step
        for x, text in cells:
            self.pages[-1] += shown(text, x, self.y, size, font)

    def row(self, cells: Sequence[str]) -> None:
        """Print a row of a table, what is too wide on lines below each other."""
        wide = 480 / len(cells)
        columns = [textwrap.wrap(cell, int(wide / (0.55 * _BODY))) for cell in cells]
        for i in range(max(map(len, columns))):
            places = [(_LEFT + wide * at, column[i]) for at, column in enumerate(columns) if i < len(column)]
            self.put(places, _BODY, _REGULAR, 13 if i else 22)

    def wrapped(self, text: str, x: float, indent: float, gap: float) -> None:
        """Print running text."""
        wide = int((540 - x) / (0.52 * _BODY))
        for i, line in enumerate(textwrap.wrap(text, wide) or [""]):
            self.put([(x + (indent if i else 0), line)], _BODY, _REGULAR, 13 + (0 if i else gap))


def printed(markdown: str, head: str = "") -> bytes:
    """Print Markdown as programs that make PDFs do: sizes for headings, marks for points, columns for tables."""
    printer = _Printer(head)
    code = False
    for line in re.sub(r"<!--.*?-->|\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL).split("\n"):
        text = re.sub(r"`([^`]*)`|\[([^\]]*)\]\([^)]*\)", r"\1\2", line.strip())
        if text.startswith(("```", "~~~")):
            code = not code
        elif code:
            printer.put([(_LEFT + 20, line)], 9, _CODE, 12)
        elif heading := re.match(r"(#+) (.*)", text):
            printer.put([(_LEFT, heading[2])], _SIZES[len(heading[1])], _BOLD, 34)
        elif text.startswith("|"):
            if not re.fullmatch(r"[\s|:-]+", text):
                printer.row([cell.strip() for cell in text.strip("|").split("|")])
        elif point := re.match(r"(?:[-*+]|(\d+[.)])) (?:\[([ xX])\] )?(.*)", text):
            depth = len(line) - len(line.lstrip())
            mark = point[1] or "\u2022"
            box = f"[{point[2]}] " if point[2] else ""
            printer.wrapped(f"{mark} {box}{point[3]}", _LEFT + 12 + depth * 6, 10, 3)
        elif text:
            printer.wrapped(
                text, _LEFT + (22 + 6 * (len(line) - len(line.lstrip())) if line.startswith("  ") else 0), 0, 8
            )
    return pdf([bytes(page) for page in printer.pages])
