"""The workspaces in which a commit is looked at, on no branch: what a base would become is checked, work is reviewed.

One for each purpose. It is made anew each time, so that nothing passes on what another one left there, and thrown away
afterwards. No task owns it and nobody works in it, so nothing of it is saved.
"""

from __future__ import annotations

import hashlib

from orange.adapters.workspaces import provision
from orange.adapters.workspaces.parts import Parts
from orange.adapters.workspaces.records import Record, State
from orange.adapters.workspaces.site import step
from orange.core.names import is_id


def check_out(parts: Parts, purpose: str, commit: str, task: str) -> str:
    """Make it, with what `workspaces.copy`, `link` and `after_create` give any workspace. Raises WorkspaceFailed."""
    name = f".check-{hashlib.sha256(purpose.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
    path = parts.site.path(name)
    with parts.records.lock(name) as held:
        _throw_away(parts, name)
        with step(path, "recording it"):
            record = parts.records.write(Record(name, State.MAKING, path, None, task, used_at=parts.site.clock.now()))
        parts.spares.grow(record, commit, held, State.CHECKING)
        settings = parts.site.settings
        with step(path, "copying ignored files"):
            if parts.main:
                provision.provide(parts.main, path, settings.copy, settings.link)
        env = {**parts.environ, "ORANGE_TASK": task, "ORANGE_WORKSPACE": path}
        provision.run_hook(settings.hooks, "after_create", path, env)
    return path


def standing(parts: Parts) -> dict[str, str]:
    """List those that were made for tasks and are there: path -> task."""
    found = (record for record in parts.records.all() if record.state is State.CHECKING)
    return {record.path: record.task for record in found if record.task and is_id(record.task)}


def discard(parts: Parts, path: str) -> None:
    """Throw it away, where it is there. Raises WorkspaceFailed."""
    record = parts.records.of_path(path)
    if record and record.state is State.CHECKING:
        with parts.records.lock(record.name):
            _throw_away(parts, record.name)


def _throw_away(parts: Parts, name: str) -> None:
    record = parts.records.read(name)
    if record:
        with step(record.path, "removing it"):
            parts.spares.throw_away(record)
