"""Skills: what a run's agent finds where it looks, and what is left of it afterwards."""

from __future__ import annotations

import pytest

from tests.acceptance import bubblewrap
from tests.acceptance.conftest import configure
from tests.acceptance.place import Place

#: How the skill of the repository, and orange's own for work on a task, describe themselves.
DEPLOYING, WORKING = "How to deploy. Use it to deploy.", "How to work on an orange task"
SKILL = f"---\nname: deploy\ndescription: {DEPLOYING}\n---\nPull the lever.\n"
AGENT = """
set -e
for place in .agents .claude .gemini; do cat $place/skills/deploy/SKILL.md; done > read.txt
ls .agents/skills > listed.txt
git add -A
git commit -q -m "What was read"
"""


def _place(place: Place, isolation: str = "worktree") -> None:
    script = place.home / "agent.sh"
    script.write_text(AGENT)
    more = f"workspaces: {{isolation: {isolation}}}\nlimits: {{attempts: 1}}\n"
    configure(place, f"agent: command\nreview: {{by: none}}\n{more}agents: {{command: {{run: 'sh {script}'}}}}\n")


def track(place: Place) -> None:
    """Add a skill to the repository."""
    (place.repo / "skills" / "deploy").mkdir(parents=True)
    (place.repo / "skills" / "deploy" / "SKILL.md").write_text(SKILL)
    place.git("add", "skills")
    place.git("commit", "-q", "-m", "Say how to deploy")


@pytest.mark.parametrize("isolation", ["worktree", "sandbox"])
def test_a_named_skill_reaches_the_agent_and_never_a_commit(place: Place, isolation: str) -> None:
    """All three places have it, with the worker's; `git add -A` takes none of it, and nothing is left to clean up."""
    if isolation == "sandbox":
        bubblewrap.required()
    track(place)
    _place(place, isolation)
    place.create("deploying", "", "--skill", "deploy")
    place.start()
    place.settled({"deploying": "done"})
    base = "refs/orange/base/main"
    assert place.git("ls-tree", "-r", "--name-only", base).splitlines() == [
        "README.md", "listed.txt", "read.txt", "skills/deploy/SKILL.md",
    ]  # fmt: skip
    assert place.git("show", f"{base}:read.txt").count("Pull the lever.") == 3
    assert place.git("show", f"{base}:listed.txt").split() == ["deploy", "orange-worker"]
    (cleaned,) = place.orange("cleanup", "--json").json["workspaces"]
    assert cleaned["reason"] == "nothing in it that is not safe elsewhere"


def test_a_missing_skill_stops_the_task_with_a_sentence(place: Place) -> None:
    """The agent is not started without the skill it was to use."""
    track(place)
    _place(place)
    task = place.create("flying", "", "--skill", "fly")
    place.start()
    place.settled({"flying": "stuck"})
    stuck = place.task(task)["stuck"]
    assert "there is no skill 'fly' here: put it into skills/fly/SKILL.md" in stuck["message"]
    assert "(deploy, orange-worker)" in stuck["message"]
