"""The `Workspaces` port in memory: no disk, no git, the same promises.

Tests of what stands above workspaces use it; the same contract tests run on it and on the real adapter. `write` does an
agent's work, and the public attributes say what is to go wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from orange.core.inplace import Place
from orange.core.model import Task, Workspace
from orange.core.problems import (
    BranchUnusable,
    PortsExhausted,
    WorkspaceForeign,
    WorkspaceKept,
    WorkspaceOccupied,
    WorkspaceStepFailed,
)

_FIRST_PORT, _PORTS = 21000, 10000
_SPARES = 2


@dataclass
class _Place:
    task: str
    branch: str
    #: What an agent wrote and nobody committed, by name.
    files: dict[str, str] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()


class FakeWorkspaces:
    """Workspaces that exist only here."""

    def __init__(self, root: str = "/workspaces", size: int = 8) -> None:
        self.root = root
        self.size = size
        #: Branch -> tip.
        self.branches: dict[str, str] = {}
        #: Task id -> what was saved when its workspace was returned, oldest first.
        self.rescued: dict[str, list[dict[str, str]]] = {}
        #: Branch -> files in conflict when the base is merged into it.
        self.conflicting: dict[str, tuple[str, ...]] = {}
        #: Path -> process id of somebody working there.
        self.occupied: dict[str, int] = {}
        #: Path -> why it cannot be returned.
        self.kept: dict[str, str] = {}
        #: What `acquire` fails with, while set.
        self.failing: str | None = None
        #: What `repair` says, once.
        self.mended: list[str] = []
        #: Every call: method and path or task id.
        self.calls: list[tuple[str, str]] = []
        #: The message of every commit of leftovers asked for.
        self.messages: list[str] = []
        #: Path of a workspace for checks -> the commit it is at.
        self.commits: dict[str, str] = {}
        self._checked_out: dict[str, str] = {}
        self._places: dict[str, _Place] = {}
        self._spares = 0
        self._ports: dict[str, tuple[int, ...]] = {}
        self._commits = (f"{number:040x}" for number in itertools.count(1))

    def path_for(self, task: Task) -> str:
        """The fixed path of a task's workspace."""
        return f"{self.root}/{task.slug}"

    def acquire(self, task: Task, branch: str, start_point: str) -> Workspace:
        """Bind the task's workspace to its branch. Raises WorkspaceFailed."""
        path = self.path_for(task)
        self.calls.append(("acquire", task.id))
        if self.failing:
            raise WorkspaceStepFailed(path, "creating the worktree", self.failing)
        self._refuse(path, branch)
        existed = branch in self.branches
        self.branches.setdefault(branch, start_point)
        if path not in self._places:
            self._spares = max(0, self._spares - 1)
            self._places[path] = _Place(task.id, branch, conflicts=self.conflicting.get(branch, ()) if existed else ())
        return self._shown(path)

    def _refuse(self, path: str, branch: str) -> None:
        for other, place in self._places.items():
            if other != path and place.branch == branch:
                raise BranchUnusable(branch, f"it is checked out at {other}")
        if path in self._places and self._places[path].branch != branch:
            raise BranchUnusable(branch, f"{path} still holds {self._places[path].branch}")

    def write(self, path: str, name: str, text: str) -> None:
        """Do an agent's work: leave a file uncommitted in a workspace."""
        self._places[path].files[name] = text

    def commit_leftovers(self, path: str, message: str) -> str | None:
        """Commit what is uncommitted; returns the branch's tip. Raises WorkspaceForeign."""
        self.calls.append(("commit_leftovers", path))
        self.messages.append(message)
        place = self._places.get(path)
        if place is None:
            raise WorkspaceForeign(path, "is not a workspace of orange")
        if place.files and not place.conflicts:
            self.branches[place.branch] = next(self._commits)
            place.files.clear()
        return self.branches[place.branch]

    def release(self, path: str) -> tuple[str, ...]:
        """Save what only it holds and return it. Raises WorkspaceOccupied, WorkspaceKept."""
        self.calls.append(("release", path))
        if path not in self._places:
            return ()
        if path in self.occupied:
            raise WorkspaceOccupied(path, self.occupied[path], "agent")
        if path in self.kept:
            raise WorkspaceKept(path, self.kept[path])
        place = self._places.pop(path)
        self._ports.pop(place.task, None)
        if self._spares < self._wanted():
            self._spares += 1
        if not place.files:
            return ()
        saved = self.rescued.setdefault(place.task, [])
        saved.append(place.files)
        return (f"what no branch holds is saved as refs/orange/rescue/{place.task}/{len(saved)}",)

    def removable(self, path: str) -> tuple[bool, str]:
        """Whether it holds nothing that is not safe elsewhere, and why. Raises WorkspaceForeign."""
        place = self._places.get(path)
        if place is None:
            raise WorkspaceForeign(path, "is not a workspace of orange")
        if path in self.occupied:
            return False, f"process {self.occupied[path]} (agent) works in it"
        if place.files:
            return False, f"{len(place.files)} uncommitted ({', '.join(place.files)})"
        return True, f"everything in it is committed on {place.branch}"

    def list(self) -> tuple[Workspace, ...]:
        """Every workspace and spare."""
        return (*(self._shown(path) for path in self._places), *self._spare_list())

    def place(self, *, look: bool = True) -> Place | None:  # noqa: ARG002 - the port's
        """Nobody's work is done in the user's checkout."""
        return None

    def _shown(self, path: str) -> Workspace:
        place = self._places[path]
        return Workspace(path, place.task, place.branch, conflicts=place.conflicts)

    def _spare_list(self) -> Iterator[Workspace]:
        return (Workspace(f"{self.root}/.spare-{number}", None, None) for number in range(1, self._spares + 1))

    def refill(self) -> bool:
        """Make a spare if one is wanted; returns whether one was made."""
        self.calls.append(("refill", ""))
        if self._spares >= self._wanted():
            return False
        self._spares += 1
        return True

    def check_out(self, purpose: str, commit: str, task: str) -> str:
        """Make a workspace in which a commit is looked at. Raises WorkspaceStepFailed."""
        self.calls.append(("check_out", task))
        path = f"{self.root}/.check-{purpose.replace('/', '-')}"
        if self.failing:
            raise WorkspaceStepFailed(path, "creating the worktree", self.failing)
        self.commits[path], self._checked_out[path] = commit, task
        return path

    def checked_out(self) -> dict[str, str]:
        """The workspaces made by `check_out` that are there: path -> task."""
        return dict(self._checked_out)

    def discard(self, path: str) -> None:
        """Throw it away."""
        self.calls.append(("discard", path))
        self.commits.pop(path, None)
        self._checked_out.pop(path, None)

    def _wanted(self) -> int:
        return max(0, min(_SPARES, self.size - len(self._places)))

    def repair(self) -> tuple[str, ...]:
        """Say what was mended, once."""
        self.calls.append(("repair", ""))
        said, self.mended = tuple(self.mended), []
        return said

    def ports(self, task: Task, count: int) -> tuple[int, ...]:
        """Reserve ports that no other task has. Raises PortsExhausted."""
        self.calls.append(("ports", task.id))
        mine = self._ports.pop(task.id, ())
        taken = {port for ports in self._ports.values() for port in ports}
        free = (port for port in range(_FIRST_PORT, _FIRST_PORT + _PORTS) if port not in taken and port not in mine)
        found = tuple(itertools.islice(itertools.chain(mine, free), count))
        if len(found) < count:
            raise PortsExhausted(count, _FIRST_PORT, _FIRST_PORT + _PORTS - 1)
        self._ports[task.id] = found
        return found
