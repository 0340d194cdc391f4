"""What every task that is not moving waits for, since when, on what evidence, and the command that helps."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from orange.core.allowance import Dispatch
from orange.core.lifecycle import Status, StuckReason
from orange.core.model import (
    Approval,
    Base,
    Merged,
    Outcome,
    Presence,
    Publish,
    RequestKind,
    Stuck,
    Task,
    World,
)
from orange.core.problems import Problem
from orange.core.settings import Limits, ReviewSettings, Settings
from orange.core.waiting import Explainer, Waiting, base_waits, why
from orange.testing.worlds import (
    AT,
    NOW,
    YESTERDAY,
    a_claim,
    a_request,
    a_run,
    a_stuck,
    a_task,
    a_working,
    a_world,
    an_ended_run,
    released,
    tip,
)

NO_REVIEW = Settings(review=ReviewSettings(by="none"))
OWN = tip("c1", unmerged=True)

#: Every command a remedy may name, as the command line has them.
COMMANDS = """
task why|edit|log|diff|show|update|run|take|finish|retry|restore|release|approve|reject|merge|list
answer attach agents trust doctor config daemon
"""


def explain(task: Task, *others: Task, now: float = NOW, **keys: Any) -> tuple[Waiting, ...]:
    """Explain one task of a world."""
    return why(task, a_world(task, *others, **keys), now)


def test_what_moves_by_itself_waits_for_nothing() -> None:
    """A live run, a free slot, a finished task, the first of the merge queue: nothing is waited for."""
    approved = a_task("t", Status.REVIEWED, branch="b", approved=Approval("c1", "ada", AT))
    assert explain(a_working("t"), runs=[a_run("t")]) == ()
    assert explain(a_working("t"), runs=[an_ended_run("t")]) == ()
    assert explain(a_working("t")) == ()
    assert explain(a_task("t")) == ()
    assert explain(a_task("t", Status.DONE)) == ()
    assert explain(a_task("t", Status.CANCELLED)) == ()
    assert explain(approved, branches={"t": OWN}) == ()
    assert explain(a_task("t", Status.DELEGATED, children=("c",)), a_task("c", Status.DONE, parent="t")) == ()


QUESTION = Stuck(StuckReason.QUESTION, "Which database?", "notes.md", AT)
DONE_ELSEWHERE = a_task("b", Status.DONE, merged=Merged("m1", "main", AT))
APPROVED = Approval("c1", "ada", AT)

CASES: list[tuple[str, Task, list[Task], dict[str, Any], str]] = [
    ("backlog", a_task("t", Status.BACKLOG), [], {}, "orange task update t --status pending"),
    ("blocker_open", a_task("t", blocked_by=("b",)), [a_task("b", Status.BACKLOG)], {}, "orange task why b"),
    ("blocker_open", a_task("t", blocked_by=("b",)), [], {"frozen": frozenset({"b"})}, "orange doctor"),
    (
        "blocker_cancelled",
        a_task("t", blocked_by=("b",)),
        [a_task("b", Status.CANCELLED)],
        {},
        "orange task restore b, or orange task update t --unblock b",
    ),
    ("blocker_missing", a_task("t", blocked_by=("b",)), [], {}, "orange task update t --unblock b"),
    ("blocker_not_merged", a_task("t", blocked_by=("b",)), [DONE_ELSEWHERE], {}, "orange task show b"),
    ("human", a_task("t", assignee="human"), [], {}, "orange task take t"),
    ("trust", a_task("t"), [], {"untrusted": {"t": "origin at c1"}}, "orange trust"),
    ("capability", a_task("t", requires=("gpu",)), [], {}, "orange agents"),
    ("base_missing", a_task("t", base="x"), [], {"bases": {"x": Base("x", None, None)}}, "git branch x"),
    ("slot", a_task("t"), [], {"slots": 0}, "orange config set limits.max_agents 4"),
    (
        "agent_slot",
        a_task("t"),
        [],
        {"dispatch": Dispatch(slots=1, slots_total=3, per_agent={"claude": 0})},
        "orange config set limits.per_agent.claude 1",
    ),
    ("paused", a_task("t"), [], {"dispatch": Dispatch(paused=True)}, "orange daemon resume"),
    ("draining", a_task("t"), [], {"dispatch": Dispatch(draining=True)}, "orange daemon resume"),
    (
        "sequential",
        a_task("t"),
        [a_working("w")],
        {"settings": Settings(dispatch_mode="sequential")},
        "orange config set dispatch.mode parallel",
    ),
    (
        "spawn_rate",
        a_task("t", source={"kind": "delegated"}),
        [],
        {"settings": Settings(limits=Limits(spawns_per_minute=0))},
        "orange task run t",
    ),
    (
        "backoff",
        a_task("t", claim=released(1), attempts=1),
        [],
        {"runs": [an_ended_run("t", outcome=Outcome.FAILED, ended_at=NOW)]},
        "orange task retry t",
    ),
    ("problem", a_task("t"), [], {"frozen": frozenset({"t"})}, "orange task edit t"),
    ("problem", a_working("t", claim=None), [], {}, "orange task release t"),
    ("problem", a_task("t"), [], {"runs": [an_ended_run("t", 5)]}, "orange task run t"),
    ("stopping", a_task("t", claim=released(1)), [], {"runs": [a_run("t")]}, "orange attach t"),
    ("other_host", a_working("t", host="there"), [], {}, "orange task release t --force"),
    ("person", a_working("t", person=True, assignee="ada"), [], {}, "orange task finish t"),
    ("unknown", a_working("t"), [], {"runs": [a_run("t", session=Presence.UNKNOWN)]}, "orange doctor"),
    (
        "children",
        a_task("t", Status.DELEGATED, children=("c",)),
        [a_task("c", Status.BACKLOG, parent="t")],
        {},
        "orange task list --parent t",
    ),
    (
        "children",
        a_task("t", Status.DELEGATED, children=("c",)),
        [a_stuck("c", StuckReason.FAILED, parent="t")],
        {},
        "orange task why c",
    ),
    (
        "children",
        a_task("t", Status.DELEGATED, children=("c",)),
        [a_task("c", Status.CANCELLED, parent="t")],
        {},
        "orange task restore c, or orange task take t",
    ),
    ("review", a_task("t", Status.REVIEWING), [], {}, "orange task approve t, or orange task reject t --feedback TEXT"),
    (
        "publish",
        a_task("t", Status.REVIEWED, branch="b", approved=APPROVED, publish=Publish.BRANCH),
        [],
        {"branches": {"t": OWN}},
        "orange task merge t",
    ),
    (
        "unknown",
        a_task("t", Status.REVIEWED, branch="b", approved=APPROVED),
        [],
        {},
        "orange doctor",
    ),
    ("question", a_task("t", Status.STUCK, stuck=QUESTION), [], {}, 'orange answer t "TEXT"'),
    ("failed", a_stuck("t", StuckReason.FAILED), [], {}, "orange task log t, then orange task retry t"),
    ("checks_failed", a_stuck("t", StuckReason.CHECKS_FAILED), [], {}, "orange task log t, then orange task retry t"),
    ("conflict", a_stuck("t", StuckReason.CONFLICT), [], {}, "orange task diff t, then orange task retry t"),
    ("timeout", a_stuck("t", StuckReason.TIMEOUT), [], {}, "orange task log t, then orange task retry t"),
    ("no_progress", a_stuck("t", StuckReason.NO_PROGRESS), [], {}, "orange task log t, then orange task retry t"),
    (
        "budget",
        a_stuck("t", StuckReason.BUDGET),
        [],
        {},
        "orange task edit t (raise its budget), then orange task retry t",
    ),
    (
        "approval",
        a_stuck("t", StuckReason.APPROVAL),
        [],
        {},
        "orange task approve t, or orange task reject t --feedback TEXT",
    ),
    ("agent_missing", a_stuck("t", StuckReason.AGENT_MISSING), [], {}, "orange agents, then orange task retry t"),
    ("invalid", a_stuck("t", StuckReason.INVALID), [], {}, "orange task edit t, then orange task retry t"),
    ("manual", a_stuck("t", StuckReason.MANUAL), [], {}, "orange task retry t"),
    ("manual", a_task("t", Status.STUCK), [], {}, "orange task retry t"),
]


@pytest.mark.parametrize(
    ("code", "task", "others", "keys", "remedy"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_reason_has_its_code_and_its_remedy(
    code: str, task: Task, others: list[Task], keys: dict[str, Any], remedy: str
) -> None:
    """Each thing waited for has a stable code, a sentence, a time and the command that would unblock it."""
    (line,) = explain(task, *others, **keys)
    assert (line.code, line.remedy) == (code, remedy)
    assert line.message
    assert line.since or code in {"paused", "draining"}


def test_every_remedy_is_a_command_that_exists() -> None:
    """Remedies name commands of the command line, spelled as they are there."""
    known = set()
    for line in COMMANDS.strip().splitlines():
        words = line.split()
        known |= {f"task {verb}" for verb in words[1].split("|")} if words[0] == "task" else set(words)
    for *_, remedy in CASES:
        for command in re.findall(r"orange ((?:task )?[a-z]+)", remedy):
            assert command in known, remedy


def test_every_stuck_reason_is_explained() -> None:
    """No structured reason is left without a case above."""
    assert set(StuckReason) <= {code for code, *_ in CASES}


def test_since_is_what_was_observed_else_what_the_reason_knows() -> None:
    """The observed time wins; a stuck task says since when; a claim says when; else the last change."""
    task = a_task("t", Status.BACKLOG)
    assert explain(task)[0].since == YESTERDAY
    assert explain(task, since={"t": AT})[0].since == AT
    assert explain(replace(task, updated_at="", created_at=""))[0].since is None
    assert explain(a_task("t", Status.STUCK, stuck=QUESTION))[0].since == AT
    assert explain(a_working("t", host="there"))[0].since == YESTERDAY


def test_evidence_is_handed_on() -> None:
    """What a reason was seen in is shown: a question's file, the free slots, the blocker, the run."""
    assert explain(a_task("t", Status.STUCK, stuck=QUESTION))[0].evidence == "notes.md"
    assert explain(a_task("t", Status.STUCK, stuck=QUESTION))[0].message == "Which database?"
    assert explain(a_task("t"), slots=0)[0].evidence == "3 of 3 in use"
    assert explain(a_task("t", blocked_by=("b",)), a_task("b", Status.BACKLOG))[0].evidence == "b"
    assert explain(a_task("t", Status.REVIEWING, branch="b"), branches={"t": OWN})[0].evidence == "c1"


def test_a_broken_file_shows_its_problem() -> None:
    """A frozen task shows what is wrong with its file, and where."""
    task = a_task("t")
    world = a_world(task, frozen=frozenset({"t"}))
    problem = Problem(task.path, 3, "priority is 'urgent', expected critical, high, medium or low")
    world = replace(world, board=replace(world.board, problems=(problem,)))
    (line,) = why(task, world, NOW)
    assert (line.message, line.evidence) == (problem.message, f"{task.path}:3")


def test_several_things_are_all_shown() -> None:
    """Everything that is in the way is listed, so that one look is enough."""
    task = a_task("t", blocked_by=("a", "zz"), assignee="human", agent="codex")
    found = explain(task, a_task("a", Status.CANCELLED), untrusted={"t": "origin"})
    assert [line.code for line in found] == ["blocker_cancelled", "blocker_missing", "human", "trust", "capability"]


def test_a_cycle_is_named_with_an_edge_to_take_out() -> None:
    """Tasks that wait for each other say so, naming the cycle; tasks that wait for it name their blocker."""
    a, b = a_task("a", blocked_by=("b",)), a_task("b", blocked_by=("a",))
    c = a_task("c", blocked_by=("a",))
    world = a_world(a, b, c)
    explainer = Explainer(world, NOW)
    assert [line.code for line in explainer.why(a)] == ["problem", "blocker_open"]
    assert explainer.why(b)[0].evidence == "a -> b -> a"
    assert explainer.why(a)[0].remedy == "orange task update a --unblock b"
    assert [line.code for line in explainer.why(c)] == ["blocker_open"]
    ended = a_world(a, replace(b, status=Status.DONE))
    assert [line.code for line in why(a, ended, NOW)] == []


@pytest.mark.parametrize("kind", RequestKind)
def test_a_request_says_what_was_asked(kind: RequestKind) -> None:
    """A task that is to be taken up again says why, since when, and what it still waits for."""
    found = explain(a_task("t", Status.REVIEWING, request=a_request(kind)), slots=0)
    assert [line.code for line in found] == ["request", "slot"]
    assert (found[0].since, found[0].evidence) == (YESTERDAY, kind.value)


def test_an_answer_to_a_live_run_waits_for_no_slot() -> None:
    """A run that still waits takes its answer itself."""
    task = a_stuck("t", StuckReason.QUESTION, claim=a_claim("t"), request=a_request(RequestKind.ANSWER))
    (line,) = explain(task, runs=[a_run("t")], slots=0)
    assert (line.code, line.evidence) == ("request", "t-1")


def test_a_delegated_task_counts_its_children() -> None:
    """`delegated (1/3)` with those that need someone by name."""
    parent = a_task("t", Status.DELEGATED, children=("a", "b", "c"))
    children = [
        a_task("a", Status.DONE, parent="t"),
        a_stuck("b", StuckReason.FAILED, parent="t"),
        a_task("c", Status.CANCELLED, parent="t"),
    ]
    (line,) = explain(parent, *children)
    assert line.message == "delegated (1/3), waiting for b (stuck), c (cancelled)"
    assert line.evidence == "b, c"


def test_the_queue_is_counted() -> None:
    """A task in the merge queue says how many come before it, and which is first."""
    tasks = [
        a_task(i, Status.REVIEWED, branch=i, approved=Approval("c1", "ada", f"2026-11-1{n}T00:00:00Z"))
        for n, i in enumerate("abc")
    ]
    world = a_world(*tasks, branches={task.id: OWN for task in tasks})
    (line,) = why(tasks[2], world, NOW)
    assert (line.code, line.message, line.evidence) == ("merge_queue", "2 before it in the queue into main", "a")


def test_without_a_clock_a_failed_task_still_explains_itself() -> None:
    """When no time is given, a wait after a failure is shown, not guessed to be over."""
    task = a_task("t", claim=released(1), attempts=1)
    world = a_world(task, runs=[an_ended_run("t", outcome=Outcome.FAILED, ended_at=NOW - 3600)])
    assert [line.code for line in why(task, world)] == ["backoff"]
    assert why(task, world, NOW) == ()


def test_a_base_that_cannot_follow_is_the_projects_matter() -> None:
    """What keeps the user's branch from following is shown once, for the project."""
    world = a_world(bases={"main": Base("main", "i", "b", behind=2, reason="README.md has changes")})
    (line,) = base_waits(world)
    assert (line.code, line.evidence) == ("base_behind", "README.md has changes")
    assert list(base_waits(World(world.board, world.settings, world.dispatch, world.host))) == []


def test_review_off_does_not_hold_what_is_in_review() -> None:
    """What was put into review stays there until somebody decides, whatever the settings say later."""
    (line,) = explain(a_task("t", Status.REVIEWING), settings=NO_REVIEW)
    assert line.code == "review"
