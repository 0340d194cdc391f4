"""Jobs of the queue: tasks that came as jobs, told in the words of job queues. Pure.

Next in the flow: `project.queue` gathers what a job says, `orange.web.routes.queue` answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from orange.core.lifecycle import Status, StuckReason
from orange.core.model import Priority, Task
from orange.core.retry import allowed
from orange.core.reviews import is_review
from orange.core.settings import Limits
from orange.core.storeports import Event

#: The key of a task's `source` that says which type of job it came as.
KEY = "job"


class JobStatus(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    #: Its attempts are used up.
    DEAD_LETTER = "dead_letter"


class StageStatus(StrEnum):
    """How far a stage of a job's latest run is."""

    PENDING = "pending"
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"


#: The stages of a run, in order.
STAGES = ("prepare", "execute", "publish")
_BY_STATUS: Mapping[Status, JobStatus] = {
    Status.BACKLOG: JobStatus.QUEUED,
    Status.PENDING: JobStatus.QUEUED,
    Status.DONE: JobStatus.SUCCEEDED,
    Status.CANCELLED: JobStatus.CANCELLED,
}
#: Why a task is stuck that goes on as soon as somebody has spoken.
_ASKS = frozenset({StuckReason.QUESTION, StuckReason.APPROVAL})
#: Why it is stuck for good: its attempts are used up, or more of them would change nothing.
_SPENT = frozenset({StuckReason.FAILED, StuckReason.TIMEOUT, StuckReason.NO_PROGRESS})
#: A priority as the number of an envelope.
PRIORITIES: Mapping[Priority, int] = {
    Priority.CRITICAL: 10,
    Priority.HIGH: 1,
    Priority.MEDIUM: 0,
    Priority.LOW: -1,
}


def type_of(task: Task) -> str | None:
    """Return the type of job a task came as; None for one that did not come as a job."""
    return task.source.get(KEY)


def status_of(task: Task) -> JobStatus:
    """Say how far a job is."""
    if task.status is Status.STUCK and task.stuck and task.stuck.reason not in _ASKS:
        return JobStatus.DEAD_LETTER if task.stuck.reason in _SPENT else JobStatus.FAILED
    return _BY_STATUS.get(task.status, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a job's latest run. Times are RFC 3339 UTC."""

    stage: str
    status: StageStatus = StageStatus.PENDING
    started_at: str | None = None
    finished_at: str | None = None
    message: str | None = None

    def told(self, event: Event) -> Stage:
        """Return it as it is after an event of its own."""
        said = event.data.get("message") or event.data.get("skipped")
        message = str(said) if said else None
        if event.data.get("status") == "started":
            return Stage(self.stage, StageStatus.STARTED, event.at, None, message)
        status = StageStatus.FAILED if event.data.get("status") == "failed" else StageStatus.FINISHED
        return replace(self, status=status, finished_at=event.at, message=message)


def stages(events: Iterable[Event]) -> tuple[Stage, ...]:
    """Tell from a task's trail how far the stages of its latest run are; runs that review do not count."""
    found = {name: Stage(name) for name in STAGES}
    for event in events:
        run = event.data.get("run")
        if is_review(str(run)):
            continue
        name = _stage_of(event)
        if name:
            found[name] = found[name].told(event)
        elif event.type == "task.claimed":
            found = {name: Stage(name) for name in STAGES}
    return tuple(found.values())


def _stage_of(event: Event) -> str | None:
    name = event.type.removeprefix("task.")
    return name if name in STAGES else None


def payload_of(task: Task, body: str, default_runtime: str) -> dict[str, Any]:
    """Compose the canonical payload of a job from its task, as it is now."""
    rest = dict(task.job)
    publish = {"mode": task.publish.value if task.publish else None, "prBaseBranch": task.base}
    runtime = {"mode": task.agent or default_runtime, "model": task.model, "effort": task.effort}
    known = {
        "instructions": body.strip(),
        "skill": {"id": task.skill, "args": {}, **_map(rest.pop("skill", {}))},
        "runtime": {**_map(rest.pop("runtime", {})), **runtime},
        "git": {"startingBranch": task.base, **_map(rest.pop("git", {})), "newBranch": task.branch},
        "publish": {**_map(rest.pop("publish", {})), **publish},
        "steps": rest.pop("steps", []),
        "container": rest.pop("container", None),
        "dependsOn": list(task.blocked_by),
    }
    top = {name: rest.pop(name, None) for name in ("repository", "auth")}
    rest.pop("affinityKey", None)
    rest.pop("maxAttempts", None)
    told = {"requiredCapabilities": list(task.requires), "targetRuntime": runtime["mode"]}
    return {**rest, **top, **told, "task": known}


def _map(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def summary(task: Task, default_runtime: str, limits: Limits) -> dict[str, Any]:
    """Tell what a job is and how far it is, in short."""
    return {
        "id": task.id,
        "type": type_of(task),
        "status": status_of(task).value,
        "taskStatus": task.status.value,
        "title": task.title,
        "priority": PRIORITIES[task.priority],
        "affinityKey": task.job.get("affinityKey"),
        "maxAttempts": allowed(task, limits),
        "attempt": task.attempts,
        "runtime": task.agent or default_runtime,
        "model": task.model,
        "effort": task.effort,
        "skill": task.skill,
        "publishMode": task.publish.value if task.publish else None,
        "run": task.run,
        "createdAt": task.created_at or None,
        "updatedAt": task.updated_at or None,
    }


def stage_views(found: Iterable[Stage]) -> list[dict[str, Any]]:
    """Tell stages as JSON."""
    return [
        {
            "stage": stage.stage,
            "status": stage.status.value,
            "startedAt": stage.started_at,
            "finishedAt": stage.finished_at,
            "message": stage.message,
        }
        for stage in found
    ]


def warnings(events: Iterable[Event]) -> list[str]:
    """Return what whoever sent the job was warned of."""
    found = (event.data.get("warnings") for event in events if event.type == "task.created")
    return [str(text) for texts in found if isinstance(texts, (list, tuple)) for text in texts]


def publish_result(events: Iterable[Event]) -> dict[str, Any] | None:
    """Return what came last of publishing; None before that."""
    last = None
    for event in events:
        if event.type == "task.publish_result":
            last = {"at": event.at, **event.data}
    return last


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs a list shows; an empty condition is none."""

    statuses: tuple[JobStatus, ...] = ()
    type: str | None = None
    runtime: str | None = None
    skill: str | None = None
    publish_mode: str | None = None
    #: One of `STAGES`, or any of them.
    stage: str | None = None
    stage_status: StageStatus | None = None

    def shows(self, job: Mapping[str, Any]) -> bool:
        """Whether the conditions that need no trail are met."""
        pairs = (("type", self.type), ("runtime", self.runtime), ("skill", self.skill))
        if any(value is not None and job[key] != value for key, value in (*pairs, ("publishMode", self.publish_mode))):
            return False
        return not self.statuses or job["status"] in self.statuses

    def shows_stages(self, found: Sequence[Stage]) -> bool:
        """Whether a stage is as wanted; without a status, it must have begun."""
        if not self.by_stage:
            return True
        looked = (stage for stage in found if self.stage in {None, stage.stage})
        if self.stage_status is None:
            return any(stage.status is not StageStatus.PENDING for stage in looked)
        return any(stage.status is self.stage_status for stage in looked)

    @property
    def by_stage(self) -> bool:
        """Whether the trail has to be looked at."""
        return self.stage is not None or self.stage_status is not None


@dataclass(frozen=True, slots=True)
class Trail:
    """What telemetry needs of one job."""

    type: str
    created_at: str
    events: Sequence[Event]
    #: Run -> the agent that did it; of runs that are not known here, the task's.
    runtimes: Mapping[str, str] = field(default_factory=dict)
    runtime: str = ""


@dataclass(slots=True)
class _Ends:
    finished: int = 0
    failed: int = 0


def telemetry(jobs: Iterable[Trail], since: str, until: str) -> dict[str, Any]:
    """Count what came, failed and was published from `since` on, both RFC 3339 UTC as orange writes them."""
    volume: dict[str, int] = {}
    ends: dict[tuple[str, str], _Ends] = {}
    published: dict[str, int] = {}
    for job in jobs:
        if job.created_at >= since:
            volume[job.type] = volume.get(job.type, 0) + 1
        for event in job.events:
            if event.at >= since:
                _count(job, event, ends, published)
    total = sum(volume.values())
    legacy = {kind: count for kind, count in volume.items() if kind != "task"}
    return {
        "since": since,
        "until": until,
        "volume": {"total": total, "byType": volume},
        "legacy": {"total": sum(legacy.values()), "byType": legacy, "rate": _rate(sum(legacy.values()), total)},
        "stages": [
            {"runtime": runtime, "stage": stage, **asdict(found), "failureRate": _failure_rate(found)}
            for (runtime, stage), found in sorted(ends.items())
        ],
        "publish": [
            {"outcome": outcome, "count": count, "rate": _rate(count, sum(published.values()))}
            for outcome, count in sorted(published.items())
        ],
    }


def _count(job: Trail, event: Event, ends: dict[tuple[str, str], _Ends], published: dict[str, int]) -> None:
    stage, status = _stage_of(event), event.data.get("status")
    if stage and status in {"finished", "failed"}:
        runtime = job.runtimes.get(str(event.data.get("run")), job.runtime)
        found = ends.setdefault((runtime, stage), _Ends())
        found.failed += status == "failed"
        found.finished += status == "finished"
    elif event.type == "task.publish_result":
        outcome = str(event.data.get("outcome"))
        published[outcome] = published.get(outcome, 0) + 1


def _failure_rate(found: _Ends) -> float | None:
    return _rate(found.failed, found.failed + found.finished)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
