"""The records of quick actions on disk, and the refs that hold what they changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters.git import Git
from orange.adapters.quick import FileQuickRuns
from orange.core.layout import Layout
from orange.core.problems import GitFailed, InvalidInput
from orange.core.quick import QuickRun, State

QUICK = QuickRun("a2b3c4d5", "Say hello", "script", "main", "2026-11-20T12:00:00Z", "ada")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A repository with two commits."""
    found = Git(str(tmp_path))
    found.run("init", "-q", "-b", "main")
    for message in ("one", "two"):
        who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        found.run(*who, "commit", "-q", "--allow-empty", "-m", message)
    return found


@pytest.fixture
def quicks(git: Git) -> FileQuickRuns:
    """Its quick actions."""
    return FileQuickRuns(Layout(git.directory, f"{git.directory}/.git"))


def test_a_record_is_read_as_it_was_written(quicks: FileQuickRuns) -> None:
    """The oldest first; tokens are masked; one that cannot be understood hides no other."""
    assert quicks.all() == quicks.open() == ()
    later = replace(QUICK, id="b2b3c4d5", created_at="2026-11-20T13:00:00Z", error="ghp_" + "a1B2" * 9)
    quicks.add(later)
    quicks.add(QUICK)
    folder = Path(quicks.keep_patch(QUICK.id, "+ghp_" + "a1B2" * 9 + "\n")).parent
    for name, text in (("c2b3c4d5.json", "{"), ("d2b3c4d5.json", '{"id": "d2b3c4d5"}'), ("x.patch", "")):
        (folder / name).write_text(text)
    first, second = quicks.all()
    assert first == QUICK
    assert second.id == later.id
    assert "a1B2a1B2" not in str(second.error)
    assert "a1B2a1B2" not in (folder / "a2b3c4d5.patch").read_text()
    with pytest.raises(InvalidInput, match="d2b3c4d5"):
        quicks.change("d2b3c4d5", lambda known: known)


def test_what_is_over_and_has_no_workspace_is_open_no_more(quicks: FileQuickRuns) -> None:
    """It stays on record."""
    quicks.add(replace(QUICK, status=State.COMPLETED, workspace="/w"))
    assert [quick.id for quick in quicks.open()] == [QUICK.id]
    quicks.change(QUICK.id, lambda known: replace(known, workspace=None))
    assert quicks.open() == quicks.open() == ()
    assert len(quicks.all()) == 1


def test_of_many_that_change_a_record_at_once_each_sees_the_one_before(quicks: FileQuickRuns) -> None:
    """No change is lost."""
    quicks.add(QUICK)

    def count(known: QuickRun) -> QuickRun:
        return replace(known, changed_files=known.changed_files + 1)

    threads = [threading.Thread(target=quicks.change, args=(QUICK.id, count)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert quicks.all()[0].changed_files == 16


def test_a_branch_goes_only_once_its_commit_is_held_elsewhere(git: Git, quicks: FileQuickRuns) -> None:
    """What it changed gets a rescue ref, once; a branch that has moved on is kept; it can be had again."""
    new, old = git.line("rev-parse", "main").split()[0], git.line("rev-parse", "main~1")
    git.run("update-ref", "refs/heads/orange/q", new)
    assert quicks.rescue(QUICK.id, "orange/q", new) is None
    ref = quicks.rescue(QUICK.id, "orange/q", old)
    assert ref == quicks.rescue(QUICK.id, "orange/q", old) == "refs/orange/rescue/a2b3c4d5/1"
    assert git.ref(str(ref)) == new
    quicks.drop_branch("orange/q", None, old)
    quicks.drop_branch("orange/q", "refs/orange/rescue/a2b3c4d5/7", old)
    assert git.ref("refs/heads/orange/q") == new
    quicks.drop_branch("orange/q", ref, old)
    quicks.drop_branch("orange/q", ref, old)
    assert git.ref("refs/heads/orange/q") is None
    quicks.offer(str(ref), "orange/q")
    assert git.ref("refs/heads/orange/q") == new
    git.run("update-ref", "refs/heads/orange/q", old)
    quicks.offer(str(ref), "orange/q")
    assert git.ref("refs/heads/orange/q") == old
    assert quicks.rescue(QUICK.id, "orange/q", new) == "refs/orange/rescue/a2b3c4d5/2"


@pytest.mark.parametrize("wrong", [lambda quicks: quicks.offer("refs/orange/rescue/x/1", "orange/q")])
def test_a_rescue_ref_that_is_gone_is_said_so(quicks: FileQuickRuns, wrong: Callable[[FileQuickRuns], None]) -> None:
    """Nothing is made of nothing."""
    with pytest.raises(GitFailed):
        wrong(quicks)
