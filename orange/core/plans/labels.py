"""What the first words and the marks of a heading or a point say: its id, its number, its kind, priority, estimate.

Next in the flow: `units` gathers them, `targets` finds a task by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from orange.core.model import Priority

#: Characters of a title.
LONGEST_TITLE = 100
#: Words of a clause that can stand for a long title.
_TELLING = 3
_GROUPS = r"epic|phase|milestone|sprint|iteration|stage|theme|workstream|module"
_SINGLES = r"task|story|user story|feature|requirement|step|use case|item|ticket|issue|scenario|subtask"
_ID = r"[A-Z][A-Za-z]{0,9}(?:-[A-Z]{1,8})?-\d+(?:[.-]\d+)*[a-z]?|[A-Z]{1,4}\d+(?:\.\d+)*[a-z]?|#\d+"
_END = r"(?=\s*(?:[:\])|]|[.–—-]\s|\s[–—-]|$))"
_SEPARATOR = re.compile(r"^[\s:.)|\]–—-]+")
_WORD_NUMBER = re.compile(
    rf"(?P<word>{_GROUPS}|{_SINGLES})s?\s+(?P<number>#?\d+(?:\.\d+)*[a-z]?|[A-Z](?![\w])|[IVX]+(?!\w)){_END}",
    re.IGNORECASE,
)
_WORD = re.compile(rf"(?P<word>{_GROUPS}|{_SINGLES})\s*[:–—-]\s+", re.IGNORECASE)
_BRACKETED = re.compile(r"[\[(](?P<text>[^\[\]()]{1,40})[\])]\s*:?\s*")
_PLAIN_ID = re.compile(rf"(?P<id>{_ID}){_END}")
#: An id without anything behind it that sets it apart: of a shape that nothing else has.
_SURE_ID = re.compile(
    r"(?P<id>T-?\d{2,4}[a-z]?|#\d+|(?:REQ|FR|NFR|US|UC|TASK|STORY|FEAT|TECH|BUG|EPIC)-?\d+(?:\.\d+)*)\s+"
)
_NUMBER = re.compile(r"(?P<number>\d+(?:\.\d+)+|\d+(?=[.)]))[.):]?\s+")
#: Looks like an id and is a priority, a heading, a quarter or a version.
_NO_ID = re.compile(r"[PHQV]\d|(?:UTF|SHA|ISO|RFC|HTTP|TLS|ES|WCAG|AES)-?\d[\d.-]*")
_PRIORITY_FIRST = re.compile(r"(?P<priority>P[0-5])(?=\s*[:–—-]\s|\]|\))")
_MEDAL = re.compile(r"\s*[\u2190-\u2bff\U0001f300-\U0001faff\ufe0f]+\s*(MVP)?\s*$")
_SYMBOLS = re.compile(r"^[^\w\[(#\"'`@/.$<{-]+\s*")
_TRAILING = re.compile(r"\s*[\[(](?P<text>[^\[\]()]{1,80})[\])]\s*$")
_DEPENDS = re.compile(
    r"^(no dependenc|independent|depends?|dependent|blocked|requires?|after|needs|before|once|parallel|blocks)",
    re.IGNORECASE,
)

_PRIORITIES = (
    (re.compile(r"p0|critical|blocker|urgent|highest|must(?:[ -]have)?|mvp", re.IGNORECASE), Priority.CRITICAL),
    (re.compile(r"p1|high|important", re.IGNORECASE), Priority.HIGH),
    (re.compile(r"p2|medium|med|normal|should(?:[ -]have)?", re.IGNORECASE), Priority.MEDIUM),
    (
        re.compile(r"p[345]|low|lowest|could(?:[ -]have)?|nice[ -]to[ -]have|optional|minor", re.IGNORECASE),
        Priority.LOW,
    ),
)
_PRIORITY_LABEL = re.compile(r"\s*(?:priority|prio|importance)\s*[:=]?\s*", re.IGNORECASE)
_ESTIMATE_LABEL = re.compile(r"\s*(?:estimated?(?: time| effort)?|effort|size|complexity)\s*[:=]?\s*", re.IGNORECASE)
_DURATION = re.compile(
    r"[~≈]?\s*(\d{1,6}(?:\.\d{1,3})?)(?:\s*[–-]\s*(\d{1,6}(?:\.\d{1,3})?))?\s*(m|min|h|d|w|p)\w*", re.IGNORECASE
)
_UNITS = re.compile(
    r"(m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|p|pts?|points?)\.?( of work| story points?)?", re.IGNORECASE
)
_SIZES = {"xs": "XS", "s": "S", "m": "M", "l": "L", "xl": "XL", "xxl": "XL", "small": "S", "medium": "M", "large": "L"}
_POINTS = ((1, "XS"), (2, "S"), (3, "M"), (5, "L"))


@dataclass(frozen=True, slots=True)
class Label:
    """A text taken apart."""

    title: str
    #: Ids, the text's own first.
    ref: str | None = None
    #: `2.1` of `2.1 Login`, `3` of `Phase 3: Launch`.
    number: str | None = None
    #: `phase`, `task`, ... of `Phase 3`; lower case.
    word: str | None = None
    #: Ids of stories it says it belongs to.
    stories: tuple[str, ...] = ()
    #: Whether it is marked as doable at the same time as its neighbours.
    parallel: bool = False
    priority: Priority | None = None
    estimate: str | None = None

    @property
    def is_group(self) -> bool:
        """Whether it names a group of tasks."""
        return self.word is not None and re.fullmatch(_GROUPS, self.word) is not None

    @property
    def is_single(self) -> bool:
        """Whether it names one task."""
        return not self.is_group and (self.ref is not None or self.word is not None)


def label(text: str) -> Label:
    """Take a text of one line apart."""
    found = Label(_MEDAL.sub("", _SYMBOLS.sub("", text)))
    for _ in range(8):  # so many marks stand before a title at most
        step = _leading(found)
        if step is None:
            break
        found = step
    for _ in range(4):
        step = _trailing(found)
        if step is None:
            break
        found = step
    title = _SYMBOLS.sub("", found.title).strip()
    return replace(found, title=title if re.search(r"\w", title) else found.ref or "")


def _leading(found: Label) -> Label | None:
    """Take the first mark off; None where there is none."""
    text = found.title
    if (match := _BRACKETED.match(text)) and (marked := _mark(found, match["text"], first=True)):
        return replace(marked, title=text[match.end() :])
    for pattern, take in _HEADS:
        if (match := pattern.match(text)) and (taken := take(found, match)):
            return replace(taken, title=_SYMBOLS.sub("", _SEPARATOR.sub("", text[match.end() :])))
    return None


def _take_word(found: Label, match: re.Match[str]) -> Label | None:
    number = match.groupdict().get("number")
    if found.word is not None:  # `Phase 3: User Story 1 - Search`
        is_story = number and "story" in match["word"].lower()
        return replace(found, stories=(*found.stories, f"US{number}")) if is_story else None
    return replace(found, word=match["word"].lower(), number=number.lstrip("#") if number else found.number)


def _take_id(found: Label, match: re.Match[str]) -> Label | None:
    if found.ref is not None or _NO_ID.fullmatch(match["id"]):
        return None
    named = re.fullmatch(r"(EPIC|PHASE|MILESTONE|SPRINT)-?(\d+)", match["id"], re.IGNORECASE)
    if named and found.word is None:  # `EPIC-1: Shop` is an epic
        return replace(found, ref=match["id"], word=named[1].lower(), number=named[2])
    return replace(found, ref=match["id"])


def _take_priority(found: Label, match: re.Match[str]) -> Label | None:
    return replace(found, priority=priority(match["priority"]))


def _take_number(found: Label, match: re.Match[str]) -> Label | None:
    return replace(found, number=match["number"]) if found.number is None else None


_HEADS: tuple[tuple[re.Pattern[str], Callable[[Label, re.Match[str]], Label | None]], ...] = (
    (_PRIORITY_FIRST, _take_priority),
    (_WORD_NUMBER, _take_word),
    (_WORD, _take_word),
    (_PLAIN_ID, _take_id),
    (_SURE_ID, _take_id),
    (_NUMBER, _take_number),
)


def _trailing(found: Label) -> Label | None:
    match = _TRAILING.search(found.title)
    if not match or match.start() == 0:
        return None
    marked = found if _DEPENDS.match(match["text"]) else _mark(found, match["text"], first=False)
    return replace(marked, title=found.title[: match.start()]) if marked else None


def _mark(found: Label, text: str, *, first: bool) -> Label | None:
    """Read what stands in brackets; None where it is a part of the text."""
    word = text.strip()
    if word.lower() in {"p", "parallel"}:
        return replace(found, parallel=True)
    if re.fullmatch(r"US-?\d+(?:\s*,\s*US-?\d+)*", word):
        stories = tuple(story.strip() for story in word.split(","))
        return replace(found, stories=(*found.stories, *stories))
    if (level := priority(word)) is not None:
        return replace(found, priority=level)
    if (size := estimate(word)) is not None:
        return replace(found, estimate=size)
    if found.ref is None and re.fullmatch(_ID, word) and (first or word.startswith("#")):
        return replace(found, ref=word)
    return None


def priority(text: str) -> Priority | None:
    """Read a priority, whatever the scale; None where the text is none."""
    word = _PRIORITY_LABEL.sub("", text).strip(" .!*")
    word = re.split(r"\s*[(/,–—]|\s-\s", word)[0].strip()
    return next((level for pattern, level in _PRIORITIES if pattern.fullmatch(word)), None)


def estimate(text: str) -> str | None:
    """Read an estimate as a size or a duration; None where the text is none."""
    word = _ESTIMATE_LABEL.sub("", text, count=1).strip(" .")
    if word.lower() in _SIZES and (word.isupper() or word != text.strip()):
        return _SIZES[word.lower()]
    match = _DURATION.match(word)
    if not match or not _UNITS.fullmatch(word[match.start(3) :]):
        return None
    return _sized(float(match[2] or match[1]), match[3].lower())


def _sized(count: float, unit: str) -> str | None:
    if unit == "p":
        return next((size for most, size in _POINTS if count <= most), "XL")
    if unit == "w":
        count, unit = count * 5, "d"
    if count != int(count):
        count, unit = {"d": (count * 8, "h"), "h": (count * 60, "m")}.get(unit, (count, unit))
    return f"{round(count)}{unit[0]}" if 0 < count < 10_000 else None


def titled(text: str) -> str:
    """Cut a title to its first sentence, and to a clause where that is long."""
    first = re.match(r"(.{12,}?[^.\s]{2})[.!?;]\s+(?=[A-Z(\[])", text)
    text = (first[1] if first and len(first[1].split()) > 1 else text).rstrip(" .:;,") or text
    if len(text) <= LONGEST_TITLE:
        return text
    for mark in (r"[.!?]\s", r"\s[–—-]\s|:\s", r"[;,]\s"):
        match = re.search(mark, text)
        if match and 12 <= match.start() <= LONGEST_TITLE and len(text[: match.start()].split()) >= _TELLING:
            return text[: match.start()]
    return text[: text.rfind(" ", 20, LONGEST_TITLE - 1) if " " in text[20 : LONGEST_TITLE - 1] else 97].rstrip() + "…"
