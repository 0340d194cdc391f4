"""Sections, checklists and the verdict in a task's body."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orange.core import body as sections
from orange.core.problems import InvalidInput

BODY = """
## Context
What is wanted.

### Detail
More of it.

##   Acceptance Criteria  ##
- [ ] one
* [x] two: with `code`
  1. [X] three

- plain item
```
- [ ] not this
```
- [ ]
- [y] nor this

## Plan

```markdown
## Not a heading
~~~
## Nor this
```
APPROACH: x

<!--
## Commented out
-->
# Top level
outside
## Review
  Verdict: FAIL
because
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Context", "What is wanted.\n\n### Detail\nMore of it."),
        ("context", "What is wanted.\n\n### Detail\nMore of it."),
        ("Plan", "```markdown\n## Not a heading\n~~~\n## Nor this\n```\nAPPROACH: x\n\n<!--\n## Commented out\n-->"),
        ("Review", "  Verdict: FAIL\nbecause"),
        ("Detail", None),
        ("Not a heading", None),
        ("Commented out", None),
        ("Top level", None),
        ("Handoff", None),
    ],
)
def test_section(name: str, text: str | None) -> None:
    """A section ends at the next heading of its level or above; headings in fences and comments are text."""
    assert sections.section(BODY, name) == text
    crlf = sections.section(BODY.replace("\n", "\r\n"), name)
    assert crlf == (text and text.replace("\n", "\r\n"))


def test_an_empty_section_is_there() -> None:
    """A heading without text is an empty section, not a missing one."""
    assert sections.section("## Plan\n\n## Handoff", "Plan") == ""
    assert sections.section("## Plan\n\n## Handoff", "Handoff") == ""


def test_of_two_sections_the_first_counts() -> None:
    """Where a name occurs twice, the first is read and written."""
    body = "## Plan\na\n## Plan\nb\n"
    assert sections.section(body, "Plan") == "a"
    assert sections.with_section(body, "Plan", "c") == "## Plan\nc\n## Plan\nb\n"


@pytest.mark.parametrize(
    ("body", "text", "result"),
    [
        ("", "x", "\n## Plan\nx\n"),
        ("\n", "x", "\n\n## Plan\nx\n"),
        ("\n## Context\na", "x", "\n## Context\na\n\n## Plan\nx\n"),
        ("\n## Context\na\n", "x\n\n", "\n## Context\na\n\n## Plan\nx\n"),
        ("\r\n## Context\r\na\r\n", "x\ny", "\r\n## Context\r\na\r\n\r\n## Plan\r\nx\r\ny\r\n"),
        ("\n## Plan\n", "x", "\n## Plan\nx\n"),
        ("\n## Plan", "x", "\n## Plan\nx\n"),
        ("\n## plan ##\n\n\nold\n\n\n## Next\n", "x", "\n## plan ##\n\n\nx\n\n\n## Next\n"),
        ("\n## Plan\n## Next\n", "x", "\n## Plan\nx\n## Next\n"),
        ("\n## Plan\nold", "x", "\n## Plan\nx\n"),
        ("\n## Plan\nold\n", "", "\n## Plan\n\n"),
        ("\n```\nopen\n", "x", "\n```\nopen\n```\n\n## Plan\nx\n"),
        ("\n<!-- open\n", "x", "\n<!-- open\n-->\n\n## Plan\nx\n"),
        ("", "## Plan\n\nx", "\n## Plan\nx\n"),
        ("", "# A\n## B\n### C\ntext", "\n## Plan\n### A\n### B\n### C\ntext\n"),
        ("", "```\n## A\n```", "\n## Plan\n```\n## A\n```\n"),
        ("", "~~~~\n## A\n~~~", "\n## Plan\n~~~~\n## A\n~~~\n~~~~\n"),
        ("", "  indented\n", "\n## Plan\n  indented\n"),
    ],
)
def test_with_section(body: str, text: str, result: str) -> None:
    """A section is set or added; its text can neither end it nor swallow what follows."""
    assert sections.with_section(body, "Plan", text) == result


_PIECES = st.sampled_from(
    [
        "## Plan",
        "## Other",
        "# Top",
        "### Sub",
        "```",
        "~~~",
        "````",
        "<!--",
        "-->",
        "text",
        "",
        " ",
        "  x",
        "- [ ] a",
        "``` x`",
    ]
)
_BODIES = st.builds(
    lambda lines, eol, last: eol.join(lines) + (eol if last else ""),
    st.lists(_PIECES, max_size=10),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


@given(_BODIES, _BODIES)
def test_writing_a_section_touches_nothing_else(body: str, text: str) -> None:
    """All bytes before and behind the section stay; what was written is read; writing it again changes nothing."""
    written = sections.with_section(body, "Plan", text)
    again = sections.section(written, "Plan")
    assert again is not None
    assert sections.with_section(written, "Plan", again) == written
    span = sections._span(body, "Plan")
    before, behind = (body[: span[0]], body[span[1] :]) if span else (body, "")
    assert written.startswith(before)
    assert written.endswith(behind)
    assert _headings(written) == _headings(body) + ([] if span else ["plan"])


def _headings(body: str) -> list[str]:
    return [heading.name for heading in sections._scan(body)[0]]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "# x", "\r"])
def test_names_that_are_no_heading_are_refused(name: str) -> None:
    """A section's name is one line of text."""
    with pytest.raises(InvalidInput):
        sections.with_section("", name, "x")


@pytest.mark.parametrize("text", ["\0", "\ud800"])
def test_text_that_no_file_may_hold_is_refused(text: str) -> None:
    """A zero byte or half a surrogate pair would make the whole file unreadable."""
    with pytest.raises(InvalidInput):
        sections.with_section("", "Plan", text)


def test_checklist() -> None:
    """Checked and unchecked items of the acceptance criteria, nothing from code fences."""
    assert sections.checklist(BODY) == [(False, "one"), (True, "two: with `code`"), (True, "three")]
    assert sections.checklist(BODY.replace("\n", "\r\n")) == sections.checklist(BODY)
    assert sections.checklist("## Acceptance criteria\n```\n- [ ] a\n") == []
    assert sections.checklist("## Context\n- [ ] a\n") == []


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Verdict: PASS", "PASS"),
        ("\n\n  Verdict: FAIL  \nmore", "FAIL"),
        ("**Verdict:** PASS", "PASS"),
        ("verdict: pass.", "PASS"),
        ("Verdict: PASS or FAIL", None),
        ("Verdict: PASSED", None),
        ("It says\nVerdict: PASS", None),
        ("", None),
    ],
)
def test_verdict(text: str, verdict: str | None) -> None:
    """Only the first line with text counts, and only where it says exactly one of the two."""
    assert sections.verdict(f"\n## Review\n{text}") == verdict
    assert sections.verdict(f"\r\n## Review\r\n{text}\r\n") == verdict
    assert sections.verdict(f"\n## Other\n{text}") is None
