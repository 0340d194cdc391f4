"""Whether somebody is logged in to an agent's program, as far as its runs have told."""

from __future__ import annotations

import pytest

from orange.core.logins import State, Told, latest, state_of


@pytest.mark.parametrize(
    ("stream", "state"),
    [
        ({}, State.UNKNOWN),
        ({"turns": 0, "logged_out": False}, State.UNKNOWN),
        ({"turns": "3"}, State.UNKNOWN),
        ({"turns": 2, "logged_out": False, "error": "it broke"}, State.IN),
        ({"turns": 0, "logged_out": True}, State.OUT),
        ({"turns": 2, "logged_out": True}, State.OUT),
    ],
)
def test_who_was_answered_is_logged_in(stream: dict[str, object], state: State) -> None:
    """One that was answered and is refused now is logged out; one that was never answered tells nothing."""
    assert state_of(stream) is state


def test_the_latest_word_on_an_agent_counts() -> None:
    """A run that told nothing does not take back what an earlier one said."""
    out, again = Told("claude", "a-1", 10.0, State.OUT), Told("claude", "a-2", 20.0, State.IN)
    silent, other = Told("claude", "a-3", 30.0, State.UNKNOWN), Told("codex", "b-1", 5.0, State.OUT)
    assert latest([silent, again, other, out]) == {"claude": again, "codex": other}
