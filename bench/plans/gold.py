"""The gold: what a reader takes for the tasks, parents and order of a document. `README.md` has its rules.

Next in the flow: `score` compares a plan with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: The one in C, where it is there: ten times as fast, and as safe.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HERE = Path(__file__).parent
#: Named in `under` for a task that stands below no other.
TOP = 0


@dataclass(frozen=True, slots=True)
class GoldTask:
    """One task of a document."""

    #: The line it begins in; it is called by this in the gold.
    line: int
    #: Its title, or the line as it stands in the document.
    title: str
    #: Other lines that say the same task again.
    also: tuple[int, ...] = ()
    #: The tasks that may be its parent; None where readers may differ.
    under: frozenset[int] | None = frozenset({TOP})

    @property
    def lines(self) -> tuple[int, ...]:
        """Every line that tells it."""
        return (self.line, *self.also)


@dataclass(frozen=True, slots=True)
class GoldEdge:
    """One task after another, as the document says in words."""

    task: int
    after: int
    #: Where it says so, and the words.
    line: int
    said: str


@dataclass(frozen=True, slots=True)
class Gold:
    """What a reader takes a document for."""

    tasks: tuple[GoldTask, ...]
    edges: tuple[GoldEdge, ...] = ()
    #: Lines that one reader takes for a task and another does not: neither counted as found nor as missed.
    either: frozenset[int] = frozenset()
    #: The same for edges, as (task, after); 0 stands for any task.
    either_edges: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """A document of the bench with its gold."""

    name: str
    #: `tuning` or `held out`.
    half: str
    gold: Gold
    #: The document itself; None where it is not on this machine.
    text: str | None
    #: As which file it is decomposed: its own name says something too.
    file_name: str = "document.md"


def retold() -> Iterator[Case]:
    """Yield the documents that the bench carries."""
    for file in sorted((HERE / "documents").glob("*.yaml")):
        yield _case(file, file.parent)


def originals(folder: Path) -> Iterator[Case]:
    """Yield the public documents themselves, as far as they lie in a folder."""
    for file in sorted((HERE / "gold").glob("*.yaml")):
        yield _case(file, folder)


def _case(file: Path, folder: Path) -> Case:
    value = yaml.load(file.read_text(encoding="utf-8"), _LOADER)
    document = folder / value["document"]
    text = document.read_text(encoding="utf-8") if document.is_file() else None
    file_name = value.get("source", {}).get("path", value["document"]).rsplit("/", 1)[-1]
    return Case(value["document"], value["half"], gold_of(value, text or ""), text, file_name)


def gold_of(value: dict[str, Any], text: str) -> Gold:
    """Make the gold of what its file says of a text. Raises ValueError for a line that is no task."""
    lines = ["", *text.splitlines()]
    tasks = tuple(_task(one, lines) for one in value["tasks"])
    edges = tuple(_edge(one, lines) for one in value.get("edges", ()))
    parents = {line for task in tasks for line in task.under or ()}
    _check([TOP, *(task.line for task in tasks)], [*parents, *(line for e in edges for line in (e.task, e.after))])
    either = frozenset(value.get("either", ()))
    return Gold(tasks, edges, either, frozenset((task, after) for task, after in value.get("either_edges", ())))


def _task(one: dict[str, Any], lines: list[str]) -> GoldTask:
    under = one.get("under", TOP)
    allowed = None if under == "any" else frozenset([under] if isinstance(under, int) else under)
    title = one.get("title") or "".join(lines[one["line"] : one["line"] + 1])
    return GoldTask(one["line"], title.strip(), tuple(one.get("also", ())), allowed)


def _edge(one: dict[str, Any], lines: list[str]) -> GoldEdge:
    said = one.get("said") or "".join(lines[one["line"] : one["line"] + 1])
    return GoldEdge(one["task"], one["after"], one["line"], said.strip())


def _check(known: Iterable[int], named: Iterable[int]) -> None:
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise ValueError(f"the gold names lines that are none of its tasks: {unknown}")
