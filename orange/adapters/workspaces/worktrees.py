"""The `Workspaces` port over real git: one worktree a task, at one fixed path, made from spares prepared ahead.

A description of the life of a workspace, and who carries each part out:

    spare made (`spares`) -> moved into place, on its branch, base merged in (`binding`) -> copies, links, hook
    (`provision`) -> the task's -> leftovers committed (`leftovers`) -> saved (`survey`, `rescue`) -> cleaned (`sweep`)

`records` says how far each has come; `repair` finishes or undoes what a kill interrupted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from orange.adapters.git import Git
from orange.adapters.workspaces import acquiring, checking, leftovers, releasing, repair, shadow, spares
from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces.leftovers import Leftovers, Target
from orange.adapters.workspaces.parts import Held, Parts, adopt, set_aside, unrecorded
from orange.adapters.workspaces.records import Record, Records, State
from orange.adapters.workspaces.shadow import Shadow
from orange.adapters.workspaces.site import Site, step
from orange.adapters.workspaces.spares import Spares
from orange.adapters.workspaces.survey import Survey, look_over, take_in
from orange.adapters.workspaces.tcpports import Ports
from orange.core.inplace import Place
from orange.core.layout import BASE_REFS, Layout
from orange.core.model import Presence, Task, Workspace
from orange.core.ports import Clock
from orange.core.problems import WorkspaceBusy
from orange.core.settings import WorkspaceSettings

#: Most bytes of ignored files that are saved when a workspace is returned.
RESCUE_LIMIT = 50 << 20
_VISIBLE = frozenset({State.READY, State.MOVING, State.PREPARING, State.BOUND, State.MERGING, State.LEAVING})


class WorktreeWorkspaces:
    """Git worktrees for tasks."""

    def __init__(  # noqa: PLR0913 - all but three are named, and have a sensible default
        self,
        layout: Layout,
        settings: WorkspaceSettings,
        clock: Clock,
        *,
        base: Callable[[], str | None] | None = None,
        environ: Mapping[str, str] | None = None,
        rescue_limit: int = RESCUE_LIMIT,
        ports_file: str | None = None,
    ) -> None:
        """Look after the worktrees of one repository.

        `base` names the commit spares are made at (default: the latest integrated base, else the main checkout's
        HEAD); `environ` is what hooks start from; `ports_file` may be shared by all projects of a user.
        """
        root = os.path.realpath(layout.workspaces(settings.root))
        site = Site(layout, settings, clock, root, base or (lambda: _newest_base(layout)))
        records = Records(f"{layout.runtime}/workspaces")
        ports = Ports(ports_file or f"{layout.runtime}/ports.json", layout.common)
        given = os.environ if environ is None else environ
        hooks = {key: value for key, value in given.items() if not key.startswith("GIT_")}
        self.parts = Parts(site, records, Spares(site, records), ports, hooks, rescue_limit)

    def path_for(self, task: Task) -> str:
        """The fixed path of a task's workspace."""
        return self.parts.site.path(task.slug)

    def acquire(self, task: Task, branch: str, start_point: str) -> Workspace:
        """Bind the task's workspace to its branch. Idempotent. Raises WorkspaceFailed."""
        return acquiring.acquire(self.parts, task, branch, start_point)

    def commit_leftovers(self, path: str, message: str) -> str | None:
        """Commit what is uncommitted; returns the branch's tip, None when the workspace is not on it.

        Raises WorkspaceFailed.
        """
        return self.leftovers(path, message).tip

    def leftovers(self, path: str, message: str) -> Leftovers:
        """Commit what is uncommitted, and tell what was not committed and where it is saved. Raises WorkspaceFailed."""
        parts, path = self.parts, os.path.normpath(path)
        name = adopt(parts, path).name
        with parts.records.lock(name) as lock, step(path, "committing leftovers"):
            held = releasing.open_standing(parts, path, lock)
            done = commit(held, message)
            held.save(replace(held.record, used_at=parts.site.clock.now()))
            return done

    def release(self, path: str) -> tuple[str, ...]:
        """Save what only it holds, clean it and keep it as a spare, or remove it. Raises WorkspaceFailed."""
        return releasing.release(self.parts, os.path.normpath(path))

    def check_out(self, purpose: str, commit: str, task: str) -> str:
        """Make a workspace in which a commit is looked at: checked, or reviewed. Raises WorkspaceFailed."""
        return checking.check_out(self.parts, purpose, commit, task)

    def checked_out(self) -> Mapping[str, str]:
        """The workspaces that `check_out` made for tasks and that are there: path -> task."""
        return checking.standing(self.parts)

    def discard(self, path: str) -> None:
        """Throw away a workspace made by `check_out`; nothing where there is none. Raises WorkspaceFailed."""
        checking.discard(self.parts, os.path.normpath(path))

    def removable(self, path: str) -> tuple[bool, str]:
        """Whether it holds nothing that is not safe elsewhere, and why. Raises WorkspaceFailed."""
        return releasing.removable(self.parts, os.path.normpath(path))

    def list(self) -> tuple[Workspace, ...]:
        """Every workspace and spare."""
        parts = self.parts
        records = {record.path: record for record in parts.records.all()}
        for admin in admins.scan(parts.site.common):
            if admin.path and admin.path not in records:
                found = unrecorded(parts.site, admin)
                records |= {found.path: found} if found else {}
        return tuple(_shown(record) for record in records.values() if record.state in _VISIBLE)

    def refill(self) -> bool:
        """Prepare a spare ahead of need, or bring one up to date; returns whether one was made.

        Raises WorkspaceFailed.
        """
        try:
            with self.parts.records.lock("refill", 0.0):
                return self.parts.spares.refill()
        except WorkspaceBusy:
            return False

    def place(self, *, look: bool = True) -> Place | None:  # noqa: ARG002 - the port's
        """Nobody's work is done in the user's checkout."""
        return None

    def repair(self, *others: str) -> tuple[str, ...]:
        """Heal what a kill left half-done; a sentence for each thing mended or left.

        `others` are tasks that have ports reserved without a worktree.
        """
        return tuple(repair.repair(self.parts, others))

    def ports(self, task: Task, count: int) -> tuple[int, ...]:
        """Reserve that many free ports for the task. Raises PortsExhausted."""
        with step(self.path_for(task), "reserving ports"):
            return self.parts.ports.reserve(task.id, count)


def _newest_base(layout: Layout) -> str | None:
    git = Git(layout.common, {"GIT_DIR": layout.common})
    newest = git.query("for-each-ref", "--count=1", "--sort=-committerdate", "--format=%(objectname)", BASE_REFS)
    return newest or shadow.commit_of(git)


def _shown(record: Record) -> Workspace:
    try:
        os.lstat(record.path)
        presence = Presence.THERE
    except FileNotFoundError:
        presence = Presence.GONE
    except OSError:
        presence = Presence.UNKNOWN
    return Workspace(record.path, record.task, record.branch, presence, record.used_at)


def commit(held: Held, message: str) -> Leftovers:
    """Commit what is uncommitted, or save what cannot be. Raises WorkspaceKept, GitFailed, OSError."""
    site = held.parts.site
    ref = f"refs/heads/{held.record.branch}"
    target = Target(held.admin, held.path, ref, site.git(), site.clock)
    with shadow.look(
        held.source, spares.look_config(site, held.admin), spares.head_of(held.admin), (held.lock,)
    ) as looking:
        changes = look_over(looking, frozenset(held.record.provided))
        reason = leftovers.unfit(target, changes, looking.head)
        if not (changes or held.admin.merging or reason):
            return Leftovers(looking.head)
        found = Survey(changes, *take_in(looking, changes))
        if reason:
            return _set_aside(held, looking, found, reason)
        saved = set_aside(held, looking, found, "a staged version of a file was in no file") if found.staged else None
        done = leftovers.commit(target, looking, found, message)
    notes = (f"a staged version that no file has is saved as {saved}",) if saved else ()
    return Leftovers(done.tip, done.committed, notes + done.notes)


def _set_aside(held: Held, looking: Shadow, found: Survey, reason: str) -> Leftovers:
    """Save what cannot be committed; the branch and the workspace stay as they are."""
    ref = set_aside(held, looking, found, reason)
    tip = looking.head if held.admin.branch == f"refs/heads/{held.record.branch}" else None
    return Leftovers(tip, notes=(f"nothing was committed because {reason}" + (f"; saved as {ref}" if ref else ""),))
