"""World builders and a small simulator, for tests of whatever decides or explains.

`a_world(...)` makes a World from tasks and what was observed of them; `carry_out` does to a world, as a value, what
`apply` would do to the real one; `settle_down` decides and carries out until nothing is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from orange.core import actions as do
from orange.core.allowance import Dispatch
from orange.core.effective import BY_PEOPLE
from orange.core.judging import is_awaited
from orange.core.lifecycle import Actor, Facts, Status, StuckReason, advance
from orange.core.mergequeue import fingerprint
from orange.core.model import (
    Approval,
    Base,
    Board,
    BranchState,
    Claim,
    Merged,
    Outcome,
    Presence,
    Request,
    RequestKind,
    Run,
    Stuck,
    Task,
    Workspace,
    World,
)
from orange.core.problems import IllegalTransition
from orange.core.reconcile import decide
from orange.core.retry import NEUTRAL
from orange.core.reviews import run_of
from orange.core.scene import Scene, is_live
from orange.core.settings import Settings
from orange.core.sharing import Candidate, Publication
from orange.core.times import stamp

#: The machine the builders' worlds are seen from.
HOST = "here"
#: An instant to decide at: seconds since 1970.
NOW = 1_795_000_000.0
#: The same instant as a stamp.
AT = stamp(NOW)
#: A day before.
YESTERDAY = stamp(NOW - 86400)


def a_task(task_id: str, status: Status = Status.PENDING, /, **keys: Any) -> Task:
    """Make a task; every key of `Task` may be given."""
    known: dict[str, Any] = {
        "title": f"Task {task_id}",
        "name": task_id,
        "path": f"tasks/{task_id}-{task_id}/TASK.md",
        "created_at": YESTERDAY,
        "updated_at": YESTERDAY,
    }
    return Task(**(known | {"id": task_id, "status": status} | keys))


def a_claim(task_id: str, epoch: int = 1, *, host: str | None = HOST, person: bool = False) -> Claim:
    """Make the claim of a run of this machine, of another host, or of a person."""
    return Claim(f"{'person-' if person else ''}{task_id}-{epoch}", epoch, "nonce", host, YESTERDAY)


def a_working(task_id: str, epoch: int = 1, /, *, host: str = HOST, person: bool = False, **keys: Any) -> Task:
    """Make a task that is being worked on."""
    claim = a_claim(task_id, epoch, host=host, person=person)
    known: dict[str, Any] = {"claim": claim, "run": claim.run, "branch": f"orange/{task_id}"}
    return a_task(task_id, Status.WORKING, **(known | keys))


def released(epoch: int = 1) -> Claim:
    """Make what is left of a claim that is over."""
    return Claim(None, epoch, None, None, None)


def a_stuck(task_id: str, reason: StuckReason, /, message: str = "it needs someone", **keys: Any) -> Task:
    """Make a task that needs someone."""
    return a_task(task_id, Status.STUCK, stuck=Stuck(reason, message, None, YESTERDAY), **keys)


def a_request(kind: RequestKind, message: str = "please") -> Request:
    """Make a wish to take a task up again."""
    return Request(kind, message, YESTERDAY)


def a_run(task_id: str, epoch: int = 1, **keys: Any) -> Run:
    """Make a run; live with a session unless said otherwise."""
    known: dict[str, Any] = {
        "id": f"{task_id}-{epoch}",
        "task": task_id,
        "epoch": epoch,
        "started_at": NOW - 600,
        "ended_at": None,
        "outcome": None,
        "launched": True,
        "session": Presence.THERE,
    }
    return Run(**(known | keys))


def an_ended_run(task_id: str, epoch: int = 1, outcome: Outcome = Outcome.FINISHED, **keys: Any) -> Run:
    """Make a run that has ended, a minute ago unless said otherwise."""
    known: dict[str, Any] = {"ended_at": NOW - 60, "outcome": outcome, "session": Presence.GONE}
    return a_run(task_id, epoch, **(known | keys))


def a_world(*tasks: Task, runs: Iterable[Run] = (), slots: int = 3, **keys: Any) -> World:
    """Make a world of these tasks: three free slots, agent `claude` at hand, a base `main`, nothing else."""
    known: dict[str, Any] = {
        "board": Board({task.id: task for task in tasks}, frozen=keys.pop("frozen", frozenset())),
        "settings": Settings(),
        "dispatch": Dispatch(slots=slots, slots_total=3),
        "host": HOST,
        "runs": {run.id: run for run in runs},
        "bases": {"main": Base("main", "base0", "base0")},
        "capabilities": frozenset({"claude", "git"}),
    }
    return World(**(known | keys))


def with_task(world: World, task: Task) -> World:
    """Return the world with one task as given."""
    return replace(world, board=replace(world.board, tasks={**world.board.tasks, task.id: task}))


def with_run(world: World, run: Run) -> World:
    """Return the world with one run as given."""
    return replace(world, runs={**world.runs, run.id: run})


def look_again(world: World) -> World:
    """Return what a further look would see: sessions that are gone are still gone."""
    runs = {
        run.id: replace(run, gone_looks=run.gone_looks + 1) if run.session is Presence.GONE else run
        for run in world.runs.values()
    }
    return replace(world, runs=runs)


@dataclass
class Settled:
    """What came of deciding and acting until nothing was owed."""

    world: World
    #: The plans carried out, in order.
    plans: list[do.Plan] = field(default_factory=list)
    #: Whether nothing is owed any more.
    quiet: bool = False

    @property
    def actions(self) -> list[do.Action]:
        """Every action that was carried out."""
        return [action for plan in self.plans for action in plan.actions]


def settle_down(world: World, now: float = NOW, rounds: int = 60) -> Settled:
    """Decide and carry out until nothing is owed, at one instant."""
    settled = Settled(world)
    for _ in range(rounds):
        plan = decide(settled.world, now)
        if not plan.actions:
            settled.quiet = True
            break
        settled.plans.append(plan)
        settled.world = look_again(carry_out(settled.world, plan, now))
    return settled


def carry_out(world: World, plan: do.Plan, now: float = NOW) -> World:
    """Return the world after a plan; what the world has moved on from is skipped, as `apply` does."""
    for action in plan.actions:
        try:
            world = _EFFECTS[type(action)](world, action, now)
        except IllegalTransition:
            continue
    return world


def facts(world: World, task: Task, *, claiming: bool = False) -> Facts:
    """Gather the lifecycle's facts about a task of this world."""
    return Scene(world, NOW).facts(task, claiming=claiming)


def _move(world: World, task_id: str, to: Status, *, claiming: bool = False) -> Task:
    task = world.board.tasks[task_id]
    return advance(task, to, Actor.DAEMON, facts(world, task, claiming=claiming))


def _start(world: World, action: do.StartRun, now: float) -> World:
    task = world.board.tasks[action.task]
    if task.held or task.epoch != action.epoch or any(is_live(run) for run in Scene(world, now).runs(task.id)):
        return world
    if action.review:
        return _start_review(world, task, now)
    moved = _move(world, task.id, Status.WORKING, claiming=True)
    claim = a_claim(task.id, task.epoch + 1, host=world.host)
    moved = replace(moved, claim=claim, run=claim.run, branch=task.branch or f"orange/{task.id}")
    world = with_run(with_task(world, moved), a_run(task.id, claim.epoch, started_at=now))
    return _with_slots(world, task, -1)


def _start_review(world: World, task: Task, now: float) -> World:
    run = run_of(task.id, task.epoch + 1)
    held = replace(task, claim=replace(a_claim(task.id, task.epoch + 1, host=world.host), run=run), run=run)
    begun = a_run(task.id, task.epoch + 1, id=run, started_at=now)
    return _with_slots(with_run(with_task(world, held), begun), task, -1)


def _settle_review(world: World, action: do.SettleReview, _now: float) -> World:
    """Draw the conclusion as if no rule wanted a person: approved, or changes requested; a failure uses an attempt."""
    task, run = world.board.tasks[action.task], world.runs.get(action.run)
    freed = task.unbound()
    if run is None or not is_awaited(task) or run.outcome in NEUTRAL:
        return _with_slots(with_task(world, freed), task, 1)
    if run.outcome is not Outcome.FINISHED:
        failed = replace(freed, attempts=task.attempts + 1)
        if failed.attempts >= world.settings.limits.attempts:
            stuck = Stuck(StuckReason.FAILED, "its review failed", None, AT)
            failed = replace(failed, status=Status.STUCK, stuck=stuck)
        return _with_slots(with_task(world, failed), task, 1)
    if not run.checked:
        freed = replace(freed, request=Request(RequestKind.CHANGES, "mend it", AT), review_round=task.review_round + 1)
    elif world.settings.review.by not in BY_PEOPLE:
        freed = replace(freed, status=Status.REVIEWED, approved=Approval(run.commit or "", f"agent:{run.id}", AT))
    return _with_slots(with_task(world, freed), task, 1)


def _with_slots(world: World, task: Task, step: int) -> World:
    agent = task.agent or world.settings.agent
    per_agent = {name: free + step * (name == agent) for name, free in world.dispatch.per_agent.items()}
    return replace(world, dispatch=replace(world.dispatch, slots=world.dispatch.slots + step, per_agent=per_agent))


def _launch(world: World, action: do.LaunchRun, now: float) -> World:
    epoch = world.board.tasks[action.task].epoch
    return with_run(world, a_run(action.task, epoch, id=action.run, started_at=now))


def _stop(world: World, action: do.StopRun, now: float) -> World:
    run = replace(world.runs[action.run], outcome=Outcome.STOPPED, ended_at=now, session=Presence.GONE)
    return with_run(world, run)


def _close(world: World, action: do.CloseRun, now: float) -> World:
    run = replace(world.runs[action.run], outcome=action.outcome, message=action.message, ended_at=now)
    return with_run(world, replace(run, signature=f"signature of {action.message}"))


def _settle(world: World, action: do.SettleRun, now: float) -> World:
    task = world.board.tasks[action.task]
    if action.to is task.status:
        return with_task(world, task.unbound())
    moved = _stuck(_move(world, task.id, action.to), action.stuck, action.reason, now)
    moved = replace(moved, attempts=task.attempts + 1 if action.failed else moved.attempts)
    return _with_slots(with_task(world, moved), task, 1)


def _stuck(task: Task, reason: StuckReason | None, message: str, now: float) -> Task:
    if task.status is not Status.STUCK:
        return task
    return replace(task, stuck=Stuck(reason or StuckReason.MANUAL, message, None, stamp(now)))


def _advance(world: World, action: do.Advance, now: float) -> World:
    moved = _move(world, action.task, action.to)
    return with_task(world, _stuck(moved, action.stuck, action.reason, now))


def _integrate(world: World, action: do.Integrate, now: float) -> World:
    state = replace(world.branches[action.task], unmerged=False, integrated=Presence.THERE)
    world = replace(world, branches={**world.branches, action.task: state})
    moved = _move(world, action.task, Status.DONE)
    return with_task(world, replace(moved, merged=Merged(f"merge-{action.task}", action.base, stamp(now))))


def conflict(world: World, action: do.Integrate) -> World:
    """Return the world after an integration that met a conflict."""
    task = world.board.tasks[action.task]
    request = Request(RequestKind.CONFLICT, f"the branch does not merge into {action.base}", AT)
    return with_task(world, replace(task, request=request, approved=None))


def _check_merge(world: World, action: do.CheckMerge, now: float) -> World:
    """Begin checks that pass at once. A base that is not there yet is made by that."""
    base, state = world.bases.get(action.base), world.branches[action.task]
    if base is None or base.integrated is None:
        base = Base(action.base, "base0", base.branch if base else None)
        world = replace(world, bases={**world.bases, action.base: base})
    known = a_candidate(action.task, world, onto=base.integrated, tip=state.tip, base=action.base)
    run = a_run(action.task, 0, id=known.run, outcome=Outcome.FINISHED, ended_at=now, checked=True)
    return with_candidate(world, known, run)


def a_candidate(task_id: str, world: World, **keys: Any) -> Candidate:
    """Make the candidate of a task: onto `base0`, of the branch's commit `c1`, with the checks of the world."""
    known: dict[str, Any] = {"base": "main", "onto": "base0", "tip": "c1", "commit": f"merge-{task_id}", "since": AT}
    known |= {"run": f"{task_id}-c0", "workspace": "/w/.check", "checks": fingerprint(world.settings.checks)}
    return Candidate(task=task_id, **(known | keys))


def with_candidate(world: World, known: Candidate, run: Run) -> World:
    """Return the world with a merge that is checked by a run as given."""
    return replace(
        world,
        candidates={**world.candidates, known.task: known},
        checking={**world.checking, known.run: replace(run, id=known.run)},
    )


def _send_back(world: World, action: do.SendBack, _now: float) -> World:
    task = world.board.tasks[action.task]
    request = Request(RequestKind.CHECKS, "a check did not pass", AT)
    return with_task(world, replace(task, request=request, approved=None, attempts=task.attempts + 1))


def _drop(world: World, action: do.DropCandidate, _now: float) -> World:
    kept = {task: known for task, known in world.candidates.items() if task != action.task}
    return replace(world, candidates=kept)


def _publish(world: World, action: do.Publish, now: float) -> World:
    known = Publication(world.branches[action.task].tip, now)
    return replace(world, publications={**world.publications, action.task: known})


def _push_base(world: World, action: do.PushBase, _now: float) -> World:
    return replace(world, pushes={base: known for base, known in world.pushes.items() if base != action.base})


def _follow(world: World, action: do.FollowBase, _now: float) -> World:
    base = replace(world.bases[action.base], behind=0, ahead=0)
    return replace(world, bases={**world.bases, action.base: base})


def _return(world: World, action: do.ReturnWorkspace, _now: float) -> World:
    spare: Workspace = replace(world.workspaces[action.path], task=None, branch=None)
    return replace(world, workspaces={**world.workspaces, action.path: spare})


def _mend(world: World, action: do.MendChildren, _now: float) -> World:
    return with_task(world, replace(world.board.tasks[action.parent], children=action.children))


def _accept(world: World, _action: do.AcceptEdits, _now: float) -> World:
    return replace(world, hand_edits=tuple(edit for edit in world.hand_edits if edit in world.board.frozen))


def _archive(world: World, action: do.ArchiveTask, _now: float) -> World:
    task = world.board.tasks[action.task]
    return with_task(world, replace(task, path=f"archive/2026/11/{task.slug}/TASK.md"))


def _pause(world: World, action: do.PauseDispatch, now: float) -> World:
    state = replace(world.dispatch, paused=True, pause_reason=action.reason, paused_at=stamp(now))
    return replace(world, dispatch=state)


_EFFECTS: dict[type[do.Action], Callable[[World, Any, float], World]] = {
    do.StartRun: _start,
    do.LaunchRun: _launch,
    do.StopRun: _stop,
    do.CloseRun: _close,
    do.SettleRun: _settle,
    do.SettleReview: _settle_review,
    do.Advance: _advance,
    do.Integrate: _integrate,
    do.CheckMerge: _check_merge,
    do.SendBack: _send_back,
    do.DropCandidate: _drop,
    do.Publish: _publish,
    do.PushBase: _push_base,
    do.FollowBase: _follow,
    do.ReturnWorkspace: _return,
    do.MendChildren: _mend,
    do.AcceptEdits: _accept,
    do.ArchiveTask: _archive,
    do.PauseDispatch: _pause,
}


def tip(commit: str, *, unmerged: bool, integrated: Presence = Presence.UNKNOWN) -> BranchState:
    """Make what is known of a branch that exists."""
    return BranchState(commit, unmerged, integrated)
