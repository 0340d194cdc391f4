"""Sees to the folders in which work was looked at for tasks that are no more: removed by hand, with nobody to settle.

Next in the flow: `project.reviewing` makes sure that nobody is at work there, and throws them away.
"""

from __future__ import annotations

from orange.core.graph import Graph
from orange.project.parts import Parts
from orange.project.reviewing import discard_orphans
from orange.reconciler.notifying import Begin


class Orphans:
    """The folders of one project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        #: What was without a task at the last look: a file may be away for an instant.
        self._before: frozenset[str] = frozenset()

    def look(self, graph: Graph, begin: Begin) -> None:
        """See which are without a task for the second time, and begin to throw them away."""
        known = graph.tasks.keys() | graph.frozen
        standing = {} if graph.problems else self._parts.workspaces.checked_out()
        found = frozenset(path for path, task in standing.items() if task not in known)
        again, self._before = found & self._before, found
        if again:
            begin(("orphans",), lambda: discard_orphans(self._parts, again))
