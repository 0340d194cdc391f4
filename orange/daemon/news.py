"""What the daemon tells of its projects while somebody follows: new lines of the trails, and whose view changed.

It costs nothing while nobody does. Next in the flow: `orange.web.feed` keeps it, `orange.web.stream` sends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from orange.core import times
from orange.core.graph import ready_tasks
from orange.core.lifecycle import Status
from orange.core.model import Board
from orange.core.problems import OrangeError
from orange.core.service.news import differences, said_otherwise, touched
from orange.core.storeports import Event
from orange.project.parts import Parts
from orange.web.feed import Feed, Told


@dataclass(slots=True)
class _Known:
    """A project as it was last told of."""

    board: Board
    ready: frozenset[str]
    #: When it was first looked at, RFC 3339: what is older was not news.
    since: str
    #: Task -> how many lines of its trail were told or are old.
    lines: dict[str, int] = field(default_factory=dict)


class News:
    """The news of all projects."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._known: dict[str, _Known] = {}

    def look(self, root: str, parts: Parts, board: Board) -> None:
        """Tell what is new in a project."""
        if not self._feed.wanted:
            self._known.clear()
            return
        known = self._known.get(root)
        if known is None:
            self._known[root] = _Known(board, _ready(parts, board), times.stamp(parts.clock.now()))
            self._feed.add([Told("reset", {"project": parts.name})])
        else:
            self._feed.add(self._told(known, parts, board))

    def _told(self, known: _Known, parts: Parts, board: Board) -> Iterator[Told]:
        before, known.board = known.board, board
        found = differences(before.tasks, board.tasks)
        running = [id_ for id_, task in board.tasks.items() if task.status is Status.WORKING]
        for id_ in dict.fromkeys((*found.changed, *running)):
            events = _new_lines(known, parts, id_)
            for event in events:
                yield _event(parts, id_, event)
            if not events and said_otherwise(before.tasks.get(id_), board.tasks[id_]):
                yield _event(parts, id_, Event(times.stamp(parts.clock.now()), "task.updated", "file", {}))
        for id_ in found.gone:
            yield _event(parts, id_, Event(times.stamp(parts.clock.now()), "task.removed", "file", {}))
        turned: frozenset[str] = frozenset()
        if before is not board:
            ready = _ready(parts, board)
            turned, known.ready = ready ^ known.ready, ready
        views = touched(found, before.tasks, board.tasks, turned)
        if views:
            yield Told("tasks.changed", {"project": parts.name, "tasks": list(views)})


def _ready(parts: Parts, board: Board) -> frozenset[str]:
    return frozenset(task.id for task in ready_tasks(board, parts.settings(), parts.capabilities()))


def _new_lines(known: _Known, parts: Parts, task: str) -> list[Event]:
    try:
        events = list(parts.store.events(task))
    except OrangeError:
        return []
    told = known.lines.get(task)
    known.lines[task] = len(events)
    return [event for event in events if event.at >= known.since] if told is None else events[told:]


def _event(parts: Parts, task: str, event: Event) -> Told:
    data = {"project": parts.name, "task": task, "at": event.at, "by": event.by, "data": dict(event.data)}
    return Told(event.type, data)
