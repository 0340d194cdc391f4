"""Work taken out of an integrated base, and brought back, against real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from orange.adapters.integration import GitIntegration
from orange.core.layout import BASE_REFS
from orange.core.problems import InvalidInput
from orange.core.sharing import Integrated
from orange.testing import repos
from orange.testing.repos import Repo

MAIN = f"{BASE_REFS}main"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose main is integrated."""
    made = repos.sample(tmp_path / "r")
    GitIntegration(made.layout).start_point("main")
    return made


def merged(repo: Repo, branch: str, files: repos.Files) -> str:
    """Merge a branch with these files; returns the merge commit."""
    repo.branch(branch, files, start=MAIN)
    return str(GitIntegration(repo.layout).integrate(branch, "main", f"Merge {branch}", None).commit)


def rollback(repo: Repo, merge: str) -> Integrated:
    """Revert a merge."""
    return GitIntegration(repo.layout).rollback(merge, "main", f'Revert "X"\n\nThis reverts commit {merge}.\n')


def restored(repo: Repo, branch: str, merge: str) -> str | None:
    """Make the commit that brings a merge's work back."""
    return GitIntegration(repo.layout).restored(branch, "main", merge)


def test_a_merge_is_taken_out_and_later_work_stays(repo: Repo) -> None:
    """The revert is one commit on the base; what was merged after it stays, and nobody's checkout is touched."""
    first = merged(repo, "a", {"a": "1", "src/a.txt": "changed\n", "src/b.txt": None})
    later = merged(repo, "b", {"b": "2"})
    result = rollback(repo, first)
    assert result == Integrated(repo.rev(MAIN), changed=True)
    assert repo.git("rev-list", "--parents", "-1", MAIN).split()[1:] == [later]
    assert repo.tree(MAIN) == {"README.md": b"# Sample\n", "src/a.txt": b"a\n", "src/b.txt": b"b\n", "b": b"2"}
    assert repo.git("status", "--porcelain") == ""
    assert rollback(repo, first) == Integrated(result.commit, changed=False)
    assert GitIntegration(repo.layout).follow("main").behind == 0
    assert set(repo.tree("main")) == {"README.md", "src/a.txt", "src/b.txt", "b"}


def test_a_conflict_is_named_and_changes_nothing(repo: Repo) -> None:
    """Where later work changed the same lines the files are named, and the base stays where it is."""
    first = merged(repo, "a", {"src/a.txt": "one\n", "src/b.txt": "one\n"})
    later = merged(repo, "b", {"src/a.txt": "two\n"})
    assert rollback(repo, first) == Integrated(None, changed=False, conflicts=("src/a.txt",))
    assert repo.rev(MAIN) == later


@pytest.mark.parametrize("what", ["no merge", "not there", "no commit"])
def test_what_is_no_merge_of_the_base_is_refused(repo: Repo, what: str) -> None:
    """Only a merge that the base contains is reverted."""
    merged(repo, "a", {"a": "1"})
    repo.branch("other", {"o": "1"})
    names = {"no merge": repo.rev("a"), "not there": repo.rev("other"), "no commit": "main"}
    before = repo.rev(MAIN)
    with pytest.raises(InvalidInput, match="no merge"):
        rollback(repo, str(names[what]))
    assert repo.rev(MAIN) == before


def test_the_work_comes_back_on_the_branch_once(repo: Repo) -> None:
    """The commit that brings the work back merges into the base; a branch that has it gets no second one."""
    merge = merged(repo, "a", {"a": "1", "src/a.txt": "changed\n"})
    assert restored(repo, "a", merge) is None
    revert = rollback(repo, merge).commit
    merged(repo, "b", {"b": "1"})
    back = restored(repo, "a", merge)
    assert repo.git("log", "-1", "--format=%B", str(back)) == f'Reapply "X"\n\nThis reverts commit {revert}.\n'
    assert repo.tree(str(back)).keys() == {"README.md", "a", "b", "src/a.txt", "src/b.txt"}
    repo.git("branch", "-f", "a", str(back))
    assert restored(repo, "a", merge) is None
    integration = GitIntegration(repo.layout)
    assert integration.branch_states({"a": ("a", "main", merge)})["a"].unmerged
    again = integration.integrate("a", "main", "Merge a again", None)
    assert again.changed
    assert repo.tree(MAIN)["a"] == b"1"
    assert restored(repo, "a", merge) is None
    assert rollback(repo, str(again.commit)).changed
    assert "a" not in repo.tree(MAIN)
    assert repo.tree(str(restored(repo, "a", str(again.commit))))["a"] == b"1"


def test_work_that_conflicts_comes_back_where_it_was_taken_out(repo: Repo) -> None:
    """Where later work is in the way the commit stands on the revert, so that merging the base shows the conflict."""
    merge = merged(repo, "a", {"src/a.txt": "one\n"})
    revert = rollback(repo, merge).commit
    merged(repo, "b", {"src/a.txt": "two\n"})
    back = restored(repo, "a", merge)
    assert repo.rev(f"{back}^") == revert
    assert repo.tree(str(back))["src/a.txt"] == b"one\n"
    repo.git("branch", "-f", "a", str(back))
    assert GitIntegration(repo.layout).integrate("a", "main", "Merge a", None).conflicts == ("src/a.txt",)


def test_a_revert_made_by_hand_counts(repo: Repo) -> None:
    """`git revert -m 1` on the user's branch is known by its message: rolling back finds it, and changes nothing."""
    merge = merged(repo, "a", {"a": "1"})
    GitIntegration(repo.layout).follow("main")
    repo.git("revert", "--no-edit", "-m", "1", merge)
    assert rollback(repo, merge) == Integrated(repo.rev("main"), changed=False)
    assert repo.tree(str(restored(repo, "a", merge)))["a"] == b"1"


def test_the_merge_of_a_tip_is_found(repo: Repo) -> None:
    """Of all merges above a tip only orange's own of that very tip is named."""
    merge = merged(repo, "a", {"a": "1"})
    tip = str(repo.rev("a"))
    repo.branch("b", {"b": "1"}, start="a")
    merged(repo, "b", {"c": "1"})
    integration = GitIntegration(repo.layout)
    assert integration.merge_of(tip, "main") == merge
    assert integration.merge_of(merge, "main") is None
    integration.follow("main")
    theirs = repo.branch("hand", {"hand": "1"}, start="main")
    repo.git("merge", "-q", "--no-ff", "-m", "By hand", "hand")
    integration.start_point("main")
    assert integration.merge_of(theirs, "main") is None
