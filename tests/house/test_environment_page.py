"""The page about the environment of runs names what is let through, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orange.core import environment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "environment.md"


def _named(text: str) -> set[str]:
    """Return the variables a text names; a prefix as one variable that begins so."""
    return {name.replace("*", "X") for name in re.findall(r"`([A-Za-z_]+\*?)`", text)}


def _given(names: set[str], agent: str, *, enclosed: bool = False) -> set[str]:
    return set(environment.minimal(dict.fromkeys(names, "x"), agent, enclosed=enclosed))


def _sections() -> dict[str, str]:
    return {part.partition("\n")[0]: part for part in PAGE.read_text(encoding="utf-8").split("\n## ")}


def test_what_every_program_is_given_is_told() -> None:
    """Each named variable reaches a program of any agent; in a sandbox all but those said to be left out."""
    named = _named(_sections()["For every program"]) | {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    for agent in ("claude", "command"):
        assert _given(named, agent) == named
    assert named - _given(named, "command", enclosed=True) == {"TMPDIR", "XDG_X"}


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini", "opencode"])
def test_what_an_agent_is_given_is_told(agent: str) -> None:
    """The row of an agent has what reaches it, and no other agent's row has more of that."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", _sections()["For one agent"], re.MULTILINE))
    everything = {name for row in rows.values() for name in _named(row)}
    told, given = _named(rows[agent]), _given(everything, agent)
    assert told <= given
    assert not {name for name in given if not name.startswith(tuple(one.removesuffix("X") for one in told))}
    assert not _given(everything, "command")
