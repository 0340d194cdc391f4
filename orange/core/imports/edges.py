"""Edges of imported tasks: whatever another tool allowed, what comes out never waits in a circle.

Next in the flow: `resolve` writes the edges that are left into the tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

#: Node -> what it waits for, by name.
Edges: TypeAlias = dict[str, list[str]]


def loops(parents: Mapping[str, str]) -> list[str]:
    """Name the nodes whose parents have to go, so that no node is above itself."""
    cut: list[str] = []
    known: set[str] = set()
    for start in parents:
        node, trail = start, dict[str, None]()
        while node in parents and node not in known and node not in trail:
            trail[node] = None
            node = parents[node]
        if node in trail:
            cut.append(list(trail)[-1])
        known.update(trail)
    return cut


def opened(
    blockers: Edges, children: Mapping[str, list[str]], may: Callable[[str, str], bool]
) -> list[tuple[str, str]]:
    """Take out edges of `blockers` that close a circle, and list them; only those that `may` be taken out.

    A parent waits for its children, and that edge stays. Each pass looks at every edge once; the last one finds none.
    """
    gone: list[tuple[str, str]] = []
    while True:
        found = _Pass(blockers, children, may).run()
        for node, blocker in found:
            blockers[node].remove(blocker)
        gone += found
        if not found:
            return gone


class _Pass:
    """One walk over everything, depth first, with a stack of its own."""

    def __init__(self, blockers: Edges, children: Mapping[str, list[str]], may: Callable[[str, str], bool]) -> None:
        self.blockers, self.children, self.may = blockers, children, may
        self.done: set[str] = set()
        #: The nodes of the present way, with whether it came there by an edge that may go.
        self.way: dict[str, bool] = {}
        self.gone: dict[tuple[str, str], None] = {}

    def run(self) -> list[tuple[str, str]]:
        for root in (*self.blockers, *self.children):
            if root not in self.done:
                self._walk(root)
        return list(self.gone)

    def _walk(self, root: str) -> None:
        self.way = {root: False}
        trail = [(root, self._edges(root))]
        while trail:
            node, following = trail[-1]
            step = next(following, None)
            if step is None:
                self.done.add(node)
                del self.way[node]
                trail.pop()
            elif step[0] in self.way:
                self._circle(node, step)
            elif step[0] not in self.done:
                self.way[step[0]] = step[1]
                trail.append((step[0], self._edges(step[0])))

    def _edges(self, node: str) -> Iterator[tuple[str, bool]]:
        yield from ((other, self.may(node, other)) for other in tuple(self.blockers.get(node, ())))
        yield from ((other, False) for other in self.children.get(node, ()))

    def _circle(self, node: str, step: tuple[str, bool]) -> None:
        """Open a circle at the edge that closes it, else at the nearest one before it that may go."""
        if step[1]:
            self.gone[node, step[0]] = None
            return
        way = list(self.way)
        for at in range(len(way) - 1, way.index(step[0]), -1):
            if self.way[way[at]]:
                self.gone[way[at - 1], way[at]] = None
                return
