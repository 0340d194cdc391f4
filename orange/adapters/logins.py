"""What runs of a project told of the logins of their agents: read from their folders.

Next in the flow: `wiring.setup` puts it beside what is installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from orange import recordfile
from orange.core import logins, runfiles
from orange.core.layout import Layout
from orange.core.logins import Told

#: So many runs are looked at, the latest.
MOST = 200


def told(layout: Layout) -> Mapping[str, Told]:
    """Return the latest word on each agent, by its name."""
    found = sorted(_streams(layout.runs), reverse=True)[:MOST]
    return logins.latest(one for at, run in found if (one := _told(f"{layout.runs}/{run}", run, at)))


def _streams(runs: str) -> Iterator[tuple[float, str]]:
    """Yield the runs whose agent has a stream, each with when it last told something."""
    try:
        names = os.listdir(runs)
    except FileNotFoundError:
        return
    for run in names:
        try:
            yield os.stat(f"{runs}/{run}/{runfiles.AGENT}").st_mtime, run
        except OSError:
            continue  # an agent without one, or a run that is removed just now


def _told(folder: str, run: str, at: float) -> Told | None:
    stream = recordfile.values(f"{folder}/{runfiles.AGENT}") or {}
    agent = stream.get("agent") or _agent_of(recordfile.values(f"{folder}/{runfiles.SPEC}") or {})
    return Told(agent, run, at, logins.state_of(stream)) if isinstance(agent, str) else None


def _agent_of(told: Mapping[str, object]) -> object:
    spec = told.get("spec")
    return spec.get("agent") if isinstance(spec, dict) else None
