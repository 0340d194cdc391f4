"""Rate limits: which agents' providers refuse to go on, until when, and which tasks are parked because of it.

A run that meets such a limit ends without failing; its task stays `working`, holds no slot, and goes on with the same
conversation once the limit is over. Until then nothing else is given to that agent on this machine, whichever project
met the limit.

Next in the flow: `scene` keeps them; `settle` lets a parked task go on, `gates` holds others back, `waiting` explains.
"""

from __future__ import annotations

from collections.abc import Iterable

from orange.core.allowance import Refusal
from orange.core.model import Outcome, Run


def limit_of(run: Run, now: float) -> float | None:
    """Return until when a run's provider refuses, seconds since 1970; None when it does not, or not any more."""
    if run.outcome is not Outcome.RATE_LIMITED or run.limited_until is None or run.limited_until <= now:
        return None
    return run.limited_until


def refusal_of(run: Run) -> Refusal:
    """Say what a run met that was refused."""
    return Refusal(run.agent, run.limited_until or 0.0, run.id, run.ended_at)


def refused_agents(runs: Iterable[Run], known: Iterable[Refusal], now: float) -> dict[str, Refusal]:
    """Return, for each agent that is refused, the longest refusal: of these runs, or known from any project."""
    found = [refusal_of(run) for run in runs if limit_of(run, now) is not None]
    found += [refusal for refusal in known if refusal.until > now]
    return {each.agent: each for each in sorted(found, key=lambda each: (each.until, not each.project))}


def news(runs: Iterable[Run], known: Iterable[Refusal], now: float) -> tuple[Refusal, ...]:
    """Return what these runs met that is not known yet, for the user's other projects."""
    so_far = {refusal.agent: refusal.until for refusal in known}
    met = refused_agents(runs, (), now).values()
    return tuple(refusal for refusal in met if refusal.until > so_far.get(refusal.agent, 0.0))
