"""The texts orange publishes under a project's name, from its templates or by its conventions."""

from __future__ import annotations

from orange.core import publication
from orange.core.model import Task
from orange.project.parts import Parts

#: So many of the latest commits show how a repository words its subjects.
_SAMPLE = 50


def merge(parts: Parts, task: Task, base: str) -> str:
    """Compose the message of a task's merge commit."""
    template = parts.settings().publish_templates.get("commit") or publication.COMMIT
    return publication.fill(template, task, base=base)


def pull_request(parts: Parts, task: Task, base: str) -> tuple[str, str]:
    """Compose a pull request's title and body."""
    templates, body = parts.settings().publish_templates, parts.store.body(task.id)
    title = templates.get("pr_title")
    if title is None:
        title = publication.title_like(parts.integration.subjects(base, _SAMPLE), task.title)
    filled = publication.fill(title, task, base=base, body=body)
    return " ".join(filled.split()), publication.fill(templates.get("pr_body") or publication.BODY, task, base, body)
