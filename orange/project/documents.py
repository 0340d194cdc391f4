"""A document's bytes become text: Markdown and plain text as they are, a PDF through the port that reads pages.

Next in the flow: `planning` decomposes the text.
"""

from __future__ import annotations

import codecs

from orange.core.pages.model import PageReader
from orange.core.pages.text import text_of
from orange.core.plans.decompose import LARGEST
from orange.core.problems import InvalidInput

#: Bytes of a file: a PDF holds more than its text.
LARGEST_FILE = 64 << 20
_PDF = b"%PDF-"
#: First bytes of files that are no text -> what they are.
_OTHERS = (
    (b"PK\x03\x04", "a Word document or another archive"),
    (b"\xd0\xcf\x11\xe0", "an old Word document"),
    (b"{\\rtf", "rich text"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a compressed file"),
)


def text_in(data: bytes, source: str, pages: PageReader) -> str:
    """Return the text of a document. Raises InvalidInput for what is none, or too large."""
    if len(data) > LARGEST_FILE:
        raise InvalidInput(source, f"it is larger than {LARGEST_FILE >> 20} MiB: split it")
    if _PDF in data[:1024]:
        return text_of(pages.pages(data, source))
    if source.lower().endswith(".pdf"):
        raise InvalidInput(source, "it is no PDF, whatever its name says: a PDF begins with `%PDF-`")
    for first, kind in _OTHERS:
        if data.startswith(first):
            raise InvalidInput(source, f"it is {kind}: save it as Markdown, plain text or PDF")
    if len(data) > LARGEST * 2:
        raise InvalidInput(source, f"it is larger than {LARGEST >> 20} MiB: split it")
    return _decoded(data, source)


def _decoded(data: bytes, source: str) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in data:
            raise InvalidInput(source, "it is no text: give Markdown, plain text or a PDF") from None
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(source, f"line {line} is not UTF-8 text: save the file as UTF-8") from None
    if "\0" in text:
        raise InvalidInput(source, "it is no text: give Markdown, plain text (saved as UTF-8) or a PDF")
    return text
