"""Where a secret is: `env:NAME`, `vault://mount/path#field` or `vault:mount/path#field`. Never what it is.

A reference is resolved where the value is used, at the last moment, and never falls back to anything else.

Next in the flow: the supervisor resolves those of an agent's environment before it starts the agent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Characters a reference may have.
LONGEST = 512
#: How a valid one looks, in words.
EXPECTED = "env:NAME or vault://mount/path#field"
_ENV = r"env:([A-Za-z_][A-Za-z0-9_]*)"
_VAULT = r"vault:(?://)?([A-Za-z0-9_][\w.-]*(?:/[\w.-]+)+)#([A-Za-z0-9_][\w.-]*)"


class Reference(NamedTuple):
    """A place that a secret is taken from."""

    #: `env` or `vault`.
    kind: str
    #: The variable's name, or the secret's path with its mount.
    place: str
    #: For vault: which of its fields.
    field: str = ""


def parse(text: str) -> Reference | None:
    """Read a reference; None for what is none, or not a valid one."""
    if len(text) > LONGEST or ".." in text:
        return None
    if found := re.fullmatch(_ENV, text):
        return Reference("env", found[1])
    if found := re.fullmatch(_VAULT, text, re.ASCII):
        return Reference("vault", found[1], found[2])
    return None


def intended(text: str) -> bool:
    """Whether a text is meant as a reference: a mistake in it must not make a value of it."""
    return text.startswith(("env:", "vault:"))


def valid(text: str) -> bool:
    """Whether a text is a valid reference."""
    return parse(text) is not None


def among(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables whose values are references."""
    return {name: value for name, value in env.items() if intended(value)}


class Unreadable(ValueError):
    """A line that is no KEY=VALUE; its text is not repeated, for it may hold a secret."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} of what it printed is no KEY=VALUE")


def variables(text: str) -> dict[str, str]:
    """Read KEY=VALUE lines; blank ones, comments, `export` and quotes around a value are allowed. Raises Unreadable."""
    return dict(_variables(text))


def _variables(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip().removeprefix("export ").lstrip()
        if not said or said.startswith("#"):
            continue
        name, equals, value = said.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or "\0" in value:
            raise Unreadable(number)
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        yield name, value[1:-1] if quoted else value
