"""Work in the user's own checkout: lent to one task at a time, switched without losing anything, and given back."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from orange.adapters.integration import checkout
from orange.adapters.integration.switching import Switcher
from orange.adapters.workspaces import InPlaceWorkspaces
from orange.core.inplace import Place as Checkout
from orange.core.layout import Layout
from orange.core.problems import WorkspaceFailed, WorkspaceKept, WorkspaceStepFailed
from orange.testing import repos
from orange.testing.repos import Repo
from tests.integration.workspaces_place import OTHER, TASK, Place, branch, listing, place

MINE = replace(TASK, path="tasks/oauth-k3f9x2ab/TASK.md")
THEIRS = replace(OTHER, path="tasks/tokens-h7d2m4qe/TASK.md")


def workspaces(here: Place) -> InPlaceWorkspaces:
    """The adapter, remembering nothing."""
    return InPlaceWorkspaces(here.workspaces, Switcher(here.repo.layout))


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """A project whose agents work in the user's checkout, in which git ignores one of the user's files."""
    found = place(tmp_path, isolation="none")
    found.repo.write({".env": "A=1", "out/kept": "k"})
    return found


def lend(here: Place) -> tuple[str, ...]:
    """Give the checkout to the task; returns the files in conflict."""
    start = str(here.repo.rev("main"))
    return workspaces(here).acquire(MINE, branch(MINE), start).conflicts


def files(repo: Repo) -> dict[str, tuple[int, bytes]]:
    """Every file of the checkout, with its permissions."""
    return {name: found for name, found in listing(repo.path).items() if not name.startswith(".git/")}


def on(repo: Repo) -> str:
    """The branch that is checked out."""
    return repo.git("symbolic-ref", "--short", "HEAD")


def status(repo: Repo) -> str:
    """What git sees uncommitted, looking at every byte."""
    repo.git("update-index", "--really-refresh", "-q")
    return repo.git("status", "--porcelain")


def test_the_checkout_is_on_the_tasks_branch_and_comes_back_as_it_was(here: Place) -> None:
    """What the agent made is on its branch, committed or not; all that is the user's is as before."""
    repo, before, main = here.repo, files(here.repo), here.repo.rev()
    assert lend(here) == lend(here) == ()
    found = workspaces(here)
    assert on(repo) == branch(MINE)
    assert (found.path_for(MINE), [(w.path, w.task) for w in found.list()]) == (repo.path, [(repo.path, MINE.id)])
    assert found.place() == Checkout(repo.path, branch(MINE), MINE.id)
    repo.commit({"made.txt": "1\n"})
    repo.write({"left.txt": "2\n", "src/a.txt": None})
    assert found.commit_leftovers(repo.path, "Save work") == repo.rev() == repo.rev(branch(MINE))
    assert found.release(repo.path) == ()
    assert (on(repo), repo.rev(), files(repo), status(repo)) == ("main", main, before, "")
    assert repo.tree(branch(MINE)).keys() == (repo.tree("main").keys() | {"made.txt", "left.txt"}) - {"src/a.txt"}
    assert (found.list(), found.place()) == ((), Checkout(repo.path, "main", None))
    assert lend(here) == ()
    assert repo.read("left.txt") == b"2\n"


def _uncommitted(repo: Repo) -> None:
    repo.write({"mine.txt": "m"})


def _detached(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach")


def _merging(repo: Repo) -> None:
    repo.branch("theirs", {"src/a.txt": "theirs\n"}, start="main")
    repo.commit({"src/a.txt": "ours\n"})
    assert repo.attempt("merge", "-q", "theirs").status == 1


@pytest.mark.parametrize(
    ("mine", "named"),
    [(_uncommitted, "not committed (mine.txt)"), (_detached, "no branch"), (_merging, "a merge, rebase or the like")],
)
def test_a_checkout_that_cannot_be_lent_is_left_alone(here: Place, mine: Callable[[Repo], None], named: str) -> None:
    """Something uncommitted, an operation, a detached HEAD: a sentence, nothing touched, and nobody has it."""
    mine(here.repo)
    before = files(here.repo), here.repo.git("status", "--porcelain"), here.repo.git("rev-parse", "HEAD")
    with pytest.raises(WorkspaceStepFailed, match="giving the checkout") as refused:
        lend(here)
    assert named in refused.value.message
    assert (
        files(here.repo),
        here.repo.git("status", "--porcelain"),
        here.repo.git("rev-parse", "HEAD"),
    ) == before
    assert workspaces(here).list() == ()


def test_one_task_has_it_and_a_quick_action_gets_a_worktree(here: Place) -> None:
    """A second task is refused by name; what has no file of its own is worked on apart."""
    lend(here)
    with pytest.raises(WorkspaceStepFailed, match=f"{MINE.id} has it"):
        workspaces(here).acquire(THEIRS, branch(THEIRS), str(here.repo.rev("main")))
    apart = workspaces(here).acquire(OTHER, branch(OTHER), str(here.repo.rev("main")))
    assert apart.path != here.repo.path
    assert on(here.repo) == branch(MINE)


def test_the_base_is_merged_in_and_a_conflict_stays_until_it_is_resolved(here: Place) -> None:
    """A branch that exists takes the base in; where it conflicts, the agent finds the merge begun, and it is kept."""
    repo = here.repo
    repo.branch(branch(MINE), {"src/a.txt": "work\n"}, start="main")
    repo.commit({"src/b.txt": "base\n"})
    assert lend(here) == ()
    assert (repo.read("src/a.txt"), repo.read("src/b.txt"), status(repo)) == (b"work\n", b"base\n", "")
    workspaces(here).release(repo.path)
    repo.commit({"src/a.txt": "other\n"})
    assert lend(here) == ("src/a.txt",)
    with pytest.raises(WorkspaceKept, match="a merge, rebase or the like is in progress"):
        workspaces(here).release(repo.path)
    assert workspaces(here).list() != ()
    repo.write({"src/a.txt": "both\n"})
    workspaces(here).commit_leftovers(repo.path, "Resolve")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Resolve")
    assert workspaces(here).release(repo.path) == ()
    assert on(repo) == "main"


def test_what_nobody_committed_keeps_the_checkout(here: Place) -> None:
    """It does not travel to the user's branch: the checkout stays, names the file, and goes back afterwards."""
    lend(here)
    here.repo.write({"left.txt": "2\n"})
    with pytest.raises(WorkspaceKept, match=r"not committed \(left.txt\)"):
        workspaces(here).release(here.repo.path)
    assert on(here.repo) == branch(MINE)
    (Path(here.repo.path) / "left.txt").unlink()
    workspaces(here).release(here.repo.path)
    assert on(here.repo) == "main"


def test_a_checkout_that_its_user_switched_is_theirs_again(here: Place) -> None:
    """Nothing is switched beneath somebody who is elsewhere by now; the task has it no more."""
    lend(here)
    here.repo.git("switch", "-q", "-c", "elsewhere")
    here.repo.write({"mine.txt": "m"})
    workspaces(here).release(here.repo.path)
    assert (on(here.repo), here.repo.read("mine.txt")) == ("elsewhere", b"m")
    assert workspaces(here).list() == ()


def test_a_merge_that_was_killed_is_undone_and_saved(here: Place) -> None:
    """What a killed merge of the base left is kept in a rescue ref, and the branch's own files are back."""
    lend(here)
    lent = Path(here.repo.layout.runtime, "inplace.json")
    lent.write_text(json.dumps({**json.loads(lent.read_text()), "merging": True}))
    here.repo.write({"src/a.txt": "half\n", "half.txt": "half\n"})
    (said,) = workspaces(here).repair()
    (ref,) = here.rescues()
    assert ref in said
    assert here.repo.git("show", f"{ref}:half.txt") == "half"
    assert (status(here.repo), on(here.repo)) == ("", branch(MINE))
    assert workspaces(here).repair() == ()


def test_a_task_with_a_worktree_moves_into_the_checkout_and_out_again(here: Place) -> None:
    """When the setting changes, the workspace it had is returned first; its branch is checked out in one place only."""
    apart = replace(here, settings=replace(here.settings, isolation="worktree"))
    was = workspaces(apart).acquire(MINE, branch(MINE), str(here.repo.rev("main")))
    lend(here)
    assert [w.path for w in workspaces(here).list() if w.task] == [here.repo.path]
    again = workspaces(apart).acquire(MINE, branch(MINE), str(here.repo.rev("main")))
    assert (again.path, on(here.repo)) == (was.path, "main")


# After a kill.


def _large(path: Path) -> Repo:
    """A repository on main, with a branch that differs from it in some hundred files, and a file of the user's."""
    repo = repos.make(path, "--template=")
    before = {f"d{number % 7}/f{number}": f"{number}\n" * 300 for number in range(120)}
    repo.commit({**before, ".gitignore": "*.ignored\n"})
    changed: dict[str, str | bytes | None] = {name: f"changed {text}" for name, text in list(before.items())[:60]}
    changed |= dict.fromkeys(list(before)[80:100])
    repo.branch("orange/x", {**changed, **{f"new/{n}/file": f"{n}\n" * 200 for n in range(30)}}, start="main")
    repo.write({"x.ignored": "i\n"})
    repo.git("gc", "-q")
    return repo


def _switch_in_child(layout: Layout) -> None:
    Switcher(layout).switch("orange/x")


def _kill_a_switch(repo: Repo, *, after: float, family: bool) -> bool:
    """Kill a process that switches the checkout, counting from its journal; whether it was in the middle."""
    journal = Path(repo.layout.runtime, "follow.json")
    child = get_context("fork").Process(target=_switch_in_child, args=(repo.layout,))
    child.start()
    repos.until(lambda: journal.exists() or not child.is_alive())
    child.join(after)
    repos.kill(child.pid or 0, family=family)
    child.join()
    return journal.exists()


def _is_whole(repo: Repo) -> None:
    """The files are those of the branch that is checked out, the user's are there, and no lock is."""
    assert status(repo) == ""
    assert repo.tree("HEAD").keys() | {"x.ignored"} == files(repo).keys()
    assert not [
        path for path in Path(repo.common).rglob("*.lock") if "orange" not in path.relative_to(repo.common).parts
    ]


def test_kills_in_the_middle_of_a_switch_lose_nothing(tmp_path: Path, times: Callable[[int], int]) -> None:
    """Killed at any instant, with or without its git: the checkout is wholly on one of the two branches again."""
    template, chance = _large(tmp_path / "template"), random.Random(11)
    hits, turns, longest = 0, times(12), 0.05
    for turn in range(20 * turns):
        if turn >= turns and hits >= max(1, turns // 4):
            break
        repo = Repo(str(tmp_path / f"r{turn}"))
        shutil.copytree(template.path, repo.path, symlinks=True)
        hit = _kill_a_switch(repo, after=chance.uniform(0.0, longest), family=turn % 3 != 0)
        hits += hit
        longest = longest * 1.1 if hit else max(0.005, longest * 0.9)
        Switcher(repo.layout).finish()
        assert on(repo) in {"main", "orange/x"}
        _is_whole(repo)
        assert Switcher(repo.layout).switch("main") is None
        _is_whole(repo)
        shutil.rmtree(repo.path)
    assert hits >= max(1, turns // 4), "the kills must hit"


class _Stopped(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("at", ["_copy_index", "_advance", "_close"])
def test_a_switch_that_was_begun_is_finished(here: Place, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Before, during and after git's own work: the next one brings it to its end."""

    def stop(*_args: object, **_options: object) -> None:
        raise _Stopped

    here.repo.branch(branch(MINE), {"src/a.txt": "work\n", "new/file": "n\n"}, start="main")
    with monkeypatch.context() as patch:
        patch.setattr(checkout, at, stop) if hasattr(checkout, at) else patch.setattr(checkout.Mover, at, stop)
        with pytest.raises(_Stopped):
            lend(here)
    if at == "_advance":
        here.repo.write({"src/a.txt": "wor"})
    assert lend(here) == ()
    assert (on(here.repo), status(here.repo), here.repo.read("new/file")) == (branch(MINE), "", b"n\n")
    workspaces(here).release(here.repo.path)
    assert (on(here.repo), status(here.repo), here.repo.read("src/a.txt")) == ("main", "", b"a\n")


def test_a_file_of_the_users_is_never_switched_over(here: Place) -> None:
    """One that git ignores here and the task's branch has: the switch is refused, and the file named."""
    here.repo.branch(branch(MINE), {"out/kept": "task\n"}, start="main")
    with pytest.raises(WorkspaceFailed, match="out/kept"):
        lend(here)
    assert (on(here.repo), here.repo.read("out/kept")) == ("main", b"k")
    assert workspaces(here).release(here.repo.path) == ()
    assert workspaces(here).list() == ()
