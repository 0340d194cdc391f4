"""Importing a requirements document in two steps: a preview, which is a plan file, and its import.

The plan is the whole memory of it: whoever comes back after a restart, or twice, finds what was done.

Next in the flow: `orange.web.routes.imports` serves it; the plan may as well be edited and imported by hand.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Any

from orange.core.plans import digest
from orange.core.plans.model import Parameters, PlanStatus
from orange.core.plans.views import plan_view
from orange.core.problems import InvalidInput, OrangeError
from orange.project import plan_import, planning
from orange.project.documents import LARGEST_FILE
from orange.project.parts import Parts
from orange.project.plan_import import Imported
from orange.project.plans import Plans
from orange.project.requests import Speaker

#: The kind of these jobs.
KIND = "prd_import"


class ImportNotFound(OrangeError):
    """No import answers to the given id."""

    code = "import_not_found"
    http_status = 404

    def __init__(self, job: str) -> None:
        super().__init__(f"there is no import {job!r}: a preview begins one")


class PrdImports:
    """The imports of documents into one project, on behalf of one speaker."""

    def __init__(self, parts: Parts, speaker: Speaker) -> None:
        self._parts, self._plans = parts, Plans(parts, speaker)

    def preview(self, content: str | None, path: str | None, asked: Parameters) -> dict[str, Any]:
        """Make a plan of a document's text, or of a file of the repository. Raises InvalidInput, BrokenFile."""
        if (content is None) is (path is None):
            raise InvalidInput("prd_content", "give either this or `prd_path`")
        if path is not None:
            source = _within(self._parts.layout.root, path)
            text = self._plans.read(_bytes(f"{self._parts.layout.root}/{source}", path), source)
        else:
            text = str(content)
            source = f"prd-{digest.of_text(text)[:12]}.md"
        made = self._plans.decompose(text, source, asked, lambda _line: None)
        return self.show(made.plan.id)

    def commit(self, job: str) -> dict[str, Any]:
        """Make tasks of a previewed document, all or none, once. Raises ImportNotFound, OrangeError."""
        self._check(job)
        self._plans.commit(job)
        return self.show(job)

    def show(self, job: str) -> dict[str, Any]:
        """Tell all about an import. Raises ImportNotFound, BrokenFile."""
        self._check(job)
        found = plan_import.review(self._parts, job)
        plan, preview = found.plan, plan_view(found.plan, found.path)
        committed = plan.status is PlanStatus.IMPORTED
        result, summary = _result(found), preview["summary"]
        assert isinstance(summary, dict)
        return {
            "id": plan.id,
            "kind": KIND,
            "status": "committed" if committed else "preview_ready",
            "source": plan.source_file,
            "created_at": plan.created_at or None,
            "request": preview["parameters"],
            "preview": {"prd_title": plan.title, **{key: preview[key] for key in _PREVIEW}},
            "committed_at": self._committed_at(found) if committed else None,
            "result": result if committed else None,
            "warnings": preview["warnings"],
            "task_count": summary["task_count"],
            "edge_count": summary["dependency_count"],
            "created_task_ids": result["created_task_ids"],
        }

    def _check(self, job: str) -> None:
        if all(held.id != job for held in planning.held(self._parts)):
            raise ImportNotFound(job)

    def _committed_at(self, found: Imported) -> str | None:
        tasks = self._parts.store.read().tasks
        return min((tasks[task_id].created_at for task_id in found.ids.values()), default=None)


_PREVIEW = (
    "tasks",
    "dependencies",
    "root_task_ids",
    "blocked_root_ids",
    "estimated_waves",
    "critical_path",
    "summary",
)


def _result(found: Imported) -> Mapping[str, Any]:
    ids = [found.ids[task.key] for task in found.plan.tasks if task.key in found.ids]
    edges = [(edge.blocker, task.key) for task in found.plan.tasks for edge in task.edges]
    count = sum(blocker in found.ids and key in found.ids for blocker, key in edges)
    return {"created_task_ids": ids, "created_count": len(ids), "dependency_count": count}


def _within(root: str, path: str) -> str:
    """Name a file by its place in the repository. Raises InvalidInput for one outside of it."""
    whole, top = os.path.realpath(f"{root}/{path}"), os.path.realpath(root)
    place = os.path.relpath(whole, top)
    if not whole.startswith(f"{top}/") or place.split("/")[0] in {".git", ".orange"} or "\0" in path:
        raise InvalidInput("prd_path", f"{path!r} is no file of the repository")
    return place


def _bytes(path: str, said: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidInput("prd_path", f"{said!r}: {error.strerror or 'it cannot be read'}") from None
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InvalidInput("prd_path", f"{said!r} is no file of the repository")
        return file.read(LARGEST_FILE + 1)
