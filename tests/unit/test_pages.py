"""Printed pages become Markdown again: headings, points, tables, code and paragraphs by their places and sizes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orange.core.pages.model import Page, Piece
from orange.core.pages.text import text_of
from orange.core.plans import pagination
from orange.core.plans.decompose import decompose
from orange.core.plans.model import Parameters, Span
from orange.core.problems import InvalidInput
from orange.project.documents import LARGEST_FILE, text_in

BODY = "It is a shop for small things and for people who like them, every day of the week."


def page(*rows: tuple[float, float, str] | tuple[float, float, str, float] | Piece) -> Page:
    """Make a page of (x, y, text, size)."""
    return [row if isinstance(row, Piece) else Piece(row[2], row[0], row[1], (*row, 10.0)[3]) for row in rows]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([(50, 700, "Shop", 20.0), (50, 660, "Basket", 14.0), (50, 640, BODY)], f"# Shop\n\n## Basket\n\n{BODY}\n"),
        ([(50, 700, "A long name", 20.0), (50, 678, "of a shop", 20.0), (50, 640, BODY)],
            f"# A long name of a shop\n\n{BODY}\n"),
        ([Piece("Basket", 50, 700, 10.0, bold=True), (50, 680, BODY)], f"# Basket\n\n{BODY}\n"),
        ([Piece("Priority: high", 50, 700, 10.0, bold=True), (50, 688, BODY)], f"Priority: high\n{BODY}\n"),
        ([(50, 700, "• one"), (50, 688, "• two and"), (58, 676, "more"), (70, 664, "◦ deep"), (50, 652, "• three")],
            "- one\n- two and\n    more\n    - deep\n- three\n"),
        ([(50, 700, "•"), (62, 700, "one"), (50, 688, "☐ two"), (50, 676, "☑ three")],
            "- one\n- [ ] two\n- [x] three\n"),
        ([(50, 700, "1. one"), (50, 688, "2) two"), (50, 676, "2.1 three"), (50, 664, "a) four")],
            "1. one\n2) two\n- 2.1 three\n- a) four\n"),
        ([(50, 700, "• one"), (50, 688, "goes on here"), (50, 660, BODY)], f"- one\n    goes on here\n\n{BODY}\n"),
        ([(50, 700, "It is imple-"), (50, 688, "mented well."), (50, 660, "Next.")],
            "It is implemented\nwell.\n\nNext.\n"),
        ([(50, 700, "Task"), (150, 700, "After"), (50, 680, "Build"), (50, 660, "Sell it to"), (50, 648, "people"),
            (150, 660, "Build")],
            "| Task | After |\n| --- | --- |\n| Build |  |\n| Sell it to people | Build |\n"),
        ([(50, 700, BODY),
            Piece("if x:", 60, 680, 9.0, mono=True), Piece("- [ ] y", 71, 668, 9.0, mono=True), (50, 640, "So.")],
            f"{BODY}\n\n```\nif x:\n  - [ ] y\n```\n\nSo.\n"),
        ([(50, 700, "Id"), (150, 700, "Story"), (250, 700, "Done when"), (50, 680, "U-1"), (150, 680, "Sell"),
            (150, 668, "it"), (250, 680, "sold"), (50, 654, "U-2"), (150, 654, "Buy"), (250, 666, "it is"),
            (250, 654, "ours")],
            "| Id | Story | Done when |\n| --- | --- | --- |\n| U-1 | Sell it | sold |\n| U-2 | Buy | it is ours |\n"),
        ([(60, 700, "one"), (60, 688, "goes on"), (60, 676, "two"), (50, 700, "•"), (50, 676, "2."), (50, 30, "•")],
            "- one\n    goes on\n2. two\n"),
        ([(50, 700, "FR-1. One of"), (50, 688, "them"), (50, 676, "FR-2: Two")],
            "- FR-1. One of\n    them\n- FR-2: Two\n"),
        ([(50, 700, "e" * 40), (285, 700, "and"), (50, 688, "e" * 40), (285, 688, "more")],
            f"{'e' * 40} and\n{'e' * 40} more\n"),
        ([(50, 700, "2.1Basket", 14.0), (50, 680, BODY)], f"# 2.1 Basket\n\n{BODY}\n"),
        ([(50, 700, "1 Basket . . . . . . 3"), (50, 688, "of\u00a0ﬁgures")], "of figures\n"),
        ([], "\n"),
    ],
)  # fmt: skip
def test_what_stands_on_a_page_is_told_by_its_place(rows: Sequence[tuple[float, float, str]], text: str) -> None:
    """As a reader sees it."""
    assert text_of([page(*rows)]).removeprefix("\f") == text


def test_running_heads_and_numbers_of_pages_are_left_out() -> None:
    """A table and a sentence go on over the page."""
    pages = [
        page((50, 800, f"Shop, draft {i}"), (50, 700, f"line {word}, and"), (50, 20, f"page {i} of 3"))
        for i, word in enumerate(("one", "two", "three"), 1)
    ]
    assert text_of(pages) == "\fline one, and\n\fline two, and\n\fline three, and\n"


def test_a_heading_is_no_longer_than_a_heading() -> None:
    """A large paragraph stays one."""
    large = "We sell " + "small things " * 9
    assert text_of([page((50, 700, large, 14.0), (50, 660, BODY), (50, 640, BODY))]).startswith("\fWe sell")


@pytest.mark.parametrize("far", [-19_999.0, 19_999.0])
def test_no_place_makes_much_of_little(far: float) -> None:
    """Whatever a file says of where its text is."""
    pages = [
        page(Piece("x", far, far, 0.2, mono=True), Piece("y", -far, far, 0.2, mono=True), (0, 0, BODY), (far, 0, BODY))
    ]
    assert len(text_of(pages)) < 1000


def test_tasks_know_their_pages() -> None:
    """Form feeds part the pages, whoever wrote them; a text without any has none."""
    plan = decompose("# T\n\n- [ ] Add one\n\f- [ ] Add two\n  and more\n\n\f- [ ] Add three\n", "x.md", Parameters())
    assert [(task.title, str(task.pages), str(task.lines)) for task in plan.tasks] == [
        ("Add one", "1", "3"), ("Add two and more", "2", "4-6"), ("Add three", "3", "7"),
    ]  # fmt: skip
    assert {task.pages for task in decompose("- [ ] Add one\n- [ ] Add two\n", "x.md", Parameters()).tasks} == {None}


@pytest.mark.parametrize(
    ("text", "starts"), [("a\nb", []), ("\fa\n\fb\nc", [1, 2]), ("a\n\f\nb\n", [1, 2]), ("a\f\nb", [1, 2])]
)
def test_pages_begin_at_form_feeds(text: str, starts: list[int]) -> None:
    """At the line that follows, and no line is lost."""
    assert pagination.starts_of(text) == starts
    assert pagination.without(text).count("\n") == text.count("\n")
    assert pagination.pages_of(Span(1, 2), starts) == (Span(1, 2) if starts else None)


class NoPages:
    """Reads no PDF."""

    def pages(self, data: bytes, source: str) -> Sequence[Page]:  # noqa: ARG002 - the port's signature
        """Say what was asked for."""
        raise InvalidInput(source, "asked for pages")


@pytest.mark.parametrize(
    ("data", "source", "said"),
    [
        (b"%PDF-1.4\n", "a.md", "asked for pages"),
        (b"junk before\n%PDF-1.4\n", "-", "asked for pages"),
        (b"\x00\x01" * 400, "a.pdf", "it is no PDF"),
        (b"PK\x03\x04rest", "a.docx", "Word document"),
        (b"\x7fELF\x02\x01", "a", "a program"),
        (b"one\ntwo \xff\n", "a.txt", r"line 2 is not UTF-8"),
        (b"\xff\x00\xff", "a.txt", "it is no text"),
        ("wide".encode("utf-16-le"), "a.txt", "it is no text"),
        (b"x" * (17 << 20), "a.txt", "larger than 8 MiB"),
        (b"x" * (LARGEST_FILE + 1), "a.pdf", "larger than 64 MiB"),
    ],
    ids=["pdf", "pdf later", "no pdf", "word", "program", "latin", "bytes", "wide", "large", "huge"],
)
def test_what_is_no_text_is_told_as_what_it_is(data: bytes, source: str, said: str) -> None:
    """In one sentence that names the file."""
    with pytest.raises(InvalidInput, match=rf"^{source}: .*{said}"):
        text_in(data, source, NoPages())


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_in_the_forms_editors_write(form: str) -> None:
    """With and without a mark at its beginning."""
    assert text_in("Größe\r\n".encode(form), "a.txt", NoPages()) == "Größe\r\n"
