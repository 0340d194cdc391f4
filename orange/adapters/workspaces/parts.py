"""What the steps of a workspace's life share: the site, the records, the spares, the ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from orange import skillfiles
from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import rescue, shadow, spares
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.records import Record, Records, State
from orange.adapters.workspaces.rescue import Order
from orange.adapters.workspaces.shadow import Shadow, Source
from orange.adapters.workspaces.site import Site
from orange.adapters.workspaces.spares import Spares
from orange.adapters.workspaces.survey import Changes, Survey, look_over, reveal, survey, take_in
from orange.adapters.workspaces.tcpports import Ports
from orange.core.activeskills import LINKED
from orange.core.names import is_id
from orange.core.problems import WorkspaceForeign


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the steps work with."""

    site: Site
    records: Records
    spares: Spares
    ports: Ports
    #: The environment hooks start from.
    environ: Mapping[str, str]
    #: Most bytes of ignored files saved when a workspace is returned.
    limit: int

    @property
    def main(self) -> str | None:
        """The main checkout; None in a bare repository."""
        layout = self.site.layout
        return layout.root if layout.root != layout.common else None


@dataclass(frozen=True, slots=True)
class Held:
    """A task's workspace whose lock is held."""

    parts: Parts
    record: Record
    admin: Admin
    #: The descriptor of the lock.
    lock: int

    @property
    def path(self) -> str:
        """Where it stands."""
        return self.record.path

    @property
    def source(self) -> Source:
        """What a shadow over it looks at."""
        return spares.source(self.parts.site, self.admin, self.path)

    def save(self, record: Record) -> Held:
        """Write its record anew. Raises OSError."""
        return replace(self, record=self.parts.records.write(record))


@dataclass(frozen=True, slots=True)
class View:
    """A surveyed workspace."""

    looking: Shadow
    found: Survey
    #: Commits that would be lost with it.
    stray: tuple[str, ...]


def adopt(parts: Parts, path: str) -> Record:
    """The record of the workspace at a path; one made from git's own where there is none. Raises WorkspaceForeign."""
    record = parts.records.of_path(path)
    if record and not record.is_spare:
        return record
    admin = None if record else admins.find(parts.site.common, path)
    found = unrecorded(parts.site, admin) if admin else None
    if found is None:
        raise WorkspaceForeign(path, "is not a workspace of orange")
    return found


def unrecorded(site: Site, admin: Admin) -> Record | None:
    """What a worktree that no record knows must be, by its place and name; None when it is not orange's."""
    folder, _, name = (admin.path or "").rpartition("/")
    task = name.rpartition("-")[2]
    if folder != site.root or not is_id(task) or not admin.ours:
        return None
    branch = admin.branch.removeprefix("refs/heads/") if admin.branch else None
    return Record(name, State.BOUND, f"{folder}/{name}", admin.name, task, branch)


@contextmanager
def surveyed(held: Held) -> Iterator[View]:
    """Survey everything only this workspace holds. Raises GitFailed, OSError."""
    skillfiles.take_out(held.path, LINKED)  # of a run that was killed: nobody's work
    config = spares.look_config(held.parts.site, held.admin)
    with shadow.look(held.source, config, spares.head_of(held.admin), (held.lock,)) as looking:
        found = survey(looking, held.source, held.parts.main, held.record.provided)
        yield View(looking, found, stray_commits(held, found))


def keep_safe(held: Held, why: str) -> tuple[Survey, str | None]:
    """Save what only this workspace holds; returns the survey and the rescue ref, if one was needed.

    Raises WorkspaceKept, GitFailed, OSError.
    """
    with surveyed(held) as view:
        return view.found, rescue.save(order(held, why), view.looking, view.found, view.stray, held.parts.site.git())


def keep_changes(held: Held, why: str) -> str | None:
    """Save what is uncommitted, hidden changes included, but not what git ignores. Raises GitFailed, OSError."""
    config = spares.look_config(held.parts.site, held.admin)
    with shadow.look(held.source, config, spares.head_of(held.admin), (held.lock,)) as looking:
        reveal(looking, held.source)
        changes = look_over(looking, held.record.provided)
        return set_aside(held, looking, Survey(changes, *take_in(looking, changes)), why)


def set_aside(held: Held, looking: Shadow, found: Survey, why: str) -> str | None:
    """Save what was found to a rescue ref, if it needs one. Raises WorkspaceKept, GitFailed, OSError."""
    return rescue.save(order(held, why), looking, found, stray_commits(held, found), held.parts.site.git())


def keep_index(held: Held, why: str) -> str | None:
    """Save what git's folder holds of a workspace whose own folder is gone. Raises GitFailed, OSError."""
    config = spares.look_config(held.parts.site, held.admin)
    head = spares.head_of(held.admin)
    gone = replace(held.source, files=held.admin.folder)
    with shadow.look(gone, config, head, (held.lock,)) as looking:
        unmerged = looking.git.run("ls-files", "--unmerged").stdout
        staged = None if unmerged else looking.tree()
        tree = looking.git.line("rev-parse", f"{head}^{{tree}}") if head else staged
        if tree is None:
            return None
        found = Survey(Changes(), tree, staged if staged != tree else None)
        return rescue.save(order(held, why), looking, found, stray_commits(held, found), held.parts.site.git())


def stray_commits(held: Held, found: Survey) -> tuple[str, ...]:
    """Commits that would be lost with the workspace. Raises GitFailed."""
    heads = [repository.head for repository in found.repositories if repository.head]
    return rescue.stray_commits(held.admin, held.parts.site.git(), held.record.branch, heads)


def order(held: Held, why: str) -> Order:
    """What a rescue of this workspace is to say."""
    record = held.record
    now = int(held.parts.site.clock.now())
    return Order(record.task or record.name, why, record.path, record.branch, now, held.parts.limit)
