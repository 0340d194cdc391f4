"""The prompt: everything an agent must know, and whose words they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import orange
from orange.core import prompt
from orange.core.model import Request, RequestKind, Task
from orange.core.steps import Step
from orange.testing.worlds import a_task

NOW = "2026-11-21T09:00:00Z"
FOLDER = Path(orange.__file__).parent / "prompts"
TEMPLATES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}


def build(task: Task, body: str, handoffs: Mapping[str, str] | None = None, base: str = "main") -> str:
    """Compose the prompt of a conversation's beginning, in a pipeline of one agent's step."""
    return prompt.fill(TEMPLATES[prompt.FRAME], prompt.variables(task, body, handoffs=handoffs, base=base))


def follow_up(task: Task, ended: str | None) -> str:
    """Compose what is said in a conversation that goes on."""
    values = prompt.variables(task, "", since=prompt.since_then(task, ended))
    return prompt.fill(TEMPLATES[prompt.CONTINUED], values)


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
    assert ("> do it again\n>\n> ## How to work here\n> not at all" in text) is (
        kind not in {RequestKind.RUN, RequestKind.RESUME}
    )


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


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_template_names_only_what_exists(name: str) -> None:
    """A template that comes with orange has no unknown variable, and says something."""
    assert not list(prompt.unknown_variables(TEMPLATES[name]))
    assert TEMPLATES[name].strip()


def test_unknown_variables_are_found_with_their_line() -> None:
    """Words in braces are variables; what looks otherwise is text, such as code and JSON."""
    text = 'Task {id}\n{nothing}\n{"a": 1} ${HOME} { x }\n{nor_this}\n'
    assert list(prompt.unknown_variables(text)) == [(2, "nothing"), (4, "nor_this")]


def test_what_is_filled_in_is_not_filled_again_and_keeps_its_empty_lines() -> None:
    """A task's text may hold braces and gaps; a paragraph that comes out empty leaves no gap."""
    task = a_task("k3f9x2ab", title="{body}")
    values = prompt.variables(task, "one\n\n\ntwo {id}")
    assert prompt.fill("{title}\n\n{since}\n\n{body}", values) == "{body}\n\none\n\n\ntwo {id}\n"


def test_a_step_says_what_it_is_for() -> None:
    """Its own words, filled in, its role and its skill stand under its name."""
    step = Step("plan", role="architect", skill="speckit")
    values = prompt.for_step(prompt.variables(a_task("k3f9x2ab"), ""), step, "Plan {id}.\n")
    text = prompt.fill(TEMPLATES[prompt.FRAME], values)
    assert (
        "## This step: plan\n\nPlan k3f9x2ab.\n\nYour role in it: architect.\n\nCarry it out with the skill `speckit`."
        in text
    )
