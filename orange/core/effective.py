"""What a task's own keys and the project's settings come to together: its agent, base, publication, review.

One place for each of these answers, so that the daemon, the command line and the explanations cannot differ.

Next in the flow: `graph` asks for capabilities, `settle` and `landing` for review and publication.
"""

from __future__ import annotations

from dataclasses import replace

from orange.core import container, runfiles
from orange.core.allowance import Terms
from orange.core.lifecycle import Status
from orange.core.model import BranchState, Publish, Task
from orange.core.rules import Rule, Ruling, always
from orange.core.settings import Settings
from orange.core.steps import SHAPES, Shape

#: The words of `review.by` that ask for an agent, and for a person.
BY_AGENTS, BY_PEOPLE = frozenset({"agent", "both"}), frozenset({"human", "both"})


def agreed(settings: Settings, terms: Terms) -> Settings:
    """Return the settings as they are in force in a daemon that was told more."""
    if terms.max_parallel is None and not terms.require_checks:
        return settings
    most = min(terms.max_parallel or settings.limits.max_agents, settings.limits.max_agents)
    required = settings.checks_required or terms.require_checks
    return replace(settings, limits=replace(settings.limits, max_agents=most), checks_required=required)


def agent_of(task: Task, settings: Settings) -> str:
    """Name the agent that runs a task."""
    return task.agent or settings.agent


def is_reviewed_by_agent(task: Task, settings: Settings) -> bool:
    """Whether an agent looks at a task's finished work before, or instead of, a person."""
    return settings.review.by in BY_AGENTS and shape_of(task, settings).review and not is_human(task)


def next_agent(task: Task, settings: Settings) -> str:
    """Name the agent that has to do with a task next: who reviews it, while that is asked for, else who works on it."""
    if task.status is Status.REVIEWING and task.request is None and is_reviewed_by_agent(task, settings):
        return shape_of(task, settings).reviewer or agent_of(task, settings)
    return agent_of(task, settings)


def base_of(task: Task, settings: Settings, default: str) -> str:
    """Name the base a task has by itself; `default` is the project's. Parents' branches are `lineage`'s."""
    return task.base or settings.base or default


def pipeline_of(task: Task) -> str:
    """Name the pipeline a task's runs follow."""
    return task.pipeline or task.type


def shape_of(task: Task, settings: Settings) -> Shape:
    """Say how a task's pipeline ends; one that is not known ends like the default."""
    name = pipeline_of(task)
    return settings.pipelines.get(name) or SHAPES.get(name) or _DEFAULT


_DEFAULT = Shape()


def publish_of(task: Task, settings: Settings) -> Publish:
    """Say how a task's finished work leaves its branch; a setting that makes no sense means the default.

    Nothing is published of a task whose pipeline has no commit.
    """
    if not shape_of(task, settings).commit:
        return Publish.NONE
    if task.publish:
        return task.publish
    return next((known for known in Publish if known == settings.publish), Publish.MERGE)


def is_human(task: Task) -> bool:
    """Whether agents keep off a task."""
    return task.assignee is not None and task.assignee.strip().casefold() == "human"


def is_agent_made(task: Task) -> bool:
    """Whether an agent created a task: such starts are bound by `limits.spawns_per_minute`."""
    return task.source.get("kind") == "delegated"


def missing_capabilities(task: Task, settings: Settings, capabilities: frozenset[str]) -> tuple[str, ...]:
    """List what a machine with these capabilities lacks for a task: its agent, what it and its publishing require."""
    boxed = (container.CAPABILITY,) if settings.workspaces.isolation == runfiles.CONTAINER else ()
    needed = (next_agent(task, settings), *boxed, *(("gh",) if publish_of(task, settings) is Publish.PR else ()))
    if not task.requires and capabilities.issuperset(needed):
        return ()
    wanted = dict.fromkeys((*needed, *(word.strip().lower() for word in task.requires)))
    return tuple(word for word in wanted if word not in capabilities)


def branch_state(task: Task, known: BranchState | None) -> BranchState | None:
    """Return what is known of a task's branch; a task that was never given one has none. None: not known."""
    if known is None and task.branch is None:
        return BranchState(None, unmerged=False)
    return known


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """Return the rules on finished work, with the paths that always need a person."""
    return (*always(settings.review.require_approval_for), *settings.rules)


def review_off(task: Task, settings: Settings, ruling: Ruling | None) -> bool:
    """Whether a task needs no review: none is wanted or in its pipeline, no rule or parent's acceptance asks for it."""
    wanted = settings.review.by != "none" and shape_of(task, settings).review
    if wanted or ruling is not None:
        return False
    return not (task.acceptance and (task.children or task.status is Status.DELEGATED))


def approval_holds(task: Task, state: BranchState | None) -> bool:
    """Whether a task is approved at the very commit its branch is at."""
    if task.approved is None or state is None:
        return False
    return state.tip is None or state.tip == task.approved.commit


#: What begins the name of who approved, where that was an agent's review.
AGENT_MARK = "agent:"


def is_approved_by_agent(task: Task) -> bool:
    """Whether a task's approval comes of an agent's review."""
    return task.approved is not None and task.approved.by.startswith(AGENT_MARK)


def nothing_unmerged(task: Task, settings: Settings, state: BranchState | None) -> bool:
    """Whether nothing of a task waits to be integrated: it publishes nothing by choice, or all is in the base."""
    return publish_of(task, settings) is Publish.NONE or (state is not None and not state.unmerged)
