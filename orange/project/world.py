"""Gathers everything `decide` and `why` may know into one immutable World.

Three-valued throughout: what could not be told is UNKNOWN, and a session counts as gone only after two looks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from orange.core import effective, lineage, reviews
from orange.core.allowance import EVERYTHING, Dispatch, Terms
from orange.core.dispatch import MINUTE
from orange.core.graph import Graph
from orange.core.inplace import Place
from orange.core.landing import ancestry_wanted
from orange.core.lifecycle import Status
from orange.core.model import Board, BranchState, Outcome, Presence, Run, Task, World
from orange.core.ports import RunRecord
from orange.core.quick import State
from orange.core.retry import remembered, row_began
from orange.core.rules import Change
from orange.core.settings import Settings
from orange.core.sharing import Candidate
from orange.core.times import stamp
from orange.project import spending
from orange.project.parts import Parts


@dataclass(slots=True)
class Looks:
    """How often in a row things were seen gone. The only memory between observations; losing it costs one look."""

    #: Session of a run -> looks.
    gone: dict[str, int] = field(default_factory=dict)
    #: Task with a run but no file -> looks.
    missing: dict[str, int] = field(default_factory=dict)

    def count(self, run: str, presence: Presence) -> int:
        """Record one look at a run's session and return how many in a row found it gone."""
        if presence is Presence.GONE:
            self.gone[run] = self.gone.get(run, 0) + 1
        elif presence is Presence.THERE:
            self.gone.pop(run, None)
        return self.gone.get(run, 0)

    def keep(self, runs: Collection[str]) -> None:
        """Drop the counts of runs that are no longer looked at."""
        self.gone = {run: count for run, count in self.gone.items() if run in runs}

    def without_file(self, tasks: Iterable[str]) -> dict[str, int]:
        """Record one look at the tasks that have a run but no file."""
        self.missing = {task: self.missing.get(task, 0) + 1 for task in tasks}
        return dict(self.missing)


def observe(  # noqa: PLR0913 - two of them by name
    parts: Parts, graph: Graph, dispatch: Dispatch, looks: Looks, *, count: bool = True, strays: bool = True
) -> World:
    """Look at everything around the board that `graph` is the index of. Raises GitFailed, NewerFormat.

    Without `count`, how far the bases are ahead or behind may be said as 1: enough to decide, not to tell people.
    Without `strays`, nobody looks for sessions while no task holds a run and no merge is checked.
    """
    settings = parts.settings()
    default = settings.base or parts.integration.default_base()
    candidates = parts.candidates.all()
    sessions = parts.executor.observe() if strays or candidates or _runs_held(graph) else None
    runs = _runs(parts, graph, _Seen(sessions, looks, candidates), dispatch.resumed_at)
    world = World(
        board=Board(graph.tasks, graph.problems, graph.frozen),
        settings=settings,
        dispatch=replace(dispatch, refused=parts.refusals.known(), place=_place(parts, graph)),
        host=parts.host,
        runs=runs,
        workspaces={workspace.path: workspace for workspace in parts.workspaces.list()},
        bases=parts.integration.observe(_base_names(graph, settings, default), count=count),
        branches=_branches(parts, graph, default),
        changes=_changes(parts, graph, default, runs) if effective.rules_of(settings) else {},
        spent=spending.spent(parts, graph, settings),
        spent_today=spending.spent_today(parts, graph, settings),
        capabilities=parts.capabilities(),
        untrusted=parts.untrusted(),
        hand_edits=parts.store.hand_edits(),
        publications=parts.publications.tasks() if graph.with_status(Status.REVIEWED) else {},
        candidates=candidates,
        coverage=parts.candidates.coverage() if settings.rules else {},
        checking=_checking(parts, candidates.values(), sessions, looks),
        pushes=parts.publications.bases(),
        default_base=default,
        missing=looks.without_file({run.task for run in runs.values() if run.outcome is None} - graph.tasks.keys()),
    )
    wanted = ancestry_wanted(world, graph)
    return replace(world, ancestry=parts.integration.contains(wanted)) if wanted else world


def _place(parts: Parts, graph: Graph) -> Place | None:
    """Look at the user's checkout; closely where a task may want it, or the one that has it may give it back."""
    place = parts.workspaces.place(look=False)
    if place is None:
        return None
    owner = graph.tasks.get(place.task or "")
    resting = place.task is not None and not (owner and owner.held)
    wanted = resting or graph.requests() or next(iter(graph.queue()), None)
    return parts.workspaces.place() if wanted else place


#: Statuses of tasks whose next step depends on their branch.
_BRANCHING = (Status.WORKING, Status.DELEGATED, Status.REVIEWING, Status.REVIEWED, Status.STUCK)


def _base_names(graph: Graph, settings: Settings, default: str) -> tuple[str, ...]:
    found = {graph.tasks[task_id].base for task_id in graph.with_base()}
    return tuple(sorted({default, *(name for name in found if name), *_parents_branches(graph, settings, default)}))


def _parents_branches(graph: Graph, settings: Settings, default: str) -> Iterator[str]:
    """Yield the branches of open parents that their children are merged into, or were."""
    known = settings.branches.hierarchical
    if known or not graph.merged().keys() <= {default}:
        for task in (graph.tasks[task_id] for task_id in graph.with_status(*_BRANCHING, Status.PENDING)):
            if task.children and task.branch and (known or task.branch in graph.merged()):
                yield task.branch


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at sessions saw, and may remember."""

    sessions: Mapping[str, str] | None
    looks: Looks
    candidates: Mapping[str, Candidate]


def _checking(
    parts: Parts, candidates: Iterable[Candidate], sessions: Mapping[str, str] | None, looks: Looks
) -> Mapping[str, Run]:
    """Describe the runs that check merges."""
    records = {candidate.run: (candidate, parts.runs.record(candidate.run)) for candidate in candidates}
    return {
        run: _run(record, sessions, looks)
        if record
        else Run(run, of.task, 0, None, None, None, session=Presence.GONE, gone_looks=looks.count(run, Presence.GONE))
        for run, (of, record) in records.items()
    }


def _runs_held(graph: Graph) -> Mapping[str, Task]:
    """Return the agents' runs that hold a task."""
    held = (graph.tasks[task_id] for task_id in graph.held())
    return {task.run: task for task in held if task.run and not task.run.startswith("person-")}


def _runs(parts: Parts, graph: Graph, seen: _Seen, resumed_at: float | None) -> Mapping[str, Run]:
    """Describe the runs that hold a task, those with a session, and those that the limits look back on."""
    sessions, looks = seen.sessions, seen.looks
    agents = _runs_held(graph)
    limits = parts.settings().limits
    named = {*agents, *_runs_of(sessions or ()), *_reviews(graph, parts.settings())}
    records = parts.runs.recent(named, graph.claimed(), remembered(limits))
    looks.keep({*records, *agents, *(candidate.run for candidate in seen.candidates.values())})
    found = {run: _run(record, sessions, looks) for run, record in records.items()}
    closed = _closed_since(parts, graph, row_began(found.values(), resumed_at, limits))
    found |= {record.spec.run: _run(record, sessions, looks) for record in closed if record.spec.run not in found}
    for run in agents.keys() - found.keys():
        found[run] = _unrecorded(run, agents[run], sessions, looks)
    return found


def _reviews(graph: Graph, settings: Settings) -> Iterator[str]:
    """Name the latest reviews by agents of the tasks that are under review."""
    if settings.review.by in effective.BY_AGENTS:
        for task_id in graph.with_status(Status.REVIEWING):
            yield reviews.run_of(task_id, graph.tasks[task_id].epoch)


def _closed_since(parts: Parts, graph: Graph, began: float | None) -> Iterator[RunRecord]:
    """Yield the last runs of the tasks closed within the last minute, and since `began` down to the last success."""
    minute = parts.clock.now() - MINUTE
    since = minute if began is None else min(minute, began)
    limit = stamp(since - 1.0)  # a stamp is the second's beginning
    for changed, task_id in reversed(graph.closed()):
        if changed < limit:
            return
        epoch = graph.tasks[task_id].epoch
        names = (f"{task_id}-{epoch}", reviews.run_of(task_id, epoch)) if epoch else ()
        record = next((found for name in names if (found := parts.runs.record(name))), None)
        if record:
            yield record
            if record.outcome is Outcome.FINISHED:
                since = min(minute, max(since, record.ended_at or 0.0))
                limit = stamp(since - 1.0)


def _runs_of(sessions: Iterable[str]) -> Iterable[str]:
    """Name the runs of sessions: a session is called `<name>-<id>-<epoch>`, its run `<id>-<epoch>` or that of a review.

    One that checks a merge has another word for the epoch, and is no run of the task's.
    """
    for session in sessions:
        words = session.rsplit("-", 2)
        if len(words) == 3 and words[2].isdecimal():
            yield "-".join(words[1:])
            yield reviews.run_of(words[1], words[2])


def _presence(session: str, sessions: Mapping[str, str] | None) -> Presence:
    if sessions is None:
        return Presence.UNKNOWN
    return Presence.THERE if session in sessions else Presence.GONE


def _run(record: RunRecord, sessions: Mapping[str, str] | None, looks: Looks) -> Run:
    spec = record.spec
    presence = _presence(f"{spec.name}-{spec.run}", sessions)
    return Run(
        id=spec.run,
        task=spec.task,
        epoch=spec.epoch,
        started_at=record.started_at,
        ended_at=record.ended_at,
        outcome=record.outcome,
        exit_code=record.exit_code,
        signature=record.signature,
        message=record.message,
        commit=record.commit,
        checked=record.checked,
        figures=record.figures,
        launched=record.launched,
        session=presence,
        gone_looks=looks.count(spec.run, presence),
        agent=record.speaker if record.outcome is Outcome.RATE_LIMITED else spec.agent,
        limited_until=record.conversation.limited_until if record.outcome is Outcome.RATE_LIMITED else None,
    )


def _unrecorded(run: str, task: Task, sessions: Mapping[str, str] | None, looks: Looks) -> Run:
    """Describe a claimed run that has no record yet: claimed, and then something died."""
    presence = _presence(f"{task.name}-{run}", sessions)
    return Run(run, task.id, task.epoch, None, None, None, session=presence, gone_looks=looks.count(run, presence))


def _branches(parts: Parts, graph: Graph, default: str) -> Mapping[str, BranchState]:
    settings = parts.settings()
    wanted = {
        task.id: (
            task.branch or "",
            lineage.base_of(task, settings, default, graph.tasks),
            task.merged.commit if task.merged else None,
        )
        for task in _of_interest(graph)
        if task.branch or task.merged
    }
    return parts.integration.branch_states(wanted) if wanted else {}


#: Statuses of tasks whose work the rules may be asked about.
_RULED = (Status.DELEGATED, Status.REVIEWING, Status.REVIEWED)


def _changes(parts: Parts, graph: Graph, default: str, runs: Mapping[str, Run]) -> Mapping[str, Change]:
    """Look at what the branches of finished work change."""
    over = (run.task for run in runs.values() if run.outcome is not None and run.task in graph.tasks)
    ids = {*graph.with_status(*_RULED), *(i for i in over if graph.tasks[i].status is Status.WORKING)}
    found = (graph.tasks[task_id] for task_id in sorted(ids))
    settings = parts.settings()
    wanted = {t.id: (t.branch, lineage.base_of(t, settings, default, graph.tasks)) for t in found if t.branch}
    return parts.integration.changes(wanted) if wanted else {}


def _of_interest(graph: Graph) -> Iterable[Task]:
    """Yield the tasks whose next step depends on their branch, and the done ones whose dependants could start."""
    for task_id in graph.with_status(*_BRANCHING):
        yield graph.tasks[task_id]
    blocking = {blocker for task in graph.queue() for blocker in task.blocked_by}
    for task_id in graph.requests():
        blocking.update(graph.tasks[task_id].blocked_by)
    for blocker in blocking:
        found = graph.tasks.get(blocker)
        if found and found.status is Status.DONE:
            yield found


def dispatch_for(
    settings: Settings, own: int, others: int, pause: Mapping[str, object], terms: Terms = EVERYTHING
) -> Dispatch:
    """Work out the free slots of a project, given the live runs here and in the other projects."""
    total = settings.limits.max_agents
    free = total - own - others
    if settings.limits.per_project is not None:
        free = min(free, settings.limits.per_project - own)
    reason, at = pause.get("reason"), pause.get("at")
    return Dispatch(
        paused=bool(pause.get("paused")),
        pause_reason=str(reason) if reason else None,
        paused_at=str(at) if at else None,
        draining=bool(pause.get("draining")),
        resumed_at=_number(pause.get("resumed_at")),
        slots=max(0, free),
        slots_total=total,
        terms=terms,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def live_runs(parts: Parts, graph: Graph) -> int:
    """Count the agents' runs this host holds: each takes a slot, unless it waits for an answer or out a limit.

    Quick actions under way are among them.
    """
    held = (graph.tasks[task_id] for task_id in graph.held())
    quick = sum(one.status is State.RUNNING for one in parts.quick.open())
    return quick + sum(
        1
        for task in held
        if task.claim
        and (task.status is Status.WORKING or reviews.is_review(task.claim.run))
        and task.claim.host == parts.host
        and not task.claim.by_person
        and not _parked(parts, str(task.claim.run))
    )


def _parked(parts: Parts, run: str) -> bool:
    record = parts.runs.record(run)
    if record is None or record.outcome is not Outcome.RATE_LIMITED:
        return False
    return (record.conversation.limited_until or 0.0) > parts.clock.now()
