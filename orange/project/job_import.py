"""Jobs of the queue format become tasks: what a task file has a key for goes there, the rest under `job`.

Next in the flow: the tasks run like any others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orange.core import jobfile, jobs, repositories
from orange.core.jobs import CANONICAL, LEGACY, Job, JobRefused
from orange.core.lifecycle import Status
from orange.core.model import Priority, Publish, Task
from orange.core.service.queue import KEY
from orange.project import creation
from orange.project.parts import Parts
from orange.project.requests import NewTask, Speaker

#: Characters of a title, from the first line of the instructions.
_TITLE = 80
#: A job's priority from which it is that of a task; higher goes first, 0 is usual.
_PRIORITIES = ((10, Priority.CRITICAL), (1, Priority.HIGH), (0, Priority.MEDIUM))


@dataclass(frozen=True, slots=True)
class Imported:
    """A job, and the task that was made of it; None where nothing was to be created yet."""

    job: Job
    request: NewTask
    task: Task | None


def import_jobs(parts: Parts, speaker: Speaker, text: str, *, dry_run: bool) -> tuple[Imported, ...]:
    """Create a task for each job, all or none. Raises JobRefused, InvalidInput, TaskNotFound, GitFailed."""
    envelopes = jobfile.envelopes(text)
    found = [_read(parts, envelope, number, len(envelopes)) for number, envelope in enumerate(envelopes, 1)]
    if dry_run:
        return tuple(Imported(job, request, None) for job, request in found)
    made = creation.create_all(parts, speaker, [request for _, request in found])
    return tuple(Imported(job, request, task) for (job, request), task in zip(found, made, strict=True))


def submit(parts: Parts, speaker: Speaker, envelope: Mapping[str, Any]) -> Task:
    """Create the task of a job that is to be worked on now. Raises JobRefused, InvalidInput, TaskNotFound."""
    _, request = _read(parts, envelope, 1, 1)
    return creation.create(parts, speaker, replace(request, status=Status.PENDING, no_parent=True))


def _read(parts: Parts, envelope: Mapping[str, Any], number: int, count: int) -> tuple[Job, NewTask]:
    try:
        _check_type(parts, envelope.get("type"))
        job = jobs.read(envelope.get("type"), envelope["payload"], parts.settings().agent)
        _check_repository(parts, job.payload["repository"])
        return job, _request(job, envelope)
    except JobRefused as refused:
        if count == 1:
            raise
        raise JobRefused(f"job {number}: {refused.field}", refused.reason) from None


def _check_type(parts: Parts, kind: object) -> None:
    """Refuse a job of before where these are switched off."""
    if kind in LEGACY and not parts.settings().queue_legacy:
        raise JobRefused("type", f"{kind} is switched off here (`queue.legacy`): send {CANONICAL}")


def _check_repository(parts: Parts, wanted: str | None) -> None:
    """Refuse a job for another repository: the task would change the wrong one."""
    if wanted is None:
        return
    addresses = parts.integration.addresses()
    by_folder = not addresses and repositories.last_name(wanted) == parts.name.lower()
    if not by_folder and not any(repositories.same(wanted, address) for address in addresses):
        where = f"its remotes are {', '.join(addresses)}" if addresses else f"it is {parts.name}, without a remote"
        raise JobRefused("repository", f"{wanted} is not this repository ({where}): import it in a clone of that one")


def _request(job: Job, envelope: Mapping[str, Any]) -> NewTask:
    task, kind = job.payload["task"], str(envelope.get("type"))
    publish, git, runtime = task["publish"], task["git"], task["runtime"]
    first = " ".join(task["instructions"].splitlines()[0].split())
    return NewTask(
        title=first if len(first) <= _TITLE else f"{first[: _TITLE - 3].rstrip()}...",
        body=task["instructions"] + "\n",
        blocked_by=tuple(task["dependsOn"]),
        priority=_priority(envelope.get("priority")),
        agent=job.agent,
        model=runtime["model"],
        effort=runtime["effort"],
        skill=task["skill"]["id"],
        base=publish["prBaseBranch"] or git["startingBranch"],
        branch=git["newBranch"],
        publish=Publish(publish["mode"]) if publish["mode"] else None,
        requires=tuple(job.payload["requiredCapabilities"]),
        ref=_text(envelope, "id"),
        job=_rest(job.payload, envelope),
        source={"kind": "imported", "reference": _text(envelope, "id") or kind, KEY: kind},
        warnings=job.warnings,
    )


def _text(envelope: Mapping[str, Any], name: str) -> str | None:
    value = envelope.get(name)
    if value is not None and not isinstance(value, str):
        raise JobRefused(name, "expected a text")
    return (value or "").strip() or None


def _priority(value: object) -> Priority:
    if value is None:
        return Priority.MEDIUM
    if not isinstance(value, int) or isinstance(value, bool):
        raise JobRefused("priority", "expected a whole number; higher goes first, 0 is usual")
    return next((priority for least, priority in _PRIORITIES if value >= least), Priority.LOW)


def _rest(payload: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, object]:
    """Gather what has no key of its own, without what says nothing."""
    task = _without(payload["task"], "instructions", "dependsOn")
    start = () if task["publish"]["prBaseBranch"] else ("startingBranch",)  # else it is nowhere but here
    task["git"] = _without(task["git"], "newBranch", *start)
    task["runtime"] = _without(task["runtime"], "mode", "model", "effort")
    task["publish"] = _without(task["publish"], "mode", "prBaseBranch")
    task["skill"] = _without(task["skill"], "id")
    outer = _without(payload, "task", "requiredCapabilities", "targetRuntime")
    outer |= {name: envelope.get(name) for name in ("affinityKey", "maxAttempts")}
    found = _said({**outer, **task})
    return found if isinstance(found, dict) else {}


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _said(value: object) -> object:
    """Leave out what is null or empty."""
    if isinstance(value, dict):
        kept = {str(name): _said(child) for name, child in value.items()}
        return {name: child for name, child in kept.items() if child not in (None, {}, [])}
    return [_said(child) for child in value] if isinstance(value, list) else value
