"""The history through the git program: one look at the tip, one `git fast-import` a commit.

fast-import moves the ref by itself, and only onto a commit that contains what the ref says at that moment: a
concurrent commit makes it refuse, and we begin again on the new tip. Own processes do not even race: they hold a lock.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from orange.adapters.git import Git, Identity, clear_stale_lock, repository_lock
from orange.adapters.history import changes as change
from orange.adapters.history.changes import Changes, Standing
from orange.core.layout import RECORDS_REF, Layout
from orange.core.problems import GitFailed

#: How often a commit begins again because someone else's tip got in between.
_ATTEMPTS = 12
#: From this many paths on, listing the whole tree is cheaper than asking for each; sooner where one is at hand.
_LIST_FROM, _UPDATE_FROM = 16, 3
#: Objects and the ref reach the disk before the journal entries they record are dropped; a lock is waited for.
_DURABLE = ("-c", "core.fsync=committed,reference", "-c", "core.filesRefLockTimeout=2000")
#: Modes of files and links; what else there is in a tree is a folder or a submodule.
_BLOBS = ("100", "120")
#: Seconds an import may take; ten thousand tasks take one or two.
_LONG = 600.0
_CRASH_REPORT = re.compile(r"dumping crash report to (\S+)")


class FastImportHistory:
    """Satisfies `ports.History`."""

    def __init__(self, layout: Layout, now: Callable[[], float]) -> None:
        self._git = Git(layout.common)
        self._now = now
        self._lock = f"{layout.runtime}/history.lock"
        self._who: Identity | None = None
        #: The last listing: the tip it is of, and path -> blob id.
        self._listed: tuple[str | None, dict[str, str]] = (None, {})

    def tip(self) -> str | None:
        """Return the branch's commit, or None before the first. Raises GitFailed."""
        return self._git.ref(RECORDS_REF)

    def blobs(self) -> Mapping[str, str]:
        """Map every path of the tip to its blob id. Raises GitFailed."""
        return self._current()[1]

    def _current(self) -> tuple[str | None, dict[str, str]]:
        """Return the tip with its listing."""
        tip = self.tip()
        before, listed = self._listed
        if tip == before:
            return before, listed
        if tip is None:
            current: tuple[str | None, dict[str, str]] = (None, {})
        else:
            current = (tip, self._list(tip) if before is None else self._update(listed, before, tip))
        self._listed = current
        return current

    def read(self, blob: str) -> bytes:
        """Return a blob's bytes. Raises GitFailed."""
        return self._git.run("cat-file", "blob", blob).stdout

    def commit(self, changes: Changes, message: str) -> str:
        """Commit changed paths (None deletes) on top of the tip; retries when the tip moved. Raises GitFailed.

        Returns the tip as it is where nothing would change.
        """
        change.check(changes)
        with self._alone() as git:
            return self._commit(git, changes, message)

    @contextmanager
    def _alone(self) -> Iterator[Git]:
        """Be the only writer among our processes; the lock lasts as long as any git started under it."""
        with repository_lock(self._lock) as held:
            clear_stale_lock(self._git.directory, RECORDS_REF, self._now())
            yield Git(self._git.directory, keep=(held,))

    def _commit(self, git: Git, changes: Changes, message: str) -> str:
        refused = ""
        for _ in range(_ATTEMPTS):
            standing = self._standing(changes)
            left = change.needed(changes, standing)
            if standing.tip and not left:
                return standing.tip
            made, refused = _import(git, change.stream(left, standing.tip, self._signature(), message))
            if made:
                return made
        raise GitFailed(("git", "fast-import"), 1, refused)

    def _signature(self) -> str:
        self._who = self._who or self._git.identity()
        return f"{self._who.name} <{self._who.email}> {int(self._now())} +0000"

    def _standing(self, changes: Changes) -> Standing:
        """Look at the tip. The tip is asked for last, so that it holds at least what was seen of the paths."""
        if len(changes) >= (_UPDATE_FROM if self._listed[0] else _LIST_FROM):
            tip, listed = self._current()
            return Standing(tip, {path: listed[path] for path in changes if path in listed})
        return self._ask(list(changes))

    def _ask(self, paths: list[str]) -> Standing:
        names = [os.fsencode(f"{RECORDS_REF}:{path}") for path in paths] + [f"{RECORDS_REF}^{{commit}}".encode()]
        answer = self._git.run("cat-file", "-z", "--batch-check", stdin=b"\0".join(names) + b"\0").stdout
        found = list(_answers(answer, names))
        blobs = {path: oid for path, (oid, kind) in zip(paths, found[:-1], strict=True) if kind == "blob"}
        return Standing(found[-1][0] or None, blobs)

    def _list(self, tip: str) -> dict[str, str]:
        listing = os.fsdecode(self._git.run("ls-tree", "-r", "-z", "--full-tree", tip).stdout)
        entries = (entry.partition("\t") for entry in listing.split("\0"))
        return {path: meta.rpartition(" ")[2] for meta, _, path in entries if meta.startswith(_BLOBS)}

    def _update(self, listed: dict[str, str], old: str, new: str) -> dict[str, str]:
        """Bring a listing forward by the difference alone. Returns a new dict: readers keep the one they have."""
        arguments = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
        result = self._git.attempt(*arguments)
        if result.status != 0:  # the tip we knew is gone (pruned, or another history)
            return self._list(new)
        fields = os.fsdecode(result.stdout).split("\0")
        return _changed(listed, zip(fields[::2], fields[1::2], strict=False))


def _import(git: Git, stream: bytes) -> tuple[str | None, str]:
    """Run one import; the commit, or why there is none."""
    result = git.attempt(*_DURABLE, "fast-import", "--quiet", "--date-format=raw", stdin=stream, timeout=_LONG)
    if result.status == 0:
        return result.text.strip(), ""
    report = _CRASH_REPORT.search(result.stderr)
    if report:  # git leaves one for every failure, in the git directory, where nobody looks
        _discard(os.path.join(git.directory, report[1]))
    return None, result.stderr


def _changed(listed: dict[str, str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fresh = dict(listed)
    for meta, path in pairs:
        _, mode, _, oid, _ = meta.split(" ")
        if mode.startswith(_BLOBS):
            fresh[path] = oid
        else:
            fresh.pop(path, None)
    return fresh


def _answers(answer: bytes, names: list[bytes]) -> Iterable[tuple[str, str]]:
    """Yield (id, kind) for each name, in order; a missing one's line repeats its name, which may hold newlines."""
    at = 0
    for name in names:
        missing = name + b" missing\n"
        if answer.startswith(missing, at):
            at += len(missing)
            yield "", ""
            continue
        end = answer.index(b"\n", at)
        oid, kind, _ = answer[at:end].split(b" ")
        at = end + 1
        yield oid.decode(), kind.decode()


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
