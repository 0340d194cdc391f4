"""What arrived from elsewhere and takes effect only after `orange trust`: tasks, and settings that carry commands.

The repository must not vote on its own trust, so the record is machine-local. What is made on this machine is trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orange.adapters.private import write_whole
from orange.core.layout import Layout


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a clone brought along and nobody here has looked at yet."""

    #: Ids of the tasks.
    tasks: frozenset[str] = frozenset()
    #: Fingerprint of the commands in the settings, or None when they are trusted.
    commands: str | None = None
    #: The same of the commands in its pipelines.
    pipelines: str | None = None

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self.tasks or self.commands or self.pipelines)


def path(layout: Layout) -> str:
    """Return where the record lies."""
    return f"{layout.runtime}/trust.json"


def read(layout: Layout) -> Arrival:
    """Return what waits for trust; an absent record means nothing."""
    try:
        with open(path(layout), encoding="utf-8") as file:
            found = json.load(file)
        return Arrival(frozenset(found.get("tasks", ())), found.get("commands"), found.get("pipelines"))
    except (OSError, ValueError, AttributeError, TypeError):
        return Arrival()


def arrived(layout: Layout, tasks: Iterable[str], commands: str | None, pipelines: str | None = None) -> None:
    """Record what a clone brought along."""
    _write(layout, Arrival(frozenset(tasks), commands, pipelines))


def trust(layout: Layout) -> Arrival:
    """Trust everything that waits; returns what that was."""
    found = read(layout)
    if found:
        _write(layout, Arrival())
    return found


def untrusted_tasks(layout: Layout) -> Mapping[str, str]:
    """Return the tasks that wait, each with a sentence."""
    return dict.fromkeys(read(layout).tasks, "the task arrived with the clone and was not looked at on this machine")


def _write(layout: Layout, arrival: Arrival) -> None:
    told = {"tasks": sorted(arrival.tasks), "commands": arrival.commands, "pipelines": arrival.pipelines}
    write_whole(path(layout), json.dumps(told).encode())
