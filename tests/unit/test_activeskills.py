"""Which skills a run has, and what is said where one is missing."""

from __future__ import annotations

import pytest

from orange.core import activeskills

OWN = {"orange": "/o/orange", "orange-worker": "/o/orange-worker"}


@pytest.mark.parametrize(
    ("task", "steps", "wanted"),
    [
        ("auto", [], ()),
        (None, [None, None], ()),
        ("deploy", [None, "deploy", "auto", "measure"], ("deploy", "measure")),
    ],
)
def test_skills_are_named_by_task_and_steps(task: str | None, steps: list[str | None], wanted: tuple[str, ...]) -> None:
    """`auto` means direct instructions, and names none."""
    assert activeskills.named(task, steps) == wanted


@pytest.mark.parametrize(
    ("wanted", "project", "user", "active"),
    [
        ((), {}, {}, {"orange-worker": "/o/orange-worker"}),
        ((), {"deploy": "/p/deploy"}, {"other": "/u/other"},
         {"orange-worker": "/o/orange-worker", "deploy": "/p/deploy"}),
        (("deploy",), {"deploy": "/p/deploy"}, {"deploy": "/u/deploy"},
         {"orange-worker": "/o/orange-worker", "deploy": "/p/deploy"}),
        (("deploy",), {}, {"deploy": "/u/deploy"}, {"orange-worker": "/o/orange-worker", "deploy": "/u/deploy"}),
        (("orange",), {}, {}, {"orange-worker": "/o/orange-worker", "orange": "/o/orange"}),
        ((), {"orange-worker": "/p/worker"}, {}, {"orange-worker": "/o/orange-worker"}),
        (("gone",), {}, {}, {"orange-worker": "/o/orange-worker"}),
    ],
)  # fmt: skip
def test_the_first_place_counts(
    wanted: tuple[str, ...], project: dict[str, str], user: dict[str, str], active: dict[str, str]
) -> None:
    """The worker's skill is orange's own; the project's are all active; the user's only where they are named."""
    assert activeskills.choose(wanted, OWN, project, user) == active


def test_a_missing_skill_is_named_with_what_there_is() -> None:
    """One sentence: which is missing, where to put it, which there are."""
    assert activeskills.missing(("deploy",), {"deploy": "/p"}, ()) is None
    assert activeskills.missing(("deploy",), {"measure": "/p"}, ("cook",)) == (
        "there is no skill 'deploy' here: put it into skills/deploy/SKILL.md of the repository, or name one of those "
        "there are (cook, measure)"
    )


@pytest.mark.parametrize("name", ["", "..", "a/b", "-a", "A", "a--b", "a" * 65])
def test_what_is_no_folders_name_is_no_skill(name: str) -> None:
    """A skill's name becomes a path."""
    assert not activeskills.is_name(name)
