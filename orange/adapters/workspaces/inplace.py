"""Work in the user's own checkout: the `Workspaces` port with the main checkout as the one workspace of all tasks.

Quick actions, reviews and checks of merges still get worktrees. One small file says which task has the checkout, and
which branch it is to go back to; it is written before anything is switched, and dropped when the checkout is back. So a
kill leaves one of two states: the checkout is the task's still, and whoever comes next goes on; or it is the user's
again. What is uncommitted is committed to the task's branch, or it is left where it is, and then the checkout stays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from orange import recordfile, skillfiles
from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import binding, leftovers, locks, repair, shadow, spares
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.binding import Branch
from orange.adapters.workspaces.leftovers import Target
from orange.adapters.workspaces.parts import Held
from orange.adapters.workspaces.records import Record, State
from orange.adapters.workspaces.site import step
from orange.adapters.workspaces.survey import Changes, look_over
from orange.adapters.workspaces.worktrees import WorktreeWorkspaces, commit
from orange.core.activeskills import LINKED
from orange.core.inplace import NONE, Place, Switch, uncommitted
from orange.core.model import Task, Workspace
from orange.core.problems import WorkspaceFailed, WorkspaceForeign, WorkspaceKept, WorkspaceStepFailed

#: The lock's name; no workspace is called that: theirs end in an id.
_LOCK = "checkout"
_OPERATING = "a merge, rebase or the like is in progress in it: finish or abort it"
_LENDING = "giving the checkout to the task"


@dataclass(frozen=True, slots=True)
class Lent:
    """Who has the checkout."""

    task: str
    branch: str
    #: The branch it goes back to.
    home: str
    #: Wall-clock seconds.
    since: float
    #: Whether the base is being merged in: nothing was uncommitted before.
    merging: bool = False

    @property
    def ref(self) -> str:
        """The full name of the task's branch."""
        return f"refs/heads/{self.branch}"


class InPlaceWorkspaces:
    """Satisfies `ports.Workspaces`; `worktrees` does what is not done in the user's checkout."""

    def __init__(self, worktrees: WorktreeWorkspaces, switch: Switch) -> None:
        self._worktrees, self._switch = worktrees, switch
        self._parts, self._site = worktrees.parts, worktrees.parts.site
        self._root = self._site.layout.root
        self._file = f"{self._site.layout.runtime}/inplace.json"
        self.check_out, self.discard, self.ports = worktrees.check_out, worktrees.discard, worktrees.ports
        self.checked_out = worktrees.checked_out

    # -- what is where

    def path_for(self, task: Task) -> str:
        """The fixed path of a task's workspace."""
        return self._root if self._is_here(task) else self._worktrees.path_for(task)

    def _is_here(self, task: Task) -> bool:
        """Whether a task is worked on in the user's checkout; a quick action has no file, and never is."""
        return self._site.settings.isolation == NONE and bool(task.path)

    def list(self) -> tuple[Workspace, ...]:
        """Every workspace and spare, and the checkout while a task has it."""
        lent, found = self._lent(), self._worktrees.list()
        return (*found, self._shown(lent)) if lent else found

    def _shown(self, lent: Lent, conflicts: tuple[str, ...] = ()) -> Workspace:
        return Workspace(self._root, lent.task, lent.branch, used_at=lent.since, conflicts=conflicts)

    def place(self, *, look: bool = True) -> Place | None:
        """Say how the user's checkout stands; None where no task has it or is to have it. Raises WorkspaceFailed."""
        lent = self._lent()
        if lent is None and self._site.settings.isolation != NONE:
            return None
        if self._parts.main is None:
            return Place(self._root, None, None, "the repository is bare and has none")
        branch = (self._admin().branch or "").removeprefix("refs/heads/") or None
        return Place(self._root, branch, lent.task if lent else None, self._in_the_way() if look else None)

    def _in_the_way(self) -> str | None:
        """Say what speaks against switching the checkout, or nothing."""
        admin = self._admin()
        if admin.operating:
            return _OPERATING
        with step(self._root, "looking at it"):
            if spares.head_of(admin) is None:
                return "it has no commit yet: make one"
            changes = self._changes(self._held(Lent("", "", "", 0.0)))
        return uncommitted(_files(changes)) if changes else None

    # -- lending it

    def acquire(self, task: Task, branch: str, start_point: str) -> Workspace:
        """Check a task's branch out in the user's checkout, with the base merged in. Raises WorkspaceFailed."""
        if not self._is_here(task):
            lent = self._lent()
            if lent is not None and lent.task == task.id:
                self.release(self._root)
            return self._worktrees.acquire(task, branch, start_point)
        self._worktrees.release(self._worktrees.path_for(task))  # it had one before the setting was changed
        with self._parts.records.lock(_LOCK) as lock:
            self._finish()
            lent = self._lend(task, branch)
            with step(self._root, "preparing the branch"):
                made = binding.prepare(self._site, branch, start_point, self._root, lock)
            lent, _ = self._undo(lent, lock)
            self._switch_to(branch)
            return self._shown(lent, self._take_in(lent, made, start_point, lock))

    def _lend(self, task: Task, branch: str) -> Lent:
        """Note that a task has the checkout. Raises WorkspaceStepFailed where it cannot have it."""
        lent = self._lent()
        if lent is not None and lent.task != task.id:
            raise WorkspaceStepFailed(self._root, _LENDING, f"{lent.task} has it")
        if lent is not None:
            return lent
        place = self.place()
        if place is None or place.branch is None or place.reason:
            reason = place.reason if place else None
            raise WorkspaceStepFailed(self._root, _LENDING, reason or "it has no branch checked out")
        return self._write(Lent(task.id, branch, place.branch, self._site.clock.now()))

    def _switch_to(self, branch: str) -> None:
        with step(self._root, f"checking out {branch}"):
            reason = self._switch.switch(branch)
        if reason:
            raise WorkspaceStepFailed(self._root, f"checking out {branch}", reason)

    def _finish(self) -> None:
        with step(self._root, "finishing what was interrupted"):
            self._switch.finish()

    def _take_in(self, lent: Lent, branch: Branch, start_point: str, lock: int) -> tuple[str, ...]:
        """Merge the base into a branch that lacks it, where nothing is in the way; returns the files in conflict."""
        held = self._held(lent, lock)
        with step(self._root, "looking at it"):
            found = binding.conflicts(held.admin, self._root)
            lacking = not found and binding.lacks(self._site, branch, start_point)
            if not lacking or held.admin.operating or self._changes(held) or not self._index_is_free(held):
                return found
        self._write(replace(lent, merging=True))
        found = binding.merge(self._site, held.admin, branch.name, start_point, lock)
        self._write(lent)
        return found

    def _index_is_free(self, held: Held) -> bool:
        return leftovers.free_index(
            Target(held.admin, self._root, f"refs/heads/{held.record.branch}", self._site.git(), self._site.clock)
        )

    def _undo(self, lent: Lent, lock: int) -> tuple[Lent, str | None]:
        """Undo a merge of ours that was killed, after what is there was saved; returns where."""
        if not lent.merging:
            return lent, None
        held = self._held(lent, lock)
        with step(self._root, "undoing an interrupted merge"):
            found = locks.of_worktree(self._site.common, held.admin, lent.branch)
            if not locks.clear(found, (held.admin.folder,), self._site.clock.now()):
                raise WorkspaceKept(self._root, "git is at work in it, or left a lock in its index: look at it")
            ref = repair.undo(held)
        return self._write(replace(lent, merging=False)), ref

    def commit_leftovers(self, path: str, message: str) -> str | None:
        """Commit what is uncommitted; returns the branch's tip, None when it is not on it. Raises WorkspaceFailed."""
        if os.path.normpath(path) != self._root:
            return self._worktrees.commit_leftovers(path, message)
        with self._parts.records.lock(_LOCK) as lock, step(path, "committing leftovers"):
            lent = self._lent()
            if lent is None:
                raise WorkspaceForeign(path, "is no task's any more")
            return commit(self._held(lent, lock), message).tip

    # -- giving it back

    def release(self, path: str) -> tuple[str, ...]:
        """Give the checkout back to its user, on the branch it was on. Raises WorkspaceFailed."""
        if os.path.normpath(path) != self._root:
            return self._worktrees.release(path)
        with self._parts.records.lock(_LOCK) as lock:
            lent = self._lent()
            if lent is None:
                return ()
            self._finish()
            self._parts.ports.release(lent.task)
            said: tuple[str, ...] = ()
            if self._admin().branch == lent.ref:
                said = self._go_home(lent, lock)
            with step(self._root, "giving it back"), suppress(FileNotFoundError):
                os.unlink(self._file)
            return said

    def _go_home(self, lent: Lent, lock: int) -> tuple[str, ...]:
        lent, ref = self._undo(lent, lock)
        with step(self._root, "giving it back"):
            skillfiles.take_out(self._root, LINKED)  # of a run that was killed
            held = self._held(lent, lock)
            if held.admin.operating:
                raise WorkspaceKept(self._root, _OPERATING)
            changes = self._changes(held)
            if changes:
                raise WorkspaceKept(self._root, uncommitted(_files(changes)))
        self._switch_to(lent.home)
        return (f"an interrupted merge is saved as {ref}",) if ref else ()

    def removable(self, path: str) -> tuple[bool, str]:
        """Whether a workspace holds nothing that is not safe elsewhere, and why. Raises WorkspaceFailed."""
        if os.path.normpath(path) == self._root:
            return False, "it is your own checkout"
        return self._worktrees.removable(path)

    def refill(self) -> bool:
        """Prepare a spare, unless nobody will want it; returns whether one was made. Raises WorkspaceFailed."""
        return self._site.settings.isolation != NONE and self._worktrees.refill()

    def repair(self) -> tuple[str, ...]:
        """Heal what a kill left half-done; a sentence for each thing mended or left."""
        lent = self._lent()
        said = self._worktrees.repair(*([lent.task] if lent else []))
        return (*said, *(self._mended() if lent and lent.merging else ()))

    def _mended(self) -> Iterator[str]:
        try:
            with self._parts.records.lock(_LOCK) as lock:
                lent = self._lent()
                ref = self._undo(lent, lock)[1] if lent else None
            yield f"undid an interrupted merge in {self._root}" + (f"; saved as {ref}" if ref else "")
        except WorkspaceFailed as error:
            yield error.message

    # -- small parts

    def _admin(self) -> Admin:
        return replace(admins.read(self._site.common), path=self._root)

    def _held(self, lent: Lent, *lock: int) -> Held:
        record = Record(_LOCK, State.BOUND, self._root, None, lent.task, lent.branch)
        return Held(self._parts, record, self._admin(), lock[0] if lock else -1)

    def _changes(self, held: Held) -> Changes:
        keep = (held.lock,) if held.lock >= 0 else ()
        config = spares.look_config(self._site, held.admin)
        with shadow.look(held.source, config, spares.head_of(held.admin), keep) as looking:
            return look_over(looking)

    def _lent(self) -> Lent | None:
        found = recordfile.values(self._file)
        try:
            return Lent(**found) if found is not None else None
        except TypeError:
            return None

    def _write(self, lent: Lent) -> Lent:
        with step(self._root, "recording who has it"):
            recordfile.replace(self._file, json.dumps(asdict(lent)).encode())
        return lent


def _files(changes: Changes) -> tuple[str, ...]:
    return (*changes.unmerged, *changes.changed, *changes.untracked, *changes.withheld)
