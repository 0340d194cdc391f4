"""Damaged and hostile files: each is a document or a problem with a line, soon, and is never half edited."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from orange.core import document, fastyaml, guardedyaml
from orange.core.document import Document
from orange.core.lifecycle import Status
from orange.core.model import Claim, Task
from orange.core.problems import BrokenFile, EditFailed, Problem
from tests.data.hostile_files import HOSTILE, damaged
from tests.data.odd_files import odd_file

#: Seconds a file may take on a busy machine; by itself it is a fifth of that.
SOON = 0.25
PLAIN = document.render(
    Task("k3f9x2ab", "OAuth: endpoints", "oauth-api", created_at="2026-11-20T09:00:00Z", labels=("a", "b"),
         acceptance_criteria=("POST /login: a cookie", "it works"), claim=Claim(None, 2, None, None, None)),
    "\n## Context\nWhat is wanted.\n\n---\n",
)  # fmt: skip


def _soon(data: bytes) -> Document | Problem:
    """Read; on a pause of the machine, read again."""
    for _ in range(3):
        start = time.perf_counter()
        found = document.parse(data, "tasks/x/TASK.md")
        if time.perf_counter() - start < SOON:
            return found
    raise AssertionError("too slow")


def _sound(data: bytes) -> bool:
    """Check everything that must hold for any bytes; return whether they are a document."""
    found = _soon(data)
    if isinstance(found, Problem):
        assert found.path == "tasks/x/TASK.md"
        assert 1 <= found.line <= data.count(b"\n") + 1
        assert found.message
        assert found.hint
        with pytest.raises(BrokenFile):
            document.edit(data, {"status": Status.DONE})
        return False
    text = data.decode()
    quick = fastyaml.locate(text)
    if quick:
        assert guardedyaml.read(text) == quick
    with suppress(EditFailed):
        edited = document.edit(data, {"status": Status.STUCK, "updated_at": "2026-11-20T09:00:00Z"})
        again = document.parse(edited, "tasks/x/TASK.md")
        assert isinstance(again, Document)
        assert again.body == found.body
        assert again.task.status is Status.STUCK
    return True


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_problems(name: str) -> None:
    """A file made to break or choke a YAML reader is a problem with a line, within a quarter of a second."""
    assert not _sound(HOSTILE[name])


def test_damaged_files_are_documents_or_problems(times: Callable[[int], int]) -> None:
    """1 000 sound files damaged at random raise nothing, take no time, and are edited wholly or not at all."""
    counts = {True: 0, False: 0}
    for seed in range(times(1000)):
        random = Random(seed)
        base = PLAIN if seed % 2 else odd_file(random).data
        data = damaged(base, random)
        try:
            counts[_sound(data)] += 1
        except Exception as error:
            error.add_note(f"seed {seed}: {data!r}")
            raise
    assert min(counts.values()) > 100, counts
