"""Whether somebody is logged in to an agent's program: what its latest run that could tell said. Pure.

Nothing asks a provider for it: that would cost a request, and be as true as the last one that was made anyway.

Next in the flow: `orange agents` shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What is known."""

    IN = "logged in"
    OUT = "logged out"
    #: No run of it here has told.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Told:
    """What the stream of one run told."""

    agent: str
    run: str
    #: Seconds since 1970.
    at: float
    state: State


def state_of(stream: Mapping[str, object]) -> State:
    """Read the record of an agent's stream (`agent.json`): who was answered is logged in."""
    if stream.get("logged_out"):
        return State.OUT
    turns = stream.get("turns")
    return State.IN if isinstance(turns, int) and turns > 0 else State.UNKNOWN


def latest(told: Iterable[Told]) -> Mapping[str, Told]:
    """Keep of each agent the latest that said anything."""
    known = sorted((one for one in told if one.state is not State.UNKNOWN), key=lambda one: one.at)
    return {one.agent: one for one in known}
