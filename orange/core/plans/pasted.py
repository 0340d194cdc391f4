"""Text pasted from a page without its marks -> Markdown, line by line: what heads something, and its points.

Next in the flow: `plaintext` sees to what marks there are, `markdown` reads it with the same line numbers.
"""

from __future__ import annotations

import re

from orange.core.plans.labels import label
from orange.core.plans.roles import Role, role_of

_MARK = re.compile(r"\s*(?:[•·▪◦●*+–—-]|\(?[A-Za-z0-9]{1,2}[.)]|\[[ xX]?\]|[#>|=~`])(?:\s|\S*$)")
#: Pictures and signs that a page sets before its headings.
_SIGN = re.compile(r"[\u2190-\u2bff\U0001f300-\U0001faff]")
_MOST_WORDS, _LONGEST_POINT = 12, 25
#: Headings without which it is only text.
_FEW = 2


def marked(text: str) -> str:
    """Return a text with marks where it has none; one that has some stays as it is."""
    lines = text.split("\n")
    if any(_MARK.match(line) for line in lines):
        return text
    found, heads, group, role = list(lines), 0, False, Role.NEUTRAL
    for i, line in enumerate(lines):
        words = line.split()
        if not words or (i + 1 < len(lines) and lines[i + 1].strip() and not _SIGN.match(line)):
            continue
        tag = label(line.strip())
        names = (tag.is_group or tag.is_single) and tag.number is not None
        promise = role_of(tag.title) if len(words) <= _MOST_WORDS and line.rstrip()[-1] not in ".;:," else Role.NEUTRAL
        if names or promise is not Role.NEUTRAL or (_SIGN.match(line) and len(words) <= _MOST_WORDS):
            signed = _SIGN.match(line) is not None
            found[i] = f"{'###' if names else '##' if signed or not group else '####'} {line.strip()}"
            heads, group, role = heads + 1, names or (group and not signed), promise
        elif role is Role.WORK and len(words) <= _LONGEST_POINT:
            found[i] = f"- {line.strip()}"
    return "\n".join(found) if heads >= _FEW else text
