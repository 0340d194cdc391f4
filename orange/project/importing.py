"""Imports from other tools: what `core.imports` resolves is written in one entry, all of it or nothing.

Next in the flow: the tasks run like any others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orange.core import names, times
from orange.core.imports import formats
from orange.core.imports.item import ImportRefused, Item, Reading, Source
from orange.core.imports.resolve import Home, Resolved, resolve
from orange.core.lifecycle import Actor, Status
from orange.core.model import Board, Task
from orange.core.problems import InvalidInput, NotAllowed, OrangeError
from orange.core.steps import SHAPES
from orange.core.storeports import Event, Transaction
from orange.project.parts import Parts
from orange.project.requests import Speaker


def import_items(parts: Parts, speaker: Speaker, source: Source, format_: str, *, dry_run: bool) -> Resolved:
    """Create the tasks of a source that are not here yet. Raises ImportRefused, NotAllowed."""
    if speaker.actor is Actor.AGENT:
        raise NotAllowed("importing is for people; an agent creates tasks with `orange task create`")
    reading = formats.READERS[format_](source)
    if dry_run:
        return _resolved(parts, reading, format_, parts.store.read())
    with parts.store.transaction(f"import from {format_}") as tx:
        found = _resolved(parts, reading, format_, tx.board())
        items = {fate.task: fate.item for fate in found.fates}
        for task, body in found.tasks:
            _write(tx, task, body, items[task.id])
            tx.event(task.id, _event(parts, speaker, task, format_))
        for parent, kids in found.families.items():
            above = tx.task(parent)
            tx.put(replace(above, children=(*above.children, *kids)))
        return found


def _resolved(parts: Parts, reading: Reading, format_: str, board: Board) -> Resolved:
    types = {*SHAPES, *parts.pipelines.names()}
    home = Home(board, Status(parts.settings().default_status), types, times.stamp(parts.clock.now()))
    return resolve(reading, format_, home, _ids(parts))


def _ids(parts: Parts) -> Iterator[str]:
    while True:
        yield names.new_id(parts.random(32))


def _write(tx: Transaction, task: Task, body: str, item: Item) -> None:
    """Write one task; what cannot be written names the record."""
    try:
        tx.create(task, body)
    except InvalidInput as refused:
        raise ImportRefused(f"{item.where}, {refused.field}", refused.reason) from None
    except OrangeError as refused:
        raise ImportRefused(item.where, refused.message) from None


def _event(parts: Parts, speaker: Speaker, task: Task, format_: str) -> Event:
    data = {"title": task.title, "parent": task.parent, "imported": format_}
    return Event(times.stamp(parts.clock.now()), "task.created", speaker.label, data)
