"""Carries the operations of a journal entry out, or finishes them after a kill.

Each kind of operation has two ways: `apply` for a transaction under way, where a conflict is refused and everything
is taken back, and `finish` for an entry found open, where a conflict keeps both sides.

Next in the flow: `journal` publishes an entry, then applies it; a later process finishes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orange.adapters.journal.carry import Carry, Unmergeable, split
from orange.adapters.journal.durable import Irregular
from orange.adapters.journal.entry import Kind, Op
from orange.adapters.journal.replace import finish_write, write
from orange.core.problems import StaleWrite


def stage(carry: Carry, ops: tuple[Op, ...]) -> None:
    """Write the new content of every file beside the tree, before the entry is published."""
    with carry.disk.together(carry.staging, len(ops)):
        for index, op in enumerate(ops):
            if op.kind is Kind.WRITE:
                carry.disk.create(carry.staging, carry.slot(index), op.target)


def apply(carry: Carry, ops: tuple[Op, ...]) -> None:
    """Carry staged operations out. Raises OSError, StaleWrite; `carry.undo` then takes back what was done."""
    with carry.disk.together(carry.tree, len(ops)):
        for index, op in enumerate(ops):
            _apply(carry, op, index)
        carry.sync()


def _apply(carry: Carry, op: Op, index: int) -> None:
    ways = {Kind.WRITE: write, Kind.APPEND: _append, Kind.REMOVE: _remove, Kind.MOVE: _move}
    try:
        ways[op.kind](carry, op, index)
    except (Unmergeable, FileNotFoundError) as error:
        raise StaleWrite(op.path, "it was edited by hand in the same instant; try again") from error
    except (NotADirectoryError, Irregular) as error:
        raise StaleWrite(op.path, "something else than a plain file or folder is in its place") from error


def finish(carry: Carry, ops: tuple[Op, ...]) -> None:
    """Carry out what a kill left undone; what can be neither applied nor merged is kept aside. Raises OSError."""
    ways = {Kind.WRITE: finish_write, Kind.APPEND: _finish_append, Kind.REMOVE: _finish_remove, Kind.MOVE: _finish_move}
    for index, op in enumerate(ops):
        where = _followed(carry, op, ops[index + 1 :])
        try:
            ways[op.kind](carry, where, index)
        except (Unmergeable, NotADirectoryError, IsADirectoryError, Irregular):
            carry.aside(where.path, op.data)
    carry.sync()


def _followed(carry: Carry, op: Op, later: Iterable[Op]) -> Op:
    """Find the file of an operation where a later move of the same entry has taken it already."""
    if op.kind is Kind.MOVE or carry.exists(op.path):
        return op
    path = op.path
    for move in later:
        if move.kind is Kind.MOVE and f"{path}/".startswith(f"{move.path}/"):
            path = move.to + path[len(move.path) :]
    return replace(op, path=path) if carry.exists(path) else op


def _append(carry: Carry, op: Op, _index: int) -> None:
    with carry.folder(op.path) as folder:
        carry.undoing(lambda: _unappend(carry, op))
        carry.disk.append(folder, split(op.path)[1], op.data)


def _unappend(carry: Carry, op: Op) -> None:
    with carry.folder(op.path) as folder:
        name = split(op.path)[1]
        there = carry.disk.read(folder, name)
        if there is None or not op.data.startswith(there[op.offset :]):
            return
        if op.offset:
            carry.disk.truncate(folder, name, op.offset)
        else:
            carry.disk.remove(folder, name)
            carry.emptied(op.path)


def _finish_append(carry: Carry, op: Op, _index: int) -> None:
    with carry.folder(op.path, new=True) as folder:
        name = split(op.path)[1]
        there = carry.disk.read(folder, name) or b""
        if op.data in (there[op.offset :] if len(there) > op.offset else there):
            return
        tail = there[op.offset :]
        begun = len(tail) if op.data.startswith(tail) else 0
        carry.disk.append(folder, name, op.data[begun:])


def _remove(carry: Carry, op: Op, index: int) -> None:
    staged = (carry.staging, carry.slot(index))
    with carry.folder(op.path) as folder:
        mark = carry.mark
        carry.disk.place((folder, split(op.path)[1]), staged)
        carry.undoing(lambda: _unremove(carry, op, index))
        if carry.disk.settled(*staged) != op.base:
            carry.undo(mark)
            raise Unmergeable(op.path)
    carry.emptied(op.path)


def _unremove(carry: Carry, op: Op, index: int) -> None:
    with carry.folder(op.path, new=True) as folder:
        try:
            carry.disk.place((carry.staging, carry.slot(index)), (folder, split(op.path)[1]))
        except FileExistsError:
            return  # somebody has made it anew


def _finish_remove(carry: Carry, op: Op, index: int) -> None:
    """Delete the file if it is what was to be deleted: an edit made meanwhile keeps it."""
    with carry.folder(op.path, new=True) as folder:
        there = carry.disk.read(folder, split(op.path)[1])
    if there is None:
        for name in carry.staged(index):
            if carry.disk.read(carry.staging, name) != op.base:
                _unremove(carry, op, index)
    elif there == op.base:
        _remove(carry, op, index)
    carry.emptied(op.path)


def _move(carry: Carry, op: Op, _index: int) -> None:
    _rename(carry, op.path, op.to)
    carry.undoing(lambda: _rename(carry, op.to, op.path))
    carry.emptied(op.path)


def _finish_move(carry: Carry, op: Op, _index: int) -> None:
    try:
        _rename(carry, op.path, op.to)
    except FileNotFoundError:
        pass  # it was moved before the kill, or taken away by hand since
    except FileExistsError as error:
        raise Unmergeable(op.path) from error
    carry.emptied(op.path)


def _rename(carry: Carry, source: str, target: str) -> None:
    with carry.folder(source) as here, carry.folder(target, new=True) as there:
        carry.disk.place((here, split(source)[1]), (there, split(target)[1]))
