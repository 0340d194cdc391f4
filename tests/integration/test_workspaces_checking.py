"""The workspace in which what a base would become is checked: at a commit, apart from everything else, thrown away."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from orange.adapters.workspaces.records import State
from orange.core.problems import HookFailed, WorkspaceFailed
from orange.core.settings import HookSettings
from orange.testing.repos import Repo
from tests.integration.workspaces_place import Place, place


def checked_out(here: Place, commit: str, base: str = "main") -> Repo:
    """Check a commit out, as a repository."""
    return Repo(here.workspaces.check_out(base, commit, "k3f9x2ab"))


def commit_of(here: Place) -> str:
    """Make a commit that no checkout is at."""
    return here.repo.branch("orange/x", {"new.txt": "n\n"}, start=here.repo.git("rev-parse", "HEAD"))


def test_it_is_the_commit_on_no_branch_with_what_any_workspace_is_given(tmp_path: Path) -> None:
    """Exactly the files of the commit, copies, links and `after_create`; no branch and no other checkout moves."""
    here = place(tmp_path, copy=(".env",), after_create='echo "$ORANGE_TASK" > hooked')
    here.repo.write({".env": "A=1"})
    commit, before = commit_of(here), here.repo.git("for-each-ref")
    found = checked_out(here, commit)
    assert found.git("rev-parse", "HEAD") == commit
    assert sorted(os.listdir(found.path)) == [".env", ".git", ".gitignore", "README.md", "hooked", "new.txt", "src"]
    assert found.read("hooked") == b"k3f9x2ab\n"
    assert found.attempt("symbolic-ref", "-q", "HEAD").status == 1
    assert here.repo.git("for-each-ref") == before
    assert [w for w in here.workspaces.list() if w.path == found.path] == []
    here.workspaces.check_out("the plan of prd.md", commit, "plan-k3f9x2ab")
    assert here.workspaces.checked_out() == {found.path: "k3f9x2ab"}


def test_nothing_of_the_last_one_is_in_the_next(tmp_path: Path) -> None:
    """It is made anew, one for each base; discarding leaves no folder, no record and nothing for git to list."""
    here = place(tmp_path)
    commit, head = commit_of(here), here.repo.git("rev-parse", "HEAD")
    first = checked_out(here, commit)
    first.write({"left.txt": "x", "src/a.txt": "changed"})
    other = checked_out(here, head, "release")
    again = checked_out(here, head)
    assert again.path == first.path != other.path
    assert again.git("status", "--porcelain", "--ignored") == ""
    assert not os.path.exists(f"{again.path}/new.txt")
    for path in (again.path, other.path, again.path, str(tmp_path)):
        here.workspaces.discard(path)
    assert not os.path.exists(again.path)
    assert len(here.repo.git("worktree", "list").splitlines()) == 1
    assert not list(Path(here.repo.layout.runtime, "workspaces").glob("*.json"))


def test_a_failing_hook_is_named(tmp_path: Path) -> None:
    """What cannot be prepared is not checked, and the next one begins from nothing."""
    here = place(tmp_path, after_create="echo no network; exit 4")
    with pytest.raises(HookFailed, match="no network"):
        checked_out(here, here.repo.git("rev-parse", "HEAD"))
    here.settings = replace(here.settings, hooks=HookSettings())
    assert checked_out(here, commit_of(here)).read("new.txt") == b"n\n"


def test_a_repair_leaves_it_and_removes_a_half_made_one(tmp_path: Path) -> None:
    """A daemon that starts finds the checks that go on where they are; what a kill left half-made goes."""
    here = place(tmp_path)
    found = checked_out(here, commit_of(here))
    here.workspaces.repair()
    assert found.read("new.txt") == b"n\n"
    records = Path(here.repo.layout.runtime, "workspaces")
    (record,) = records.glob(".check-*.json")
    told = json.loads(record.read_text())
    record.write_text(json.dumps(told | {"state": State.MAKING.value}))
    assert any("half-made" in said for said in here.workspaces.repair())
    assert not os.path.exists(found.path)
    assert checked_out(here, commit_of(here)).read("new.txt") == b"n\n"


def test_a_tasks_workspace_is_never_discarded(tmp_path: Path) -> None:
    """Only what was made for checks is thrown away."""
    here = place(tmp_path)
    workspace = here.acquire()
    workspace.write({"work.txt": "x"})
    here.workspaces.discard(workspace.path)
    assert workspace.read("work.txt") == b"x"


def test_a_commit_that_is_not_there_is_said(tmp_path: Path) -> None:
    """One sentence, and no record of something half-made stays in the way."""
    here = place(tmp_path)
    with pytest.raises(WorkspaceFailed):
        checked_out(here, "0" * 39 + "1")
    assert checked_out(here, commit_of(here)).read("new.txt") == b"n\n"
