"""The job queue: jobs are sent to it and looked at; each is a task, and runs like any other.

Next in the flow: `orange.web.routes.queue` serves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from orange.core import names, times
from orange.core.effective import agent_of
from orange.core.model import Task
from orange.core.problems import InvalidInput, OrangeError
from orange.core.service import queue as jobs
from orange.core.service.queue import Stage, Trail, Wanted
from orange.core.storeports import Event
from orange.project import job_import, trail
from orange.project.parts import Parts
from orange.project.requests import Speaker


class JobNotFound(OrangeError):
    """No job answers to the given address."""

    code = "job_not_found"
    http_status = 404

    def __init__(self, address: str) -> None:
        super().__init__(f"no job is called {address!r}: `GET /api/queue/jobs` lists them")


class Page(NamedTuple):
    """Some of many jobs, the latest first."""

    jobs: list[dict[str, Any]]
    #: How many there are on all pages.
    total: int
    #: What the next page is asked with; None on the last.
    cursor: str | None


class Queue:
    """The jobs of one project, on behalf of one speaker."""

    def __init__(self, parts: Parts, speaker: Speaker) -> None:
        self._parts, self._speaker = parts, speaker

    def submit(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        """Take a job. Raises JobRefused, InvalidInput, TaskNotFound."""
        made = job_import.submit(self._parts, self._speaker, envelope)
        self._parts.nudge()
        return self._view(made)

    def show(self, address: str) -> dict[str, Any]:
        """Tell all about a job. Raises JobNotFound, AmbiguousTask."""
        try:
            task = self._parts.store.read().tasks[names.resolve(address, self._jobs())]
        except OrangeError as error:
            if error.http_status == 404:
                raise JobNotFound(address) from None
            raise
        return self._view(task)

    def list(self, wanted: Wanted, cursor: str | None, most: int) -> Page:
        """List jobs, the latest first. Raises InvalidInput for a cursor that no page gave."""
        shown = [task for task in self._jobs().values() if wanted.shows(self._summary(task))]
        if wanted.by_stage:
            shown = [task for task in shown if wanted.shows_stages(self._stages(task))]
        shown.sort(key=_age, reverse=True)
        first = 0 if cursor is None else _behind(shown, cursor)
        page = shown[first : first + most]
        following = ".".join(_age(page[-1])) if first + most < len(shown) else None
        views = [self._summary(task) | {"stages": jobs.stage_views(self._stages(task))} for task in page]
        return Page(views, len(shown), following)

    def telemetry(self, window: int) -> dict[str, Any]:
        """Count what came of the jobs of the last `window` seconds."""
        now = self._parts.clock.now()
        since = times.stamp(max(0.0, now - window))
        found = [task for task in self._jobs().values() if max(task.updated_at, task.created_at) >= since]
        return jobs.telemetry(map(self._trail, found), since, times.stamp(now))

    def _jobs(self) -> dict[str, Task]:
        tasks = self._parts.store.read().tasks
        return {task.id: task for task in tasks.values() if jobs.type_of(task)}

    def _summary(self, task: Task) -> dict[str, Any]:
        settings = self._parts.settings()
        return jobs.summary(task, settings.agent, settings.limits)

    def _view(self, task: Task) -> dict[str, Any]:
        parts, events = self._parts, trail.whole(self._parts, task)
        last = _latest_run(events)
        report = parts.runs.report(last) if last else None
        return {
            **self._summary(task),
            "payload": jobs.payload_of(task, parts.store.body(task.id), parts.settings().agent),
            "stages": jobs.stage_views(jobs.stages(events)),
            "events": [{"at": e.at, "type": e.type, "by": e.by, "data": dict(e.data)} for e in events],
            "outcome": str(report["code"]) if report and report.get("code") else None,
            "publishResult": jobs.publish_result(events),
            "warnings": jobs.warnings(events),
        }

    def _stages(self, task: Task) -> Sequence[Stage]:
        return jobs.stages(trail.whole(self._parts, task))

    def _trail(self, task: Task) -> Trail:
        events = self._parts.store.events(task.id)
        runs = {str(event.data["run"]) for event in events if event.data.get("run")}
        known = {run: self._parts.usage.of(run) for run in runs}
        runtimes = {run: used.agent for run, used in known.items() if used}
        kind, runtime = str(jobs.type_of(task)), agent_of(task, self._parts.settings())
        return Trail(kind, task.created_at, events, runtimes, runtime)


_OF_WORK = frozenset({"task.prepare", "task.execute"})


def _latest_run(events: Sequence[Event]) -> str | None:
    runs = (event.data.get("run") for event in reversed(events) if event.type in _OF_WORK)
    return next((run for run in runs if isinstance(run, str)), None)


def _age(task: Task) -> tuple[str, str]:
    return task.created_at, task.id


def _behind(tasks: Sequence[Task], cursor: str) -> int:
    """Find where a page goes on; the task it names may have gone meanwhile."""
    created, _, task = cursor.rpartition(".")
    if not names.is_id(task) or not times.is_time(created):
        raise InvalidInput("cursor", "no page of this list gave it")
    return sum(_age(known) >= (created, task) for known in tasks)
