"""Whether and how much may be started in a project, as far as people and the machine have a say in it.

Next in the flow: `dispatch` gives the slots out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
