"""Worlds of every kind, likely or not, from a seed: what `decide` must have an answer for."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import settings

from orange.core.allowance import Dispatch
from orange.core.checks import Check
from orange.core.lifecycle import Status, StuckReason
from orange.core.mergequeue import fingerprint
from orange.core.model import (
    Approval,
    Base,
    BranchState,
    Claim,
    Merged,
    Outcome,
    Presence,
    Priority,
    Publish,
    Request,
    RequestKind,
    Run,
    Stuck,
    Task,
    Workspace,
    World,
)
from orange.core.problems import Problem
from orange.core.reviews import run_of
from orange.core.settings import Limits, ReviewSettings, Settings, WorkspaceSettings
from orange.core.sharing import Candidate
from orange.core.times import stamp
from orange.testing.worlds import AT, HOST, NOW, a_claim, a_run, a_task, a_world, an_ended_run

#: For properties that cost a decision or more an example: fewer of them, and as many as asked for in `make torture`.
modest = settings(max_examples=25 if settings().max_examples <= 100 else settings().max_examples)

#: Ids of tasks; `zz` never has a file.
IDS = "abcdef"


def random_world(seed: int, size: int) -> World:
    """Make the world of a seed, with so many tasks."""
    rnd = Random(seed)
    ids = IDS[:size]
    runs = [run for task_id in ids for run in _runs(rnd, task_id)]
    tasks = [_task(rnd, task_id, ids) for task_id in ids]
    frozen = frozenset(task_id for task_id in ids if rnd.random() < 0.05)
    world = a_world(*tasks, runs=runs, frozen=frozen, **_surroundings(rnd, ids))
    problems = tuple(Problem(f"tasks/{i}-{i}/TASK.md", 1, "broken") for i in frozen)
    dropped = {i: task for i, task in world.board.tasks.items() if i not in frozen or rnd.random() < 0.5}
    return replace(world, board=replace(world.board, tasks=dropped, problems=problems))


def _maybe(rnd: Random, chance: float, value: Any) -> Any:
    return value if rnd.random() < chance else None


def _task(rnd: Random, task_id: str, ids: str) -> Task:
    status = rnd.choice([*Status, Status.PENDING, Status.PENDING, Status.REVIEWED, Status.DELEGATED])
    keys: dict[str, Any] = {
        "blocked_by": tuple(rnd.sample(ids + "z", rnd.choice([0, 0, 0, 1, 2]))) if len(ids) > 1 else (),
        "parent": _maybe(rnd, 0.35, rnd.choice(ids + "z")),
        "children": tuple(rnd.sample(ids, rnd.randint(0, min(2, len(ids))))) if rnd.random() < 0.2 else (),
        "priority": rnd.choice(list(Priority)),
        "created_at": stamp(NOW - rnd.randint(1, 10**6)),
        "updated_at": rnd.choice(["", stamp(NOW - rnd.randint(1, 10**7)), AT, "yesterday"]),
        "assignee": _maybe(rnd, 0.1, rnd.choice(["human", "ada"])),
        "agent": _maybe(rnd, 0.2, rnd.choice(["codex", "claude"])),
        "branch": _maybe(rnd, 0.6, f"orange/{task_id}"),
        "base": _maybe(rnd, 0.1, "release"),
        "publish": _maybe(rnd, 0.3, rnd.choice(list(Publish))),
        "acceptance": _maybe(rnd, 0.1, "make check"),
        "requires": ("docker",) if rnd.random() < 0.05 else (),
        "source": {"kind": "delegated"} if rnd.random() < 0.3 else {},
        "attempts": rnd.choice([0, 0, 1, 2, 3]),
        "reopened": _maybe(rnd, 0.2, "m0"),
        "request": _maybe(rnd, 0.25, Request(rnd.choice(list(RequestKind)), "please", AT)),
        "approved": _maybe(rnd, 0.4, Approval(rnd.choice(["c1", "c2", "none"]), rnd.choice(["ada", "agent:r"]), AT)),
        "merged": _maybe(rnd, 0.4, Merged(rnd.choice(["c1", "c2"]), rnd.choice(["main", "release"]), AT)),
        "claim": _claim(rnd, task_id, status),
    }
    if status is Status.STUCK and rnd.random() < 0.9:
        keys["stuck"] = Stuck(rnd.choice(list(StuckReason)), "why", None, AT)
    return a_task(task_id, status, **keys)


def _claim(rnd: Random, task_id: str, status: Status) -> Claim | None:
    epoch = rnd.randint(1, 3)
    held = rnd.random() < {Status.WORKING: 0.95, Status.REVIEWING: 0.4}.get(status, 0.05)
    if not held:
        return Claim(None, epoch, None, None, None) if rnd.random() < 0.7 else None
    host = rnd.choice([HOST, HOST, HOST, "there", None])
    claim = a_claim(task_id, epoch, host=host, person=rnd.random() < 0.15)
    reviews = rnd.random() < (0.8 if status is Status.REVIEWING else 0.05)
    return replace(claim, run=run_of(task_id, epoch)) if reviews else claim


def _runs(rnd: Random, task_id: str) -> list[Run]:
    return [_run(rnd, task_id, epoch) for epoch in (1, 2, 3) if rnd.random() < 0.3]


def _run(rnd: Random, task_id: str, epoch: int) -> Run:
    keys: dict[str, Any] = {
        "launched": rnd.random() < 0.8,
        "checked": rnd.choice([True, None, None]),
        "commit": rnd.choice(["c1", "c1", "c2", None]),
        "signature": rnd.choice(["s1", "s1", "s2", None]),
        "started_at": rnd.choice([NOW - rnd.randint(0, 120), None]),
    }
    if rnd.random() < 0.3:
        keys["id"] = run_of(task_id, epoch)
    if rnd.random() < 0.6:
        keys["ended_at"] = rnd.choice([NOW - rnd.randint(0, 600), None])
        return an_ended_run(task_id, epoch, rnd.choice(list(Outcome)), **keys)
    keys["session"] = rnd.choice(list(Presence))
    keys["gone_looks"] = rnd.randint(1, 3) if keys["session"] is Presence.GONE else 0
    return a_run(task_id, epoch, **keys)


def _candidate(rnd: Random, task_id: str, chosen: Settings) -> Candidate:
    of = fingerprint(chosen.checks if rnd.random() < 0.9 else ())
    tip, lost = rnd.choice(["c1", "c1", "c2"]), rnd.randint(0, 3)
    base, onto = rnd.choice(["main", "main", "release"]), rnd.choice(["i0", "i0", "i1"])
    return Candidate(task_id, base, onto, tip, "m1", of, f"{task_id}-c0", "/w/.check", AT, lost, _maybe(rnd, 0.1, "no"))


def _surroundings(rnd: Random, ids: str) -> dict[str, Any]:
    slots, chosen = rnd.randint(0, 3), _settings(rnd)
    candidates = {i: _candidate(rnd, i, chosen) for i in _some(rnd, ids + "z", 0.3)}
    checking = (replace(_run(rnd, i, 0), id=f"{i}-c0", checked=rnd.choice([True, False, None])) for i in candidates)
    return {
        "settings": chosen,
        "candidates": candidates,
        "checking": {run.id: run for run in checking if rnd.random() < 0.9},
        "dispatch": Dispatch(
            paused=rnd.random() < 0.1,
            draining=rnd.random() < 0.05,
            slots=slots,
            slots_total=3,
            per_agent={"claude": rnd.randint(0, 2)} if rnd.random() < 0.3 else {},
            resumed_at=_maybe(rnd, 0.5, NOW - rnd.randint(0, 600)),
        ),
        "bases": {name: _base(rnd, name) for name in ("main", "release") if rnd.random() < 0.9},
        "branches": {i: _branch(rnd) for i in ids if rnd.random() < 0.8},
        "workspaces": {f"/w/{i}": Workspace(f"/w/{i}", i, None, _presence(rnd), rnd.random()) for i in _some(rnd, ids)},
        "capabilities": frozenset({"claude", "git"} if rnd.random() < 0.9 else {"git"}),
        "untrusted": dict.fromkeys(_some(rnd, ids, 0.05), "origin"),
        "hand_edits": tuple(_some(rnd, ids, 0.1)),
        "ancestry": {(c, b): _presence(rnd) for c in ("c1", "c2") for b in ("main", "release") if rnd.random() < 0.5},
        "missing": {i: rnd.randint(1, 3) for i in _some(rnd, ids + "z", 0.1)},
    }


def _some(rnd: Random, ids: str, chance: float = 0.5) -> list[str]:
    return [task_id for task_id in ids if rnd.random() < chance]


def _presence(rnd: Random) -> Presence:
    return rnd.choice([Presence.THERE, Presence.THERE, Presence.GONE, Presence.UNKNOWN])


def _settings(rnd: Random) -> Settings:
    limits = Limits(
        attempts=rnd.randint(1, 4),
        same_failure=rnd.randint(1, 3),
        consecutive_failures=rnd.randint(2, 4),
        spawns_per_minute=rnd.randint(0, 3),
    )
    return Settings(
        publish=rnd.choice(list(Publish)),
        dispatch_mode=rnd.choice(["parallel", "parallel", "sequential"]),
        cancelled_satisfies=rnd.random() < 0.3,
        limits=limits,
        review=ReviewSettings(by=rnd.choice(["human", "none", "agent", "agent", "both"])),
        workspaces=WorkspaceSettings(size=rnd.randint(0, 3)),
        checks=(Check("tests", "true"),) if rnd.random() < 0.4 else (),
        checks_required=rnd.random() < 0.3,
    )


def _base(rnd: Random, name: str) -> Base:
    exists = rnd.random() < 0.95
    behind, ahead = rnd.choice([0, 0, 1]), rnd.choice([0, 0, 1])
    return Base(name, "i0" if exists else None, "b0" if exists else None, behind, ahead, _maybe(rnd, 0.3, "dirty"), NOW)


def _branch(rnd: Random) -> BranchState:
    tip = rnd.choice(["c1", "c1", "c2", None])
    return BranchState(tip, tip is not None and rnd.random() < 0.5, _presence(rnd))
