"""What the fast lane needs: answers that are kept while they hold, and who asks the daemon.

The answer to the question asked most often (`task list --ready --json`) is kept with all it was made from: in a file
while no daemon runs, in the daemon's memory while it does. It is kept only when it is certain: nothing changed while it
was made, or so shortly before that a stat could not show it, and no reason in it passes with time.

Next in the flow: `fastlane.kept` takes the file up.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orange import __version__
from orange.adapters import speaker
from orange.adapters.store.files import FileStore
from orange.adapters.store.scan import ROOTS, Memory
from orange.core.home import Home
from orange.core.layout import Layout
from orange.core.lifecycle import Actor
from orange.core.model import Board
from orange.core.reviews import task_of
from orange.fastlane import kept
from orange.fastlane.kept import folders_below, numbers, variables
from orange.project import Project
from orange.project.requests import Speaker

#: Nanoseconds by which a file system's clock may lag behind.
_RACY = 20_000_000
#: Reasons that only a change of what was looked at can end.
_STEADY = frozenset({"slot", "agent_slot", "sequential", "paused", "draining", "daemon"})

#: Where one looked, and the numbers found there.
Places = dict[str, tuple[int, int] | None]
#: The answer's tasks.
Views = Sequence[Mapping[str, Any]]


class FileKeeper:
    """Keeps one answer in a file: made before the question is put to the project, used when its answer is there."""

    def __init__(self, project: Project, environment: Mapping[str, str], home: Home) -> None:
        self._project, self._environment = project, environment
        #: Whatever changed after this (nanoseconds) may or may not be in the answer.
        self._from = time.time_ns() - _RACY
        self._places = _looked(project.layout, environment, home)

    def found(self) -> Views | None:
        """Return nothing: the fast lane has looked already."""
        return None

    def keep(self, views: Views, text: str) -> bool:
        """Keep the answer if it is certain; returns whether it was kept."""
        head = self._head()
        if head is None or not _is_steady(views, self._project.layout):
            return False
        return _write(f"{self._project.layout.runtime}/{kept.NAME}", kept.packed(head, text.encode()))

    def _head(self) -> dict[str, Any] | None:
        """What the answer was made from; None when that is not certain."""
        store = self._project.parts.store
        if not isinstance(store, FileStore) or self._places is None or self._project.parts.daemon_running():
            return None
        memory = store.seen()
        if memory is None or not memory.files:
            return None
        watched, quiet = _watched(memory)
        known = [*self._places.values(), *watched.values(), *quiet.values()]
        if not all(found is None or 0 < found[0] < self._from for found in known):
            return None
        return {
            "version": __version__,
            "variables": variables(self._environment),
            "tree": self._project.layout.tree,
            "places": self._places,
            "watched": _grouped(watched),
            "quiet": _grouped(quiet),
        }


@dataclass(slots=True)
class Remembered:
    """An answer in the daemon's memory."""

    board: Board
    places: Places
    views: Views


class MemoryKeeper:
    """Keeps one project's answer in the daemon's memory; `shelf` holds one a repository."""

    def __init__(self, project: Project, shelf: dict[str, Remembered], home: Home) -> None:
        self._project, self._shelf = project, shelf
        self._places = _looked(project.layout, os.environ, home)
        self._board = project.board()

    def found(self) -> Views | None:
        """Return the answer if nothing it was made from has changed."""
        known = self._shelf.get(self._project.layout.root)
        holds = known is not None and known.board is self._board and known.places == self._places
        return known.views if known is not None and holds else None

    def keep(self, views: Views, _text: str) -> bool:
        """Keep the answer if nothing changed while it was made."""
        certain = self._places is not None and self._project.board() is self._board
        if self._places is None or not certain or not _is_steady(views, self._project.layout):
            return False
        self._shelf[self._project.layout.root] = Remembered(self._board, self._places, views)
        return True


def _is_steady(views: Views, layout: Layout) -> bool:
    """Whether only a change can alter the answer: no reason ends with time, no task in it was ever run here."""
    if not all(reason["code"] in _STEADY for view in views for reason in view["waiting"]):
        return False
    runs = {name.rpartition("-")[0] for name in _names(layout.runs)}
    return not any(view["id"] in runs or view["claim"] for view in views)


def _watched(memory: Memory) -> tuple[Places, Places]:
    """Return the files and folders to look at each time, and the folders of tasks that have no folders in them."""
    watched: Places = {}
    quiet: Places = {}
    for folder, place in memory.folders.items():
        _, changed, inode = place.signature or (0, 0, 0)
        (quiet if place.has_task and not place.folders else watched)[folder] = (changed, inode)
    for path, file in memory.files.items():
        _, changed, _, inode = file.signature or (0, 0, 0, 0)
        watched[path] = (changed, inode)
    return watched, quiet


def _grouped(found: Places) -> list[tuple[str, str, bytes]]:
    """Group paths by their first folder: (folder, names below it, their numbers). Short paths are looked up faster."""
    groups: dict[str, Places] = {}
    for path, known in found.items():
        folder, slash, below = path.partition("/")
        groups.setdefault(folder if slash else ".", {})[below if slash else path] = known
    return [(folder, "\n".join(places), _flat(places.values())) for folder, places in groups.items()]


def _flat(found: Iterable[tuple[int, int] | None]) -> bytes:
    from array import array

    return array("q", [number for pair in found for number in pair or ()]).tobytes()


def _looked(layout: Layout, environment: Mapping[str, str], home: Home) -> Places | None:
    """Look at everything but the task files that an answer depends on; None where that does not tell everything."""
    if os.path.lexists(f"{layout.common}/reftable"):
        return None  # there the refs' folders say nothing
    found: Places = {}
    try:
        for place in _places(layout, environment, home):
            if not os.path.isabs(place):
                return None  # depends on where one stands
            found[place] = numbers(place)
    except OSError:
        return None
    return found


def _places(layout: Layout, environment: Mapping[str, str], home: Home) -> Iterator[str]:
    names = ("base", "host", "trust.json", "dispatch.json", "journal", "runs")
    yield from (f"{layout.runtime}/{name}" for name in names)
    yield from (layout.config, home.settings, home.refusals, f"{layout.common}/packed-refs")
    yield from (f"{layout.tree}/pipelines", *(f"{layout.tree}/pipelines/{name}" for name in _own_pipelines(layout)))
    yield from (f"{layout.tree}/{root}" for root in ROOTS)  # one that is missing is not among the folders
    yield from folders_below(f"{layout.common}/refs")
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield folder
        yield os.path.realpath(folder) if folder else folder


def _own_pipelines(layout: Layout) -> list[str]:
    return sorted(_names(f"{layout.tree}/pipelines"))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _write(path: str, data: bytes) -> bool:
    part = f"{path}.{os.getpid()}"
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        return False
    return True


def speaker_of(layout: Layout, path: str, process: int) -> Speaker:
    """Find out who speaks through another process: the run whose tree it is in, else a person."""
    run = speaker.run_of_process(layout, process)
    if run:
        return Speaker(Actor.AGENT, run, task_of(run), run)
    return Speaker(Actor.PERSON, speaker.user_name(), speaker.task_of_folder(layout, path))
