"""What differs between one board and the next, told by whoever made them, or found by comparing.

Next in the flow: `Graph.follow` takes the differences in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, runtime_checkable

from orange.core.model import Board, Task


@runtime_checkable
class Traced(Protocol):
    """Tasks of a board that remember the board before it."""

    def changed_since(self, before: object) -> Collection[str] | None:
        """Name the tasks that may differ from those of another board; None where that is not known."""


def told(tasks: Mapping[str, Task], before: object) -> Collection[str] | None:
    """Name the tasks that may have changed, if the board says so."""
    return tasks.changed_since(before) if isinstance(tasks, Traced) else None


def found(known: Mapping[str, Task], board: Board) -> Collection[str]:
    """Name the tasks that are another object than is known, or are on one side only, or cannot be understood."""
    other = [task_id for task_id, task in board.tasks.items() if known.get(task_id) is not task]
    return dict.fromkeys([*other, *(known.keys() - board.tasks.keys()), *(known.keys() & board.frozen)])
