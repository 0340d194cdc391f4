"""Writes the files of a commit into an empty folder, byte for byte: no filter, no line-end conversion, no links.

Not a checkout: attributes and configuration that others can write have a say in that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from orange.adapters.git import Git
from orange.core.problems import GitFailed

#: Blobs read by one git process.
_CHUNK = 512
_BLOBS = (b"100", b"120")


def fill(git: Git, commit: str, folder: str) -> None:
    """Write every file of the commit below `folder`, for good. Raises OSError, GitFailed."""
    entries = list(_entries(git, commit))
    for at in range(0, len(entries), _CHUNK):
        chunk = entries[at : at + _CHUNK]
        contents = _contents(git, [blob for blob, _ in chunk])
        for (_, path), data in zip(chunk, contents, strict=True):
            _write(folder, path, data)
    os.sync()


def _entries(git: Git, commit: str) -> Iterator[tuple[bytes, str]]:
    """Yield (blob, path) of every file; what cannot safely be a path here stays in the branch alone."""
    for entry in git.run("ls-tree", "-r", "-z", "--full-tree", commit).stdout.split(b"\0"):
        meta, _, path = entry.partition(b"\t")
        unsafe = any(part in {b"", b".", b".."} or part.lower() == b".git" for part in path.split(b"/"))
        if meta.startswith(_BLOBS) and not unsafe:
            yield meta.split(b" ")[2], os.fsdecode(path)


def _contents(git: Git, blobs: list[bytes]) -> Iterator[bytes]:
    answer = git.run("cat-file", "--batch", stdin=b"\n".join(blobs) + b"\n").stdout
    at = 0
    for blob in blobs:
        end = answer.index(b"\n", at)
        head = answer[at:end].split(b" ")
        if len(head) != 3:
            raise GitFailed(("git", "cat-file", "--batch"), 1, f"blob {blob.decode()} is missing")
        size = int(head[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + 2 + size


def _write(folder: str, path: str, data: bytes) -> None:
    target = f"{folder}/{path}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with open(fd, "wb") as file:
        file.write(data)
