"""The runs of a task: what each came to, what it said, and the files of its record.

Next in the flow: `orange.web.routes.runs` serves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orange.core import reviews, times
from orange.core.model import Task
from orange.core.ports import RunRecord
from orange.core.problems import OrangeError
from orange.core.runfiles import is_safe
from orange.project.parts import Parts


class RunNotFound(OrangeError):
    """No run here has this name, or it has no such file."""

    code = "run_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("there is no such run, or no such file of its record")


class RunViews:
    """The runs of one project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def of(self, task: Task) -> list[dict[str, Any]]:
        """Tell every run of a task, the latest first."""
        found = ((run, self._parts.runs.record(run)) for run in reversed(self._parts.folders.runs(task.id)))
        return [self._view(run, record) for run, record in found if record]

    def log(self, run: str, after: int) -> dict[str, Any]:
        """Return a page of what a run said, from a byte on. Raises RunNotFound."""
        ended = self._record(run).outcome is not None
        page = self._parts.folders.page(run, after, ended=ended)
        text = page.data.decode("utf-8", "replace")
        return {"run": run, "text": text, "after": page.after, "size": page.size, "ended": ended}

    def artifacts(self, run: str) -> list[dict[str, Any]]:
        """List the files of a run's record. Raises RunNotFound."""
        self._record(run)
        return [{"path": path, "size": size} for path, size in self._parts.folders.files(run).items()]

    def artifact(self, run: str, path: str) -> str:
        """Return a file of a run's record. Raises RunNotFound, TooLarge."""
        self._record(run)
        data = self._parts.folders.read(run, path)
        if data is None:
            raise RunNotFound
        return data.decode("utf-8", "replace")

    def _record(self, run: str) -> RunRecord:
        record = self._parts.runs.record(run) if is_safe(run) else None
        if record is None:
            raise RunNotFound
        return record

    def _view(self, run: str, record: RunRecord) -> dict[str, Any]:
        used, report = self._parts.usage.of(run), self._parts.runs.report(run) or {}
        bill = used.bill(self._parts.clock.now()) if used else None
        return {
            "run": run,
            "task": record.spec.task,
            "kind": "review" if reviews.is_review(run) else "work",
            "attempt": record.spec.attempt,
            "agent": record.spec.agent or None,
            "model": used.model if used else record.spec.model,
            "started_at": _stamp(record.started_at),
            "ended_at": _stamp(record.ended_at),
            "outcome": record.outcome.value if record.outcome else None,
            "code": _text(report, "code"),
            "exit_code": record.exit_code,
            "message": record.message,
            "commit": record.commit,
            "minutes": bill.minutes if bill else 0,
            "tokens": bill.tokens if bill else 0,
            "usd": bill.usd if bill else 0,
        }


def _stamp(seconds: float | None) -> str | None:
    return None if seconds is None else times.stamp(seconds)


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None
