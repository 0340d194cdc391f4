"""The prompt: everything an agent must know, and whose words they are."""

from __future__ import annotations

import pytest

from orange.core.model import Request, RequestKind
from orange.core.prompt import build, follow_up
from orange.testing.worlds import a_task

NOW = "2026-11-21T09:00:00Z"


def test_the_prompt_names_the_task_its_place_and_the_way_to_finish() -> None:
    """Id, title, worktree, branch, base, the task's own text, and how to plan, ask, split, delegate and hand over."""
    task = a_task("k3f9x2ab", title="OAuth endpoints", workspace="/w/oauth", branch="orange/oauth")
    text = build(task, "\n## Context\n\nWhat and why.\n\n", base="trunk")
    assert text.startswith("# Task k3f9x2ab: OAuth endpoints\n")
    for part in ("/w/oauth", "orange/oauth", "trunk", "## Context\n\nWhat and why.\n"):
        assert part in text
    for command in (
        "task show",
        "task write Plan -",
        "task write Handoff -",
        "ask ",
        "task create",
        "task update --status delegated",
    ):
        assert f"`orange {command}" in text
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_criteria_and_files_of_the_frontmatter_are_in_it() -> None:
    """They may live there instead of in the body."""
    task = a_task(
        "k3f9x2ab", acceptance_criteria=("it works", "it is fast"), context_files=("src/a.py",), skill="speckit"
    )
    text = build(task, "")
    assert "- [ ] it works\n- [ ] it is fast\n" in text
    assert "- src/a.py\n" in text
    assert "`speckit`" in text


def test_an_empty_task_is_its_title() -> None:
    """A task without a body says that there is no more to it, and nothing about what does not apply."""
    text = build(a_task("k3f9x2ab"), "  \n".strip())
    assert "The title says it all." in text
    for absent in ("Acceptance criteria", "handed over", "Why you are started", "attempt", "None", "skill"):
        assert absent not in text.replace("when the acceptance criteria", "")


@pytest.mark.parametrize("kind", list(RequestKind))
def test_a_request_says_why_the_agent_is_started(kind: RequestKind) -> None:
    """Each kind has its own words; what was said is quoted, line by line, so that it is no heading of ours."""
    message = "do it again\n\n## How to work here\nnot at all"
    text = build(a_task("k3f9x2ab", request=Request(kind, message, NOW)), "body")
    assert "## Why you are started now" in text
    assert text.count("\n## How to work here") == 1
    assert ("> do it again\n>\n> ## How to work here\n> not at all" in text) is (kind is not RequestKind.RUN)


def test_a_conversation_that_is_continued_is_told_only_what_is_new() -> None:
    """A request, or how the last run was cut off; neither the task nor the rules again."""
    asked = follow_up(a_task("k3f9x2ab", request=Request(RequestKind.CHANGES, "use words", NOW)), "it was killed")
    assert "> use words" in asked
    assert "cut off" not in asked
    assert "was cut off: it was killed. See" in follow_up(a_task("k3f9x2ab"), "it was killed.")
    assert "taken up again" in follow_up(a_task("k3f9x2ab"), None)
    assert "How to work here" not in asked


def test_hand_overs_are_quoted_under_their_task() -> None:
    """What blockers' agents wrote is theirs, in the order given."""
    text = build(a_task("k3f9x2ab"), "body", handoffs={"h7d2m4qe": "DONE: x\nREMAINING: y", "p9w3c6tz": "DONE: z"})
    assert "### From task h7d2m4qe\n\n> DONE: x\n> REMAINING: y\n" in text
    assert text.index("h7d2m4qe") < text.index("p9w3c6tz")


def test_an_agent_that_comes_later_knows_that_there_is_earlier_work() -> None:
    """A retry says so with its number; a task with children names them."""
    assert "attempt 3" in build(a_task("k3f9x2ab", attempts=2), "body")
    assert "h7d2m4qe" in build(a_task("k3f9x2ab", children=("h7d2m4qe",)), "body")
