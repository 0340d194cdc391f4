"""A locked read-modify-write over tasks: what the block did becomes one journal entry at its end, or nothing.

Next in the flow: the journal publishes and applies the entry.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from orange.adapters.journal import Kind, Op
from orange.adapters.store import draft
from orange.adapters.store.draft import Draft
from orange.adapters.store.events import EVENTS, line_of
from orange.adapters.store.leaving import Leaving
from orange.adapters.store.scan import NAME, ROOTS, read_plain, uprooted
from orange.adapters.store.shelf import Shelf
from orange.adapters.store.takeup import TakeUp
from orange.core.layout import Layout
from orange.core.model import Board, Task
from orange.core.plaintext import SecretRefused
from orange.core.ports import Clock
from orange.core.problems import BrokenFile, InvalidInput, Problem, StaleWrite, TaskNotFound
from orange.core.redact import SHAPES, Secrets
from orange.core.storeports import Event
from orange.core.times import stamp

#: Bytes of an absolute path beyond which a child is not made inside its parent's folder: folders are only for people.
_DEEPEST = 3000
#: Bytes of a file beside the tasks.
_LARGEST = 16 << 20


class FileTransaction:
    """Satisfies `ports.Transaction`. Lives under the project lock."""

    def __init__(self, layout: Layout, shelf: Shelf, clock: Clock, take_up: TakeUp, secrets: Secrets = SHAPES) -> None:
        self._layout, self._shelf, self._clock, self._take_up = layout, shelf, clock, take_up
        self._secrets = secrets
        self._drafts: dict[str, Draft] = {}
        self._events: dict[str, list[bytes]] = {}
        #: Where tasks are moved to.
        self._folders: dict[str, str] = {}
        #: Paths of the removed tasks.
        self._gone: dict[str, str] = {}
        self._saw_all = False
        #: Files beside the tasks: what they held, and what they are to hold.
        self._beside: dict[str, tuple[bytes | None, bytes | None]] = {}

    # --- reading

    def task(self, task_id: str) -> Task:
        """Read one task anew from its file. Raises TaskNotFound, BrokenFile."""
        return self._draft(task_id).task

    def body(self, task_id: str) -> str:
        """Read a task's body anew. Raises TaskNotFound, BrokenFile."""
        return self._draft(task_id).body

    def board(self) -> Board:
        """Read everything anew, with what this transaction has done so far."""
        board = self._shelf.board()
        self._saw_all = True
        mine = {task_id: held.task for task_id, held in self._drafts.items()}
        tasks: Mapping[str, Task] = ChainMap(mine, board.tasks) if mine else board.tasks  # type: ignore[arg-type] # never written
        if self._gone:
            tasks = {task_id: task for task_id, task in tasks.items() if task_id not in self._gone}
        return Board(tasks, board.problems, board.frozen)

    def children(self, task_id: str) -> tuple[Task, ...]:
        """Read the tasks whose `parent` is this one, anew."""
        found = (task for task in self.board().tasks.values() if task.parent == task_id)
        return tuple(sorted(found, key=lambda task: (task.created_at, task.id)))

    def _draft(self, task_id: str) -> Draft:
        if task_id in self._gone:
            raise TaskNotFound(task_id)
        if task_id not in self._drafts:
            self._drafts[task_id] = self._take_up.open(task_id)
        return self._drafts[task_id]

    # --- writing

    def create(self, task: Task, body: str) -> Task:
        """Add a task file: inside its parent's folder, or at the top. Returns it with its path.

        Raises InvalidInput when the id is taken, TaskNotFound for a missing parent.
        """
        self._refuse_secrets("the body", body)
        self._refuse_secrets("the title", task.title)
        now = self._now()
        task = replace(task, created_at=task.created_at or now, updated_at=task.updated_at or now)
        new = draft.created(f"{self._home(task)}/{task.slug}/{NAME}", task, body)
        _refuse_tokens(new)
        return self._add(new)

    def adopt(self, text: str, folder: str | None = None) -> Task:
        """Add a task from a complete file's text as it stands. Raises BrokenFile, InvalidInput."""
        self._refuse_secrets("the file", text)
        data = text.encode("utf-8", "surrogateescape")
        slug = draft.understood(data, NAME).task.slug
        return self._add(draft.adopted(f"{_checked(folder or ROOTS[0])}/{slug}/{NAME}", data))

    def _add(self, new: Draft) -> Task:
        task_id = new.task.id
        if task_id in self._drafts or self._shelf.paths_of(task_id):
            raise InvalidInput("id", f"{task_id} is taken")
        self._check_root(new.path.partition("/")[0])
        self._drafts[task_id] = new
        return new.task

    def _check_root(self, root: str) -> None:
        """Refuse to make a folder of tasks anew whose tasks are gone with it: that would say they were meant to go."""
        gone = not os.path.isdir(f"{self._layout.tree}/{root}")
        if gone and any(path.startswith(f"{root}/") for path in self._shelf.accepted.paths()):
            raise BrokenFile(uprooted(root))

    def _home(self, task: Task) -> str:
        """The folder a new task's folder is made in."""
        if task.parent is None:
            return ROOTS[0]
        folder = os.path.dirname(self._draft(task.parent).path)
        deep = len(os.fsencode(f"{self._layout.tree}/{folder}")) > _DEEPEST
        return ROOTS[0] if deep or not folder.startswith(f"{ROOTS[0]}/") else folder

    def put(self, task: Task) -> None:
        """Change the keys that differ from the file, and only those lines; `updated_at` is kept by the store.

        Raises StaleWrite for a task that was not read in this transaction, or whose epoch is over; SecretRefused.
        """
        if task.id not in self._drafts and not self._saw_all:
            raise StaleWrite(task.id, "it was not read again under the lock")
        held = self._draft(task.id)
        if task.title != held.task.title:
            self._refuse_secrets("the title", task.title)
        had_one = SHAPES.line_of_first(held.accepted) is not None
        held.put(self._told_without_secrets(task), self._now())
        if not had_one:
            _refuse_tokens(held)

    def write_section(self, task_id: str, section: str, text: str) -> None:
        """Set the text of one `## section` of the body, adding the section where it is missing.

        Raises SecretRefused.
        """
        self._refuse_secrets(f"the section {section}", text)
        self._draft(task_id).write_section(section, text, self._now())

    def event(self, task_id: str, event: Event) -> None:
        """Append a line to the task's audit trail."""
        self._draft(task_id)
        self._events.setdefault(task_id, []).append(line_of(event, self._secrets))

    def _refuse_secrets(self, where: str, text: str) -> None:
        line = self._secrets.line_of_first(text.encode("utf-8", "surrogatepass"))
        if line is not None:
            raise SecretRefused(where, line)

    def _told_without_secrets(self, task: Task) -> Task:
        """Mask what programs said: why a task is stuck, and what is asked of it."""
        mask = self._secrets.mask
        if stuck := task.stuck:
            evidence = stuck.evidence and mask(stuck.evidence)
            task = replace(task, stuck=replace(stuck, message=mask(stuck.message), evidence=evidence))
        if request := task.request:
            task = replace(task, request=replace(request, message=mask(request.message)))
        return task

    def remove(self, task_id: str) -> None:
        """Delete a task's files; nested tasks move up. History keeps them."""
        held = self._draft(task_id)
        del self._drafts[task_id]
        self._events.pop(task_id, None)
        if held.base is not None:
            self._gone[task_id] = held.path

    def move(self, task_id: str, folder: str) -> None:
        """Move a task's two files under another folder (archive)."""
        self._draft(task_id)
        self._folders[task_id] = _checked(folder)

    # --- files beside the tasks

    def text(self, path: str) -> str | None:
        """Read a file beside the tasks anew; None where there is none. Raises BrokenFile."""
        if path not in self._beside:
            self._beside[path] = (_read_beside(f"{self._layout.tree}/{path}", path), None)
        was, written = self._beside[path]
        data = was if written is None else written
        return None if data is None else _decoded(data, path)

    def write(self, path: str, text: str) -> None:
        """Write a file beside the tasks whole. Raises SecretRefused."""
        self._refuse_secrets(path, text)
        self.text(path)
        self._beside[path] = (self._beside[path][0], text.encode("utf-8", "surrogateescape"))

    # --- what comes of it

    def ops(self) -> tuple[Op, ...]:
        """List the operations of the journal entry: writes, then audit lines, then what leaves its place."""
        changed = [held.op() for held in self._drafts.values() if held.changed]
        beside = [
            Op(Kind.WRITE, path, data, base=was)
            for path, (was, data) in self._beside.items()
            if data is not None and data != was
        ]
        return (*changed, *self._appends(), *self._leaves(), *beside)

    def _appends(self) -> Iterator[Op]:
        for task_id, lines in self._events.items():
            path = f"{os.path.dirname(self._drafts[task_id].path)}/{EVENTS}"
            size, whole = self._end_of(path)
            yield Op(Kind.APPEND, path, (b"" if whole else b"\n") + b"".join(lines), offset=size)

    def _end_of(self, path: str) -> tuple[int, bool]:
        """The size of a trail, and whether its last line is whole."""
        try:
            with open(f"{self._layout.tree}/{path}", "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                return size, file.read() in {b"", b"\n"}
        except FileNotFoundError:
            return 0, True

    def _leaves(self) -> Iterator[Op]:
        if not self._gone and not self._folders:
            return
        leaving = Leaving(self._layout.tree, self._shelf.accepted, self._shelf.recorded_files() if self._gone else ())
        for task_id, folder in self._folders.items():
            if task_id in self._drafts:
                yield from leaving.moved(self._drafts[task_id].path, folder, events=task_id in self._events)
        yield from leaving.removed(self._gone.values())

    def _now(self) -> str:
        return stamp(self._clock.now())


def _checked(folder: str) -> str:
    """Refuse a folder that tasks do not live in. Raises InvalidInput."""
    parts = folder.split("/")
    if parts[0] not in ROOTS or any(part in {"", ".", ".."} or part.startswith(".") for part in parts):
        raise InvalidInput("folder", f"{folder!r} is not a folder below {' or '.join(ROOTS)}")
    return folder


def _read_beside(path: str, name: str) -> bytes | None:
    try:
        data = read_plain(path, _LARGEST)[0]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenFile(Problem(name, 0, f"it cannot be read: {error.strerror}")) from error
    if len(data) > _LARGEST:
        raise BrokenFile(Problem(name, 0, f"the file is larger than {_LARGEST >> 20} MiB", "split it"))
    return data


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BrokenFile(Problem(name, line, "the file is not UTF-8 text", "save it as UTF-8")) from None


def _refuse_tokens(made: Draft) -> None:
    """Refuse a file with a token in any of its keys. Values of variables are no reason: paths and branches hold words.

    Raises SecretRefused.
    """
    line = SHAPES.line_of_first(made.accepted)
    if line is not None:
        raise SecretRefused("the task's file", line)
