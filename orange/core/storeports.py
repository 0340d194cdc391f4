"""The ports to the task files and their history: what the store promises, told without saying how.

Next in the flow: `adapters.store` and `adapters.history` keep these promises.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from orange.core.model import Board, Task


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a task's `events.jsonl`."""

    #: RFC 3339 UTC.
    at: str
    #: A name of the event vocabulary, such as `task.claimed`.
    type: str
    #: daemon, person, agent or file, with a name where there is one (`person:ada`).
    by: str
    #: JSON-able details.
    data: Mapping[str, object]


class Transaction(Protocol):
    """A locked read-modify-write over one or several tasks; all of it lands, or nothing."""

    def task(self, task_id: str) -> Task:
        """Read one task anew from its file. Raises TaskNotFound, BrokenFile."""

    def body(self, task_id: str) -> str:
        """Read a task's body anew. Raises TaskNotFound, BrokenFile."""

    def board(self) -> Board:
        """Read everything anew (only where the whole graph is needed)."""

    def children(self, task_id: str) -> tuple[Task, ...]:
        """Read the tasks whose `parent` is this one, anew."""

    def create(self, task: Task, body: str) -> Task:
        """Add a task file: inside its parent's folder, or at the top. Returns it with its path."""

    def adopt(self, text: str, folder: str | None = None) -> Task:
        """Add a task from a complete file's text as it stands. Raises BrokenFile."""

    def put(self, task: Task) -> None:
        """Change the keys that differ from the file, and only those lines; `updated_at` is kept by the store."""

    def write_section(self, task_id: str, section: str, text: str) -> None:
        """Set the text of one `## section` of the body, adding the section where it is missing."""

    def text(self, path: str) -> str | None:
        """Read a file beside the tasks anew, such as a plan; None where there is none. Raises BrokenFile."""

    def write(self, path: str, text: str) -> None:
        """Write a file beside the tasks whole. Raises SecretRefused."""

    def remove(self, task_id: str) -> None:
        """Delete a task's files; nested tasks move up. History keeps them."""

    def move(self, task_id: str, folder: str) -> None:
        """Move a task's two files under another folder (archive)."""

    def event(self, task_id: str, event: Event) -> None:
        """Append a line to the task's audit trail."""


class TaskStore(Protocol):
    """The task files under `.orange/tasks` and `.orange/archive`."""

    def read(self) -> Board:
        """Every task as it is now. Never raises for bad files: they are problems on the board.

        A hand-edited file's protected keys carry their last accepted values, with a problem naming the command.
        """

    def look(self, paths: Collection[str]) -> Board:
        """The board after a look at these files (relative paths) and at what orange itself wrote since.

        Whatever else changed is seen by the next `read`.
        """

    def body(self, task_id: str) -> str:
        """A task's body. Raises TaskNotFound, BrokenFile."""

    def text(self, path: str) -> str:
        """The text of a file under `.orange`, by relative path. Raises TaskNotFound."""

    def names(self, folder: str) -> Sequence[str]:
        """List the names of the files in a folder under `.orange` that holds no tasks, sorted."""

    def events(self, task_id: str) -> Sequence[Event]:
        """A task's audit trail, oldest first; lines that cannot be read are skipped. Raises TaskNotFound."""

    def transaction(self, message: str) -> AbstractContextManager[Transaction]:
        """Take the project lock, finish any open journal entry, and apply what the block did as one entry.

        An exception in the block applies nothing. `message` is the line for the history.
        Raises StorageFailed when the disk refuses (nothing changed), StaleWrite when a file changed in the last
        instant in a way that cannot be merged.
        """

    def hand_edits(self) -> tuple[str, ...]:
        """Ids of tasks with acceptable hand edits not yet in history, as of the last `read` (reads if there was none).

        A hand-deleted task is among them once two looks half a second apart found it gone.
        """

    def record(self, message: str | None = None, *, look: bool = True) -> str | None:
        """Commit every accepted change not yet in history; returns the commit, or None when there was nothing.

        `look=False` takes hand edits as of the last `read`, for a caller that has just read. Raises GitFailed; then
        nothing is forgotten.
        """

    def unrecorded(self) -> int:
        """How many own writes wait to be recorded."""


class History(Protocol):
    """The orphan branch `orange-tasks`, written by compare-and-swap, never through a checkout or an index."""

    def tip(self) -> str | None:
        """The branch's commit, or None before the first. Raises GitFailed."""

    def blobs(self) -> Mapping[str, str]:
        """Path -> blob id of the tip's tree. Raises GitFailed."""

    def read(self, blob: str) -> bytes:
        """A blob's bytes. Raises GitFailed."""

    def commit(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """Commit changed paths (None deletes) on top of the tip; retries when the tip moved. Raises GitFailed."""
