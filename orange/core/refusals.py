"""Rate limits: which agents' providers refuse to go on, until when, and which tasks are parked because of it.

A run that meets such a limit ends without failing; its task stays `working`, holds no slot, and goes on with the same
conversation once the limit is over. Until then nothing else is given to that agent on this machine.

Next in the flow: `scene` keeps them; `settle` lets a parked task go on, `gates` holds others back, `waiting` explains.
"""

from __future__ import annotations

from collections.abc import Iterable

from orange.core.model import Outcome, Run


def limit_of(run: Run, now: float) -> float | None:
    """Return until when a run's provider refuses, seconds since 1970; None when it does not, or not any more."""
    if run.outcome is not Outcome.RATE_LIMITED or run.limited_until is None or run.limited_until <= now:
        return None
    return run.limited_until


def limited_agents(runs: Iterable[Run], now: float) -> dict[str, Run]:
    """Return, for each agent that is refused, the run that was refused longest."""
    limited = [run for run in runs if limit_of(run, now) is not None]
    return {run.agent: run for run in sorted(limited, key=lambda run: run.limited_until or 0.0)}
