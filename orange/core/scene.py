"""A world with what follows from it directly: its graph, each task's runs, who is live. Made once for a decision.

Three-valued throughout: a run whose session could not be looked at is neither live nor dead, and nothing that could
destroy anything follows from that.

Next in the flow: `reconcile` and `waiting` ask a scene, so that what is done and what is explained cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from orange.core import effective, lineage
from orange.core.graph import Graph
from orange.core.inplace import NONE
from orange.core.lifecycle import Facts, Status, StuckReason
from orange.core.model import Base, Board, BranchState, Claim, Outcome, Presence, Publish, Run, Task, World
from orange.core.refusals import limit_of, refused_agents
from orange.core.reviews import is_review, run_of
from orange.core.rules import UNKNOWN, Change, Ruling, Work, drop, judge
from orange.core.times import is_time, seconds

_ELSEWHERE = frozenset({Publish.BRANCH, Publish.PR})
#: So many looks in a row must have found a session gone before it counts as dead.
LOOKS = 2
#: Seconds until the second look.
LOOK_AGAIN = 0.5


def is_over(run: Run) -> bool:
    """Whether a run's own record says that it ended."""
    return run.outcome is not None or run.ended_at is not None


def is_dead(run: Run) -> bool:
    """Whether a run that left no record of an end is proven gone."""
    return not is_over(run) and run.session is Presence.GONE and run.gone_looks >= LOOKS


def is_vanished(run: Run) -> bool:
    """Whether a run that had begun is proven gone without having written its end."""
    return is_dead(run) and run.launched


def is_live(run: Run) -> bool:
    """Whether a run is going on, or may be: not ended and not proven gone."""
    return not is_over(run) and not is_dead(run)


class Scene:
    """One world at one instant, with its indexes."""

    def __init__(self, world: World, now: float, graph: Graph | None = None) -> None:
        self.world, self.now, self.settings = world, now, world.settings
        self.graph = graph or Graph(world.board, cancelled_satisfies=world.settings.cancelled_satisfies)
        self.tasks = self.graph.tasks
        self._runs: dict[str, list[Run]] = {}
        for run in world.runs.values():
            self._runs.setdefault(run.task, []).append(run)
        for runs in self._runs.values():
            runs.sort(key=lambda run: (-run.epoch, run.id))
        self._with_runs = sorted(self._runs)
        #: Agent -> what its provider refused, for the agents that nothing is given to.
        self.refused = refused_agents(world.runs.values(), world.dispatch.refused, now)

    @property
    def in_place(self) -> bool:
        """Whether tasks are worked on in the user's own checkout, one at a time."""
        return self.settings.workspaces.isolation == NONE

    @property
    def board(self) -> Board:
        """The board of the world."""
        return self.world.board

    def each(self, *statuses: Status) -> Iterator[Task]:
        """Yield the tasks in these statuses, by id. Frozen ones are not among them."""
        return (self.tasks[task_id] for task_id in self.graph.with_status(*statuses))

    # -- runs

    def runs(self, task_id: str) -> list[Run]:
        """List a task's known runs, newest first."""
        return self._runs.get(task_id, [])

    def tasks_with_runs(self) -> list[str]:
        """List the ids of everything that has a run, on the board or not, sorted."""
        return self._with_runs

    def live(self, task_id: str) -> Run | None:
        """Return a run of the task that is going on, or may be; None when there is none."""
        return next((run for run in self.runs(task_id) if is_live(run)), None)

    def ended(self, task_id: str) -> list[Run]:
        """List a task's ended runs that worked on it, newest first."""
        return [run for run in self.runs(task_id) if is_over(run) and not is_review(run.id)]

    def review(self, task: Task) -> Run | None:
        """Return the run that reviewed, or reviews, what the last run made; None where no agent has begun to."""
        return self.world.runs.get(run_of(task.id, task.epoch))

    def mine(self, claim: Claim | None) -> bool:
        """Whether this machine holds a claim."""
        return claim is not None and claim.held and claim.host == self.world.host

    def held_run(self, task: Task) -> Run | None:
        """Return the observed run that holds a task; None when there is no claim, or no record of its run."""
        if task.claim is None or task.claim.run is None:
            return None
        return self.world.runs.get(task.claim.run)

    def agent_for(self, task: Task) -> str:
        """Name the agent of a task's next run: whose conversation there is, else its own, or its fallback if refused.

        A fallback is not used where it is refused itself, or not to be had here.
        """
        if task.status is Status.REVIEWING and task.request is None:
            return effective.next_agent(task, self.settings)  # a review waits for its reviewer
        own = effective.agent_of(task, self.settings)
        given = self.settings.agents.get(own)
        fallback = given.fallback if given else None
        if fallback is None or fallback not in self.world.capabilities:
            return own
        speaker = next((run.agent for run in self.runs(task.id) if run.launched and not is_review(run.id)), None)
        if speaker in {own, fallback}:
            return speaker
        return fallback if own in self.refused and fallback not in self.refused else own

    def fallback_for(self, task: Task) -> str | None:
        """Name the agent of a task's next run where that is not its own."""
        agent = self.agent_for(task)
        return None if agent == effective.next_agent(task, self.settings) else agent

    def parked(self, task: Task) -> Run | None:
        """Return the run whose limit a working task waits out; None when it waits for none."""
        run = self.held_run(task) if task.status is Status.WORKING else None
        return run if run is not None and limit_of(run, self.now) is not None else None

    def is_asking(self, task: Task, run: Run) -> bool:
        """Whether a live run waits for an answer: it goes on under its own epoch."""
        asked = task.status is Status.STUCK and task.stuck is not None and task.stuck.reason is StuckReason.QUESTION
        return asked and run.epoch == task.epoch

    def rewound(self, task: Task) -> Run | None:
        """Return a run of a later claim than the task's file knows: the file was put back by other hands."""
        runs = self.runs(task.id)
        return runs[0] if runs and runs[0].epoch > task.epoch else None

    # -- branches and bases

    def base_of(self, task: Task) -> str:
        """Name the branch a task is cut from and merged into."""
        return lineage.base_of(task, self.settings, self.world.default_base, self.tasks)

    def ground_of(self, task: Task) -> str:
        """Name the base that a task's work ends up in, through the branches of its parents."""
        return lineage.ground_of(task, self.settings, self.world.default_base, self.tasks)

    def holder(self, task: Task) -> Task | None:
        """Return the parent whose branch a task is cut from; None where it is cut from a base."""
        return lineage.holder(task, self.settings, self.tasks)

    def base_missing(self, task: Task) -> bool:
        """Whether a task's base is known not to exist."""
        return self.is_missing(self.base_of(task))

    def is_missing(self, name: str) -> bool:
        """Whether a base is known not to exist."""
        base = self.world.bases.get(name)
        return base is not None and base.integrated is None and base.branch is None

    def publish_of(self, task: Task) -> Publish:
        """Say how a task's work leaves its branch: into its parent's there is only one way."""
        found = effective.publish_of(task, self.settings)
        return Publish.MERGE if found in _ELSEWHERE and self.holder(task) else found

    def lag(self, task: Task) -> Base | None:
        """Return a task's own branch as the base of its children, while it lacks what they made; None otherwise."""
        base = self.world.bases.get(task.branch or "")
        return base if base is not None and base.behind else None

    def branch(self, task: Task) -> BranchState | None:
        """Return what is known of a task's branch; None when nothing is."""
        return effective.branch_state(task, self.world.branches.get(task.id))

    def contains(self, base: str, commit: str) -> Presence:
        """Whether a base contains a commit."""
        return self.world.ancestry.get((commit, base), Presence.UNKNOWN)

    def in_base(self, blocker: Task, base: str) -> Presence:
        """Whether what a done task was integrated as is part of a base; nothing published is part of every base."""
        if blocker.merged is None:
            return Presence.THERE
        if blocker.merged.base == base:
            state = self.world.branches.get(blocker.id)
            return state.integrated if state else Presence.UNKNOWN
        return self.contains(base, blocker.merged.commit)

    # -- the lifecycle's facts

    def review_off(self, task: Task) -> bool:
        """Whether a task needs no review."""
        return effective.review_off(task, self.settings, self.ruling(task))

    def ruling(self, task: Task) -> Ruling | None:
        """Say what the project's rules ask for on a task's work; None: nothing."""
        rules = effective.rules_of(self.settings)
        if not rules:
            return None
        change = Change() if task.branch is None else self.world.changes.get(task.id)
        ended = self.ended(task.id)
        failed = sum(run.outcome is Outcome.CHECKS_FAILED for run in ended)
        merged, figures = self.world.coverage.get(self.base_of(task), {}), ended[0].figures if ended else {}
        return UNKNOWN if change is None else judge(rules, Work(change, failed, drop(merged, figures)))

    def facts(self, task: Task, *, claiming: bool = False) -> Facts:
        """Gather what the lifecycle's guards need to know about a task."""
        done, total = self.graph.progress(task.id)
        state = self.branch(task)
        return Facts(
            children=total,
            children_done=done == total,
            open_blockers=self.graph.open_blockers(task),
            claiming=claiming,
            integrated=effective.nothing_unmerged(task, self.settings, state),
            review_off=self.review_off(task),
            approved=effective.approval_holds(task, state),
            checked=state is not None and self.checked(task, state),
        )

    def checked(self, task: Task, state: BranchState) -> bool:
        """Whether the project's checks passed on a task's work as it is, or need not."""
        if not self.settings.checks_required:
            return True
        if any(run.checked and state.tip in {None, run.commit} for run in self.ended(task.id)):
            return True
        known = self.world.candidates.get(task.id)
        run = self.world.checking.get(known.run) if known is not None and known.tip == state.tip else None
        return run is not None and bool(run.checked)


def moment(text: str | None) -> float | None:
    """Read a stamp as seconds since 1970; None for anything else."""
    return seconds(text) if text and is_time(text) else None
