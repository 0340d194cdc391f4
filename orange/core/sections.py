"""Whether a section of a task's text is filled, as a pipeline's gate requires it. Pure.

Next in the flow: `runner.walk` asks when a run comes to a gate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orange.core import body

#: Section -> the fields of which at least one must have a text.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Plan": ("APPROACH", "TOUCHING"),
    "Handoff": ("DONE", "REMAINING", "DECISIONS", "UNCERTAIN"),
}


def lacking(text: str, section: str) -> str | None:
    """Say in one clause what a section lacks; None when it is filled. `text` may be the whole file's."""
    found = body.section(text, section)
    if not found:
        return f"the section {section} is missing or empty"
    if section == body.CRITERIA:
        return _unchecked(text)
    if section == body.REVIEW:
        verdict = body.verdict(text)
        return None if verdict == "PASS" else "the first line of the section Review is not `Verdict: PASS`"
    fields = _FIELDS.get(section)
    if fields and not any(_is_filled(found, field) for field in fields):
        return f"the section {section} has none of the fields {', '.join(fields)} with a text"
    return None


def _unchecked(text: str) -> str | None:
    items = body.checklist(text)
    if not items:
        return f"the section {body.CRITERIA} has no checklist"
    left = [what for checked, what in items if not checked]
    return f"{len(left)} of {len(items)} acceptance criteria are not checked: {left[0]}" if left else None


def _is_filled(text: str, field: str) -> bool:
    """Whether a field has a text: behind its colon, or on the lines before the next field."""
    found = re.search(
        rf"^[ \t*_-]*{field}[*_]*:(.*?)(?=^[ \t*_-]*[A-Z]{{4,}}[*_]*:|\Z)", text, re.MULTILINE | re.DOTALL
    )
    return found is not None and bool(found[1].strip(" \t\r\n*_"))
