"""A task store in memory: the same promises as the real one, without files, git or other processes.

Files are bytes by path, so that tests can save by hand what a person would (`files[path] = ...`), and are judged as the
real store judges them.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from orange.adapters.store import draft
from orange.adapters.store.draft import Draft
from orange.adapters.store.judge import Edited, Judgement, judge
from orange.adapters.store.odd import new_text, normal_text
from orange.core import document, names
from orange.core.document import Document
from orange.core.lifecycle import AT_REST, Facts, Status
from orange.core.model import Board, Task
from orange.core.ports import Clock
from orange.core.problems import BrokenFile, InvalidInput, Problem, StaleWrite, TaskNotFound
from orange.core.storeports import Event
from orange.core.times import stamp

_ROOTS = ("tasks", "archive")


@dataclass(slots=True)
class _State:
    """What a transaction may change, copied before it does."""

    #: The files as they are, and as they were accepted.
    files: dict[str, bytes] = field(default_factory=dict)
    accepted: dict[str, bytes] = field(default_factory=dict)
    trails: dict[str, tuple[Event, ...]] = field(default_factory=dict)

    def copy(self) -> _State:
        """Return a copy that may be changed."""
        return _State(dict(self.files), dict(self.accepted), dict(self.trails))


class FakeStore:
    """Satisfies `ports.TaskStore`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = _State()
        self._lock = threading.Lock()
        self._recorded: dict[str, bytes] = {}
        self._edits: tuple[str, ...] | None = None
        self._missing: dict[str, float] = {}
        #: The messages of transactions, and of commits.
        self.messages: list[str] = []
        self.commits: list[str] = []

    @property
    def files(self) -> dict[str, bytes]:
        """The files by path; changing one is a hand edit."""
        return self._state.files

    def read(self) -> Board:
        """Every task as it is now; bad files are problems on the board."""
        found = self._standing(self._state)
        self._edits = tuple(sorted(found.edits))
        return found.board()

    def look(self, paths: Collection[str]) -> Board:  # noqa: ARG002 - everything is at hand anyway
        """The board after a look at these files."""
        return self.read()

    def unrecorded(self) -> int:
        """How many own writes wait to be recorded."""
        return len(self.messages)

    def body(self, task_id: str) -> str:
        """A task's body. Raises TaskNotFound, BrokenFile."""
        return self._standing(self._state).open(task_id).body

    def text(self, path: str) -> str:
        """The text of a file by path. Raises TaskNotFound."""
        if path not in self._state.files:
            raise TaskNotFound(path)
        return self._state.files[path].decode("utf-8", "replace")

    def names(self, folder: str) -> tuple[str, ...]:
        """List the names of the files in a folder."""
        return tuple(sorted(path[len(folder) + 1 :] for path in self._state.files if os.path.dirname(path) == folder))

    def events(self, task_id: str) -> tuple[Event, ...]:
        """A task's audit trail, oldest first. Raises TaskNotFound, BrokenFile."""
        return self._state.trails.get(os.path.dirname(self._standing(self._state).open(task_id).path), ())

    @contextmanager
    def transaction(self, message: str) -> Iterator[FakeTransaction]:
        """Apply what the block did as one, or nothing."""
        with self._lock:
            state = self._state.copy()
            transaction = FakeTransaction(state, self._standing, self._clock)
            yield transaction
            if transaction.finish():
                self._state.files, self._state.accepted = state.files, state.accepted
                self._state.trails = state.trails
                self.messages.append(message)

    def hand_edits(self) -> tuple[str, ...]:
        """Ids of tasks with acceptable hand edits not yet recorded, as of the last `read`."""
        if self._edits is None:
            self.read()
        return self._edits or ()

    def record(self, message: str | None = None, *, look: bool = True) -> str | None:
        """Accept hand edits and note a commit; None when there was nothing."""
        if look:
            self.read()
        for path, content in self._standing(self._state).edits.values():
            if content is None:
                self._state.accepted.pop(path, None)
            else:
                self._state.files[path] = self._state.accepted[path] = content
        if self._state.accepted == self._recorded and not self.messages:
            return None
        self.commits.append(message or "; ".join(self.messages) or "Accept hand edits")
        self._recorded, self._edits = dict(self._state.accepted), ()
        self.messages.clear()
        return f"{len(self.commits):040x}"

    def _standing(self, state: _State) -> _Standing:
        standing = _Standing(state)
        for path in sorted({*state.files, *state.accepted}):
            if path.startswith(tuple(f"{root}/" for root in _ROOTS)):
                standing.look(path, self._is_gone(state, path))
        return standing

    def _is_gone(self, state: _State, path: str) -> bool:
        """Whether a missing file was missing half a second ago."""
        if path in state.files:
            self._missing.pop(path, None)
            return False
        return self._clock.now() - self._missing.setdefault(path, self._clock.now()) >= 0.5


class _Standing:
    """What the files say at one moment."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._found: dict[str, list[tuple[str, Judgement | None]]] = defaultdict(list)
        self._problems: dict[str, list[Problem]] = defaultdict(list)
        #: Acceptable hand edits by task id: the path, and the content to accept (None for a deletion).
        self.edits: dict[str, tuple[str, bytes | None]] = {}

    def look(self, path: str, gone: bool) -> None:  # noqa: FBT001 - a private walk's own flag
        """Take in one path."""
        held, data = self._state.accepted.get(path), self._state.files.get(path)
        if data is None:
            found = document.parse(held or b"", path)
            if isinstance(found, Document) and gone:
                self.edits[found.task.id] = (path, None)
            elif isinstance(found, Document):
                self._found[found.task.id].append((path, _plain(found, held or b"")))
            return
        result = _new(path, data) if held is None else judge(Edited(path, data, held), self._facts)
        if isinstance(result, Problem):
            self._broken(path, result)
            return
        self._found[result.task.id].append((path, result))
        self._problems[path] += result.problems
        if data != held and not result.refused:
            due = normal_text(result) if result.due else data
            self.edits[result.task.id] = (path, (new_text(data, result.task, 0.0) or due) if held is None else due)

    def _broken(self, path: str, problem: Problem) -> None:
        read = document.parse(self._state.files[path], path)
        name = os.path.basename(os.path.dirname(path)).rpartition("-")[2]
        task_id = read.task.id if isinstance(read, Document) else name if names.is_id(name) else path
        self._found[task_id].append((path, None))
        self._problems[path].append(problem)

    def _facts(self, task_id: str) -> Facts:
        texts = (document.parse(data, "") for data in self._state.files.values())
        children = [text.task for text in texts if isinstance(text, Document) and text.task.parent == task_id]
        done = bool(children) and all(child.status is Status.DONE for child in children)
        return Facts(children=len(children), children_done=done)

    def board(self) -> Board:
        """Make the board."""
        tasks = {
            task_id: replace(found[0][1].task, path=found[0][0])
            for task_id, found in self._found.items()
            if len(found) == 1 and found[0][1] is not None
        }
        problems = [problem for found in self._problems.values() for problem in found]
        for task_id, found in self._found.items():
            for path, _ in found if len(found) > 1 else ():
                others = ", ".join(other for other, _ in found if other != path)
                problems.append(Problem(path, 1, f"the id {task_id} is also in {others}"))
        return Board(tasks, tuple(sorted(problems)), frozenset(filter(names.is_id, self._found.keys() - tasks.keys())))

    def open(self, task_id: str) -> Draft:
        """Open a task. Raises TaskNotFound, BrokenFile."""
        found = self._found.get(task_id, [])
        path, result = found[0] if len(found) == 1 else ("", None)
        if result is not None and path in self._state.files:
            return draft.opened(path, self._state.files[path], result)
        for problem in self.board().problems:
            if problem.path in {path for path, _ in found}:
                raise BrokenFile(problem)
        raise TaskNotFound(task_id)


class FakeTransaction:
    """Satisfies `ports.Transaction`."""

    def __init__(self, state: _State, standing: Callable[[_State], _Standing], clock: Clock) -> None:
        self._state, self._look, self._clock = state, standing, clock
        self._standing = standing(state)
        self._drafts: dict[str, Draft] = {}
        self._read: set[str] = set()
        self._saw_all = self._acted = False

    def task(self, task_id: str) -> Task:
        """Read one task anew. Raises TaskNotFound, BrokenFile."""
        return self._draft(task_id).task

    def body(self, task_id: str) -> str:
        """Read a task's body anew. Raises TaskNotFound, BrokenFile."""
        return self._draft(task_id).body

    def board(self) -> Board:
        """Read everything anew."""
        self._flush()
        self._saw_all = True
        return self._standing.board()

    def children(self, task_id: str) -> tuple[Task, ...]:
        """Read the tasks whose `parent` is this one, anew."""
        found = (task for task in self.board().tasks.values() if task.parent == task_id)
        return tuple(sorted(found, key=lambda task: (task.created_at, task.id)))

    def create(self, task: Task, body: str) -> Task:
        """Add a task: inside its parent's folder, or at the top. Raises InvalidInput, TaskNotFound."""
        home = os.path.dirname(self._draft(task.parent).path) if task.parent else _ROOTS[0]
        home = home if home.startswith(f"{_ROOTS[0]}/") else _ROOTS[0]
        task = replace(task, created_at=task.created_at or self._now(), updated_at=task.updated_at or self._now())
        return self._add(draft.created(f"{home}/{task.slug}/TASK.md", task, body))

    def adopt(self, text: str, folder: str | None = None) -> Task:
        """Add a task from a complete file's text. Raises BrokenFile, InvalidInput."""
        data = text.encode("utf-8", "surrogateescape")
        slug = draft.understood(data, "TASK.md").task.slug
        return self._add(draft.adopted(f"{folder or _ROOTS[0]}/{slug}/TASK.md", data))

    def put(self, task: Task) -> None:
        """Change the keys that differ. Raises StaleWrite, InvalidInput."""
        if task.id not in self._read and not self._saw_all:
            raise StaleWrite(task.id, "it was not read again under the lock")
        self._draft(task.id).put(task, self._now())

    def write_section(self, task_id: str, section: str, text: str) -> None:
        """Set the text of one section of the body."""
        self._draft(task_id).write_section(section, text, self._now())

    def remove(self, task_id: str) -> None:
        """Delete a task; nested tasks move up."""
        path = self._draft(task_id).path
        self._flush()
        self._take_away(path)
        self._state.trails.pop(os.path.dirname(path), None)
        self._rename(f"{os.path.dirname(path)}/", f"{os.path.dirname(os.path.dirname(path))}/")

    def move(self, task_id: str, folder: str) -> None:
        """Move a task's two files under another folder."""
        path = self._draft(task_id).path
        self._flush()
        source, target = os.path.dirname(path), f"{folder}/{os.path.basename(os.path.dirname(path))}"
        for files in (self._state.files, self._state.accepted):
            if path in files:
                files[f"{target}/TASK.md"] = files.pop(path)
        if source in self._state.trails:
            self._state.trails[target] = self._state.trails.pop(source)
        self._forget()

    def event(self, task_id: str, event: Event) -> None:
        """Append a line to the task's audit trail."""
        folder = os.path.dirname(self._draft(task_id).path)
        self._state.trails[folder] = (*self._state.trails.get(folder, ()), event)
        self._acted = True

    def text(self, path: str) -> str | None:
        """Read a file beside the tasks."""
        return self._state.files[path].decode() if path in self._state.files else None

    def write(self, path: str, text: str) -> None:
        """Write a file beside the tasks."""
        self._state.files[path] = text.encode()
        self._acted = True

    def finish(self) -> bool:
        """Write everything; whether there was anything."""
        self._flush()
        return self._acted

    def _draft(self, task_id: str) -> Draft:
        if task_id not in self._drafts:
            self._drafts[task_id] = self._standing.open(task_id)
        self._read.add(task_id)
        return self._drafts[task_id]

    def _add(self, new: Draft) -> Task:
        board = self.board()
        if new.task.id in {*board.tasks, *board.frozen}:
            raise InvalidInput("id", f"{new.task.id} is taken")
        self._drafts[new.task.id] = new
        self._read.add(new.task.id)
        return new.task

    def _flush(self) -> None:
        """Write the drafts into the copied files."""
        changed = [held for held in self._drafts.values() if held.changed]
        for held in changed:
            self._state.files[held.path], self._state.accepted[held.path] = held.shown, held.accepted
        if changed:
            self._forget()

    def _forget(self) -> None:
        self._acted = True
        self._drafts.clear()
        self._standing = self._look(self._state)

    def _take_away(self, path: str) -> None:
        self._state.files.pop(path, None)
        self._state.accepted.pop(path, None)
        self._forget()

    def _rename(self, source: str, target: str) -> None:
        for held in (self._state.files, self._state.accepted):
            for path in [path for path in held if path.startswith(source)]:
                held[target + path.removeprefix(source)] = held.pop(path)
        trails: dict[str, tuple[Event, ...]] = self._state.trails
        for folder in [folder for folder in trails if folder.startswith(source)]:
            trails[target + folder.removeprefix(source)] = trails.pop(folder)
        self._forget()

    def _now(self) -> str:
        return stamp(self._clock.now())


def _plain(found: Document, data: bytes) -> Judgement:
    return Judgement(found.task, data, found.task, found.body)


def _new(path: str, data: bytes) -> Judgement | Problem:
    found = document.parse(data, path)
    if not isinstance(found, Document):
        return found
    if found.task.status not in AT_REST:
        return Problem(path, 1, f"a new task cannot begin as {found.task.status}", "set its status to pending")
    return _plain(found, data)
