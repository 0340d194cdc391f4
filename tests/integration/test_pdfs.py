"""Real PDFs, read in a child process: they give the plan their Markdown gives, and none does harm."""

from __future__ import annotations

import random
import zlib

import pytest

from orange.adapters.pages.pdf import Bounds, PdfPages
from orange.core.pages.text import text_of
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Parameters, Plan
from orange.core.problems import InvalidInput
from tests.data.documents import SAMPLES
from tests.data.pdfs import assembled, pdf, printed, stream

#: Letters that fonts of PDFs do not have.
_MEDAL = "\U0001f3af MVP"


def plan_of(data: bytes) -> Plan:
    """Decompose a PDF."""
    return decompose(text_of(PdfPages().pages(data, "doc.pdf")), "doc.pdf", Parameters())


def told(plan: Plan) -> list[tuple[str, str | None, list[str], str]]:
    """Say what a plan holds, as far as printing does not change it."""
    return [
        (task.title, task.parent, sorted(edge.blocker for edge in task.edges), task.priority) for task in plan.tasks
    ]


def test_a_printed_document_gives_the_plan_of_the_document() -> None:
    """Its tasks, their parents, order and priorities, on many pages with heads and numbers."""
    texts = [sample.text.replace(_MEDAL, "") for sample in SAMPLES if sample.file.endswith(".md")]
    for text in texts:
        assert told(plan_of(printed(text, "Draft of the document"))) == told(decompose(text, "doc.md", Parameters()))


def test_tasks_know_the_pages_of_the_file() -> None:
    """And a list goes on over them."""
    text = "# Shop\n\n## Requirements\n\n" + "".join(f"- REQ-{i}: The shop must sell {i}.\n" for i in range(1, 101))
    tasks = plan_of(printed(text, "Shop")).tasks
    assert [task.ref for task in tasks] == [f"REQ-{i}" for i in range(1, 101)]
    pages = [task.pages.first for task in tasks if task.pages]
    assert pages == sorted(pages)
    assert set(pages) == {1, 2, 3}


def _page(content: bytes, other: bytes = b"null") -> bytes:
    """Make a file of one page whose drawing commands, and one more object, are these stream objects."""
    kinds = "/Resources << /XObject << /X 5 0 R >> /Font << /F1 6 0 R >> >>"
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R {kinds} >>".encode(),
            content,
            other,
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )


WHOLE = printed("# A\n\n- [ ] Add one\n- [ ] Add two\n")
_PAGES = b"<< /Type /Catalog /Pages 2 0 R >>"
_IMAGE = "/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray"
_ITSELF = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>"
_LOCK = "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /Length 40"
_KEYS = f"/O <{'41' * 32}> /U <{'42' * 32}> >> /ID [<00> <00>]"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pdf([b""]), "is empty"),
        (assembled([_PAGES, b"<< /Type /Pages /Count 999999999 /Kids [] >>"]), "is empty"),
        (_page(stream(b"/X Do"), stream(b"\0", _IMAGE)), "only pictures"),
        (assembled([_PAGES, b"<< /Type /Pages /Count 0 /Kids [] >>"], f"{_LOCK} {_KEYS}"), "is encrypted"),
        (WHOLE[: len(WHOLE) // 2], "is broken"),
        (b"%PDF-1.7\n", "is broken"),
        (b"%PDF-1.7\n" + random.Random(7).randbytes(50_000), "is broken"),
        (assembled([b"1 0 R"]), "is broken"),
        (assembled([_PAGES, b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>"]), "is broken"),
        (pdf([b"[" * 200_000]), "is broken"),
        (_page(stream(zlib.compress(zlib.compress(b"\0" * (200 << 20), 9), 9), "/Filter [/FlateDecode /FlateDecode]")),
            "too much memory"),
        (_page(stream(b"/X Do"), stream(b"/X Do", _ITSELF)), "no text|pictures"),
    ],
    ids=["empty", "no pages", "scanned", "locked", "half", "head", "noise", "itself", "circle", "deep", "bomb", "form"],
)  # fmt: skip
def test_a_pdf_that_cannot_be_read_is_told_as_what_it_is(data: bytes, said: str) -> None:
    """In one sentence that names the file."""
    with pytest.raises(
        InvalidInput, match=rf"^doc\.pdf: this PDF .*({said})|^doc\.pdf: reading this PDF .*{said}"
    ) as told:
        plan_of(data)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("bounds", "said"), [(Bounds(seconds=1), "too long"), (Bounds(memory=150 << 20), "too much memory")]
)
def test_reading_stays_within_bounds(bounds: Bounds, said: str) -> None:
    """Of computing and of memory, whatever the file holds."""
    endless = _page(stream(zlib.compress(b"BT /F1 10 Tf (ab cd) Tj ET\n" * 1_000_000), "/Filter /FlateDecode"))
    with pytest.raises(InvalidInput, match=rf"doc\.pdf: reading this PDF takes {said}"):
        PdfPages(bounds).pages(endless, "doc.pdf")


def test_a_loop_in_the_table_is_no_harm() -> None:
    """What can be read is read."""
    looped = WHOLE.replace(b"trailer\n<<", b"trailer\n<< /Prev %d" % WHOLE.index(b"xref\n"))
    assert len(plan_of(looped).tasks) == 2
