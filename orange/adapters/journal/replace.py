"""Replaces a file's content without ever destroying somebody else's.

The file is exchanged for its staged new version, and what came out is looked at. If that is not what the transaction
had read, an editor saved in the last instant: both versions are merged and the exchange is made again.

Next in the flow: `redo` puts these beside the other operations.
"""

from __future__ import annotations

from orange.adapters.journal.carry import Carry, Unmergeable, split
from orange.adapters.journal.durable import Folder
from orange.adapters.journal.entry import Op, blob_id

#: How often an editor may save in the very instant of our write before we give up.
_TRIES = 6

#: A file's folder, opened, and its name.
_At = tuple[Folder, str]


def write(carry: Carry, op: Op, index: int) -> None:
    """Put a staged content in place. Raises OSError, Unmergeable (then the file is as it was)."""
    with carry.folder(op.path, new=op.base is None) as folder:
        at = (folder, split(op.path)[1])
        if op.base is None:
            _place(carry, op, at, carry.slot(index))
        else:
            _Swap(carry, op, index, at).run(carry.slot(index), op.target, op.base)


def finish_write(carry: Carry, op: Op, index: int) -> None:
    """Put a content in place after a kill, whatever had been done of it. Raises OSError, Unmergeable."""
    displaced = _displaced(carry, op, index)
    with carry.folder(op.path, new=True) as folder:
        at = (folder, split(op.path)[1])
        there = carry.disk.read(*at)
        if there is None:
            _place(carry, op, at, carry.restage(index, op.target))
            there = op.target
        for content in displaced:
            there = _take_in(carry, op, index, at, (content, there))
        if there != op.target:
            _take_in(carry, op, index, at, (there, there))


def _displaced(carry: Carry, op: Op, index: int) -> list[bytes]:
    """The edits that were swapped out when the process was killed and are not merged yet."""
    found: list[bytes] = []
    merged: set[bytes | None] = {op.base, op.target}
    for name in carry.staged(index):
        content = carry.disk.settled(carry.staging, name)
        if content is None or content in merged:
            continue
        found.append(content)
        merged |= {content, carry.merge(op, content)}
    return found


def _take_in(carry: Carry, op: Op, index: int, at: _At, versions: tuple[bytes, bytes]) -> bytes:
    """Merge a version somebody saved with what the file holds now; returns what it holds then."""
    theirs, there = versions
    merged = op.target if theirs == op.base else carry.merge(op, theirs)
    if merged is None and there == theirs:
        raise Unmergeable(op.path)
    if merged is None or there not in {op.base, op.target, theirs, merged}:
        carry.aside(op.path, theirs)
        return there
    if there != merged:
        _Swap(carry, op, index, at).run(carry.restage(index, merged), merged, there)
    return merged


def _place(carry: Carry, op: Op, at: _At, staged: str) -> None:
    try:
        carry.disk.place((carry.staging, staged), at)
    except FileExistsError as error:
        raise Unmergeable(op.path) from error
    carry.undoing(lambda: _unplace(carry, op))


def _unplace(carry: Carry, op: Op) -> None:
    """Take a new file away again, unless somebody has edited it already."""
    carry.emptied(op.path)
    with carry.folder(op.path) as folder:
        name = split(op.path)[1]
        if carry.disk.read(folder, name) == op.target:
            carry.disk.remove(folder, name)


class _Swap:
    """One file's exchange, repeated while edits come out of it."""

    def __init__(self, carry: Carry, op: Op, index: int, at: _At) -> None:
        self._carry, self._op, self._index, self._at = carry, op, index, at

    def run(self, staged: str, wanted: bytes, expected: bytes) -> None:
        """Exchange what is `expected` for what is `wanted`."""
        mark = self._carry.mark
        for _ in range(_TRIES):
            found = self._exchange(staged, wanted, expected)
            if found is None:
                if self._restore(staged):
                    return
                continue
            theirs, placed = found
            if theirs in {expected, wanted}:
                return
            merged = self._carry.merge(self._op, theirs)
            if merged is None:
                break
            expected = wanted if placed else theirs
            staged, wanted = self._carry.restage(self._index, merged), merged
        self._carry.undo(mark)
        raise Unmergeable(self._op.path)

    def _exchange(self, staged: str, wanted: bytes, expected: bytes) -> tuple[bytes, bool] | None:
        """Exchange; returns what was there and whether the staged file now is. None where there is no file."""
        carry = self._carry
        source = (carry.staging, staged)
        try:
            carry.disk.copy_mode(self._at, source)
            done = carry.disk.exchange(source, self._at)
        except FileNotFoundError:
            return None
        if not done:
            return self._replace(staged, wanted, expected)
        carry.undoing(lambda: self._swap_back(staged, wanted))
        theirs = carry.disk.settled(carry.staging, staged)
        if theirs is None:
            carry.late[staged] = blob_id(expected)
            return expected, True
        return theirs, True

    def _restore(self, staged: str) -> bool:
        """Make the file anew that vanished in this instant; False when it is back already (an editor's backup)."""
        try:
            _place(self._carry, self._op, self._at, staged)
        except Unmergeable:
            return False
        return True

    def _replace(self, staged: str, wanted: bytes, expected: bytes) -> tuple[bytes, bool] | None:
        """Do what can be done without an exchange: look, and rename at once if nothing has changed."""
        carry = self._carry
        theirs = carry.disk.read(*self._at)
        if theirs != expected:
            return None if theirs is None else (theirs, False)
        carry.disk.rename((carry.staging, staged), self._at)
        carry.undoing(lambda: self._write_back(wanted, expected))
        return theirs, True

    def _swap_back(self, staged: str, ours: bytes) -> None:
        """Exchange again. What comes out and is not ours is newer than what went in: it goes back at once."""
        carry = self._carry
        source = (carry.staging, staged)
        before = ours
        with carry.folder(self._op.path) as folder:
            at = (folder, self._at[1])
            going = carry.disk.read(carry.staging, staged)
            while carry.disk.exchange(source, at):
                out = carry.disk.read(carry.staging, staged)
                if out == before or out is None or going is None:
                    return
                before, going = going, out

    def _write_back(self, ours: bytes, theirs: bytes) -> None:
        carry = self._carry
        with carry.folder(self._op.path) as folder:
            at = (folder, self._at[1])
            if carry.disk.read(*at) == ours:
                carry.disk.rename((carry.staging, carry.restage(self._index, theirs)), at)
