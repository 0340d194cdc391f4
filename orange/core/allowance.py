"""Whether and how much may be started in a project, as far as people and the machine have a say in it.

Next in the flow: `dispatch` gives the slots out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orange.core.inplace import Place

#: What is counted, and how it is said.
UNITS = {"minutes": "{:.1f} min", "tokens": "{:,} tokens", "usd": "{:.2f} USD"}


@dataclass(frozen=True, slots=True)
class Bill:
    """What runs used. As text: in a few words, empty for nothing."""

    minutes: float = 0.0
    #: Read and written.
    tokens: int = 0
    #: As far as the agents told.
    usd: float = 0.0

    def __str__(self) -> str:
        return ", ".join(words.format(used) for name, words in UNITS.items() if (used := getattr(self, name)))


NOTHING = Bill()


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed for one run of the daemon, beside the settings."""

    #: The most agents at once; None: as the settings say.
    max_parallel: int | None = None
    #: Whether checks are required, whatever the settings say.
    require_checks: bool = False
    #: Only tasks of this agent, and with one of these labels, are started; None and empty: all.
    agent: str | None = None
    labels: tuple[str, ...] = ()
    #: How many tasks it may yet take on; None: any number.
    fresh: int | None = None
    #: What it took on in this project.
    taken: frozenset[str] = frozenset()
    #: Whether a person is asked before each start, and what they said yes and no to: task -> the epoch before it.
    asks: bool = False
    agreed: Mapping[str, int] = field(default_factory=dict)
    declined: Mapping[str, int] = field(default_factory=dict)


EVERYTHING = Terms()


@dataclass(frozen=True, slots=True)
class Refusal:
    """That an agent's provider refuses to go on, as a run met it."""

    agent: str
    #: Seconds since 1970.
    until: float
    run: str
    #: When the run met it, seconds since 1970; None where nobody said.
    met: float | None = None
    #: The folder of the project whose run it was; empty for the one that is looked at.
    project: str = ""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Whether and how much may be started. A time in text is RFC 3339 UTC."""

    paused: bool = False
    #: Why, in one sentence (a person's reason, drain, consecutive failures).
    pause_reason: str | None = None
    paused_at: str | None = None
    draining: bool = False
    #: Free agent slots of the machine for this project, after every claim of an agent's run in every project.
    slots: int = 0
    #: Slots in all, for explanations.
    slots_total: int = 0
    #: Free slots by agent, where `limits.per_agent` says so.
    per_agent: Mapping[str, int] = field(default_factory=dict)
    #: Wall-clock seconds of the last resume: failures before it no longer count towards a pause. None: never.
    resumed_at: float | None = None
    terms: Terms = EVERYTHING
    #: Tasks whose workspace is returned once they have failed, as was asked when they were started.
    cleanup: frozenset[str] = frozenset()
    #: What providers refused in any project of the user's: one account, one limit.
    refused: tuple[Refusal, ...] = ()
    #: The user's checkout, where tasks are worked on there, or one still has it.
    place: Place | None = None
