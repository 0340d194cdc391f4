"""Returning a workspace: what only it holds is saved and read back, then it becomes a spare again, or is removed.

Nothing is removed before the workspace was moved away from its path, nobody works in it, and every file in it is
still as it was when it was saved.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import folders, occupants, provision, repair, rescue, spares
from orange.adapters.workspaces.parts import Held, Parts, adopt, keep_safe, surveyed
from orange.adapters.workspaces.records import Record, State
from orange.adapters.workspaces.site import step
from orange.adapters.workspaces.survey import Survey, unchanged
from orange.core.problems import HookFailed, WorkspaceFailed, WorkspaceForeign, WorkspaceKept, WorkspaceOccupied


def release(parts: Parts, path: str) -> tuple[str, ...]:
    """Save, clean and keep as a spare, or remove; returns what was saved and said. Raises WorkspaceFailed."""
    if not folders.present(path) and parts.records.of_path(path) is None:
        return ()
    record = adopt(parts, path)
    spare: Record | None = None
    saved: tuple[str, ...] = ()
    with parts.records.lock(record.name) as lock:
        held, notes = _open(parts, path, lock)
        if held:
            _refuse_occupied(held)
            notes += _farewell(held)
            spare, saved = _empty(held)
        if record.task:
            parts.ports.release(record.task)
    return notes + saved + (_clean(parts, spare) if spare else ())


def _open(parts: Parts, path: str, lock: int) -> tuple[Held | None, tuple[str, ...]]:
    """Heal the workspace and take hold of it; None when there is nothing left to return."""
    record, said = repair.heal(parts, adopt(parts, path), lock, forget=True)
    if record is None:
        return None, (said,)
    admin = repair.owned(parts, record)
    if admin is None:
        raise WorkspaceForeign(path, "is no longer known to git")
    return Held(parts, record, admin, lock), (said,) if said else ()


def open_standing(parts: Parts, path: str, lock: int) -> Held:
    """Take hold of a workspace that must be there. Raises WorkspaceFailed."""
    held, said = _open(parts, path, lock)
    if held is None:
        raise WorkspaceForeign(path, f"is gone ({'; '.join(said)})")
    return held


def _refuse_occupied(held: Held) -> None:
    found = occupants.find((held.path, held.admin.folder))
    if found:
        raise WorkspaceOccupied(held.path, found.pid, found.program)


def _farewell(held: Held) -> tuple[str, ...]:
    """Run `before_remove`; its failure is only told."""
    env = {**held.parts.environ, "ORANGE_TASK": held.record.task or "", "ORANGE_WORKSPACE": held.path}
    try:
        provision.run_hook(held.parts.site.settings.hooks, "before_remove", held.path, env)
    except HookFailed as error:
        return (error.message,)
    return ()


def _empty(held: Held) -> tuple[Record, tuple[str, ...]]:
    """Save what it holds and move it among the spares; returns the spare, still unclean, and what was saved."""
    with step(held.path, "saving what it holds"):
        before = admins.trace(held.admin)
        found, ref = keep_safe(held, "its workspace was returned")
    with step(held.path, "moving it away"):
        held = _leave(held)
        if not _still(held, found, before):
            _return(held)
            raise WorkspaceKept(held.path, "something in it changed while it was being saved")
        spare = _hand_in(held)
    return spare, (f"what no branch holds is saved as {ref}",) if ref else ()


def _leave(held: Held) -> Held:
    site = held.parts.site
    with site.lock():
        name = held.parts.spares.free_name()
        held = held.save(replace(held.record, state=State.LEAVING, spare=name, admin=held.admin.name))
        return replace(held, admin=admins.relocate(held.admin, site.path(name)))


def _still(held: Held, found: Survey, before: tuple[tuple[str, int, int], ...]) -> bool:
    """Whether nobody works in it and everything is as it was saved."""
    place = str(held.admin.path)
    with suppress(OSError):
        if not occupants.find((place, held.admin.folder)) and admins.trace(held.admin) == before:
            return unchanged(place, found)
    return False


def _return(held: Held) -> None:
    with held.parts.site.lock():
        admins.relocate(held.admin, held.path)
        held.save(replace(held.record, state=State.BOUND, spare=None))


def _hand_in(held: Held) -> Record:
    """From here on what is in it may be thrown away."""
    parts, record = held.parts, held.record
    now = parts.site.clock.now()
    spare = Record(str(record.spare), State.SCRUBBING, str(held.admin.path), held.admin.name, used_at=now)
    head = spares.head_of(held.admin)
    with parts.site.lock():
        parts.records.write(spare)
        parts.records.drop(record.name)
        # From now on the branch may be checked out elsewhere, and nothing done here can move it.
        admins.detach(held.admin, head)
    return spare


def _clean(parts: Parts, spare: Record) -> tuple[str, ...]:
    """Clean the spare; the work is safe by now, so a failure is told and mended by the next repair."""
    try:
        parts.spares.clean(spare)
    except WorkspaceFailed as error:
        return (f"{error.message}; it will be removed at the next repair",)
    return ()


def removable(parts: Parts, path: str) -> tuple[bool, str]:
    """Whether a workspace holds nothing that is not safe elsewhere, and why. Raises WorkspaceFailed."""
    record = adopt(parts, path)
    with parts.records.lock(record.name) as lock, step(path, "looking at it"):
        admin = repair.owned(parts, record)
        if admin is None or not folders.present(path):
            return False, "its folder is gone" if admin else "git does not know it any more"
        held = Held(parts, record, admin, lock)
        found = occupants.find((path, admin.folder))
        if found:
            return False, f"process {found.pid} ({found.program}) works in it"
        with surveyed(held) as view:
            if not rescue.needed(view.looking, view.found, view.stray):
                return True, f"everything in it is committed on {record.branch or 'a branch'}"
            return False, _held_back(view.found, view.stray)


def _held_back(found: Survey, stray: tuple[str, ...]) -> str:
    changes = found.changes
    uncommitted = [*changes.unmerged, *changes.changed, *changes.untracked, *changes.withheld]
    kinds = {
        "uncommitted": uncommitted,
        "ignored and nowhere else": [path for path in found.extras if path not in changes.withheld],
        "repositories of their own": [repository.stored for repository in found.repositories],
        "commits on no branch": [commit[:12] for commit in stray],
    }
    said = [f"{len(paths)} {kind} ({', '.join(paths[:3])})" for kind, paths in kinds.items() if paths]
    return "; ".join(said) or "a staged version that no file has"
