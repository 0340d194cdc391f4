"""The merges that are being checked: `<runtime>/candidates.json`, small, and of no worth to any other machine.

Beside it `coverage.json`: what coverage checks named on what was merged last.

Next in the flow: `project.world` reads it at each look, `project.merging` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from orange import recordfile
from orange.adapters.git import repository_lock
from orange.core.layout import Layout
from orange.core.problems import StorageFailed
from orange.core.sharing import Candidate


class FileCandidates:
    """Satisfies `sharing.Candidates`."""

    def __init__(self, layout: Layout) -> None:
        self._path = f"{layout.runtime}/candidates.json"
        self._figures = f"{layout.runtime}/coverage.json"

    def all(self) -> Mapping[str, Candidate]:
        """By task id; what cannot be understood is as good as lost."""
        try:
            with open(self._path, encoding="utf-8") as file:
                return {task: Candidate(**told) for task, told in json.load(file).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def put(self, candidate: Candidate) -> None:
        """Set a task's candidate. Raises StorageFailed."""
        self._change(candidate.task, candidate)

    def drop(self, task: str) -> None:
        """Forget a task's candidate. Raises StorageFailed."""
        if task in self.all():
            self._change(task, None)

    def coverage(self) -> Mapping[str, Mapping[str, float]]:
        """The percentages that coverage checks named on what was merged last, by base and check."""
        try:
            with open(self._figures, encoding="utf-8") as file:
                found = json.load(file)
            return {base: {name: float(figure) for name, figure in told.items()} for base, told in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def note_coverage(self, base: str, figures: Mapping[str, float]) -> None:
        """Note those of a base. Raises StorageFailed."""
        try:
            with repository_lock(f"{self._path}.lock"):
                told = {**self.coverage(), base: dict(figures)}
                recordfile.replace(self._figures, json.dumps(told).encode())
        except OSError as error:
            raise StorageFailed(self._figures, error.strerror or str(error)) from error

    def _change(self, task: str, candidate: Candidate | None) -> None:
        try:
            with repository_lock(f"{self._path}.lock"):
                kept = {other: asdict(known) for other, known in self.all().items() if other != task}
                told = kept | ({task: asdict(candidate)} if candidate else {})
                recordfile.replace(self._path, json.dumps(told).encode())
        except OSError as error:
            raise StorageFailed(self._path, error.strerror or str(error)) from error
