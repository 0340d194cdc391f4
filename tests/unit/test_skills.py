"""Skills: what a SKILL.md must say, and the fewest folders that serve the agents."""

from __future__ import annotations

import pytest

from orange.core import skills
from orange.core.problems import InvalidInput

GOOD = "---\nname: my-skill\ndescription: Does it. Use when it is wanted.\n---\n\n# Body\n"


def test_skill_is_read() -> None:
    """A well-formed file gives its name, description and body."""
    skill = skills.read(GOOD, "my-skill")
    assert skill == skills.Skill("my-skill", "Does it. Use when it is wanted.", "\n# Body\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Body", "must begin with `---`"),
        (GOOD.replace("name: my-skill", "name: My Skill"), "expected the folder's name 'my-skill'"),
        (GOOD.replace("name: my-skill", "name: other"), "expected the folder's name 'my-skill'"),
        (GOOD.replace("Does it. Use when it is wanted.", ""), "expected 1 to 1024 characters"),
        (GOOD.replace("Does it", "x" * 1024), "expected 1 to 1024 characters"),
    ],
)
def test_malformed_skill_is_refused(text: str, said: str) -> None:
    """A file that an agent would not load is refused, naming what is wrong."""
    with pytest.raises(InvalidInput, match=said):
        skills.read(text, "my-skill")


def test_folders_serve_every_agent_once() -> None:
    """Agents that share a folder share one copy; unknown agents have none."""
    assert skills.folders(skills.PLACES, user=False) == (".claude/skills", ".agents/skills")
    assert skills.folders(["codex", "script"], user=True) == (".agents/skills",)
