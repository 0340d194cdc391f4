"""A project's figures for whoever watches many: tasks, runs, slots, what runs used.

Next in the flow: `orange.web.routes.service` serves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orange.core import usage
from orange.core.service.metrics import Family
from orange.project import dispatching, reading
from orange.project.parts import Parts


def figures(parts: Parts, name: str, viewer: reading.Viewer) -> Iterator[Family]:
    """Yield them; `name` is the project's among those that are served."""
    world, now = viewer.world, parts.clock.now()

    def of(**labels: str) -> Mapping[str, str]:
        return {"project": name, **labels}

    counts = reading.counts(world.board.tasks.values())
    tasks = tuple((of(status=status), float(count)) for status, count in counts.items())
    yield Family("orange_tasks", "gauge", "Tasks by status.", tasks)
    yield Family(
        "orange_queue_depth", "gauge", "Tasks that may start and wait for a slot.", ((of(), len(viewer.ready)),)
    )
    slots = world.dispatch
    yield Family("orange_slots", "gauge", "Agent slots of the machine.", ((of(), slots.slots_total),))
    yield Family("orange_slots_free", "gauge", "Agent slots that are free.", ((of(), slots.slots),))
    paused = bool(dispatching.read(parts.layout.dispatch).get("paused"))
    yield Family("orange_dispatch_paused", "gauge", "Whether nothing new is started.", ((of(), paused),))
    yield Family("orange_problems", "gauge", "Files that somebody should mend.", ((of(), len(world.board.problems)),))
    runs = tuple(parts.usage.runs())
    ended = usage.by(lambda run: run.outcome.value if run.outcome else "", runs)
    ends = tuple((of(outcome=outcome), float(len(found))) for outcome, found in sorted(ended.items()) if outcome)
    yield Family("orange_runs_total", "counter", "Runs by how they ended.", ends)
    yield Family("orange_runs_live", "gauge", "Runs that have not ended.", ((of(), len(ended.get("", ()))),))
    sums = {agent: usage.add(found, now).bill for agent, found in sorted(usage.by(lambda run: run.agent, runs).items())}
    tokens = tuple((of(agent=agent), float(bill.tokens)) for agent, bill in sums.items())
    yield Family("orange_tokens_total", "counter", "Tokens that runs read and wrote, as their agents told.", tokens)
    costs = tuple((of(agent=agent), bill.usd) for agent, bill in sums.items())
    yield Family("orange_cost_usd_total", "counter", "What runs cost, as their agents told.", costs)
