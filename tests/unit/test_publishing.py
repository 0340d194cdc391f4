"""When published work is pushed and looked after, what is said meanwhile, and what follows from a pull request."""

from __future__ import annotations

from typing import Any

import pytest

from orange.core.actions import Publish, PushBase
from orange.core.lifecycle import Status
from orange.core.model import Approval, Task
from orange.core.model import Publish as Mode
from orange.core.publication import COMMIT, fill, is_template, reverts, title_like, unknown_variables
from orange.core.publishing import AGAIN, LONGEST, due_at, tried
from orange.core.pullrequest import Changes, PullRequest, Remark, WasClosed, WasMerged, judge
from orange.core.reconcile import decide
from orange.core.sharing import Publication
from orange.core.waiting import base_waits, why
from orange.testing.worlds import AT, NOW, a_task, a_world, released, settle_down, tip

OWN = tip("c1", unmerged=True)
PUSHED = Publication("c1", NOW)


def reviewed(mode: Mode, **keys: Any) -> Task:
    """Make an approved task that publishes its branch in some way."""
    approved = Approval("c1", "ada", AT)
    known: dict[str, Any] = {"claim": released(1), "branch": "b", "approved": approved, "publish": mode}
    return a_task("t", Status.REVIEWED, **(known | keys))


def owed(mode: Mode, known: Publication | None, *, now: float = NOW, gh: bool = True) -> list[object]:
    """List what is owed to a reviewed task."""
    publications = {"t": known} if known else {}
    capabilities = frozenset({"script", *(["gh"] if gh else [])})
    world = a_world(reviewed(mode), branches={"t": OWN}, publications=publications, capabilities=capabilities)
    return list(decide(world, now).actions)


@pytest.mark.parametrize("mode", [Mode.BRANCH, Mode.PR])
def test_a_branch_is_pushed_at_once_and_looked_after_each_half_minute(mode: Mode) -> None:
    """What was never pushed, or has new commits, is pushed now; what was pushed is looked at after 30 s."""
    assert owed(mode, None) == [Publish("t")]
    assert owed(mode, Publication("c0", NOW)) == [Publish("t")]
    assert owed(mode, PUSHED) == []
    assert owed(mode, PUSHED, now=NOW + AGAIN - 0.1) == []
    assert owed(mode, PUSHED, now=NOW + AGAIN) == [Publish("t")]


def test_failures_are_tried_again_ever_later() -> None:
    """After 30 s, then a minute, and so on up to ten; a success begins anew."""
    known, waits = Publication(), []
    for _ in range(7):
        known = tried(known, NOW, "no")
        waits.append(due_at(known, "c1") - NOW)
    assert waits == [30, 60, 120, 240, 480, LONGEST, LONGEST]
    assert tried(known, NOW) == Publication(None, NOW)
    assert owed(Mode.BRANCH, known) == []


def test_without_gh_no_pull_request_is_tried() -> None:
    """The task waits, and says that gh is missing; pushing a branch needs none."""
    assert owed(Mode.PR, None, gh=False) == []
    assert owed(Mode.BRANCH, None, gh=False) == [Publish("t")]
    world = a_world(reviewed(Mode.PR), branches={"t": OWN}, capabilities=frozenset({"script"}))
    (line,) = why(reviewed(Mode.PR), world)
    assert (line.code, line.evidence) == ("capability", "gh")
    pending = a_task("t", publish=Mode.PR, agent="script")
    (line,) = why(pending, a_world(pending, capabilities=frozenset({"script"})))
    assert (line.code, line.evidence) == ("capability", "gh")


@pytest.mark.parametrize(
    ("known", "code", "said"),
    [
        (None, "publish", "about to be pushed"),
        (PUSHED, "publish", "its branch b is pushed"),
        (Publication("c1", NOW, url="https://x/7", number=7), "publish", "https://x/7 is open"),
        (Publication("c1", NOW, 2, "origin could not be reached"), "publish_failed", "origin could not be reached"),
    ],
)
def test_a_published_task_says_what_it_waits_for(known: Publication | None, code: str, said: str) -> None:
    """What was pushed, where its pull request is, or why it could not be pushed."""
    task = reviewed(Mode.BRANCH)
    (line,) = why(task, a_world(task, branches={"t": OWN}, publications={"t": known} if known else {}))
    assert line.code == code
    assert said in line.message


def test_a_base_with_merges_is_pushed_until_it_is() -> None:
    """It is pushed at once, and again after a failure, which the project says meanwhile."""
    world = a_world(pushes={"main": Publication()})
    assert list(decide(world, NOW).actions) == [PushBase("main")]
    assert settle_down(world).quiet
    failed = a_world(pushes={"main": tried(Publication(), NOW, "origin says no")})
    plan = decide(failed, NOW)
    assert (plan.actions, plan.wake_at) == ((), NOW + AGAIN)
    assert [(line.code, line.message) for line in base_waits(failed)] == [("push_failed", "origin says no")]


# Pull requests.

ASKED = Remark("r1", "ada", "Use the cache.\nSee below.")
PLACE = Remark("r1/0", "ada", "this line", "src/a.py:3")
CHECK = Remark("check/c1/tests", "check tests", "failed (https://x)")


def test_merged_and_closed_are_told_apart() -> None:
    """The state alone says it, whatever was remarked."""
    assert judge(PullRequest(7, "u", "merged", (ASKED,)), ()) == WasMerged()
    assert judge(PullRequest(7, "u", "closed", (ASKED,)), ()) == WasClosed()
    assert judge(PullRequest(7, "u"), ()) is None


def test_remarks_go_to_the_agent_once_and_in_one_piece() -> None:
    """New ones are quoted with who says them where; known ones are not said again."""
    found = PullRequest(7, "https://x/7", "open", (ASKED, PLACE, CHECK))
    verdict = judge(found, ())
    assert isinstance(verdict, Changes)
    assert verdict.text.splitlines() == [
        "On the pull request https://x/7:",
        "- ada: Use the cache.",
        "  See below.",
        "- ada on src/a.py:3: this line",
        "- check tests: failed (https://x)",
    ]
    assert judge(found, verdict.seen) is None
    again = judge(found, ("r1", "r1/0"))
    assert isinstance(again, Changes)
    assert again.text.splitlines()[1:] == ["- check tests: failed (https://x)"]


# Texts.

TASK = a_task("t", title="Say {id} loud", branch="orange/t", type="bug", ref="J-1")


def test_templates_are_filled_once() -> None:
    """Every variable has its value; what is filled in is not looked through again."""
    assert fill(COMMIT, TASK, "main") == "Merge orange/t: Say {id} loud\n\nTask: t\n"
    assert fill("{kind}({ref}): {title} -> {base}", TASK, "main") == "fix(J-1): Say {id} loud -> main\n"
    body = "## Context\n\nWhy.\n\n## Handoff\n\nDONE: all\n"
    assert fill("{context}\n\n\n\n{handoff}", TASK, "main", body) == "Why.\n\nDONE: all\n"


def test_a_variable_that_does_not_exist_is_named() -> None:
    """A template is known to be wrong before it is used."""
    assert unknown_variables("{title} {titel} {} {id}") == ("titel", "")
    assert not is_template("{titel}")
    assert is_template("{title} by {name} {not closed")


@pytest.mark.parametrize(
    ("subjects", "title", "wanted"),
    [
        (["feat: a", "fix(core)!: b", "Whatever"], "Add x", "{kind}: {title}"),
        (["feat: a", "Plain", "Plain"], "Add x", "{title}"),
        ([], "Add x", "{title}"),
        (["feat: a"], "fix: y", "{title}"),
    ],
)
def test_titles_follow_the_repository(subjects: list[str], title: str, wanted: str) -> None:
    """Where most commits are conventional ones, so is the title, unless it has its prefix already."""
    assert title_like(subjects, title) == wanted


def test_a_revert_of_a_revert_is_a_reapplication() -> None:
    """The subjects are those git writes, and the line below says which commit is taken back."""
    assert reverts("Merge x", "c1") == 'Revert "Merge x"\n\nThis reverts commit c1.\n'
    assert reverts('Revert "Merge x"', "c2") == 'Reapply "Merge x"\n\nThis reverts commit c2.\n'
