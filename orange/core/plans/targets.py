"""Finds the tasks a text names: by id, by number, by title. Next in the flow: `edges` makes edges of what is found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orange.core.plans.units import Unit

#: What people call a thing with a number -> how its id may be written.
_SHORT = {
    "user story": ("US", "STORY", "S"),
    "story": ("STORY", "US", "S"),
    "task": ("TASK", "T"),
    "feature": ("FEATURE", "FEAT", "F"),
    "requirement": ("REQUIREMENT", "REQ", "R"),
    "epic": ("EPIC", "E"),
    "milestone": ("MILESTONE", "M"),
    "use case": ("USECASE", "UC"),
    "phase": ("PHASE",),
    "step": ("STEP",),
    "sprint": ("SPRINT",),
}
_ID = r"[A-Za-z]{1,10}(?:-[A-Za-z]{1,8})?-?\d+(?:[.-]\d+)*[a-z]?|#\d+|\d+(?:\.\d+)+"
_WORDS = (
    r"(?:user stor(?:y|ies)|stor(?:y|ies)|tasks?|features?|requirements?|epics?|milestones?|phases?|steps?|sprints?|"
    r"items?|"
    r"use cases?)"
)
_TO = r"\s*(?:-|–|—|\.\.\.?|to|through|thru)\s*"
#: `T001-T003`, `Task 3`, `phases 1 to 3`, `REQ-12`, `2.1`.
_MENTION = re.compile(
    rf"(?P<word>\b{_WORDS})\s+(?P<first>#?\d+(?:\.\d+)*[a-z]?|[A-Z]\b)(?P<more>(?:(?:{_TO}|\s*(?:,|and|&|"
    rf"\+)\s*)(?:and\s+)?#?\d+(?:\.\d+)*\b)*)"
    rf"|(?<![\w/.-])(?P<start>{_ID})(?:{_TO}(?P<stop>{_ID}|\d+))?(?![\w/])",
    re.IGNORECASE,
)
_BARE = re.compile(rf"(?<![\w.-])(?P<first>#?\d+(?:\.\d+)*)(?:{_TO}(?P<last>\d+))?(?![\w%.-]*\w)")
_ALL_STORIES = re.compile(r"\b(?:all|any|every)\s+(?:[a-z]+\s+)?(?:user\s+)?stor(?:y|ies)\b", re.IGNORECASE)
_ALL_GROUPS = re.compile(
    r"\b(?:all|every)\s+(?:the\s+)?(?:other\s+|previous\s+|prior\s+|earlier\s+)?"
    r"(?P<word>phase|milestone|epic|sprint|stage)s?\b(?!\s*\d)",
    re.IGNORECASE,
)
_STOP_LIST = """
a an the of to for in on at by with from and or all any each its their this that these those is are be been being
has have had was were task tasks phase phases story stories feature features module step epic milestone work item
user us done complete completed completion finished merged ready place implemented deployed available exists exist
first other both must can should will system
"""
_STOP = frozenset(_STOP_LIST.split())
_WORD = re.compile(r"[a-z0-9]+")
_ARTICLES = re.compile(r"^\s*(?:(?:both|the|an?)\s+)+", re.IGNORECASE)
#: So long a range of ids at most, and so many titles with the same word.
_RANGE = 200
#: Digits of an id that is counted up.
_LONGEST_NUMBER = 9
#: How surely a part of a title, word by word, and the first letters of its words name a task.
_VERBATIM, _BY_INITIALS = 0.75, 0.8
#: Letters of an abbreviation.
_SHORTEST, _MOST_INITIALS = 3, 6
#: Characters of a name that are compared.
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Target:
    """A named task, and how sure that is."""

    unit: Unit
    confidence: float


def normal(ref: str) -> str:
    """Bring an id into the form it is compared in: `req-012` and `REQ 12` are one."""
    return re.sub(r"\d+", lambda match: match[0].lstrip("0") or "0", re.sub(r"[^A-Za-z0-9.]", "", ref).upper())


def tokens(text: str) -> frozenset[str]:
    """Return the words of a text that tell it from others."""
    words = _WORD.findall(re.sub(r"\([^)]*\)", " ", text[:_LONGEST].lower()))
    return frozenset(_stem(word) for word in words if word not in _STOP)


def _stem(word: str) -> str:
    """Bring forms of a word together: `removes`, `removing`, `removed` and `remove`."""
    if len(word) > 5 and word.endswith("ing"):
        return word[:-3]
    word = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
    word = word[:-1] if len(word) > 4 and word.endswith("ed") else word
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


class Index:
    """The tasks of a document by everything they may be called."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._by_id: dict[str, list[Unit]] = {}
        self._by_number: dict[str, list[Unit]] = {}
        self._by_word: dict[str, list[Unit]] = {}
        self._tokens: dict[int, frozenset[str]] = {}
        self._by_initials: dict[str, list[Unit]] = {}
        self._stories: list[Unit] = []
        self.units = tuple(units)
        for unit in self.units:
            for name in _names(unit):
                self._by_id.setdefault(name, []).append(unit)
            if unit.label.number:
                self._by_number.setdefault(normal(unit.label.number), []).append(unit)
            if unit.label.word in {"user story", "story"} or (unit.group and unit.label.stories):
                self._stories.append(unit)
            found = self._tokens[id(unit)] = tokens(unit.title)
            for word in found:
                self._by_word.setdefault(word, []).append(unit)
            for name in _initials(unit.title):
                self._by_initials.setdefault(name, []).append(unit)

    def named(self, text: str, near: Unit | None, *, bare: bool = False) -> list[Unit]:
        """Return the tasks whose ids a text names; `bare` takes plain numbers for ids."""
        found: list[Unit] = list(self._stories) if _ALL_STORIES.search(text) else []
        for match in _ALL_GROUPS.finditer(text):
            found += [unit for unit in self.units if unit.label.word == match["word"].lower()]
        for match in _MENTION.finditer(text):
            found += self._mentioned(match, near)
        if not found and bare:
            for match in _BARE.finditer(text):
                names = _range(match["first"].lstrip("#"), match["last"])
                found += [unit for name in names if (unit := self._number(name, near))]
        return list({id(unit): unit for unit in found}.values())

    def _mentioned(self, match: re.Match[str], near: Unit | None) -> list[Unit]:
        if match["start"]:
            names = _range(match["start"], match["stop"])
            return [unit for name in names if (unit := self._one(name, near) or self._number(name, near))]
        word = re.sub(r"ies$", "y", match["word"].lower()).removesuffix("s")
        numbers = _numbers(match["first"], match["more"])
        found = []
        for number in numbers:
            shorts = [f"{short}{number}" for short in _SHORT.get(word, ())]
            unit = next((unit for short in shorts if (unit := self._one(short, near))), None)
            found.append(unit or (self._number(number, near) if word not in {"phase", "sprint", "milestone"} else None))
        return [unit for unit in found if unit]

    def _one(self, name: str, near: Unit | None) -> Unit | None:
        return _nearest(self._by_id.get(normal(name), ()), near)

    def _number(self, number: str, near: Unit | None) -> Unit | None:
        return _nearest(self._by_number.get(normal(number), ()), near)

    def titled(self, text: str, besides: Unit | None, *, strong: bool) -> Target | None:
        """Return the task whose title a text gives; `strong` where the sentence leaves no doubt that it names one."""
        said = tokens(text)
        if not said:
            return None
        candidates = {id(unit): unit for word in said for unit in self._telling(word) if unit is not besides}
        phrase = f" {' '.join(text.lower().split())} " if text.count(" ") else ""
        scored = [(self._scored(said, phrase, unit, strong=strong), unit) for unit in candidates.values()]
        scored += [
            (_BY_INITIALS, unit)
            for unit in self._by_initials.get(_ARTICLES.sub("", text).strip(), ())
            if unit is not besides
        ]
        best = max((score for score, _ in scored), default=0.0)
        found = [unit for score, unit in scored if score == best]
        if best and len(found) > 1 and besides is not None:  # of several with the same title, the one before it
            found = [unit for unit in found if unit.lines.first < besides.lines.first]
            best = min(best, _VERBATIM)
        return Target(found[0], best) if best and len(found) == 1 else None

    def _scored(self, said: frozenset[str], phrase: str, unit: Unit, *, strong: bool) -> float:
        """Score a title, at least as what stands in it word by word."""
        found = self._score(said, self._tokens[id(unit)], strong=strong)
        verbatim = strong and phrase and phrase in f" {unit.title.lower()} "
        return max(found, _VERBATIM) if verbatim else found

    def _telling(self, word: str) -> list[Unit]:
        """Return the tasks with a word in their title; none where so many have it that it tells nothing."""
        found = self._by_word.get(word, [])
        return found if len(found) <= _RANGE else []

    def _score(self, said: frozenset[str], title: frozenset[str], *, strong: bool) -> float:
        if said == title:
            return 0.9
        if title < said:
            return 0.8 if len(title) > 1 and len(title) * 2 >= len(said) else 0.0
        if said < title and (len(said) > 1 or strong):
            return 0.7 if len(said) > 1 else 0.6
        common = len(said & title)
        return 0.6 if strong and common > 1 and common * 3 >= 2 * len(said) else 0.0


def _names(unit: Unit) -> list[str]:
    tag = unit.label
    found = [tag.ref] if tag.ref else []
    if tag.word and tag.number:
        found += [f"{short}{tag.number}" for short in _SHORT.get(tag.word, (tag.word,))]
    if tag.is_group:
        found += tag.stories
    return list(dict.fromkeys(normal(name) for name in found))


def _initials(title: str) -> list[str]:
    """Return what a title's first words may be called for short: `CLI` for a command line interface."""
    letters = "".join(word[0] for word in re.findall(r"[A-Za-z]+", title[:_LONGEST])).upper()
    return [letters[:length] for length in range(_SHORTEST, min(len(letters), _MOST_INITIALS) + 1)]


def _range(first: str, last: str | None) -> list[str]:
    """Return every id from the first to the last."""
    start = re.fullmatch(r"(.*?)(\d+)", first)
    stop = re.fullmatch(r"(.*?)(\d+)", last) if last else None
    if (
        not start
        or not stop
        or max(len(start[2]), len(stop[2])) > _LONGEST_NUMBER
        or (stop[1] and normal(stop[1]) != normal(start[1]))
    ):
        return [first] + ([last] if last else [])
    low, high = int(start[2]), int(stop[2])
    if not low <= high <= low + _RANGE:
        return [first, str(last)]
    return [f"{start[1]}{number}" for number in range(low, high + 1)]


def _numbers(first: str, more: str) -> list[str]:
    found, last = [first.lstrip("#")], first.lstrip("#")
    for joint, number in re.findall(rf"({_TO}|\s*(?:,|and|&|\+)\s*(?:and\s+)?)#?(\d+(?:\.\d+)*)", more, re.IGNORECASE):
        spans = re.fullmatch(_TO, joint, re.IGNORECASE)
        found += _range(last, number)[1:] if spans else [number]
        last = number
    return found


def _nearest(units: Iterable[Unit], near: Unit | None) -> Unit | None:
    """Of several with the same name, take the last one before the place it is named at."""
    found = list(units)
    if not found:
        return None
    before = [unit for unit in found if near and unit is not near and unit.lines.first <= near.lines.first]
    return before[-1] if before else found[0]
