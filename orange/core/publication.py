"""The texts of what is published: templates filled in, reverts worded, titles like the repository's own. Pure.

Templates are strict: a variable that does not exist is a mistake in the configuration, found when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orange.core.body import section
from orange.core.model import Task

#: What a template may name; `kind` is the type of the task as conventional commits call it.
VARIABLES = ("title", "id", "name", "type", "kind", "ref", "branch", "base", "context", "handoff")
#: What is said where the project has no template.
COMMIT = "Merge {branch}: {title}\n\nTask: {id}\n"
BODY = "{context}\n\n{handoff}\n\nTask: {id}\n"
_TITLE = "{title}"

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_REVERT = re.compile(r'Revert "(.*)"', re.DOTALL)
_CONVENTIONAL = re.compile(r"(feat|fix|docs|refactor|test|chore|perf|build|ci|style)(\([^)]*\))?!?: ")
#: Type of a task -> the word conventional commits have for it.
_WORDS = {
    "feature": "feat", "bug": "fix", "hotfix": "fix", "security": "fix", "refactor": "refactor", "docs": "docs",
    "test": "test", "performance": "perf",
}  # fmt: skip


def unknown_variables(template: str) -> tuple[str, ...]:
    """List what a template names that does not exist."""
    return tuple(name for name in _VARIABLE.findall(template) if name not in VARIABLES)


def is_template(text: str) -> bool:
    """Whether a text names only variables that exist."""
    return not unknown_variables(text)


def fill(template: str, task: Task, base: str, body: str = "") -> str:
    """Fill a template in. What is put in is never looked through for variables again."""
    values = {
        "title": task.title,
        "id": task.id,
        "name": task.name,
        "type": task.type,
        "kind": _WORDS.get(task.type, "chore"),
        "ref": task.ref or "",
        "branch": task.branch or "",
        "base": base,
        "context": (section(body, "Context") or "").strip(),
        "handoff": (section(body, "Handoff") or "").strip(),
    }
    filled = _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template)
    return re.sub(r"\n{3,}", "\n\n", filled).strip() + "\n"


def title_like(subjects: Sequence[str], title: str) -> str:
    """Return the template for a title like a repository's latest subjects: by conventional commits, or plain."""
    conventional = sum(_CONVENTIONAL.match(subject) is not None for subject in subjects)
    return f"{{kind}}: {_TITLE}" if conventional * 2 > len(subjects) and not _CONVENTIONAL.match(title) else _TITLE


def reverts(subject: str, commit: str) -> str:
    """Compose the message of a commit that takes another one back, as git words it."""
    undone = _REVERT.fullmatch(subject)
    first = f'Reapply "{undone[1]}"' if undone else f'Revert "{subject}"'
    return f"{first}\n\nThis reverts commit {commit}.\n"
