"""Items become tasks: keys become ids, what is here already is left alone, and every edge that cannot stand is said.

Next in the flow: `project.importing` writes the tasks; `report` counts what became of every item.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice

from orange.core import names
from orange.core.imports import clean, edges
from orange.core.imports.item import ImportRefused, Item, Note, Reading
from orange.core.lifecycle import CLOSED, Status
from orange.core.model import Board, Task
from orange.core.redact import SHAPES

#: Bytes of a body; a task file holds no more than 1 MiB with its frontmatter.
_LARGEST_BODY = 900_000


class Outcome(StrEnum):
    """What became of an item."""

    CREATED = "created"
    #: It was imported before, and is left as it is.
    EXISTING = "existing"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Home:
    """What an import has to know of the project it goes into."""

    board: Board
    #: The status of new tasks.
    status: Status
    #: The types that have a pipeline.
    types: Collection[str]
    #: RFC 3339 UTC.
    now: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one item."""

    item: Item
    outcome: Outcome
    #: The id of the task; None where there is none.
    task: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An import that may be written: the tasks in an order in which parents come first."""

    tasks: tuple[tuple[Task, str], ...]
    fates: tuple[Fate, ...]
    warnings: tuple[Note, ...]
    #: Parents that were there already, with their new children.
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def resolve(reading: Reading, tool: str, home: Home, ids: Iterator[str]) -> Resolved:
    """Make the tasks of a reading. Raises ImportRefused for what no task file may hold."""
    return _Resolver(reading, tool, home, ids).run()


def _free(ids: Iterator[str], board: Board) -> Iterator[str]:
    """Give ids that no task has, each once."""
    given: set[str] = set()
    for one in ids:
        if one not in board.tasks and one not in board.frozen and one not in given:
            given.add(one)
            yield one


class _Resolver:
    """The tables of one import, by id; filled step by step."""

    def __init__(self, reading: Reading, tool: str, home: Home, ids: Iterator[str]) -> None:
        self.reading, self.tool, self.home = reading, tool, home
        #: In order: among tasks of one age and priority the id decides, and so the source's order holds.
        self.ids = iter(sorted(islice(_free(ids, home.board), len(reading.items))))
        self.known = {
            task.source.get("reference", ""): task.id
            for task in home.board.tasks.values()
            if task.source.get("format") == tool
        }
        #: The first task of each key, there before or new.
        self.by_key = dict(self.known)
        self.refs = {task.ref for task in home.board.tasks.values() if task.ref}
        self.fates: list[Fate] = []
        #: New tasks and their items, by id.
        self.items: dict[str, Item] = {}
        self.drafts: dict[str, Task] = {}
        self.blockers: edges.Edges = {}
        self.parents: dict[str, str] = {}
        self.warnings = list(reading.warnings)

    def run(self) -> Resolved:
        for item in self.reading.items:
            self._place(item)
        for task_id, item in self.items.items():
            self._link(task_id, item)
        children = self._families()
        self._open_circles(children)
        for task_id in self.items:
            self._settle(task_id, children)
        self._hand_down(children)
        families = {parent: tuple(kids) for parent, kids in children.items() if parent not in self.drafts}
        return Resolved(tuple(self._ordered(children)), tuple(self.fates), tuple(self.warnings), families)

    def _warn(self, item: Item, message: str) -> None:
        self.warnings.append(Note(item.key, message))

    # -- which items become tasks

    def _place(self, item: Item) -> None:
        board, wished = self.home.board, item.draft.id
        there = wished if wished in board.tasks else self.known.get(item.key)
        reason = item.skip or self._unfit(item, wished)
        if there:
            self.fates.append(Fate(item, Outcome.EXISTING, there, "it is here already and is left as it is"))
            self.by_key.setdefault(item.key, there)
            held = board.tasks[there].title
            if item.draft.title and item.draft.title != held:
                self._warn(item, f"it is here as {there} with the title {held!r}, which is left as it is")
        elif reason:
            self.fates.append(Fate(item, Outcome.SKIPPED, None, reason))
        else:
            self._new(item, wished)

    def _unfit(self, item: Item, wished: str) -> str | None:
        if wished in self.home.board.frozen:
            return f"the file of {wished} cannot be read at present: see `orange status`"
        size = len(item.body.encode())
        if size > _LARGEST_BODY:
            return f"its text has {size} bytes, more than a task file may hold ({_LARGEST_BODY})"
        return None

    def _new(self, item: Item, wished: str) -> None:
        line = SHAPES.line_of_first(f"{item.draft.title}\n{item.body}\n{item.draft.extra}".encode())
        if line is not None:
            raise ImportRefused(item.where, "what looks like a token or a password stands in it: take it out")
        if item.key in self.by_key:
            self._warn(item, f"there is another {item.key}: both are kept, and what waits for it waits for the first")
        for note in item.notes:
            self._warn(item, note)
        free = names.is_id(wished) and wished not in self.drafts
        task_id = wished if free else next(one for one in self.ids if one not in self.drafts)
        self.by_key.setdefault(item.key, task_id)
        self.items[task_id] = item
        self.drafts[task_id] = self._draft(item, task_id)
        self.fates.append(Fate(item, Outcome.CREATED, task_id))

    def _draft(self, item: Item, task_id: str) -> Task:
        draft = item.draft
        lost: dict[str, object] = {}
        if draft.ref and draft.ref in self.refs:
            if self.by_key[item.key] == task_id:  # else it was said already that there are two
                self._warn(item, f"the ref {draft.ref} is taken by another task: it is kept under x-{self.tool}")
            lost["ref"], draft = draft.ref, replace(draft, ref=None)
        elif draft.ref:
            self.refs.add(draft.ref)
        if draft.type not in self.home.types:
            self._warn(item, f"the type {draft.type} has no pipeline here: it is a task, and the type is kept")
            lost["type"], draft = draft.type, replace(draft, type="task")
        return replace(
            self._kept(draft, lost),
            id=task_id,
            name=draft.name or names.slug(draft.title),
            status=self.home.status if item.open else draft.status,
            stuck=draft.stuck and replace(draft.stuck, since=draft.stuck.since or self.home.now),
        )

    def _kept(self, draft: Task, lost: Mapping[str, object]) -> Task:
        """Add values to those that are kept without a place."""
        if not lost:
            return draft
        key = f"x-{self.tool}"
        there = draft.extra.get(key, {})
        held = dict(there) if isinstance(there, Mapping) else {"kept": there}
        for name, value in lost.items():
            before = held.get(name)
            held[name] = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value
        return replace(draft, extra={**draft.extra, key: held})

    # -- edges

    def _link(self, task_id: str, item: Item) -> None:
        wanted = {key: self._found(key) for key in item.blockers}
        lost = [key for key, found in wanted.items() if found is None]
        if lost:
            self._warn(item, f"it waits for {', '.join(lost)}, which is not there: the edge is kept as a note only")
            self.drafts[task_id] = self._kept(
                self.drafts[task_id], {"missing_blockers": [clean.line(key) for key in lost]}
            )
        self.blockers[task_id] = list(dict.fromkeys(found for found in wanted.values() if found))
        parent = self._found(item.parent) if item.parent else None
        if parent:
            self.parents[task_id] = parent
        elif item.parent:
            self._warn(item, f"its parent {item.parent} is not there: it has none")
            self.drafts[task_id] = self._kept(self.drafts[task_id], {"missing_parent": item.parent})

    def _found(self, key: str) -> str | None:
        found = self.by_key.get(key)
        return found or (key if key in self.home.board.tasks else None)

    def _families(self) -> dict[str, list[str]]:
        for cut in edges.loops(self.parents):
            self._warn(
                self.items[cut], f"it is above itself: its parent {self._name(self.parents.pop(cut))} is left out"
            )
        children: dict[str, list[str]] = {}
        for child, parent in self.parents.items():
            children.setdefault(parent, []).append(child)
        for parent, kids in children.items():
            listed = self.items[parent].draft.children if parent in self.items else ()
            places = {key: place for place, key in enumerate(listed)}
            kids.sort(key=lambda kid: places.get(self.items[kid].key, len(places)))
        return children

    def _open_circles(self, children: Mapping[str, list[str]]) -> None:
        everyone, families = self._graph(children)
        for node, blocker in edges.opened(everyone, families, lambda node, _: node in self.items):
            self.blockers[node].remove(blocker)
            self._warn(self.items[node], f"it and {self._name(blocker)} wait for each other: that edge is left out")
            self.drafts[node] = self._kept(self.drafts[node], {"left_out_blockers": [self._name(blocker)]})

    def _graph(self, children: Mapping[str, list[str]]) -> tuple[edges.Edges, dict[str, list[str]]]:
        """Gather the edges of the tasks that are there and of the new ones."""
        families = {parent: list(kids) for parent, kids in children.items()}
        everyone = {task_id: list(found) for task_id, found in self.blockers.items()}
        for task in self.home.board.tasks.values():
            everyone[task.id] = list(task.blocked_by)
            if task.parent:
                families.setdefault(task.parent, []).append(task.id)
        return everyone, families

    def _name(self, task_id: str) -> str:
        return self.items[task_id].key if task_id in self.items else task_id

    # -- parents

    def _settle(self, task_id: str, children: Mapping[str, list[str]]) -> None:
        """Hand an open parent to its children, as long as one of them is open."""
        task, item = self.drafts[task_id], self.items[task_id]
        kids = children.get(task_id, [])
        has_open = any(self.drafts[kid].status not in CLOSED for kid in kids)
        if item.open and has_open:
            task = replace(task, status=Status.DELEGATED)
        elif task.status is Status.DELEGATED and not kids:
            self._warn(item, "it was delegated and has no children here: it starts anew")
            task = replace(task, status=Status.PENDING)
        parent = self.parents.get(task_id)
        self.drafts[task_id] = replace(
            task, blocked_by=tuple(self.blockers[task_id]), parent=parent, children=tuple(kids)
        )

    def _hand_down(self, children: Mapping[str, list[str]]) -> None:
        """Let the children of a delegated parent wait for what it waits for: nobody else would."""
        added: set[tuple[str, str]] = set()
        for task_id in self._downwards(children):
            waits = self.blockers[task_id] if self._handed(task_id) else []
            for kid in children.get(task_id, ()) if waits else ():
                new = [one for one in waits if one not in self.blockers[kid] and one != kid]
                self.blockers[kid] += new
                added |= {(kid, one) for one in new}
        if added:
            everyone, families = self._graph(children)
            for node, blocker in edges.opened(everyone, families, lambda node, blocker: (node, blocker) in added):
                self.blockers[node].remove(blocker)
        for kid in {kid for kid, _ in added}:
            self.drafts[kid] = replace(self.drafts[kid], blocked_by=tuple(self.blockers[kid]))

    def _handed(self, task_id: str) -> bool:
        return self.items[task_id].open and self.drafts[task_id].status is Status.DELEGATED

    def _downwards(self, children: Mapping[str, list[str]]) -> list[str]:
        found = [task_id for task_id in self.items if self.parents.get(task_id) not in self.items]
        for task_id in found:  # grows while it is walked
            found.extend(children.get(task_id, ()))
        return found

    def _ordered(self, children: Mapping[str, list[str]]) -> Iterator[tuple[Task, str]]:
        for task_id in self._downwards(children):
            yield self.drafts[task_id], self.items[task_id].body
