"""Relates the files as read to what is accepted: the tasks in force, the problems, and the hand edits.

Almost every file is plain: its content is the accepted one, and its row is the task. The others are odd, and looked at
anew each time.

Next in the flow: `shelf` keeps a view up to date and makes boards of it.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from functools import partial
from weakref import ref

from orange.adapters.store.accepted import Accepted
from orange.adapters.store.index import Row
from orange.adapters.store.odd import Edit, Examiner, Odd
from orange.adapters.store.rows import build
from orange.adapters.store.scan import Memory
from orange.core.model import Board, Task
from orange.core.problems import OrangeError, Problem

#: A task in force: its row and the path of its file.
_InForce = tuple[Row, str]


def _nothing() -> None:
    """Refer to no board before."""


class Tasks(Mapping[str, Task]):
    """The tasks of a board, by id; each is made of its row when it is first asked for."""

    def __init__(self, in_force: dict[str, _InForce], made: dict[str, tuple[_InForce, Task]]) -> None:
        self._in_force, self._made = in_force, made
        self._all: dict[str, Task] | None = None
        self._before: Callable[[], Tasks | None] = _nothing
        self._changed = frozenset[str]()

    def items(self) -> ItemsView[str, Task]:
        """Every task by id, all made at once."""
        return self._whole().items()

    def values(self) -> ValuesView[Task]:
        """Every task."""
        return self._whole().values()

    def keys(self) -> KeysView[str]:
        """Every id."""
        return self._in_force.keys()

    def _whole(self) -> dict[str, Task]:
        if self._all is None:
            self._all = {task_id: self[task_id] for task_id in self._in_force}
        return self._all

    def begin_with(self, before: Tasks, changed: Iterable[str]) -> None:
        """Take over what a board before this one had made, but for the tasks that changed since."""
        if before._all is not None:
            whole = dict(before._all)
            for task_id in changed:
                if task_id in self._in_force:
                    whole[task_id] = self[task_id]
                else:
                    whole.pop(task_id, None)
            self._all = whole
        self._before, self._changed = ref(before), frozenset(changed)

    def changed_since(self, before: object) -> frozenset[str] | None:
        """Name the tasks that may differ from those of the board before; None for any other."""
        return self._changed if before is not None and self._before() is before else None

    def __getitem__(self, task_id: str) -> Task:
        entry = self._in_force[task_id]
        known = self._made.get(task_id)
        if known is not None and known[0] is entry:
            return known[1]
        task = build(*entry)
        self._made[task_id] = (entry, task)
        return task

    def __iter__(self) -> Iterator[str]:
        return iter(self._in_force)

    def __len__(self) -> int:
        return len(self._in_force)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._in_force


class View:
    """What the files say together."""

    def __init__(self, tree: str, memory: Memory, accepted: Accepted, now: Callable[[], float]) -> None:
        self._memory, self._accepted = memory, accepted
        self.examiner = Examiner(tree, memory, accepted, now)
        self.odd: dict[str, Odd] = {}
        self.in_force: dict[str, _InForce] = {}
        #: Paths that say they are a task, by id.
        self.claimants: dict[str, tuple[str, ...]] = {}
        self._ids: dict[str, str] = {}
        self._disputed: set[str] = set()
        self._made: dict[str, tuple[_InForce, Task]] = {}
        #: The tasks of the last board, and the ids of those that may have changed since.
        self._last = Tasks({}, {})
        self._changed: set[str] = set()

    def update(self, paths: Iterable[str]) -> None:
        """Take in that these paths' files or accepted contents may have changed; odd ones are always looked at."""
        due = {*paths, *self.odd}
        touched = {self._withdraw(path) for path in due if path in self._ids or path in self.odd}
        present = due & self._memory.files.keys()
        missing = sorted(due - present)
        absent = {task_id: path for path in missing if (task_id := self._id_at(path))}
        here, gone = (
            partial(self.examiner.present, absent=absent),
            partial(self.examiner.gone, claimants=self.claimants),
        )
        for path in sorted(present):
            touched.add(self._offer(path, self._examined(path, here)))
        for path in missing:
            touched.add(self._offer(path, self._examined(path, gone)))
        touched.discard(None)
        for task_id in touched:
            self._settle(task_id or "")

    def _id_at(self, path: str) -> str | None:
        try:
            return self.examiner.id_at(path)
        except OrangeError:
            return None  # looking at it says what is wrong

    def _examined(self, path: str, examine: Callable[[str], Odd | None]) -> Odd | None:
        """Look at a path; what cannot be had from git, or cannot be written, is that file's problem alone."""
        try:
            return examine(path)
        except OrangeError as error:
            held = self._memory.files.get(path)
            row = held.row if held else None
            return Odd(row[0] if row else None, None, (Problem(path, 0, error.message),), frozen=True)

    def _withdraw(self, path: str) -> str | None:
        self.odd.pop(path, None)
        task_id = self._ids.pop(path, None)
        if task_id is not None:
            left = tuple(other for other in self.claimants.pop(task_id, ()) if other != path)
            if left:
                self.claimants[task_id] = left
        return task_id

    def _offer(self, path: str, odd: Odd | None) -> str | None:
        """Enter a path: an odd one, or a plain one (None) with its file's own row."""
        if odd is not None:
            self.odd[path] = odd
            if odd.id is None:
                return None
        file = self._memory.files.get(path)
        task_id: str | None = odd.id if odd else file.row[0] if file and file.row else None
        if task_id is not None and (odd is None or odd.row is not None or odd.frozen):
            self._ids[path] = task_id
            self.claimants[task_id] = (*self.claimants.get(task_id, ()), path)
        return task_id

    def _settle(self, task_id: str) -> None:
        """Find the task in force of an id, now that all who claim it are known."""
        self._changed.add(task_id)
        paths = self.claimants.get(task_id, ())
        (self._disputed.add if len(paths) > 1 else self._disputed.discard)(task_id)
        row = self._row(paths[0]) if len(paths) == 1 else None
        if row is None:
            self.in_force.pop(task_id, None)
            self._made.pop(task_id, None)
        else:
            entry = (row, paths[0])
            if self.in_force.get(task_id) != entry:
                self.in_force[task_id] = entry

    def _row(self, path: str) -> Row | None:
        odd = self.odd.get(path)
        return odd.row if odd else self._memory.files[path].row

    def board(self, extra: Iterable[Problem] = ()) -> Board:
        """Make the board as of now."""
        problems = [*extra, *self._duplicates(), *self._memory.unknown.values(), *self._memory.linked.values()]
        problems += [
            problem
            for root, problem in self._memory.uprooted.items()
            if any(path.startswith(f"{root}/") for path in self.odd)
        ]
        problems += [problem for odd in self.odd.values() for problem in odd.problems]
        frozen = {odd.id for odd in self.odd.values() if odd.frozen and odd.id} | self._disputed | self._unsure()
        tasks = Tasks(dict(self.in_force), self._made)
        tasks.begin_with(self._last, self._changed)
        self._last, self._changed = tasks, set()
        return Board(tasks, tuple(sorted(problems)), frozenset(frozen))

    def _unsure(self) -> set[str]:
        """The tasks below folders that could not be looked into."""
        where = tuple(f"{folder}/" for folder in self._memory.unknown)
        return {task_id for task_id, (_, path) in self.in_force.items() if path.startswith(where)} if where else set()

    def _duplicates(self) -> Iterator[Problem]:
        for task_id in self._disputed:
            paths = sorted(self.claimants[task_id])
            for path in paths:
                others = ", ".join(other for other in paths if other != path)
                yield Problem(path, 1, f"the id {task_id} is also in {others}", "give the copy an id of its own")

    def edits(self) -> dict[str, Edit]:
        """List the hand edits that may be accepted, by task id; one that is in dispute is not."""
        found = {odd.id: odd.edit for odd in self.odd.values() if odd.edit is not None and odd.id is not None}
        return {task_id: edit for task_id, edit in found.items() if task_id not in self._disputed}

    def problem_of(self, task_id: str) -> Problem | None:
        """Give the problem that freezes a task."""
        for problem in self._duplicates():
            if problem.path in self.claimants.get(task_id, ()):
                return problem
        frozen = (odd for odd in self.odd.values() if odd.id == task_id and odd.frozen)
        return next((problem for odd in frozen for problem in odd.problems), None)
