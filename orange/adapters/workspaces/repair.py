"""Healing what a kill left half-done, by the records: finished or undone, and never at the cost of anyone's work.

Runs before anything else touches git: a worktree whose HEAD is zeros makes `git gc` and `git fetch` of the whole
repository fail. `acquiring` and `releasing` heal the one workspace they are about to work on the same way.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import replace

from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import binding, folders, locks, shadow
from orange.adapters.workspaces.admin import Admin
from orange.adapters.workspaces.parts import Held, Parts, keep_changes, keep_index
from orange.adapters.workspaces.records import Record, State
from orange.adapters.workspaces.site import step
from orange.core.problems import WorkspaceBusy, WorkspaceFailed, WorkspaceKept

#: Seconds to wait for a git that outlived whoever started it.
_PATIENCE = 60.0


def repair(parts: Parts, others: Collection[str] = ()) -> Iterator[str]:
    """Heal everything; a sentence for each thing mended or left. `others` keep their ports, too."""
    site = parts.site
    for folder in (site.shadows, site.git_trash, site.trash):
        with step(folder, "removing what is left over"):
            folders.empty(folder)
    for record in sorted(parts.records.all(), key=lambda record: record.is_spare):
        try:
            with parts.records.lock(record.name, _PATIENCE) as lock:
                yield from _mend(parts, record.name, lock)
        except WorkspaceBusy:
            yield f"{record.name} is still being worked on by another process and was left alone"
        except WorkspaceFailed as error:
            yield error.message
    yield from _fragments(parts)
    parts.ports.keep_only(
        lambda: [*others, *(record.task for record in parts.records.all() if record.task and not record.is_spare)]
    )


def _mend(parts: Parts, name: str, lock: int) -> Iterator[str]:
    record = parts.records.read(name)
    if record and record.is_spare:
        yield from _mend_spare(parts, record)
    elif record:
        said = heal(parts, record, lock)[1]
        if said:
            yield said


def _mend_spare(parts: Parts, record: Record) -> Iterator[str]:
    with parts.site.lock():
        current = parts.records.read(record.name)
        if current is None or _is_whole(parts, current):
            return
        if _became_a_task(parts, current):
            parts.records.drop(record.name)
            return
        record = parts.records.write(replace(current, state=State.SCRUBBING))
    with step(record.path, "removing a half-made spare"):
        parts.spares.throw_away(record)
    yield f"removed the half-made spare {record.name}"


def _is_whole(parts: Parts, record: Record) -> bool:
    admin = admins.of(parts.site.common, record.admin, record.path)
    if record.state not in {State.READY, State.CHECKING} or admin is None or not admin.sound:
        return False
    return os.path.isdir(record.path)


def _became_a_task(parts: Parts, record: Record) -> bool:
    """Whether a spare's folder has been handed over already, so that only its record is left."""
    taken = any(other.admin == record.admin for other in parts.records.all() if not other.is_spare)
    return record.admin is not None and taken and not folders.present(record.path)


def _fragments(parts: Parts) -> Iterator[str]:
    """Remove git's folders of spares whose making was killed before git knew their path."""
    with parts.site.lock():
        known = {record.admin for record in parts.records.all()}
        for admin in admins.scan(parts.site.common):
            if not admin.sound and admin.ours and admin.name not in known:
                admins.drop(admin, parts.site.git_trash)
                yield f"removed git's half-made folder {admin.folder}"


def owned(parts: Parts, record: Record) -> Admin | None:
    """Git's folder of a workspace, wherever a move between it and the spares had come to."""
    admin = admins.of(parts.site.common, record.admin, record.path)
    if admin or record.spare is None:
        return admin
    return admins.of(parts.site.common, record.admin, parts.site.path(record.spare))


def heal(parts: Parts, record: Record, lock: int, *, forget: bool = False) -> tuple[Record | None, str]:
    """Bring a task's workspace into a whole state; returns its record (None when it is gone) and what was done.

    A workspace whose folder was removed by hand is forgotten only if `forget` says so, after what git still holds of
    it was saved. Raises WorkspaceFailed.
    """
    admin = owned(parts, record)
    if admin is None:
        return _unknown_to_git(parts, record)
    held = Held(parts, record, admin, lock)
    with step(record.path, "healing it"):
        spare = parts.site.path(record.spare) if record.spare else None
        # A move is one rename: as long as the spare's folder is there, the workspace's is somebody else's.
        if spare and record.state in {State.MOVING, State.LEAVING} and os.path.isdir(spare):
            return _heal_displaced(held, spare)
        if _is_there(record.path):
            return _heal_here(held)
        return _heal_gone(held) if forget else (record, "")


def _is_there(path: str) -> bool:
    """Whether a folder stands at the path; what cannot be looked at is not taken for gone. Raises WorkspaceKept."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise WorkspaceKept(path, f"it cannot be looked at ({error.strerror})") from error
    if not stat.S_ISDIR(found.st_mode):
        raise WorkspaceKept(path, "something else than a folder stands there now")
    return True


def _unknown_to_git(parts: Parts, record: Record) -> tuple[Record | None, str]:
    if folders.present(record.path):
        return record, f"workspace {record.path} is no longer known to git: look at it, then move it away"
    parts.records.drop(record.name)
    return None, f"forgot workspace {record.name}, which is gone"


def _heal_here(held: Held) -> tuple[Record | None, str]:
    record = held.record
    said = _reconnect(held)
    held = replace(held, admin=admins.read(held.admin.folder))
    if record.state is State.MOVING and record.spare:
        held.parts.records.drop(record.spare)
    if record.state is State.LEAVING:
        return held.save(_bound(record)).record, f"kept workspace {record.name}, which was about to be returned"
    if record.state is State.MERGING:
        undo(held)
        return held.save(_bound(record)).record, f"undid an interrupted merge in workspace {record.name}"
    return record, said


def _reconnect(held: Held) -> str:
    """Make the folder and git know of each other, and HEAD readable; returns what was done. Raises WorkspaceKept."""
    record, admin, site = held.record, held.admin, held.parts.site
    if not admins.is_worktree(admin, record.path) and folders.present(f"{record.path}/.git"):
        raise WorkspaceKept(record.path, f"its .git does not lead to {admin.folder} any more: look at what is in it")
    shadow.free_index(admin.folder)
    locks.clear(
        locks.of_worktree(site.common, admin, record.branch), (record.path, admin.folder), site.clock.now()
    )  # fmt: skip
    said = ""
    if admin.path != record.path or admins.is_moving(admin) or not folders.present(f"{record.path}/.git"):
        with site.lock():
            admins.point(admin, record.path)
        said = f"finished moving workspace {record.name}"
    if not admins.read(admin.folder).sound and record.branch:
        admins.reattach(admin, f"refs/heads/{record.branch}")
        said = f"put workspace {record.name} back on {record.branch}"
    return said


def _bound(record: Record) -> Record:
    return replace(record, state=State.BOUND, spare=None)


def _heal_displaced(held: Held, spare: str) -> tuple[Record | None, str]:
    """The folder stands at the spare's path: on its way to the task, or away from it."""
    record = held.record
    with held.parts.site.lock():
        if record.state is State.LEAVING:
            admins.relocate(replace(held.admin, path=spare), record.path)
            record = held.save(_bound(record)).record
            return record, f"kept workspace {record.name}, which was about to be returned"
        admins.point(held.admin, spare)
        held.parts.records.drop(record.name)
    return None, f"kept {record.spare} as a spare, which was about to become workspace {record.name}"


def _heal_gone(held: Held) -> tuple[Record | None, str]:
    record = held.record
    ref = keep_index(held, "its folder was removed by hand")
    with held.parts.site.lock():
        admins.drop(held.admin, held.parts.site.git_trash)
    held.parts.records.drop(record.name)
    saved = f"; what git still had of it is saved as {ref}" if ref else ""
    return None, f"forgot workspace {record.name}, whose folder was removed{saved}"


def undo(held: Held) -> str | None:
    """Undo a checkout or merge of ours that was killed; returns the rescue ref, where anything had to be saved.

    The agent had nothing uncommitted when it began, so whatever is there is ours; saved all the same.
    """
    for name in ("index.lock", "HEAD.lock"):
        folders.remove(f"{held.admin.folder}/{name}")
    ref = keep_changes(held, "an interrupted merge was undone")
    binding.restore(held.parts.site, held.admin, held.path, held.lock, held.record.provided)
    return ref
