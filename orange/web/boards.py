"""Boards as text, kept until something changes: most requests cost no more than sending what was sent before.

Next in the flow: the operation `board` sends it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from orange.core.graph import Graph
from orange.core.lifecycle import BoardState, board_state
from orange.core.model import Board, Task
from orange.core.service import cards

if TYPE_CHECKING:
    from orange.project import Project


@dataclass(frozen=True, slots=True)
class Shown:
    """A board's text."""

    #: What it was made of: the tasks, and how things were beside them.
    board: Board
    revision: str
    text: bytes
    #: Names the text.
    tag: str


@dataclass(slots=True)
class _Kept:
    shown: Shown | None = None
    graph: Graph | None = None
    #: Task id -> the task as it was read, and the part of its card that is in its file.
    begun: dict[str, tuple[Task, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Boards:
    """The boards of all projects. May be asked from any thread."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def read(self, project: Project, revision: str) -> Shown:
        """Return the project's board; `revision` changes with whatever the daemon sees beside the tasks."""
        kept = self._kept.setdefault(project.layout.root, _Kept())
        with kept.lock:
            board, shown = project.parts.store.look(()), kept.shown
            if shown is None or shown.board is not board or shown.revision != revision:
                text = _text(project, board, kept).encode()
                shown = kept.shown = Shown(board, revision, text, sha256(text).hexdigest()[:32])
            return shown


def _text(project: Project, board: Board, kept: _Kept) -> str:
    viewer = project.viewer(_graph(project, board, kept))
    columns: dict[str, list[str]] = {state.value: [] for state in BoardState}
    begun: dict[str, tuple[Task, str]] = {}
    for task in sorted(board.tasks.values(), key=lambda task: task.order):
        known = kept.begun.get(task.id)
        begun[task.id] = known if known and known[0] is task else (task, cards.fixed(task))
        state = board_state(task.status, ready=task.id in viewer.ready).value
        columns[state].append(cards.card(begun[task.id][1], viewer.derived(task)))
    kept.begun = begun
    return cards.board(columns, len(board.tasks))


def _graph(project: Project, board: Board, kept: _Kept) -> Graph:
    """Bring the index of the board up to date: that costs what changed."""
    cancelled_satisfies = project.settings.cancelled_satisfies
    if kept.graph is None or kept.graph.cancelled_satisfies is not cancelled_satisfies:
        kept.graph = Graph(board, cancelled_satisfies=cancelled_satisfies)
    else:
        kept.graph.follow(board)
    return kept.graph
