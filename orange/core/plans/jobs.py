"""Importing a document as a job, as programs see it: previewed, then committed. The plan itself is the job's record.

Next in the flow: routes send these objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from orange.core.plans.model import Plan, PlanStatus
from orange.core.plans.settling import blockers
from orange.core.plans.views import plan_view

KIND = "prd_import"
#: What of a plan's object its job's preview shows.
_SHOWN = (
    "tasks", "dependencies", "root_task_ids", "blocked_root_ids", "estimated_waves", "critical_path", "summary",
)  # fmt: skip


def preview_view(plan: Plan, path: str) -> dict[str, object]:
    """Make the answer to a preview. Tasks are named by their keys in the plan."""
    whole = plan_view(plan, path)
    shown = {name: whole[name] for name in _SHOWN}
    return {"job_id": plan.id, "preview": {"prd_title": plan.title, **shown}, "warnings": whole["warnings"]}


def result_view(plan: Plan, ids: Mapping[str, str]) -> dict[str, object]:
    """Make the answer to a commit, the same however often it is committed."""
    created = [ids[task.key] for task in plan.tasks if task.key in ids]
    edges = sum(other in ids for key, waits in blockers(plan).items() if key in ids for other in waits)
    return {
        "job_id": plan.id,
        "created_task_ids": created,
        "created_count": len(created),
        "dependency_count": edges,
    }


def job_view(plan: Plan, path: str, ids: Mapping[str, str]) -> dict[str, object]:
    """Make the object of a job: what was asked for, what is to be made, and what was."""
    whole = plan_view(plan, path)
    asked = {**asdict(plan.parameters), "granularity": plan.parameters.granularity.value}
    committed = plan.status is PlanStatus.IMPORTED
    return {
        "id": plan.id,
        "kind": KIND,
        "status": "committed" if committed else "preview_ready",
        "created_at": whole["created_at"],
        "request": {"prd_path": plan.source_file, **asked},
        "preview": preview_view(plan, path)["preview"],
        "committed_at": whole["imported_at"],
        "result": result_view(plan, ids) if committed else None,
        "warnings": whole["warnings"],
    }
