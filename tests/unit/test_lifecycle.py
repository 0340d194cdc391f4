"""The one table of transitions, its guards, and what each move clears."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from orange.core.lifecycle import (
    CLOSED,
    EARNED,
    TRANSITIONS,
    Actor,
    BoardState,
    Facts,
    Status,
    StuckReason,
    advance,
    board_state,
    check,
    legal_targets,
    refusal,
)
from orange.core.model import Approval, Merged, RequestKind, Task
from orange.core.problems import IllegalTransition
from orange.testing.worlds import AT, a_claim, a_request, a_stuck, a_task, a_working, released

#: The contract's table, as it is written there.
CONTRACT = """
backlog -> pending, delegated, cancelled
pending -> working, delegated, backlog, stuck, cancelled
working -> reviewing, reviewed, delegated, done, stuck, pending, cancelled
delegated -> done, reviewing, reviewed, working, pending, stuck, cancelled
reviewing -> reviewed, done, working, delegated, stuck, cancelled
reviewed -> done, working, reviewing, delegated, stuck, cancelled
stuck -> pending, working, reviewing, reviewed, delegated, done, backlog, cancelled
done -> pending, delegated, stuck
cancelled -> backlog
"""
LEGAL = {
    (Status(source.strip()), Status(to.strip()))
    for line in CONTRACT.strip().splitlines()
    for source, _, targets in [line.partition("->")]
    for to in targets.split(",")
}


def permissive(source: Status, to: Status) -> Facts:
    """Return facts under which every guard that can be satisfied is."""
    children = 0 if (source, to) == (Status.DELEGATED, Status.PENDING) else 1
    done = to is not Status.DELEGATED
    return Facts(children, done, claiming=True, integrated=True, review_off=True, approved=True, checked=True)


def forbidden(to: Status, by: Actor) -> bool:
    """Whether an actor may never make this move, whatever the facts."""
    if by is Actor.FILE:
        return to in EARNED
    return by is Actor.AGENT and to in {Status.DONE, Status.REVIEWED}


@pytest.mark.parametrize("source", Status)
def test_exactly_the_contracts_moves_are_legal(source: Status) -> None:
    """With all evidence at hand a move is legal exactly if the contract lists it and this actor may make it."""
    for to, by in product(Status, Actor):
        found = refusal(a_task("t", source), to, by, permissive(source, to))
        assert (found is None) is ((source, to) in LEGAL and not forbidden(to, by)), (to, by, found)


@pytest.mark.parametrize("source", Status)
def test_an_illegal_move_raises_naming_the_legal_ones(source: Status) -> None:
    """A refused move raises with source, target, reason and every legal target."""
    for to in Status:
        if (source, to) in LEGAL:
            continue
        with pytest.raises(IllegalTransition, match="not a legal transition") as refused:
            advance(a_task("t", source), to, Actor.PERSON, permissive(source, to))
        assert refused.value.legal == legal_targets(source)
        assert (refused.value.source, refused.value.target) == (source, to)


def test_every_move_has_a_meaning() -> None:
    """Each row of the table says what the move means, for the docs and refusals generated from it."""
    assert {(source, to) for source, row in TRANSITIONS.items() for to in row} == LEGAL
    assert all(meaning for row in TRANSITIONS.values() for meaning in row.values())


@pytest.mark.parametrize(
    ("source", "to", "known", "says"),
    [
        # working is entered by a claim only, and not while a blocker is open
        ("pending", "working", {}, "only by a claim"),
        ("stuck", "working", {}, "only by a claim"),
        ("reviewing", "working", {}, "only by a claim"),
        ("reviewed", "working", {}, "only by a claim"),
        ("delegated", "working", {}, "only by a claim"),
        ("pending", "working", {"claiming": True, "open_blockers": ("b", "c")}, "blocked by b, c"),
        ("reviewing", "working", {"claiming": True, "open_blockers": ("b",)}, "blocked by b"),
        # delegating needs children
        ("backlog", "delegated", {}, "at least one child"),
        ("pending", "delegated", {}, "at least one child"),
        ("working", "delegated", {}, "at least one child"),
        ("stuck", "delegated", {}, "at least one child"),
        # and after review began, a child that is open again
        ("reviewing", "delegated", {"children": 1, "children_done": True}, "all its children are done"),
        ("reviewed", "delegated", {"children": 1, "children_done": True}, "all its children are done"),
        ("done", "delegated", {"children": 1, "children_done": True}, "all its children are done"),
        ("done", "delegated", {}, "at least one child"),
        # a parent closes when it has children and all are done
        ("delegated", "done", {"children": 0, "children_done": True, "integrated": True}, "all of them are done"),
        ("delegated", "done", {"children": 2, "integrated": True}, "all of them are done"),
        ("delegated", "reviewing", {"children": 2}, "all of them are done"),
        ("delegated", "reviewed", {"children": 2, "review_off": True}, "all of them are done"),
        ("delegated", "done", {"children": 2, "children_done": True}, "not in the base"),
        ("delegated", "pending", {"children": 1}, "still has children"),
        # reviewed is approved, or needs no review
        ("working", "reviewed", {}, "not approved"),
        ("working", "reviewed", {"approved": True}, "not approved"),
        ("delegated", "reviewed", {"children": 1, "children_done": True, "approved": True}, "not approved"),
        ("reviewing", "reviewed", {}, "not approved"),
        ("stuck", "reviewed", {}, "not approved"),
        # done is integrated
        ("reviewed", "done", {}, "not in the base"),
        ("stuck", "done", {}, "not in the base"),
        ("working", "done", {"integrated": True}, "review is not off"),
        ("working", "done", {"review_off": True}, "not in the base"),
        ("reviewing", "done", {"integrated": True}, "not approved"),
        ("reviewing", "done", {"integrated": True, "review_off": True}, "not approved"),
        ("reviewing", "done", {"approved": True}, "not in the base"),
        # and checked, where checks are required
        ("reviewed", "done", {"integrated": True}, "checks are required"),
        ("working", "done", {"integrated": True, "review_off": True}, "checks are required"),
        ("stuck", "done", {"integrated": True}, "checks are required"),
    ],
)
def test_guards_refuse_without_their_evidence(source: str, to: str, known: dict[str, Any], says: str) -> None:
    """Each guard refuses a legal move whose evidence is missing, and says what is missing."""
    reason = refusal(a_task("t", Status(source)), Status(to), Actor.PERSON, Facts(**known))
    assert reason is not None
    assert says in reason


@pytest.mark.parametrize("by", [Actor.DAEMON, Actor.PERSON])
def test_a_parent_with_an_acceptance_step_is_reviewed_first(by: Actor) -> None:
    """A parent that has an acceptance step does not close past it."""
    parent = a_task("p", Status.DELEGATED, acceptance="make check")
    facts = Facts(2, children_done=True, integrated=True)
    assert "acceptance" in (refusal(parent, Status.DONE, by, facts) or "")
    assert refusal(parent, Status.REVIEWING, by, facts) is None


def test_agents_neither_approve_nor_close() -> None:
    """An agent never writes `reviewed` or `done`, whatever the evidence; the refusal says who does."""
    for source, to in sorted(LEGAL):
        if to in {Status.REVIEWED, Status.DONE}:
            reason = refusal(a_task("t", source), to, Actor.AGENT, permissive(source, to))
            assert reason is not None
            assert "agents cannot" in reason


@pytest.mark.parametrize("source", Status)
def test_a_file_never_earns_a_status(source: Status) -> None:
    """What needs evidence or a claim is not believed from a hand-edited file; the refusal names the command."""
    for to in EARNED & set(legal_targets(source)):
        reason = refusal(a_task("t", source), to, Actor.FILE, permissive(source, to))
        assert reason is not None
        assert "not believed" in reason


@pytest.mark.parametrize(
    ("source", "to"),
    [
        ("working", "cancelled"),
        ("working", "pending"),
        ("working", "stuck"),
        ("reviewing", "cancelled"),
        ("reviewed", "stuck"),
        ("done", "pending"),
        ("cancelled", "backlog"),
        ("stuck", "backlog"),
        ("backlog", "pending"),
    ],
)
def test_a_file_may_move_a_task_to_rest(source: str, to: str) -> None:
    """Backlog, pending, stuck and cancelled are obeyed from a file where they are legal."""
    assert refusal(a_task("t", Status(source)), Status(to), Actor.FILE, Facts()) is None


def test_a_file_may_delegate_only_with_children() -> None:
    """Delegated is obeyed from a file when the task has children."""
    task = a_task("t")
    assert refusal(task, Status.DELEGATED, Actor.FILE, Facts(children=1)) is None
    assert refusal(task, Status.DELEGATED, Actor.FILE, Facts()) is not None


def test_check_carries_the_blockers() -> None:
    """A refusal hands the open blockers on, for the API's answer."""
    with pytest.raises(IllegalTransition) as refused:
        check(a_task("t"), Status.WORKING, Actor.DAEMON, Facts(claiming=True, open_blockers=("b",)))
    assert refused.value.blockers == ("b",)


def moved(task: Task, to: Status) -> Task:
    """Move a task with every evidence at hand."""
    return advance(task, to, Actor.DAEMON, permissive(task.status, to))


def test_only_working_holds_a_claim() -> None:
    """Every way anywhere but to working releases the run; the claim keeps its epoch, which only grows."""
    for source, to in sorted(LEGAL):
        task = replace(a_working("t", 7), status=source, tmux_session="t-t-7", workspace="/w")
        after = moved(task, to)
        assert after.epoch == 7
        assert after.held is (to is Status.WORKING)
        assert after.workspace == "/w"
        if to is not Status.WORKING:
            assert (after.run, after.tmux_session) == (None, None)
            assert after.claim == released(7)


def test_a_reason_to_be_stuck_does_not_outlive_it() -> None:
    """The reason stays only while the task is stuck."""
    for source, to in sorted(LEGAL):
        task = replace(a_stuck("t", StuckReason.FAILED), status=source)
        assert (moved(task, to).stuck is None) is (to is not Status.STUCK)


def test_approval_is_of_a_result() -> None:
    """A new start, delegation and a new look void an approval; the way to done keeps it."""
    for source, to in sorted(LEGAL):
        task = a_task("t", source, approved=Approval("c1", "ada", AT))
        kept = to in {Status.REVIEWED, Status.DONE, Status.STUCK, Status.CANCELLED}
        assert (moved(task, to).approved is not None) is kept


@pytest.mark.parametrize(
    ("source", "to", "kept"),
    [
        ("reviewing", "working", "changes conflict checks answer resume"),
        ("stuck", "working", "changes conflict checks answer resume"),
        ("working", "pending", "changes conflict checks answer resume"),
        ("stuck", "pending", "changes conflict checks answer resume"),
        ("working", "stuck", "changes conflict checks"),
        ("reviewed", "stuck", "changes conflict checks"),
        ("working", "reviewing", ""),
        ("working", "reviewed", ""),
        ("working", "done", ""),
        ("working", "delegated", ""),
        ("reviewing", "reviewed", ""),
        ("reviewed", "reviewing", ""),
        ("pending", "backlog", ""),
        ("stuck", "cancelled", ""),
        ("delegated", "pending", ""),
        ("pending", "working", "changes conflict checks answer resume"),
    ],
)
def test_a_request_lives_until_it_is_served(source: str, to: str, kept: str) -> None:
    """What was asked for survives a failed attempt and its retry, ends with a result; `run` is over once it started."""
    for kind in RequestKind:
        task = a_task("t", Status(source), request=a_request(kind))
        assert (moved(task, Status(to)).request is not None) is (kind in kept.split()), kind


@pytest.mark.parametrize(
    ("source", "to", "fresh"),
    [
        ("stuck", "pending", True),
        ("stuck", "backlog", True),
        ("done", "pending", True),
        ("cancelled", "backlog", True),
        ("working", "pending", False),
        ("pending", "working", False),
        ("stuck", "working", False),
        ("pending", "backlog", False),
    ],
)
def test_trying_anew_gives_fresh_attempts(source: str, to: str, fresh: bool) -> None:
    """Attempts and review rounds count since the last manual retry, not over the task's whole life."""
    after = moved(a_task("t", Status(source), attempts=2, review_round=1), Status(to))
    assert (after.attempts, after.review_round) == ((0, 0) if fresh else (2, 1))


def test_reopening_remembers_that_it_was_done() -> None:
    """A reopened task says what it had been done with, until it is done again; a rolled-back one keeps its merge."""
    done = a_task("t", Status.DONE, merged=Merged("m1", "main", AT))
    again = moved(done, Status.PENDING)
    assert (again.reopened, again.merged) == ("m1", None)
    assert moved(again, Status.WORKING).reopened == "m1"
    assert moved(replace(again, status=Status.REVIEWED), Status.DONE).reopened is None
    assert moved(again, Status.CANCELLED).reopened is None
    assert moved(again, Status.BACKLOG).reopened is None
    back = moved(done, Status.STUCK)
    assert (back.reopened, back.merged) == ("m1", done.merged)
    assert moved(a_task("t", Status.DONE), Status.PENDING).reopened == "unpublished"


@pytest.mark.parametrize(
    ("status", "ready", "state"),
    [
        (Status.BACKLOG, False, BoardState.BACKLOG),
        (Status.PENDING, True, BoardState.READY),
        (Status.PENDING, False, BoardState.BLOCKED),
        (Status.STUCK, False, BoardState.BLOCKED),
        (Status.WORKING, False, BoardState.IN_PROGRESS),
        (Status.DELEGATED, False, BoardState.IN_PROGRESS),
        (Status.REVIEWING, False, BoardState.IN_REVIEW),
        (Status.REVIEWED, False, BoardState.IN_REVIEW),
        (Status.DONE, False, BoardState.DONE),
        (Status.CANCELLED, False, BoardState.CANCELLED),
    ],
)
def test_board_states(status: Status, ready: bool, state: BoardState) -> None:
    """The column of the board follows from the status and the computed readiness."""
    assert board_state(status, ready=ready) is state


def test_closed_means_nothing_follows_by_itself() -> None:
    """Done and cancelled are the closed statuses."""
    assert {Status.DONE, Status.CANCELLED} == CLOSED
    assert a_claim("t").held
