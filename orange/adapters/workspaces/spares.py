"""Worktrees prepared ahead of need, and the move of one into a task's place.

Every worktree begins as a spare: made in a folder of orange's own name, so that a half-made one is known and may be
thrown away. Handing it over is a rename.

Next in the flow: `binding` puts it on the task's branch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import count

from orange.adapters.git import Git
from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import configcache, folders, gitconfig, shadow, sweep
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.gitconfig import GitConfig
from orange.adapters.workspaces.records import Record, Records, State
from orange.adapters.workspaces.shadow import Source
from orange.adapters.workspaces.site import LONG, WORKERS, Site, step
from orange.core.problems import GitFailed, WorkspaceBusy

#: More than this many are never kept ready.
_MOST = 2
#: What is in such a spare is nobody's work.
_NOBODYS = frozenset({State.MAKING, State.SCRUBBING})
_WORKERS = ("-c", f"checkout.workers={WORKERS}")


class Spares:
    """The spares of one repository."""

    def __init__(self, site: Site, records: Records) -> None:
        self._site = site
        self._records = records

    def wanted(self) -> int:
        """How many are to be kept ready: as many as `workspaces.size` leaves room for, a few at most."""
        bound = [record for record in self._records.all() if not record.is_spare]
        return max(0, min(_MOST, self._site.settings.size - len(bound)))

    def ready(self) -> tuple[Record, ...]:
        """Those that can be handed over."""
        return tuple(record for record in self._records.all() if record.state is State.READY)

    def make(self, commit: str) -> Record:
        """Make one at a commit, detached. Raises WorkspaceFailed."""
        with ExitStack() as stack:
            with self._site.lock():
                record, held = self._reserve(stack)
            return self.grow(record, commit, held, State.READY)

    def grow(self, record: Record, commit: str, held: int, state: State) -> Record:
        """Make what a record of something being made says, whose lock is held. Raises WorkspaceFailed."""
        with step(record.path, "creating the worktree"), self._undone(record):
            with self._site.lock() as lock:
                admin = self._add(record, commit, (held, lock))
            self._fill(admin, record.path, commit, held)
            admins.unlock(admin)
            return self._records.write(replace(record, state=state, admin=admin.name))

    @contextmanager
    def _undone(self, record: Record) -> Iterator[None]:
        """Throw a spare away when what is done with it does not succeed."""
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self.throw_away(record)

    def _reserve(self, stack: ExitStack) -> tuple[Record, int]:
        """Take a free name and its lock, and only then note it: whoever sees the record waits for the lock."""
        os.makedirs(self._site.root, exist_ok=True)
        for name in self._free_names():
            with suppress(WorkspaceBusy):
                held = stack.enter_context(self._records.lock(name, 0.0))
                break
        return self._records.write(
            Record(name, State.MAKING, self._site.path(name), used_at=self._site.clock.now())
        ), held

    def free_name(self) -> str:
        """The next free spare name. Only under the repository lock."""
        return next(self._free_names())

    def _free_names(self) -> Iterator[str]:
        names = (f".spare-{number}" for number in count(1))
        return (name for name in names if not self._taken(name))

    def _taken(self, name: str) -> bool:
        coming = any(record.spare == name for record in self._records.all())
        return coming or self._records.read(name) is not None or folders.present(self._site.path(name))

    def _add(self, record: Record, commit: str, keep: tuple[int, ...]) -> Admin:
        options = ("--no-checkout", "--detach", "--lock", "--reason", "orange is preparing it")
        git = Git(self._site.layout.root, {}, keep)
        git.run("worktree", "add", "--quiet", *options, "--", record.path, commit)
        found = admins.find(self._site.common, record.path)
        if found is None:
            raise GitFailed(("git", "worktree", "add"), 0, "the worktree it made is not listed")
        return found

    def _fill(self, admin: Admin, path: str, commit: str, held: int) -> None:
        """Write the files. Outside the repository lock: nothing else waits for them."""
        config = look_config(self._site, admin)
        env = {"GIT_DIR": admin.folder, "GIT_WORK_TREE": path, **config.neutral()}
        Git(path, env, (held,)).run(*_WORKERS, "reset", "--quiet", "--hard", commit, timeout=LONG)

    def renew(self, record: Record, commit: str) -> None:
        """Bring a spare that fell behind to a commit; one that cannot be is thrown away. Raises WorkspaceFailed."""
        with self._records.lock(record.name) as held, step(record.path, "renewing the spare"):
            with self._site.lock():
                if self._records.read(record.name) != record:
                    return
                self._records.write(replace(record, state=State.MAKING))
            admin = self._admin(record)
            with self._undone(record):
                self._fill(admin or admins.read(""), record.path, commit, held)
                self._records.write(record)

    def _admin(self, record: Record) -> Admin | None:
        return admins.of(self._site.common, record.admin, record.path)

    def stale(self, record: Record, commit: str) -> bool:
        """Whether a spare is not at a commit."""
        admin = self._admin(record)
        return admin is None or admin.head != commit

    def hand_over(self, record: Record) -> Record | None:
        """Move a ready spare to the path of a record, which is written first; None when there is none ready.

        Raises WorkspaceFailed.
        """
        with step(record.path, "moving a spare into place"), self._site.lock():
            for spare in self.ready():
                admin = self._admin(spare)
                if admin is None or not admin.sound or not os.path.isdir(spare.path):
                    self._records.write(replace(spare, state=State.SCRUBBING))
                    continue
                record = replace(record, state=State.MOVING, admin=spare.admin, spare=spare.name)
                self._records.write(record)
                admins.relocate(replace(admin, path=spare.path), record.path)
                self._records.drop(spare.name)
                return record
        return None

    def clean(self, record: Record) -> None:
        """Make a spare whose work is saved ready again; one too many is removed. Raises WorkspaceFailed."""
        with self._records.lock(record.name) as held, step(record.path, "cleaning it"), self._undone(record):
            if self._records.read(record.name) != record:
                return
            admin = self._admin(record)
            commit = self._site.base() or (head_of(admin) if admin else None)
            config = gitconfig.read(self._site.git())
            if admin is None or commit is None or not config.plain or self.wanted() <= len(self.ready()):
                self.throw_away(record)
                return
            sweep.clean(admin, source(self._site, admin, record.path), config, commit, (held,))
            self._records.write(replace(record, state=State.READY))

    def refill(self) -> bool:
        """Make one more, or bring one up to date; returns whether one was made. Raises WorkspaceFailed."""
        self.tidy()
        commit = self._site.base()
        ready = self.ready()
        if commit is None or len(ready) >= self.wanted():
            self._tend(ready, commit)
            return False
        self.make(commit)
        return True

    def tidy(self) -> bool:
        """Remove what is nobody's: half-made by a process that ended, half-cleaned, unusable; whether any was."""
        names = [record.name for record in self._records.all() if record.state in _NOBODYS]
        removed = [name for name in names if self._remove(name)]
        return bool(removed)

    def _remove(self, name: str) -> bool:
        with suppress(WorkspaceBusy), self._records.lock(name, 0.0):
            record = self._records.read(name)
            if record and record.state in _NOBODYS:
                with step(record.path, "removing a spare"):
                    self.throw_away(record)
                return True
        return False

    def _tend(self, ready: tuple[Record, ...], commit: str | None) -> None:
        """Remove what is one too many; else renew one that fell behind."""
        if len(ready) > self.wanted():
            with self._site.lock():
                record = self._records.read(ready[-1].name)
                if record and record.state is State.READY:
                    self._records.write(replace(record, state=State.SCRUBBING))
            self.tidy()
            return
        for record in ready:
            if commit and self.stale(record, commit):
                self.renew(record, commit)
                return

    def throw_away(self, record: Record) -> None:
        """Remove a spare's folder and git's folder for it; what it held is nobody's, or saved. Raises OSError.

        Not under the repository lock, which it takes for the instant git must not look.
        """
        admin = self._admin(record)
        if admin:
            with self._site.lock():
                admins.drop(admin, self._site.git_trash)
        folders.discard(record.path, self._site.trash)
        self._records.drop(record.name)


def source(site: Site, admin: Admin, path: str) -> Source:
    """What a shadow over a workspace looks at."""
    return Source(admin.folder, site.common, path, site.shadows)


def look_config(site: Site, admin: Admin) -> GitConfig:
    """The configuration in force in a worktree. Raises GitFailed."""
    return configcache.read(site.common, admin.folder)


def head_of(admin: Admin) -> str | None:
    """The commit a worktree has checked out, or None."""
    return shadow.commit_of(Git(admin.folder, {"GIT_DIR": admin.folder}))
