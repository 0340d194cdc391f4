"""Which branches would conflict, before they do: what a forecast says, and which pairs are worth a trial merge. Pure.

A trial costs a process's work, so of a hundred branches only those pairs are tried that can meet at all: both touch a
path, one makes a file where the other makes a folder, or one adds to a folder that the other moved files out of (git
takes that for a renamed folder).

Next in the flow: the integration port tries the pairs, `orange forecast` shows what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Path -> (blob before, blob after); empty where there is none.
Changes = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Collision:
    """Branches that do not merge: one with its base, or two with each other."""

    #: One task, whose branch does not merge into the base; or two, of which the second to be merged would not.
    tasks: tuple[str, ...]
    #: The base they are for.
    base: str
    #: Files in conflict, relative to the repository.
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What trial merges of many branches gave."""

    #: The tasks whose branches have something to merge -> the commit that was tried.
    tried: Mapping[str, str]
    collisions: tuple[Collision, ...]
    #: The tasks of merges that could not be tried: one with its base, or two.
    unknown: tuple[tuple[str, ...], ...] = ()

    @property
    def clear(self) -> tuple[str, ...]:
        """The tasks whose branches are known to conflict with nothing."""
        troubled = {task for collision in self.collisions for task in collision.tasks}
        troubled.update(task for tasks in self.unknown for task in tasks)
        return tuple(task for task in self.tried if task not in troubled)


def pairs(touched: Mapping[str, Changes | None]) -> Iterator[tuple[str, str]]:
    """Yield the pairs, in the order of `touched`, that can meet; None stands for a branch that may touch anything."""
    met = _meetings({name: changes for name, changes in touched.items() if changes is not None})
    names = list(touched)
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            if touched[first] is None or touched[second] is None or second in met[first]:
                yield first, second


def _meetings(touched: Mapping[str, Changes]) -> dict[str, set[str]]:
    """Name for each branch those it can meet."""
    claiming: dict[str, list[str]] = {}
    for name, changes in touched.items():
        for path in _claims(changes):
            claiming.setdefault(path, []).append(name)
    met: dict[str, set[str]] = {name: set() for name in touched}
    for name, changes in touched.items():
        for path in _reaches(changes):
            for other in claiming.get(path, ()):
                met[name].add(other)
                met[other].add(name)
    return met


def _claims(changes: Changes) -> set[str]:
    """List what a branch touches: its paths, and the folders it takes files out of."""
    return {*changes, *(_folder(path) for path, (_, after) in changes.items() if not after)} - {""}


def _reaches(changes: Changes) -> set[str]:
    """List where a branch comes to: its paths, and every folder above a file it adds."""
    found = set(changes)
    for path, (before, _) in changes.items():
        while not before and (path := _folder(path)):
            found.add(path)
    return found


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
