"""A graph follows what a board tells of its changes, and compares where nothing is told."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Collection
from dataclasses import replace

from orange.core.graph import Graph
from orange.core.model import Board, Task
from orange.testing.worlds import a_task


class Telling(UserDict[str, Task]):
    """Tasks that tell what changed since some others."""

    def __init__(self, tasks: dict[str, Task], before: object = None, changed: Collection[str] = ()) -> None:
        super().__init__(tasks)
        self.before, self.changed = before, changed

    def changed_since(self, before: object) -> Collection[str] | None:
        """Tell, if asked about the right ones."""
        return self.changed if before is self.before else None


def boards(changed: Collection[str]) -> tuple[Board, Board]:
    """Make a board of three tasks, and the next, where all have another title and one is gone and one is new."""
    first = Telling({name: a_task(name) for name in "abc"})
    later = {name: replace(a_task(name), title=f"{name} anew") for name in "abd"}
    return Board(first), Board(Telling(later, first, changed))


def titles(graph: Graph) -> dict[str, str]:
    """Return what the graph knows."""
    return {task_id: task.title for task_id, task in graph.tasks.items()}


def test_what_is_told_is_taken_in_and_nothing_else_is_looked_at() -> None:
    """A new task, one that is gone, one that changed; one that is told of and is as it was counts for nothing."""
    first, later = boards(("a", "c", "d", "x"))
    graph = Graph(first)
    assert set(graph.follow(later)) == {"a", "c", "d"}
    assert titles(graph) == {"a": "a anew", "b": a_task("b").title, "d": "d anew"}


def test_without_a_word_about_this_board_everything_is_compared() -> None:
    """Another board came between, or the graph was changed by hand, or other tasks cannot be understood."""
    first, later = boards(())
    between = Graph(Board(Telling(dict(first.tasks))))
    by_hand = Graph(first)
    by_hand.changed("a", a_task("a"))
    frozen = Graph(first)
    for graph, board in ((between, later), (by_hand, later), (frozen, replace(later, frozen=frozenset("b")))):
        graph.follow(board)
        assert titles(graph) == {name: f"{name} anew" for name in "abd" if name not in board.frozen}
