"""What is said of a secret that stands in a task's text: task files are kept in git, and what is there stays there.

Texts that orange is given are refused; a file edited by hand becomes a problem. Both name the line, never the value.
"""

from __future__ import annotations

from orange.core.problems import OrangeError, Problem
from orange.core.redact import SHAPES


def problem_in(data: bytes, path: str) -> Problem | None:
    """Return what is wrong with a file that holds what looks like a token; None where nothing does."""
    line = SHAPES.line_of_first(data)
    if line is None:
        return None
    what = "what looks like a token, a password or a private key stands here in plain text"
    return Problem(path, line, what, "take it out, withdraw it where it was issued, and name a variable instead")


class SecretRefused(OrangeError):
    """A text with a secret in it, which would be kept in git for ever."""

    code = "secret_refused"
    http_status = 422

    def __init__(self, where: str, line: int) -> None:
        super().__init__(
            f"{where}, line {line}: a secret stands there in plain text (what looks like a token, or the value of a "
            "secret variable of this environment): take it out and name the variable instead"
        )
        self.where, self.line = where, line
