"""A history without git: commits are numbered snapshots, in memory or in a folder that several processes share."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from orange.core.problems import GitFailed


@dataclass(frozen=True, slots=True)
class FakeCommit:
    """One commit of a fake history."""

    id: str
    message: str
    #: Path -> blob id of everything there is.
    blobs: Mapping[str, str]


class FakeHistory:
    """Satisfies `ports.History`. With a folder it survives the process; one process at a time may commit."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._blobs: dict[str, bytes] = {}
        self._commits: list[FakeCommit] = []
        #: Set to a sentence to have every commit fail.
        self.broken: str | None = None
        #: How often the whole tree was listed.
        self.listed = 0

    @property
    def commits(self) -> list[FakeCommit]:
        """Every commit, the oldest first."""
        if self._folder is None:
            return self._commits
        try:
            with open(f"{self._folder}/commits.json", encoding="utf-8") as file:
                return [FakeCommit(*parts) for parts in json.load(file)]
        except FileNotFoundError:
            return []

    def tip(self) -> str | None:
        """Return the latest commit's id."""
        commits = self.commits
        return commits[-1].id if commits else None

    def blobs(self) -> Mapping[str, str]:
        """Return path -> blob id of the tip."""
        self.listed += 1
        commits = self.commits
        return dict(commits[-1].blobs) if commits else {}

    def read(self, blob: str) -> bytes:
        """Return a blob's bytes. Raises GitFailed."""
        try:
            if self._folder is None:
                return self._blobs[blob]
            with open(f"{self._folder}/{blob}", "rb") as file:
                return file.read()
        except (KeyError, FileNotFoundError):
            raise GitFailed(("git", "cat-file", blob), 128, f"no blob {blob}") from None

    def commit(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """Commit changed paths; what the tip says already makes no commit. Raises GitFailed."""
        if self.broken is not None:
            raise GitFailed(("git", "fast-import"), 128, self.broken)
        commits = self.commits
        blobs = dict(commits[-1].blobs) if commits else {}
        before = dict(blobs)
        for path, data in changes.items():
            if data is None:
                blobs.pop(path, None)
            else:
                blobs[path] = self._keep(data)
        if commits and blobs == before:
            return commits[-1].id
        made = FakeCommit(_digest(json.dumps([len(commits), message, blobs]).encode()), message, blobs)
        self._add(made)
        return made.id

    def content(self, path: str) -> bytes | None:
        """Return a path's bytes at the tip, or None where there is none."""
        commits = self.commits
        blob = commits[-1].blobs.get(path) if commits else None
        return None if blob is None else self.read(blob)

    def _keep(self, data: bytes) -> str:
        blob = _digest(b"blob %d\0" % len(data) + data)
        self._blobs[blob] = data
        if self._folder is not None:
            _write(f"{self._folder}/{blob}", data)
        return blob

    def _add(self, made: FakeCommit) -> None:
        if self._folder is None:
            self._commits.append(made)
            return
        every = [[commit.id, commit.message, dict(commit.blobs)] for commit in (*self.commits, made)]
        _write(f"{self._folder}/commits.json", json.dumps(every).encode())


def _write(path: str, data: bytes) -> None:
    part = f"{path}.{os.getpid()}"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, path)


def _digest(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
