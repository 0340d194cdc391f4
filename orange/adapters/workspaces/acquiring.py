"""Acquiring a workspace: found as it was left, or a spare moved into place; on the branch, with the base merged in.

Every step can be repeated, so that a kill is repaired by asking again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from orange import skillfiles
from orange.adapters.workspaces import admin as admins
from orange.adapters.workspaces import binding, folders, leftovers, occupants, provision, repair, shadow, spares
from orange.adapters.workspaces.binding import Branch
from orange.adapters.workspaces.leftovers import Target
from orange.adapters.workspaces.parts import Held, Parts, unrecorded
from orange.adapters.workspaces.provision import Provided
from orange.adapters.workspaces.records import Record, State
from orange.adapters.workspaces.site import step
from orange.adapters.workspaces.survey import look_over
from orange.core.activeskills import LINKED
from orange.core.model import Task, Workspace
from orange.core.problems import BranchUnusable, WorkspaceForeign, WorkspaceStepFailed

#: How many spares are made for one workspace: others may be taking them.
_TRIES = 5
#: States in which a workspace is the task's, with whatever work is in it.
_STANDING = frozenset({State.BOUND, State.PREPARING})


def acquire(parts: Parts, task: Task, name: str, start_point: str) -> Workspace:
    """Bind a task's workspace to its branch. Raises WorkspaceFailed."""
    path = parts.site.path(task.slug)
    with parts.records.lock(task.slug) as lock:
        record = _standing(parts, task.slug, path, lock)
        with step(path, "preparing the branch"):
            branch = _prepare_branch(parts, name, start_point, path, lock)
        resumed = record is not None
        if record is None:
            record = _place(parts, Record(task.slug, State.MOVING, path, task=task.id, branch=name), branch.tip)
        admin = admins.of(parts.site.common, record.admin, path)
        if admin is None:
            raise WorkspaceForeign(path, "is no longer known to git")
        held = Held(parts, record, admin, lock)
        if record.state in _STANDING:
            return _resume(held, branch, start_point)
        if resumed:
            with step(path, "undoing what was interrupted"):
                repair.undo(held)
        return _bind(held, branch, start_point)


def _prepare_branch(parts: Parts, name: str, start_point: str, path: str, lock: int) -> Branch:
    """Make sure of the branch; a spare that a killed return left on it is removed first. Raises BranchUnusable."""
    try:
        return binding.prepare(parts.site, name, start_point, path, lock)
    except BranchUnusable:
        if not parts.spares.tidy():
            raise
    return binding.prepare(parts.site, name, start_point, path, lock)


def _standing(parts: Parts, slug: str, path: str, lock: int) -> Record | None:
    """The workspace that exists already, healed and at its place; None when one has to be made."""
    record = parts.records.read(slug)
    if record:
        record = repair.heal(parts, record, lock, forget=True)[0]
    if record is None:
        record = _recognise(parts, path, lock)
    if record and record.path != path:
        record = _bring(parts, record, path)
    return record


def _recognise(parts: Parts, path: str, lock: int) -> Record | None:
    """Make sense of what stands at the path although nothing was recorded. Raises WorkspaceForeign."""
    admin = admins.find(parts.site.common, path)
    record = unrecorded(parts.site, admin) if admin else None
    if admin and record is None:
        raise WorkspaceForeign(path, "is a worktree that is not orange's")
    if record:
        return repair.heal(parts, parts.records.write(record), lock, forget=True)[0]
    with suppress(OSError):
        # An empty folder holds nothing; anything else refuses to be removed this way.
        os.rmdir(path)
    if folders.present(path):
        raise WorkspaceForeign(path, "exists and is not a workspace of orange")
    return None


def _bring(parts: Parts, record: Record, path: str) -> Record:
    """Move a workspace to where `workspaces.root` now says. Raises WorkspaceFailed."""
    if folders.present(path):
        raise WorkspaceForeign(path, f"is where workspace {record.path} should move to, but exists")
    admin = repair.owned(parts, record)
    with step(path, f"moving it from {record.path}"), parts.site.lock():
        os.makedirs(parts.site.root, exist_ok=True)
        if admin:
            admins.relocate(replace(admin, path=record.path), path)
        return parts.records.write(replace(record, path=path))


def _place(parts: Parts, record: Record, commit: str) -> Record:
    """Move a spare to the path, making one at the commit first where none is ready. Raises WorkspaceFailed."""
    record = replace(record, used_at=parts.site.clock.now())
    for _ in range(_TRIES):
        placed = parts.spares.hand_over(record)
        if placed:
            return placed
        parts.spares.make(commit)
    raise WorkspaceStepFailed(record.path, "moving a spare into place", "every spare made was taken or unusable")


def _bind(held: Held, branch: Branch, start_point: str) -> Workspace:
    """Put a workspace that nobody has worked in on its branch, and prepare it."""
    site, path = held.parts.site, held.path
    binding.attach(site, held.admin, branch, path, held.lock)
    found: tuple[str, ...] = ()
    if branch.existed and binding.lacks(site, branch, start_point):
        found = binding.merge(site, held.admin, branch.name, start_point, held.lock)
    if site.settings.hooks.after_create:
        with step(path, "recording it"):
            held = held.save(replace(held.record, state=State.PREPARING, branch=branch.name))
    return _prepare(held, branch, found)


def _prepare(held: Held, branch: Branch, conflicts: tuple[str, ...]) -> Workspace:
    """Copy, link, run `after_create`; then the workspace is the task's."""
    parts, path = held.parts, held.path
    settings = parts.site.settings
    with step(path, "copying ignored files"):
        main = parts.main
        given = provision.provide(main, path, settings.copy, settings.link) if main else Provided()
    env = {**parts.environ, "ORANGE_TASK": held.record.task or "", "ORANGE_WORKSPACE": path}
    provision.run_hook(settings.hooks, "after_create", path, env)
    provided = tuple(dict.fromkeys([*held.record.provided, *given.paths]))
    return _done(replace(held, record=replace(held.record, provided=provided)), branch, conflicts, given.notes)


def _resume(held: Held, branch: Branch, start_point: str) -> Workspace:
    """Go on with a workspace as it was left; the base is merged in where nothing is in the way."""
    if held.record.branch not in {None, branch.name}:
        raise BranchUnusable(branch.name, f"{held.path} still holds {held.record.branch}: `orange cleanup` returns it")
    with step(held.path, "looking at it"):
        found = binding.conflicts(held.admin, held.path)
        merging = not found and _may_merge(held, branch, start_point)
    if held.record.state is State.PREPARING:
        return _prepare(held, branch, found)
    if merging:
        with step(held.path, "recording it"):
            held = held.save(replace(held.record, state=State.MERGING))
        found = binding.merge(held.parts.site, held.admin, branch.name, start_point, held.lock)
    return _done(held, branch, found)


def _may_merge(held: Held, branch: Branch, start_point: str) -> bool:
    """Whether the base has something new, and nothing in the workspace is in the way of taking it in."""
    site, admin = held.parts.site, held.admin
    if held.record.state is not State.BOUND or admin.branch != branch.ref or admin.operating:
        return False
    if not binding.lacks(site, branch, start_point) or occupants.find((held.path,)):
        return False
    skillfiles.take_out(held.path, LINKED)  # of a run that was killed: the base may have a skill of that name
    target = Target(admin, held.path, branch.ref, site.git(), site.clock)
    config = spares.look_config(site, admin)
    with shadow.look(held.source, config, spares.head_of(admin), (held.lock,)) as looking:
        changes = look_over(looking, frozenset(held.record.provided))
    return not changes and leftovers.free_index(target)


def _done(held: Held, branch: Branch, conflicts: tuple[str, ...], notes: tuple[str, ...] = ()) -> Workspace:
    now = held.parts.site.clock.now()
    with step(held.path, "recording it"):
        record = replace(held.record, state=State.BOUND, branch=branch.name, spare=None, used_at=now)
        held.save(record)
    return Workspace(held.path, record.task, branch.name, used_at=now, conflicts=conflicts, notes=notes)
