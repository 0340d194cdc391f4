"""The texts of what is published: commits that merge, revert and bring back. Pure."""

from __future__ import annotations

import re

_REVERT = re.compile(r'Revert "(.*)"', re.DOTALL)


def reverts(subject: str, commit: str) -> str:
    """Compose the message of a commit that takes another one back, as git words it."""
    undone = _REVERT.fullmatch(subject)
    first = f'Reapply "{undone[1]}"' if undone else f'Revert "{subject}"'
    return f"{first}\n\nThis reverts commit {commit}.\n"
