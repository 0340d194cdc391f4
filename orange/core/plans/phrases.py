"""English sentences that say in which order work is done: who waits, for whom, and how clear that is.

Next in the flow: `edges` finds the tasks that a claim names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest


@dataclass(frozen=True, slots=True)
class Claim:
    """One order that a sentence claims."""

    #: The words that name who waits; empty for the task the sentence is about.
    waiting: str
    #: The words that name what is waited for; empty for the task the sentence is about.
    awaited: str
    #: Whether the words can mean nothing else.
    strong: bool
    #: The sentence.
    sentence: str
    #: How surely it must name tasks.
    least: float = 0.0


#: Arrows stand for much: only what is surely a task's name is taken for one.
_SURELY = 0.9
#: Characters of a sentence that are looked at.
_LONGEST = 2000
_AFTER_STRONG = (
    r"(?:depend(?:s|ing|ent)?|contingent|reliant)\s+(?:up)?on|dependenc(?:y|ies)(?:\s+on)?\s*:|blocked\s+(?:by|on|until)|"
    r"rel(?:y|ies)\s+on|buil(?:ds?|t)\s+(?:up)?on(?:\s+top\s+of)?|wait(?:s|ing)?\s+(?:for|on|until)|prerequisites?\s*(?:is|are|:)|"
    r"(?:can|may|must|should|will|to)\s+(?:only\s+)?(?:be\s+\w+\s+)?(?:start|begin|proceed|run|happen|come|follow)\s+"
    r"(?:only\s+)?(?:after|once|when)|"
    r"(?:cannot|can't|can\s+not|must\s+not|should\s+not)\s+(?:\w+\s+){0,2}?(?:until|before|without)|"
    r"(?:starts?|begins?|comes?|runs?|happens?)\s+(?:only\s+)?(?:after|once)"
)
_BEFORE_STRONG = (
    r"(?<!un)(?<!the )(?<!of )(?<!all )(?<!these )(?<!which )blocks(?!\s+(?:are|is|in|of|on|that)\b)|unblocks|"
    r"(?:is|are|as)\s+(?:a\s+)?(?:prerequisites?|preconditions?|dependenc(?:y|ies))\s+(?:for|of|to)|"
    r"(?:is\s+|are\s+)?required\s+(?:by|before)|(?:must\s+|should\s+)?precedes?|"
    r"(?:must|should|needs?\s+to|has\s+to|have\s+to)\s+(?:be\s+)?(?:done|complete[d]?|finish(?:ed)?|exist|land|merged|ready|in\s+place|"
    r"come|happen|run|go)\s+before"
)
_AFTER_WEAK = r"requires?|needs?|(?<!even )after|(?<!at )once|following|follows|until"
_BEFORE_WEAK = r"before|prior\s+to|needed\s+(?:by|for)|required\s+for|enables"
_CUE = re.compile(
    rf"(?<![\w-])(?:(?P<after>{_AFTER_STRONG})|(?P<before>{_BEFORE_STRONG})|(?P<weak_after>{_AFTER_WEAK})|"
    rf"(?P<weak_before>{_BEFORE_WEAK}))(?![\w-])",
    re.IGNORECASE,
)
#: What the strong forms end in may not be followed by a letter; those that end in a colon are followed by anything.
_NOT = re.compile(
    r"\b(?:no|not|never|without|nothing|neither|doesn't|don't|does not|independent)\b(?:(?!\bbut\b)[^,;:]){0,24}$",
    re.IGNORECASE,
)
_END = re.compile(
    r"[.;!?](?=\s|$)|\s(?:because|so that|since|in order to|which|while|but|then|unless|if)\s|\s[–—-]\s", re.IGNORECASE
)
_STATE = re.compile(
    r"\s*\b(?:(?:is|are|has been|have been|gets?|being)\s+)?(?:fully\s+)?(?:done|completed?|finished|merged|ready|"
    r"in place|implemented|deployed|available|completion|completes|finish(?:es)?|lands?|approved|exists?)\b.*$",
    re.IGNORECASE,
)
_ARROW = re.compile(r"\s*(?:→|-->|->|=>|⟶|➔)\s*")
_FILLER = re.compile(
    r"^(?:and|but|only|also|then|this|it|they|task|must|should|can|is|are|be|to|-|•|\W)+$", re.IGNORECASE
)
#: `After the import:` above a list.
_INTRODUCES = re.compile(r"\W*(?:after|once)\b[^,;]*:\W*", re.IGNORECASE)
#: What somebody does and sees, one after another: not the order of tasks.
_SCENARIO = re.compile(r"\W*given\b", re.IGNORECASE)
_SPLIT = re.compile(r"(?<=[.!?])\s+(?=[A-Z\[(`\"'*])|\s*;\s+|\n+")


_SEQUENCE = re.compile(
    r"\b(sequentially|in sequence|one (after|by) (the other|another|one)|in (this|that|the|exactly this)"
    r"( (following|given|listed|exact|specific))? (order|sequence))\b",
    re.IGNORECASE,
)


def is_sequence(text: str) -> bool:
    """Whether a text says that what it introduces goes on one after another."""
    match = _SEQUENCE.search(text)
    return match is not None and _NOT.search(text[: match.start()]) is None


def claims(text: str) -> Iterator[Claim]:
    """Yield what a text claims about order."""
    for sentence in (whole[:_LONGEST] for whole in _SPLIT.split(text)):
        if _SCENARIO.match(sentence):
            continue
        if _ARROW.search(sentence):
            yield from _chain(sentence)
        yield from _claims(sentence.strip())


def _chain(sentence: str) -> Iterator[Claim]:
    """Read `A -> B -> C`: each after the one before it."""
    parts = [part.strip() for part in _ARROW.split(sentence)]
    for before, then in pairwise(parts):
        if before and then and len(before) < 120 and len(then) < 120:
            awaited = re.sub(r"^.*:\s", "", before)
            yield Claim(then.split(". ")[0], awaited, strong=True, sentence=sentence.strip(), least=_SURELY)


def _claims(sentence: str) -> Iterator[Claim]:
    cues = list(_CUE.finditer(sentence))
    start, first = 0, ""
    for cue, following in zip_longest(cues, cues[1:]):
        left, right = sentence[start : cue.start()], sentence[cue.end() : following.start() if following else None]
        start = cue.end()
        if _NOT.search(left):
            continue
        goes_on = first and left.rstrip().endswith(("-", "–", "—", ",", "(", " and"))
        claim = _claim(cue, first if goes_on else left, right, sentence)
        if claim is not None:
            first = first or left
            yield claim


def _claim(cue: re.Match[str], left: str, right: str, sentence: str) -> Claim | None:
    other, rest = _object(right)
    subject = left.strip(" ,:(-–—*_[•\t")
    if not subject or _FILLER.match(subject):
        subject = rest if not left.strip(" ,(-*_") and rest else ""  # `Once A is done, B can start`
    if not other:
        return None
    strong = bool(cue["after"] or cue["before"]) or _INTRODUCES.fullmatch(sentence) is not None
    if cue["after"] or cue["weak_after"]:
        return Claim(subject, other, strong, sentence)
    return Claim(other, subject, strong, sentence)


def _object(right: str) -> tuple[str, str]:
    """Part what follows the words of order into the thing named and what comes behind its clause."""
    end = _END.search(right)
    clause = right[: end.start()] if end else right
    head, comma, tail = (clause, "", "") if right.lstrip().startswith(":") else clause.partition(", ")
    if comma and _STATE.search(head):
        clause, rest = head, tail
    else:
        rest = tail if comma and not re.match(r"(?:and |or |[A-Z#`\"]?[\w-]*\d)", tail) else ""
        clause = head if rest else clause
    return _STATE.sub("", clause.strip(" :(")).strip(" .,:;()[]*_"), rest.strip()
