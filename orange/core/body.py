"""The body of a TASK.md: sections with a meaning, checklists, the review's verdict.

A section begins with a `## Name` line and ends before the next heading of its level or above. Headings within code
fences and HTML comments are text. Where a name occurs twice, the first counts. Nothing here changes a byte outside the
section it writes.

Next in the flow: the store writes sections, gates and prompts read them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from orange.core.problems import InvalidInput

_MARK = re.compile(
    r"""^[ ]{0,3}(?:
        (?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)
      | (?P<level>\#{1,2})(?:[ \t]+(?P<name>[^\n]*?))?[ \t]*\r?$
      | (?P<comment><!--) )""",
    re.MULTILINE | re.VERBOSE,
)
_TRAILING_HASHES = re.compile(r"(?:^|[ \t]+)#+$")
_CHECK = re.compile(r"^[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[([ xX])\][ \t]+(\S[^\n]*)$", re.MULTILINE)
_VERDICT = re.compile(r"[*_]*Verdict:[*_]*[ \t]*[*_]*(PASS|FAIL)[*_]*\.?", re.IGNORECASE)

#: The section whose checklist holds the acceptance criteria.
CRITERIA = "Acceptance criteria"
#: The section whose first line is the verdict.
REVIEW = "Review"


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    name: str
    #: Of the heading's line.
    start: int
    #: Of the next line.
    content: int


def section(body: str, name: str) -> str | None:
    """Return the text of a section without the empty lines around it, or None where there is no such section."""
    found = _span(body, name)
    return None if found is None else _trimmed(body[slice(*found)])


def with_section(body: str, name: str, text: str) -> str:
    """Return the body with the section's text set; a section that is missing is added at the end.

    The text cannot break out of its section: headings of level 1 and 2 in it become level 3, a code fence or comment
    it leaves open is closed. A first line that repeats the section's heading is dropped. Raises InvalidInput.
    """
    eol = "\r\n" if "\r\n" in body else "\n"
    inner = _contained(_checked(name, text), name).replace("\n", eol)
    found = _span(body, name)
    if found is None:
        return _appended(body, name.strip(), inner, eol)
    start, end = found
    was = body[start:end]
    kept = _trimmed(was)
    lead = was.index(kept) if kept else 0
    gap = "" if not start or body[start - 1] == "\n" else eol  # the heading may be the body's last line
    rest = was[lead + len(kept) :] if kept else was
    tail = "" if rest.startswith(("\n", "\r\n")) and kept else eol
    return body[:start] + gap + was[:lead] + inner + (tail if inner else "") + rest + body[end:]


def checklist(body: str) -> list[tuple[bool, str]]:
    """List the acceptance criteria written as a checklist: whether each is checked, and its text."""
    text = section(body, CRITERIA) or ""
    return [(match[1] != " ", match[2].strip()) for match in _CHECK.finditer(_without_code(text))]


def verdict(body: str) -> Literal["PASS", "FAIL"] | None:
    """Return what the review's first line says, or None where it says neither."""
    first = (section(body, REVIEW) or "").partition("\n")[0].strip()
    match = _VERDICT.fullmatch(first)
    if not match:
        return None
    return "PASS" if match[1].upper() == "PASS" else "FAIL"


def _span(body: str, name: str) -> tuple[int, int] | None:
    """Find where a section's content starts and ends."""
    headings, _ = _scan(body)
    wanted = " ".join(name.split()).casefold()
    for number, heading in enumerate(headings):
        if heading.level == 2 and heading.name == wanted:
            following = headings[number + 1].start if number + 1 < len(headings) else len(body)
            return heading.content, following
    return None


def _scan(body: str) -> tuple[list[_Heading], str]:
    """List the headings of level 1 and 2, and give what would close the fence or comment left open at the end."""
    headings: list[_Heading] = []
    fence, skip = "", 0
    for match in _MARK.finditer(body):
        if match.start() < skip:
            continue
        if match["fence"]:
            fence = _after_fence(fence, match["fence"], match["info"])
        elif not fence and match["comment"]:
            skip = body.find("-->", match.end())
            if skip < 0:
                return headings, "-->"
        elif not fence:
            headings.append(_heading(body, match))
    return headings, fence


def _after_fence(open_fence: str, mark: str, info: str) -> str:
    """Give the fence that is open behind a line of fence marks."""
    if not open_fence:
        return "" if mark[0] == "`" and "`" in info else mark
    closes = mark.startswith(open_fence) and not info.strip()
    return "" if closes else open_fence


def _heading(body: str, match: re.Match[str]) -> _Heading:
    end = body.find("\n", match.end())
    name = _TRAILING_HASHES.sub("", (match["name"] or "").strip())
    content = len(body) if end < 0 else end + 1
    return _Heading(len(match["level"]), " ".join(name.split()).casefold(), match.start(), content)


def _trimmed(text: str) -> str:
    """Drop empty lines at both ends, and space at the very end; the first line keeps its indentation."""
    text = text.rstrip()
    while text and not (first := text.partition("\n")[0]).strip():
        text = text[len(first) + 1 :]
    return text


def _checked(name: str, text: str) -> str:
    if not name.strip() or "\n" in name or "\r" in name or name.strip().startswith("#"):
        raise InvalidInput("section", f"{name!r} is not a heading")
    try:
        encoded = f"{name}{text}".encode()
    except UnicodeEncodeError:
        raise InvalidInput("text", "it is not UTF-8") from None
    if b"\0" in encoded:
        raise InvalidInput("text", "it contains a zero byte")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _contained(text: str, name: str) -> str:
    """Keep a section's text from ending its section."""
    headings, _ = _scan(text)
    repeated = headings and headings[0].level == 2 and headings[0].name == " ".join(name.split()).casefold()
    if repeated and not text[: headings[0].start].strip():
        text = text[headings[0].content :]
    for heading in reversed(_scan(text)[0]):
        mark = text.index("#", heading.start)
        text = f"{text[:mark]}###{text[mark + heading.level :]}"
    text = _trimmed(text)
    unclosed = _scan(text)[1]
    return f"{text}\n{unclosed}" if unclosed else text


def _appended(body: str, name: str, text: str, eol: str) -> str:
    unclosed = _scan(body)[1]
    lines = [unclosed] if unclosed else []
    head = body if not body or body.endswith("\n") else body + eol
    apart = "" if not unclosed and head.endswith(("\n\n", "\n\r\n")) else eol
    end = text + eol if text else ""
    return head + "".join(line + eol for line in lines) + apart + f"## {name}{eol}{end}"


def _without_code(text: str) -> str:
    """Blank what lies within code fences."""
    kept: list[str] = []
    fence, at = "", 0
    for match in _MARK.finditer(text):
        after = _after_fence(fence, match["fence"], match["info"]) if match["fence"] else fence
        if after and not fence:
            kept.append(text[at : match.start()])
        if fence and not after:
            at = match.end()
        fence = after
    return "".join(kept) + ("" if fence else text[at:])
