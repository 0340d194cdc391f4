"""What may be asked of a project's plans: preview, decompose, list, review, import. The command line and routes use it.

Next in the flow: `planning` keeps the files, `plan_import` makes tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orange.core.plans.model import Parameters
from orange.project import documents, plan_asking, plan_import, plan_jobs, planning
from orange.project.claims import check_person
from orange.project.parts import Parts
from orange.project.plan_asking import Tell
from orange.project.plan_import import Imported
from orange.project.planning import Drafted, Held
from orange.project.requests import Speaker


class Plans:
    """One project's plans, on behalf of one speaker."""

    def __init__(self, parts: Parts, speaker: Speaker) -> None:
        self.parts, self.speaker = parts, speaker

    def read(self, data: bytes, source: str) -> str:
        """Return the text of a document: Markdown, plain text or a PDF. Raises InvalidInput."""
        return documents.text_in(data, source, self.parts.pages)

    def preview(self, content: str | None, path: str | None, asked: Parameters) -> dict[str, object]:
        """Decompose a text, or a file of the repository, for `commit_job`. Raises InvalidInput, BrokenFile."""
        return plan_jobs.preview(self.parts, content, path, asked)

    def commit_job(self, job_id: str) -> dict[str, object]:
        """Make the tasks of what was previewed, all or none; again, nothing. Raises OrangeError."""
        made = plan_jobs.commit(self.parts, self.speaker, job_id)
        self.parts.nudge()
        return made

    def job(self, job_id: str) -> dict[str, object]:
        """Return what was previewed, whether it was committed, what came of it. Raises ImportNotFound, BrokenFile."""
        return plan_jobs.job(self.parts, job_id)

    def parameters(self, source: str, given: Mapping[str, Any]) -> Parameters:
        """Say how a document is decomposed: as asked, and for the rest as its plan was, if it has one."""
        had = planning.plan_of(self.parts, source)
        return replace(had.parameters if had else Parameters(), **given)

    def decompose(self, text: str, source: str, asked: Parameters, tell: Tell) -> Drafted:
        """Decompose a document into a plan file, or bring its own up to date; by an agent, where `asked` names one.

        `tell` hears what the agent is asked. Raises InvalidInput, BrokenFile, and what `plan_asking.draft` does.
        """
        if asked.agent is None:
            made = planning.draft(self.parts, text, source, asked)
        else:
            check_person(self.speaker, "let an agent read a document")
            made = plan_asking.draft(self.parts, text, source, asked, tell)
        self.parts.nudge()
        return made

    def list(self) -> Sequence[Held]:
        """List the plans, newest first."""
        return planning.held(self.parts)

    def review(self, address: str | None) -> Imported:
        """Say what a plan holds, and what importing it would change. Raises InvalidInput, BrokenFile."""
        return plan_import.review(self.parts, address)

    def commit(self, address: str | None) -> Imported:
        """Make tasks of a plan, all or none; again, only what differs. Raises OrangeError."""
        made = plan_import.import_plan(self.parts, self.speaker, address)
        self.parts.nudge()
        return made
