"""Refuses work in the user's checkout (`isolation: none`) that cannot begin there, before anything is claimed."""

from __future__ import annotations

from orange.core import inplace
from orange.core.model import Task
from orange.core.problems import NotAllowed
from orange.project.launch import ground_of
from orange.project.parts import Parts


def is_taken(parts: Parts, task: Task) -> bool:
    """Whether another task has the checkout that this one needs. Raises NotAllowed for whatever else is in the way."""
    if parts.settings().workspaces.isolation != inplace.NONE:
        return False
    place = parts.workspaces.place()
    found = inplace.hindrance(place, task.id, ground_of(parts, task)) if place else None
    if place is None or found is None:
        return False
    if place.task is None:
        raise NotAllowed(f"{task.id} cannot be started: {found.message}")
    return True


def check(parts: Parts, task: Task) -> None:
    """Refuse a task that cannot begin in the checkout now. Raises NotAllowed."""
    if is_taken(parts, task):
        raise NotAllowed(f"{task.id} cannot be started: another task has your checkout (`isolation: none`)")
