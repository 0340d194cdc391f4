"""Short digests of texts and tasks: they tell whether something is still what it was.

Next in the flow: `planfile` keeps them, `difference` compares them.
"""

from __future__ import annotations

import hashlib

from orange.core.plans.model import PlanTask


def of_text(text: str) -> str:
    """Return the digest of a document."""
    return _short(text.encode("utf-8", "surrogatepass"), 16)


def of(task: PlanTask) -> str:
    """Return the digest of what a task says; where it stands in the document and how sure its order is do not count."""
    told = (
        task.title, task.parent, task.ref, task.type, task.priority.value, task.estimate, task.category, task.labels,
        tuple(sorted(edge.blocker for edge in task.edges)), task.criteria, task.context, task.done,
    )  # fmt: skip
    return _short(repr(told).encode("utf-8", "surrogatepass"), 8)


def _short(data: bytes, length: int) -> str:
    return hashlib.sha256(data).hexdigest()[:length]
