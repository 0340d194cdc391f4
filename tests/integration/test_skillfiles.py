"""Skills in a workspace: laid in, hidden from git, taken out again, whatever is there already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orange import skillfiles
from orange.core.activeskills import LINKED
from orange.core.model import Outcome
from orange.testing.repos import make, until
from orange.testing.tmux import reap
from tests.integration.supervised import Bench, bench

SKILL = "---\nname: {name}\ndescription: Does it.\n---\nbody of {name}\n"


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Bench]:
    """A place for one run."""
    made = bench(tmp_path)
    yield made
    reap(made.place)


def _skill(folder: Path, name: str, text: str = SKILL) -> Path:
    path = folder / name
    path.mkdir(parents=True)
    (path / "SKILL.md").write_text(text.format(name=name))
    return path


def _listed(it: Bench) -> list[str]:
    workspace = Path(it.place.workspace)
    return sorted(str(path.relative_to(workspace)) for path in workspace.rglob("*") if path.name == "SKILL.md")


def test_a_run_finds_its_skills_wherever_its_agent_looks(it: Bench) -> None:
    """Orange's own for workers and the repository's, in all three places, with their scripts; gone afterwards."""
    folder = _skill(Path(it.place.workspace) / "skills", "deploy")
    (folder / "run.sh").write_text("echo ran\n")
    (folder / "run.sh").chmod(0o755)
    record = it.run(
        "for place in .agents .claude .gemini; do"
        " cat $place/skills/deploy/SKILL.md $place/skills/orange-worker/SKILL.md && $place/skills/deploy/run.sh; done",
        skill="deploy",
    )
    assert record.outcome is Outcome.FINISHED
    said = it.read("output.log")
    assert said.count("body of deploy") == said.count("\nran") == said.count("name: orange-worker") == 3
    assert _listed(it) == ["skills/deploy/SKILL.md"]
    assert sorted(os.listdir(it.place.workspace)) == ["skills"]
    assert "skills: orange-worker, deploy" in it.read("logs/prepare.log")


def test_a_skill_of_the_users_is_given_where_it_is_named(it: Bench) -> None:
    """Wherever a user keeps it, every agent gets it."""
    home = it.root / "home"
    _skill(home / ".claude" / "skills", "cook")
    _skill(home / ".claude" / "skills", "other")
    record = it.run("cat .agents/skills/cook/SKILL.md; ls .agents/skills", {"HOME": str(home)}, skill="cook")
    assert record.outcome is Outcome.FINISHED
    assert "body of cook" in it.read("output.log")
    assert "other" not in it.read("output.log")


def test_a_missing_skill_fails_the_attempt(it: Bench) -> None:
    """The agent is not started; the sentence names the skill and those there are."""
    _skill(Path(it.place.workspace) / "skills", "measure")
    record = it.run("echo started", {"HOME": str(it.root)}, skill="deploy")
    assert record.outcome is Outcome.FAILED
    assert "there is no skill 'deploy' here" in str(record.message)
    assert "(measure, orange-worker)" in str(record.message)
    assert it.stages()[:2] == ["prepare started", "prepare failed"]
    assert not (Path(it.place.runs.folder(it.record.spec.run)) / "output.log").exists()


def test_a_skill_that_leads_elsewhere_is_none(it: Bench) -> None:
    """What a repository links from outside is not taken, nor what is linked inside a skill."""
    outside = _skill(it.root / "outside", "deploy")
    (it.root / "secret").write_text("hidden words")
    workspace = Path(it.place.workspace)
    (workspace / "skills").mkdir()
    (workspace / "skills" / "deploy").symlink_to(outside)
    (_skill(workspace / "skills", "inner") / "key").symlink_to(it.root / "secret")
    assert it.run("exit 0", {"HOME": str(it.root)}, skill="deploy").outcome is Outcome.FAILED
    it.place.runs.folder("k3f9x2ab-2")
    skillfiles.copy(str(workspace / "skills" / "inner"), str(it.root / "copy"))
    assert os.listdir(it.root / "copy") == ["SKILL.md"]


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    """A run copies its skills: they have bounds."""
    folder = _skill(tmp_path, "big")
    with (folder / "data").open("wb") as file:
        file.truncate(skillfiles.MOST_BYTES + 1)
    with pytest.raises(skillfiles.TooLarge, match="16 MiB"):
        skillfiles.copy(str(folder), str(tmp_path / "copy"))


def test_nothing_of_it_is_seen_by_git_and_nothing_is_covered(tmp_path: Path) -> None:
    """Skills the repository tracks stay as they are; the others are laid beside them; git sees no change at all."""
    repo, ours = make(tmp_path / "ws"), tmp_path / "ours"
    workspace = tmp_path / "ws"
    for name in ("mine", "extra"):
        _skill(ours, name)
    _skill(workspace / ".claude" / "skills", "mine", "tracked")
    (workspace / ".gemini").symlink_to(tmp_path)
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", "Begin")
    said = skillfiles.lay(str(workspace), LINKED, str(ours))
    assert said == [".gemini/skills leads out of the workspace: no skills were linked there"]
    assert repo.git("status", "--porcelain", "--untracked-files=all") == ""
    assert (workspace / ".claude/skills/mine/SKILL.md").read_text() == "tracked"
    assert "body of extra" in (workspace / ".claude/skills/extra/SKILL.md").read_text()
    assert skillfiles.lay(str(workspace), LINKED, str(ours)) == said
    # What an agent adds of its own is work: it stays, and is seen.
    (workspace / ".agents/skills/extra").unlink()
    for name in ("extra", "new"):
        _skill(workspace / ".agents" / "skills", name)
    assert repo.git("status", "--porcelain", "--untracked-files=all") == "?? .agents/skills/new/SKILL.md"
    skillfiles.take_out(str(workspace), LINKED)
    assert repo.git("status", "--porcelain", "--untracked-files=all").splitlines() == [
        "?? .agents/skills/extra/SKILL.md",
        "?? .agents/skills/new/SKILL.md",
    ]
    assert sorted(os.listdir(workspace / ".claude" / "skills")) == ["mine"]


def test_a_place_with_rules_of_its_own_is_left_alone(tmp_path: Path) -> None:
    """Where the repository has a `.gitignore` beside its skills, ours does not take its place."""
    workspace, ours = tmp_path / "ws", tmp_path / "ours"
    _skill(ours, "extra")
    (workspace / ".claude" / "skills").mkdir(parents=True)
    (workspace / ".claude" / "skills" / ".gitignore").write_text("drafts\n")
    said = skillfiles.lay(str(workspace), [".claude/skills"], str(ours))
    assert said == [".claude/skills has a .gitignore of its own: no skills were linked there"]
    skillfiles.take_out(str(workspace), [".claude/skills"])
    assert (workspace / ".claude" / "skills" / ".gitignore").read_text() == "drafts\n"


def test_a_killed_run_leaves_nothing_to_the_next(it: Bench) -> None:
    """Links of a run that was killed are replaced by the next one's own, without a trace."""
    old = it.root / "old"
    _skill(old, "gone")
    workspace = Path(it.place.workspace)
    skillfiles.lay(str(workspace), LINKED, str(old))
    it.prepare("ls .agents/skills; echo up; exec sleep 600")
    child = it.begin()
    until(lambda: "up" in it.read("output.log"))
    child.kill()
    child.wait(60)
    assert "gone" not in it.read("output.log")
    assert (workspace / ".agents/skills/orange-worker/SKILL.md").exists()
    skillfiles.take_out(str(workspace), LINKED)
    assert os.listdir(workspace) == []
