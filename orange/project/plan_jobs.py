"""Importing a document in two steps, for programs: preview it, commit what was previewed, look at it again.

The plan file is the job's record: it outlives every process, people may edit it in between, and a commit that is sent
twice makes nothing twice. Next in the flow: `core.plans.jobs` makes the answers, routes send them.
"""

from __future__ import annotations

import os
import stat

from orange.core.plans import jobs
from orange.core.plans.model import Parameters, Plan
from orange.core.problems import InvalidInput, OrangeError
from orange.project import documents, plan_import, planning
from orange.project.parts import Parts
from orange.project.planning import NAMELESS
from orange.project.requests import Speaker


class ImportNotFound(OrangeError):
    """No document was previewed under the given id."""

    code = "import_not_found"
    http_status = 404

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no import {job_id!r}: a preview begins one")


def preview(parts: Parts, content: str | None, path: str | None, asked: Parameters) -> dict[str, object]:
    """Decompose a text, or a file of the repository, into a plan that is not imported. Raises InvalidInput, BrokenFile.

    The same text with the same parameters is the same job.
    """
    if (content is None) == (path is None):
        raise InvalidInput("prd_content", "give either prd_content or prd_path")
    if path is not None:
        data = _file(parts.layout.root, path)
        made = planning.draft(parts, documents.text_in(data, path, parts.pages), path, asked)
        return jobs.preview_view(made.plan, made.path)
    text = str(content)
    planning.check_text(text, "prd_content")
    known = _same(parts, text, asked)
    if known is None:
        made = planning.draft(parts, text, NAMELESS, asked)
        return jobs.preview_view(made.plan, made.path)
    return jobs.preview_view(known, planning.path_of(known))


def _same(parts: Parts, text: str, asked: Parameters) -> Plan | None:
    plans = (held.plan for held in planning.held(parts) if held.plan is not None)
    return next((plan for plan in plans if plan.source_file == NAMELESS and planning.is_of(plan, text, asked)), None)


def _file(root: str, path: str) -> bytes:
    """Read a file of the repository, nowhere else. Raises InvalidInput."""
    top, whole = os.path.realpath(root), os.path.realpath(os.path.join(root, path))
    if not whole.startswith(f"{top}/") or os.path.relpath(whole, top).split("/")[0] in {".git", ".orange"}:
        raise InvalidInput("prd_path", "it is no file of the repository: send its text as prd_content")
    try:
        fd = os.open(whole, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidInput("prd_path", f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InvalidInput("prd_path", f"{path}: it is no file")
    with os.fdopen(fd, "rb") as file:
        return file.read(documents.LARGEST_FILE + 1)


def commit(parts: Parts, speaker: Speaker, job_id: str) -> dict[str, object]:
    """Make the tasks of a previewed plan, all or none. Raises OrangeError; ImportNotFound for an unknown job."""
    _check(parts, job_id)
    made = plan_import.import_plan(parts, speaker, job_id)
    return jobs.result_view(made.plan, made.ids)


def job(parts: Parts, job_id: str) -> dict[str, object]:
    """Return a job with what came of it. Raises ImportNotFound, BrokenFile."""
    _check(parts, job_id)
    found = plan_import.review(parts, job_id)
    return jobs.job_view(found.plan, found.path, found.ids)


def _check(parts: Parts, job_id: str) -> None:
    if all(held.id != job_id for held in planning.held(parts)):
        raise ImportNotFound(job_id)
